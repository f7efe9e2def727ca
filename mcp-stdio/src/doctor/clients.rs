//! Do the clients that start this server start this one, on this home?

use std::path::{Path, PathBuf};

use shared::env::Vars;
use shared::paths::{HOME_VARIABLE, Home};

use super::{Check, Hint, Typed};
use crate::hosts::{self, CLIENTS, Client, Entry, HostError, Places};

const ID: &str = "clients";

/// The name of our entry in every client.
const ENTRY: &str = "orderdesk";

/// One client's entry for this server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ClientFacts {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) found: Found,
}

/// What it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// This program on this home.
    Right,
    /// There is no such program (any more), or it cannot be run.
    NoProgram(PathBuf),
    /// Another program than the one that is asking.
    OtherProgram(PathBuf),
    /// This program on another home.
    OtherHome(PathBuf),
    /// The client's file cannot be read.
    Unreadable(String),
}

/// Looks into every client that has an entry.
pub(super) fn look(places: &Places, program: &Path, home: &Home) -> Vec<ClientFacts> {
    let edited = CLIENTS.iter().filter(|client| client.is_edited());
    edited
        .filter_map(|client| {
            let found = look_into(client, places, program, home)?;
            Some(ClientFacts {
                id: client.id,
                title: client.title,
                found,
            })
        })
        .collect()
}

fn look_into(client: &Client, places: &Places, program: &Path, home: &Home) -> Option<Found> {
    match hosts::installed(client, places, ENTRY) {
        Ok(entry) => entry.map(|entry| compare(&entry, program, home)),
        // A client that is not there, or an entry that is somebody else's server.
        Err(
            HostError::NotInstalled { .. }
            | HostError::NoHome { .. }
            | HostError::PrintOnly { .. }
            | HostError::Foreign { .. },
        ) => None,
        Err(error) => Some(Found::Unreadable(error.to_string())),
    }
}

fn compare(entry: &Entry, program: &Path, home: &Home) -> Found {
    if !is_executable(&entry.command) {
        return Found::NoProgram(entry.command.clone());
    }
    if !is_same_file(&entry.command, program) {
        return Found::OtherProgram(entry.command.clone());
    }
    match home_of(entry) {
        Some(other) if !is_same_file(&other, home.root()) => Found::OtherHome(other),
        _ => Found::Right,
    }
}

/// The home that a server started by this entry would use.
fn home_of(entry: &Entry) -> Option<PathBuf> {
    let mut args = entry.args.iter();
    let flag = args
        .find(|arg| *arg == "--home")
        .and_then(|_| args.next())
        .map(PathBuf::from);
    let variable = entry.env.iter().filter(|(name, _)| name == HOME_VARIABLE);
    let vars = Vars::from_pairs(variable.map(|(name, value)| (name, value)));
    let home = Home::resolve(flag.as_deref(), &vars).ok()?;
    Some(home.root().to_owned())
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use rustix::fs::{Access, access};
    path.is_file() && access(path, Access::EXEC_OK).is_ok()
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.is_file()
}

/// The same after links are followed; what does not exist is compared by name.
fn is_same_file(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}

