//! Is there a backup of this home, how old is it, and what would it give back?
//!
//! Here: the note that the sidecar keeps of its last good backup, and the truth about the master key, which is in no backup. Not here:
//! opening a backup or asking a target; `ops-sidecar backup verify` does that.

use std::io::{ErrorKind, Read};
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use shared::clock;
use shared::paths::Home;

use super::{Check, Hint, Typed};

pub(super) const ID: &str = "backup";
const PROGRAM: &str = "ops-sidecar";

/// The sidecar makes one every hour where nobody says otherwise; older than this, nothing makes them any more.
const OLD: Duration = Duration::from_secs(2 * DAY_SECONDS);
const DAY_SECONDS: u64 = 24 * 60 * 60;
/// The sidecar's notes are a tenth of this; a larger file is not one of them.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// What the notes beside the backups say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BackupFacts {
    /// The newest good one.
    Newest(Newest),
    /// There is none that is known to be good.
    Nothing,
    /// The notes cannot be read.
    Unknown(String),
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Newest {
    id: String,
    at_ms: i64,
    #[serde(default)]
    encrypted: bool,
}

/// Of all that the sidecar notes, the one thing that matters here.
#[derive(Deserialize)]
struct Journal {
    #[serde(default)]
    last_good: Option<Newest>,
}

/// What the API keys in a backup are sealed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sealed<'a> {
    /// Nothing is: the store comes from the environment.
    Nothing,
    /// A master key, by its id where it could be learnt.
    WithKey(Option<&'a str>),
}

pub(super) fn look(home: &Home) -> BackupFacts {
    let file = match std::fs::File::open(home.backup_spool().join("journal.json")) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return BackupFacts::Nothing,
        Err(error) => return BackupFacts::Unknown(error.to_string()),
    };
    let mut text = Vec::new();
    if let Err(error) = file.take(MOST_BYTES).read_to_end(&mut text) {
        return BackupFacts::Unknown(error.to_string());
    }
    match serde_json::from_slice::<Journal>(&text) {
        Ok(journal) => journal
            .last_good
            .map_or(BackupFacts::Nothing, BackupFacts::Newest),
        Err(_) => BackupFacts::Unknown("they are damaged".to_owned()),
    }
}

pub(super) fn judge(
    facts: &BackupFacts,
    sealed: Sealed<'_>,
    home: &Home,
    typed: &Typed,
    now: Timestamp,
) -> Check {
    let make = |say: &str| Hint::run(say, typed.sibling(PROGRAM, home, "backup run"));
    match facts {
        BackupFacts::Nothing => Check::warning(
            ID,
            format!(
                "no backup was made here yet: {} would be lost with this disk",
                contents(sealed)
            ),
            make("make one; an ops-sidecar that runs makes one every hour"),
        ),
        BackupFacts::Unknown(why) => Check::warning(
            ID,
            format!(
                "nobody can say whether there is a backup: the notes about them cannot be read ({why})"
            ),
            make("make one, which begins them anew"),
        ),
        BackupFacts::Newest(newest) => {
            let age = age(newest.at_ms, now);
            if age > OLD {
                let summary = format!("the newest backup is {} old", clock::span(age));
                return Check::warning(ID, summary, make("make one, or see what is in the way"));
            }
            sound(newest, age, sealed, typed)
        }
    }
}

/// A sound backup, and what it cannot give back by itself.
fn sound(newest: &Newest, age: Duration, sealed: Sealed<'_>, typed: &Typed) -> Check {
    let form = if newest.encrypted {
        "encrypted"
    } else {
        "not encrypted"
    };
    let summary = format!(
        "the newest, {}, is {} old and {form}",
        newest.id,
        clock::span(age)
    );
    let Sealed::WithKey(key) = sealed else {
        return Check::fine(ID, summary);
    };
    let key = key.map_or_else(String::new, |id| format!(" `{id}`"));
    let truth = format!(
        "{summary}; API keys come back from it only with master key{key}, which is in no backup: without it they are entered anew, while audit and counters return"
    );
    let hint = Hint::run(
        "keep that key apart from the backups, and try it with each drill",
        typed.command("key export --to my-key.age"),
    );
    Check {
        hint: Some(hint),
        ..Check::fine(ID, truth)
    }
}

