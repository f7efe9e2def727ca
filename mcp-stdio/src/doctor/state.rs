//! Can the state file be opened and written?

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use shared::paths::Home;
use shared::state::{Slot, State, StateError};

use super::typed::{as_root, path, word};
use super::{Check, Hint, Typed};

const ID: &str = "state";

/// What an attempt to use the state file showed.
#[derive(Debug)]
pub(super) enum StateFacts {
    /// It was never made.
    Missing,
    /// It opens, and the write lock could be had in this time.
    Usable { schema: u32, probe: Duration },
    /// It does not.
    Unusable(Arc<StateError>),
}

/// Opens and probes an existing file. A missing one is not made: looking is not installing.
pub(super) fn look(slot: &Slot) -> (StateFacts, Option<State>) {
    if !slot.home().state_db().exists() {
        return (StateFacts::Missing, None);
    }
    let state = match slot.open_now() {
        Ok(state) => state,
        Err(error) => return (StateFacts::Unusable(error), None),
    };
    let facts = match state.write_probe() {
        Ok(probe) => StateFacts::Usable {
            schema: state.schema_version(),
            probe,
        },
        Err(error) => StateFacts::Unusable(Arc::new(error)),
    };
    (facts, Some(state))
}

/// `made_at_start` as for the home. `now` names the folder into which an unusable file can be moved.
pub(super) fn judge(
    facts: &StateFacts,
    home: &Home,
    typed: &Typed,
    made_at_start: bool,
    now: Timestamp,
) -> Check {
    match facts {
        StateFacts::Missing if made_at_start => {
            Check::fine(ID, "`state.db` is made at the first start")
        }
        StateFacts::Missing => Check::error(
            ID,
            "there is no `state.db` in the home yet",
            Hint::run("make it", typed.command("init")),
        ),
        StateFacts::Usable { schema, probe } => Check::fine(
            ID,
            format!(
                "opens and can be written (schema {schema}, {:.2} ms)",
                probe.as_secs_f64() * 1000.0
            ),
        ),
        StateFacts::Unusable(error) => unusable(error, home, typed, now),
    }
}

fn unusable(error: &StateError, home: &Home, typed: &Typed, now: Timestamp) -> Check {
    let text = error.to_string();
    let (summary, advice) = text.split_once("; hint: ").unwrap_or((&text, ""));
    let advice = advice.replace('`', "");
    let hint = match error {
        StateError::Newer { .. } => Hint::run(
            "update this program: nothing is lost then. Or, with every program that uses this home closed, go on with an empty state \
             file beside the old one, and add the stores again",
            afresh(home, typed, now),
        ),
        StateError::Corrupt { .. } => Hint::run(
            "restore a backup if there is one. Or, with every program that uses this home closed, go on with an empty state file beside \
             the old one, and add the stores again",
            afresh(home, typed, now),
        ),
        StateError::NotOurs { .. } => Hint::run(
            "give this program another home",
            format!(
                "{} --home {} init",
                path(typed.program()),
                path(&other(home))
            ),
        ),
        StateError::ReadOnly => Hint::run("let this user write them again", mine(home)),
        StateError::Full => Hint::run(
            "free space, or raise the quota of this user",
            format!("df -h {}", path(home.root())),
        ),
        StateError::Locked | StateError::BeingRestored | StateError::NotYetOpened => {
            return Check::warning(
                ID,
                summary,
                Hint::run("look again", typed.command("doctor")),
            );
        }
        _ => Hint::run(
            format!("{advice}; then look again"),
            typed.command("doctor"),
        ),
    };
    Check::error(ID, summary, hint)
}

/// Moves the state file and its companions into a folder of this second, and makes a new one.
fn afresh(home: &Home, typed: &Typed, now: Timestamp) -> String {
    let aside = home
        .root()
        .join(format!("state-{}", now.strftime("%Y%m%dT%H%M%SZ")));
    let (aside, init) = (path(&aside), typed.command("init"));
    if cfg!(windows) {
        let files = word(&home.root().join("state.db*").to_string_lossy());
        return format!("mkdir {aside} && move {files} {aside} && {init}");
    }
    let file = path(&home.state_db());
    format!("mkdir {aside} && mv {file}* {aside}/ && {init}")
}

fn mine(home: &Home) -> String {
    let (folder, file) = (path(home.root()), path(&home.state_db()));
    if cfg!(windows) {
        return format!("attrib -r {folder}\\state.db*");
    }
    if is_ours(&home.state_db()) {
        return format!("chmod u+rw {file}*");
    }
    let chown = as_root(&format!("chown -R \"$(id -u)\" {folder}"));
    format!("{chown} && chmod -R u+rwX {folder}")
}

#[cfg(unix)]
fn is_ours(file: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let me = rustix::process::geteuid().as_raw();
    file.metadata().is_ok_and(|about| about.uid() == me)
}

#[cfg(not(unix))]
fn is_ours(_file: &Path) -> bool {
    true
}

fn other(home: &Home) -> PathBuf {
    let mut other = home.root().as_os_str().to_owned();
    other.push("-2");
    other.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(facts: &StateFacts) -> Check {
        let home = Home::at("/my home");
        let typed = Typed::new(None, Path::new("/exe"), &home, None);
        let now = "2026-03-02T14:10:00Z".parse().unwrap();
        judge(facts, &home, &typed, false, now)
    }

    fn broken(error: StateError) -> Check {
        judged(&StateFacts::Unusable(Arc::new(error)))
    }

    #[test]
    fn a_file_that_opens_is_fine_and_a_missing_one_is_made_by_init() {
        let usable = judged(&StateFacts::Usable {
            schema: 2,
            probe: Duration::from_micros(150),
        });
        assert_eq!(
            usable.summary,
            "opens and can be written (schema 2, 0.15 ms)"
        );
        let missing = judged(&StateFacts::Missing).hint.unwrap();
        assert_eq!(missing.command.as_deref(), Some("/exe init"));
    }

    #[cfg(unix)]
    #[test]
    fn a_newer_file_is_moved_aside_only_by_an_offered_command() {
        let check = broken(StateError::Newer { file: 9, ours: 2 });
        assert!(
            check.summary.contains("newer than this program"),
            "{check:?}"
        );
        let hint = check.hint.unwrap();
        assert!(hint.say.starts_with("update this program"), "{hint}");
        assert_eq!(
            hint.command.as_deref(),
            Some(
                "mkdir '/my home/state-20260302T141000Z' && mv '/my home/state.db'* '/my home/state-20260302T141000Z'/ && /exe init"
            )
        );
    }

    #[test]
    fn a_busy_file_is_a_warning_and_everything_else_an_error() {
        assert_eq!(
            broken(StateError::Locked).level,
            super::super::Level::Warning
        );
        for error in [
            StateError::ReadOnly,
            StateError::Full,
            StateError::Corrupt {
                sqlite_code: 11,
                said: "no".into(),
            },
            StateError::NetworkFileSystem { kind: "nfs".into() },
        ] {
            let check = broken(error);
            assert_eq!(check.level, super::super::Level::Error);
            assert!(!check.summary.contains("hint"), "{check:?}");
            assert!(check.hint.unwrap().command.is_some());
        }
    }

    #[test]
    fn looking_makes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().join("home"));
        home.create().unwrap();
        let (facts, state) = look(&Slot::new(home.clone()));
        assert!(matches!(facts, StateFacts::Missing) && state.is_none());
        assert!(!home.state_db().exists());
    }
}
