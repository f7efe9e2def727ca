//! Every page of the state file is looked at, several times a day.
//!
//! A page that the disk has spoilt is noticed only by who reads it: counting the rows of a table whose page was overwritten gives the right
//! number. So all of them are read, with their structure checked, beside the writers.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use shared::state::{Mark, State, StateError};

/// Time between two looks at a sound file. A look at 200 MB took 0.13 to 0.24 s.
const EVERY: Duration = Duration::from_secs(6 * 3600);
/// After a look that failed, or that found damage.
const AGAIN: Duration = Duration::from_secs(10 * 60);
/// A look holds a snapshot and keeps the disk busy: on a huge file no more than this part of the time.
const SHARE: u32 = 200;

/// How a look ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Checked {
    /// When.
    #[serde(serialize_with = "as_rfc3339")]
    pub at: Timestamp,
    /// How long it took.
    pub took_seconds: f64,
    /// No damage was found.
    pub sound: bool,
}

/// Decides when to look, and remembers at which opening of the file it did.
#[derive(Debug, Default)]
pub(super) struct Soundness {
    last: Option<Last>,
}

#[derive(Debug)]
struct Last {
    opening: Mark,
    ended: Instant,
    pause: Duration,
}

impl Soundness {
    /// Looks if it is time; `None` if it is not. A file that was opened anew (after a restore, say) is looked at at once.
    pub(super) fn turn(
        &mut self,
        state: &State,
        now: Instant,
        at: Timestamp,
    ) -> anyhow::Result<Option<Checked>> {
        let is_due = self.last.as_ref().is_none_or(|last| {
            !last.opening.is_of(state) || now.saturating_duration_since(last.ended) >= last.pause
        });
        if !is_due {
            return Ok(None);
        }
        let looked = state.quick_check();
        let took = looked.as_ref().copied().unwrap_or_default();
        let sound = looked.is_ok();
        self.last = Some(Last {
            opening: state.mark(),
            ended: now,
            pause: pause(sound, took),
        });
        match looked {
            Ok(_) | Err(StateError::Corrupt { .. }) => Ok(Some(Checked {
                at,
                took_seconds: took.as_secs_f64(),
                sound,
            })),
            // Nothing was learnt about the pages: what was known before stands.
            Err(error) => Err(error.into()),
        }
    }
}

fn pause(sound: bool, took: Duration) -> Duration {
    let wanted = if sound { EVERY } else { AGAIN };
    wanted.max(took.saturating_mul(SHARE))
}

fn as_rfc3339<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format!("{time:.3}"))
}

#[cfg(test)]
mod tests {
    use shared::paths::Home;

    use super::*;

    fn opened() -> (tempfile::TempDir, State) {
        let folder = tempfile::tempdir().expect("a folder");
        let state = State::open(&Home::at(folder.path())).expect("a fresh file");
        (folder, state)
    }

    #[test]
    fn a_sound_file_is_looked_at_soon_after_the_start_and_then_every_six_hours() {
        let (_folder, state) = opened();
        let mut soundness = Soundness::default();
        let start = Instant::now();
        let mut looks_at = |after| {
            soundness
                .turn(&state, start + after, Timestamp::UNIX_EPOCH)
                .expect("a sound file")
        };
        assert!(looks_at(Duration::ZERO).expect("the first look").sound);
        assert_eq!(looks_at(EVERY - Duration::from_secs(1)), None);
        assert!(looks_at(EVERY).is_some());
    }

    #[test]
    fn another_opening_is_looked_at_at_once() {
        let (folder, state) = opened();
        let mut soundness = Soundness::default();
        let now = Instant::now();
        let at = Timestamp::UNIX_EPOCH;
        soundness.turn(&state, now, at).expect("a sound file");
        drop(state);
        let again = State::open(&Home::at(folder.path())).expect("the same file");
        assert!(soundness.turn(&again, now, at).expect("sound").is_some());
        assert!(soundness.turn(&again, now, at).expect("sound").is_none());
    }

    #[test]
    fn damage_and_failure_are_looked_at_again_soon_and_a_huge_file_seldom() {
        assert_eq!(pause(true, Duration::from_millis(200)), EVERY);
        assert_eq!(pause(false, Duration::ZERO), AGAIN);
        let minutes = Duration::from_secs(300);
        assert_eq!(pause(true, minutes), minutes * SHARE);
    }
}