fn contents(sealed: Sealed<'_>) -> &'static str {
    match sealed {
        Sealed::Nothing => "the audit and the counters",
        Sealed::WithKey(_) => "the stores with their keys, the audit and the counters",
    }
}

fn age(at_ms: i64, now: Timestamp) -> Duration {
    let ms = now.as_millisecond().saturating_sub(at_ms);
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}

#[cfg(all(test, unix))]
mod tests {
    use std::path::Path;

    use super::super::Level;
    use super::*;

    const NOW_MS: i64 = 1_790_000_000_000;

    fn newest(age: Duration) -> BackupFacts {
        BackupFacts::Newest(Newest {
            id: "20260921T141320Z-3f9a1c".to_owned(),
            at_ms: NOW_MS - i64::try_from(age.as_millis()).expect("as made here"),
            encrypted: true,
        })
    }

    fn judged(facts: &BackupFacts, sealed: Sealed<'_>) -> Check {
        let home = Home::at("/h");
        let typed = Typed::new(None, Path::new("/exe"), &home, None);
        let now = Timestamp::from_millisecond(NOW_MS).expect("as made here");
        judge(facts, sealed, &home, &typed, now)
    }

    #[test]
    fn no_backup_is_a_warning_with_the_command_that_makes_one() {
        let check = judged(&BackupFacts::Nothing, Sealed::WithKey(None));
        assert_eq!((check.ok, check.level), (false, Level::Warning));
        assert!(
            check.summary.contains("stores with their keys"),
            "{check:?}"
        );
        assert_eq!(
            check.hint.unwrap().command.unwrap(),
            "ops-sidecar backup run"
        );
        let env = judged(&BackupFacts::Nothing, Sealed::Nothing);
        assert!(!env.summary.contains("keys"), "{env:?}");
    }

    #[test]
    fn a_backup_of_three_days_ago_is_a_warning() {
        assert!(judged(&newest(OLD), Sealed::Nothing).ok);
        let old = judged(&newest(OLD + OLD / 2), Sealed::Nothing);
        assert_eq!((old.ok, old.level), (false, Level::Warning));
        assert!(old.summary.contains("3 days"), "{old:?}");
    }

    #[test]
    fn a_sound_backup_says_what_it_cannot_give_back_without_the_key() {
        let check = judged(
            &newest(Duration::from_secs(3700)),
            Sealed::WithKey(Some("k1")),
        );
        assert!(check.ok, "{check:?}");
        for words in [
            "61 minutes old and encrypted",
            "only with master key `k1`",
            "entered anew",
        ] {
            assert!(check.summary.contains(words), "{words}: {check:?}");
        }
        let command = check.hint.unwrap().command.unwrap();
        assert!(command.ends_with("key export --to my-key.age"), "{command}");
        assert_eq!(judged(&newest(OLD), Sealed::Nothing).hint, None);
    }

    fn noted(text: &str) -> BackupFacts {
        let folder = tempfile::tempdir().expect("as made here");
        let home = Home::at(folder.path());
        std::fs::create_dir_all(home.backup_spool()).expect("as made here");
        std::fs::write(home.backup_spool().join("journal.json"), text).expect("as made here");
        look(&home)
    }

    #[test]
    fn of_the_sidecars_notes_the_last_good_backup_is_read() {
        let good = r#"{"runs": [1], "last_good": {"at_ms": 5, "id": "b", "encrypted": true, "outcome": "good"}, "new": {}}"#;
        let expected = Newest {
            id: "b".to_owned(),
            at_ms: 5,
            encrypted: true,
        };
        assert_eq!(noted(good), BackupFacts::Newest(expected));
        assert_eq!(noted(r#"{"last_good": null}"#), BackupFacts::Nothing);
        assert_eq!(noted("{}"), BackupFacts::Nothing);
        assert!(matches!(noted("{\"last"), BackupFacts::Unknown(_)));
        assert_eq!(look(&Home::at("/nowhere")), BackupFacts::Nothing);
    }
}
