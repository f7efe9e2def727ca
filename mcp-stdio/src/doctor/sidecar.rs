//! Is somebody watching?
//!
//! Told by the sessions and their locks, as everywhere in this house: whether its HTTP port answers is another question, which
//! `ops-sidecar health` asks.

use std::path::{Path, PathBuf};

use shared::paths::Home;
use shared::session::{Kind, is_alive};
use shared::state::tables::sessions;
use shared::state::{State, StateError};

use super::{Check, Hint, Typed};

const ID: &str = "sidecar";
const PROGRAM: &str = "ops-sidecar";
const UNIT: &str = "ops-sidecar.service";

/// Where user units live, under the user's home.
const USER_UNITS: &str = ".config/systemd/user";
/// Where system-wide user units live.
const ALL_USERS_UNITS: [&str; 2] = ["/etc/systemd/user", "/usr/lib/systemd/user"];

/// What is known about the sidecar of this home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SidecarFacts {
    /// Versions of the living ones; `None` if nobody can say.
    pub(super) alive: Option<Vec<String>>,
    /// A user unit for it is installed.
    pub(super) has_user_unit: bool,
}

/// Without a state file there is none: it makes the file when it starts.
pub(super) fn look(state: Option<&State>, home: &Home, user_home: Option<&Path>) -> SidecarFacts {
    SidecarFacts {
        alive: state.map_or(Some(Vec::new()), |state| living(state, home).ok()),
        has_user_unit: cfg!(target_os = "linux")
            && units(user_home).iter().any(|unit| unit.is_file()),
    }
}

fn living(state: &State, home: &Home) -> Result<Vec<String>, StateError> {
    let rows = state.read("doctor", sessions::all)?;
    Ok(rows
        .into_iter()
        .filter(|row| row.kind == Kind::OpsSidecar && is_alive(home, &row.id))
        .map(|row| row.version)
        .collect())
}

fn units(user_home: Option<&Path>) -> Vec<PathBuf> {
    let own = user_home.map(|home| home.join(USER_UNITS));
    let all = ALL_USERS_UNITS.iter().map(PathBuf::from);
    own.into_iter()
        .chain(all)
        .map(|folder| folder.join(UNIT))
        .collect()
}

pub(super) fn judge(facts: &SidecarFacts, home: &Home, typed: &Typed) -> Check {
    match &facts.alive {
        None => Check::warning(
            ID,
            "nobody can say whether an ops-sidecar runs",
            Hint::run("look again", typed.command("doctor")),
        ),
        Some(versions) => match versions.last() {
            Some(version) => Check::fine(ID, format!("ops-sidecar {version} is running")),
            None => missing(facts, home, typed),
        },
    }
}

fn missing(facts: &SidecarFacts, home: &Home, typed: &Typed) -> Check {
    let summary = "no ops-sidecar is running on this home: no metrics, and nobody watches disk, state file and audit";
    // The unit knows the default home only.
    let by_unit = facts.has_user_unit && *home.source() == shared::env::Source::Default;
    let hint = if by_unit {
        Hint::run(
            "start it, now and at every login",
            format!("systemctl --user enable --now {UNIT}"),
        )
    } else if typed.beside(PROGRAM).is_some() {
        Hint::run(
            "start it, and leave it running",
            typed.sibling(PROGRAM, home, "serve"),
        )
    } else {
        Hint::run(
            format!(
                "install ops-sidecar beside {}, then start it and leave it running",
                typed.program().display()
            ),
            typed.sibling(PROGRAM, home, "serve"),
        )
    };
    Check::warning(ID, summary, hint)
}

#[cfg(all(test, unix))]
mod tests {
    use shared::session::Session;
    use shared::state::Durability;

    use super::super::Level;
    use super::*;

    fn judged(versions: &[&str], has_user_unit: bool, program: &Path) -> Check {
        let home = Home::at("/h");
        let facts = SidecarFacts {
            alive: Some(versions.iter().map(|&version| version.to_owned()).collect()),
            has_user_unit,
        };
        judge(&facts, &home, &Typed::new(None, program, &home, None))
    }

    #[test]
    fn a_missing_sidecar_is_a_warning_with_the_command_that_starts_it() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("mcp-stdio");
        let command = |unit| judged(&[], unit, &program).hint.unwrap().command.unwrap();
        assert_eq!(judged(&[], false, &program).level, Level::Warning);
        assert_eq!(command(false), "ops-sidecar serve");
        let beside = folder.path().join("ops-sidecar");
        std::fs::write(&beside, "").unwrap();
        assert_eq!(command(false), format!("{} serve", beside.display()));
        assert_eq!(
            command(true),
            "systemctl --user enable --now ops-sidecar.service"
        );
        assert!(judged(&["1.2.3"], false, &program).ok);
    }

    #[test]
    fn only_a_living_sidecar_of_this_home_counts() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().join("home"));
        let state = State::open(&home).unwrap();
        let begin = |kind| {
            let session = Session::begin(&home, kind, "1.2.3").unwrap();
            let row = sessions::NewSession {
                id: session.id(),
                kind,
                pid: 1,
                version: "1.2.3",
                started_ms: 0,
            };
            state
                .write("test", Durability::Normal, |writing| {
                    sessions::insert(writing, &row)
                })
                .unwrap();
            session
        };
        let _stdio = begin(Kind::McpStdio);
        let alive = || look(Some(&state), &home, None).alive.unwrap().len();
        assert_eq!(alive(), 0);
        let sidecar = begin(Kind::OpsSidecar);
        assert_eq!(alive(), 1);
        drop(sidecar);
        assert_eq!(alive(), 0);
    }
}