pub(super) fn judge(facts: &[ClientFacts], typed: &Typed) -> Check {
    let titles: Vec<&str> = facts.iter().map(|client| client.title).collect();
    let wrong: Vec<&ClientFacts> = facts
        .iter()
        .filter(|client| client.found != Found::Right)
        .collect();
    // The worst comes first: a client whose program is gone shows its user nothing.
    let gone = |client: &&&ClientFacts| matches!(client.found, Found::NoProgram(_));
    let Some(first) = wrong.iter().find(gone).or(wrong.first()) else {
        return Check::fine(
            ID,
            match titles.len() {
                0 => "no client starts this server yet (see install --client)".to_owned(),
                1 => format!("{} starts this program on this home", titles.join("")),
                _ => format!("{} start this program on this home", titles.join(", ")),
            },
        );
    };
    let more = match wrong.len() - 1 {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    let summary = format!("{} {}{more}", first.title, said(&first.found));
    let hint = remedy(&wrong, typed);
    if matches!(first.found, Found::NoProgram(_)) {
        Check::error(ID, summary, hint)
    } else {
        Check::warning(ID, summary, hint)
    }
}

fn said(found: &Found) -> String {
    match found {
        Found::Right => "is as it should be".to_owned(),
        Found::NoProgram(path) => {
            format!("starts `{}`, and there is no such program", path.display())
        }
        Found::OtherProgram(path) => format!("starts `{}`, not this program", path.display()),
        Found::OtherHome(path) => format!("starts this program on `{}`", path.display()),
        Found::Unreadable(why) => format!("has a configuration that cannot be read: {why}"),
    }
}

/// One command for all of them. A file that cannot be read cannot be edited either.
fn remedy(wrong: &[&ClientFacts], typed: &Typed) -> Hint {
    let readable = wrong
        .iter()
        .filter(|client| !matches!(client.found, Found::Unreadable(_)));
    let commands: Vec<String> = readable
        .map(|client| typed.command(&format!("install --client {}", client.id)))
        .collect();
    if commands.is_empty() {
        return Hint::run(
            "mend the file at that place; what belongs into it",
            typed.command(&format!("install --client {} --print", wrong[0].id)),
        );
    }
    Hint::run(
        "let it start this program on this home, then restart it",
        commands.join(" && "),
    )
}

#[cfg(all(test, unix))]
mod tests {
    use super::super::Level;
    use super::*;

    fn typed() -> Typed {
        Typed::new(None, Path::new("/exe"), &Home::at("/h"), None)
    }

    fn facts(id: &'static str, found: Found) -> ClientFacts {
        ClientFacts {
            id,
            title: id,
            found,
        }
    }

    #[test]
    fn clients_that_start_this_program_are_named_and_none_is_fine_too() {
        assert!(judge(&[], &typed()).ok);
        let right = judge(&[facts("zed", Found::Right)], &typed());
        assert_eq!(right.summary, "zed starts this program on this home");
    }

    #[test]
    fn a_program_that_is_gone_is_an_error_and_another_one_a_warning() {
        let gone = facts("zed", Found::NoProgram("/old".into()));
        let other = facts("cursor", Found::OtherProgram("/else".into()));
        let check = judge(&[other.clone(), gone], &typed());
        assert_eq!(check.level, Level::Error);
        assert_eq!(
            check.summary,
            "zed starts `/old`, and there is no such program (and 1 more)"
        );
        assert_eq!(
            check.hint.unwrap().command.unwrap(),
            "/exe install --client cursor && /exe install --client zed"
        );
        assert_eq!(judge(&[other], &typed()).level, Level::Warning);
    }

    #[test]
    fn an_entry_is_compared_by_what_it_would_start() {
        let folder = tempfile::tempdir().unwrap();
        let (program, home) = (folder.path().join("mcp-stdio"), folder.path().join("home"));
        std::fs::copy("/bin/sh", &program).unwrap();
        std::os::unix::fs::symlink(&program, folder.path().join("link")).unwrap();
        let entry = |command: &str, home: Option<&Path>| Entry {
            name: ENTRY.to_owned(),
            command: folder.path().join(command),
            args: vec!["serve".to_owned()],
            env: home
                .map(|home| (HOME_VARIABLE.to_owned(), home.display().to_string()))
                .into_iter()
                .collect(),
        };
        let compare = |entry: &Entry| compare(entry, &program, &Home::at(&home));
        assert_eq!(compare(&entry("mcp-stdio", Some(&home))), Found::Right);
        assert_eq!(compare(&entry("link", Some(&home))), Found::Right);
        assert!(matches!(
            compare(&entry("mcp-stdio", None)),
            Found::OtherHome(_)
        ));
        assert!(matches!(
            compare(&entry("gone", Some(&home))),
            Found::NoProgram(_)
        ));
        let with_flag = Entry {
            args: vec!["--home".to_owned(), "/elsewhere".to_owned()],
            ..entry("mcp-stdio", Some(&home))
        };
        assert_eq!(compare(&with_flag), Found::OtherHome("/elsewhere".into()));
        std::fs::copy("/bin/sh", folder.path().join("copy")).unwrap();
        assert!(matches!(
            compare(&entry("copy", Some(&home))),
            Found::OtherProgram(_)
        ));
    }
}
