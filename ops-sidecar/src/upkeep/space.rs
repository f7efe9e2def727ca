//! Room inside of the state file: statistics for the planner, and giving back what the file no longer needs.
//!
//! A page that is emptied is used again before the file grows, so a file is rewritten only where that pays: after an audit or a fleet of
//! servers has shrunk for good. A rewrite changes every page, which recovery to a moment then ships once.

use std::time::{Duration, Instant};

use shared::session::Kind;
use shared::state::{Space, State, holders};

use super::disk;

/// How often the room is looked at: a read of three numbers.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// SQLite itself decides what of it is worth doing.
const OPTIMIZE_EVERY: Duration = Duration::from_secs(3600);
/// A rewrite that did not help is not repeated sooner.
const REWRITE_EVERY: Duration = Duration::from_secs(24 * 3600);
/// Less than this is not worth writing the file anew.
const PAYS_FROM_BYTES: u64 = 32 * 1024 * 1024;
/// Nor is less than this part of the file, in percent.
const PAYS_FROM_PERCENT: u64 = 25;

/// What one round did.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Turn {
    /// Bytes in the file that hold nothing, if that was looked at.
    pub(super) free_bytes: Option<u64>,
    pub(super) did_something: bool,
}

/// Keeps the room.
#[derive(Debug, Default)]
pub(super) struct Room {
    looked: Option<Instant>,
    optimized: Option<Instant>,
    rewritten: Option<Instant>,
}

impl Room {
    pub(super) fn turn(&mut self, state: &State, now: Instant) -> anyhow::Result<Turn> {
        let mut turn = Turn::default();
        if is_due(self.looked, LOOK_EVERY, now) {
            self.looked = Some(now);
            let space = state.space()?;
            turn.free_bytes = Some(free_bytes(space));
            if pays(space) && self.may_rewrite(state, space, now) {
                self.rewritten = Some(now);
                state.vacuum()?;
                tracing::info!(
                    "the state file was rewritten: {} MiB of it held nothing",
                    free_bytes(space) >> 20
                );
                turn.free_bytes = Some(free_bytes(state.space()?));
                turn.did_something = true;
            }
        }
        if is_due(self.optimized, OPTIMIZE_EVERY, now) {
            self.optimized = Some(now);
            state.optimize()?;
            turn.did_something = true;
        }
        Ok(turn)
    }

    /// Never while somebody works: the rewrite keeps writers out. And never where the disk could not hold both.
    fn may_rewrite(&self, state: &State, space: Space, now: Instant) -> bool {
        // Who is not known to be a sidecar may be a server that has only just begun.
        let is_alone = holders(state.home())
            .iter()
            .all(|holder| holder.kind == Kind::OpsSidecar.as_str());
        is_alone && is_due(self.rewritten, REWRITE_EVERY, now) && has_room(state, space)
    }
}

fn is_due(last: Option<Instant>, every: Duration, now: Instant) -> bool {
    last.is_none_or(|last| now.saturating_duration_since(last) >= every)
}

fn free_bytes(space: Space) -> u64 {
    u64::from(space.free_pages) * u64::from(space.page_size)
}

fn pays(space: Space) -> bool {
    let part = u64::from(space.free_pages) * 100;
    free_bytes(space) > PAYS_FROM_BYTES && part > u64::from(space.pages) * PAYS_FROM_PERCENT
}

/// For the new file beside the old one and for the log that carries it over, and then some.
fn has_room(state: &State, space: Space) -> bool {
    let file = u64::from(space.pages) * u64::from(space.page_size);
    disk::look(state.home().root())
        .is_some_and(|disk| disk.free_bytes > file * 2 + disk::MIN_FREE_BYTES)
}

#[cfg(test)]
mod tests {
    use shared::paths::Home;
    use shared::session::Session;
    use shared::state::Durability;
    use shared::state::tables::agreements;

    use super::*;

    fn space(pages: u32, free_pages: u32) -> Space {
        Space {
            page_size: 4096,
            pages,
            free_pages,
        }
    }

    #[test]
    fn a_rewrite_pays_above_thirty_two_mebibytes_and_a_quarter_of_the_file() {
        let mebibytes_32 = 8192;
        assert!(pays(space(4 * mebibytes_32, mebibytes_32 + 1)));
        assert!(!pays(space(2 * mebibytes_32, mebibytes_32)), "too little");
        assert!(
            !pays(space(8 * mebibytes_32, 2 * mebibytes_32)),
            "too small a part"
        );
    }

    #[test]
    fn it_is_time_at_first_and_then_after_the_interval() {
        let now = Instant::now();
        assert!(is_due(None, LOOK_EVERY, now));
        assert!(!is_due(Some(now), LOOK_EVERY, now + LOOK_EVERY / 2));
        assert!(is_due(Some(now), LOOK_EVERY, now + LOOK_EVERY));
    }

    /// A file of so many bytes, nearly all of which hold nothing any more.
    fn shrunk(home: &Home, bytes: u64) -> State {
        let state = State::open(home).expect("a fresh file");
        let long = "x".repeat(60_000);
        let written = state.write("test", Durability::Normal, |writing| {
            for number in 0..bytes / 60_000 {
                let name = format!("{number}{long}");
                agreements::use_once(writing, &name, (1, 10), 2)?;
            }
            Ok(())
        });
        written.expect("a sound file");
        let expired = state.write("test", Durability::Normal, |writing| {
            agreements::use_once(writing, "last", (11, 20), 11)
        });
        expired.expect("a sound file");
        state
    }

    #[test]
    fn a_file_that_has_shrunk_is_rewritten_once_no_server_lives() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::at(folder.path());
        let state = shrunk(&home, PAYS_FROM_BYTES * 11 / 10);
        let before = state.size().database_bytes;
        let (mut room, now) = (Room::default(), Instant::now());
        let server = Session::begin(&home, Kind::McpStdio, "1").expect("a session");
        let kept = room.turn(&state, now).expect("a sound file");
        assert!(kept.free_bytes > Some(PAYS_FROM_BYTES), "{kept:?}");
        assert_eq!(state.size().database_bytes, before);
        drop(server);
        let done = room.turn(&state, now + LOOK_EVERY).expect("a sound file");
        assert!(
            done.did_something && done.free_bytes < Some(PAYS_FROM_BYTES / 100),
            "{done:?}"
        );
        assert!(state.size().database_bytes < before / 10);
        state.quick_check().expect("a sound file");
    }
}
