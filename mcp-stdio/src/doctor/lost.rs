//! The key that fits, when the one that was found does not, or none was: is this home in use with another one, and is that one still here?
//!
//! `key import --force` keeps the old key beside the new one, and people keep copies: a key file in the home that opens a tenant of this
//! state file is a better remedy than any advice. Whose tenant it is, is not said.

use std::path::{Path, PathBuf};

use shared::paths::Home;
use shared::state::State;
use shared::state::tables::tenants;

use super::typed::path;
use super::{Hint, Typed};
use crate::vault::{KeyText, key_file};

/// Names of key files and of what is kept beside them begin so.
const KEY_FILE: &str = "master.key";

/// Key files that are looked into; a home has one or two.
const MOST_FILES: usize = 32;

/// What is known about the key that is missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Lost {
    /// Some key has sealed stores in this home.
    pub(super) in_use: bool,
    /// A file in the home with a key that has.
    pub(super) kept: Option<PathBuf>,
}

pub(super) fn look(state: &State, home: &Home) -> Lost {
    let in_use = state.read("doctor", tenants::any).unwrap_or(false);
    let kept = if in_use {
        beside(home).into_iter().find(|file| fits(state, file))
    } else {
        None
    };
    Lost { in_use, kept }
}

/// The files beside `master.key`, newest name first: their names end in dates.
fn beside(home: &Home) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(home.root()).into_iter().flatten();
    let mut files: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|file| is_beside(file, home))
        .collect();
    files.sort();
    files.reverse();
    files.truncate(MOST_FILES);
    files
}

fn is_beside(file: &Path, home: &Home) -> bool {
    let named = file.file_name().and_then(|name| name.to_str());
    named.is_some_and(|name| name.starts_with(KEY_FILE))
        && file != home.master_key()
        && file != home.master_key_next()
}

fn fits(state: &State, file: &Path) -> bool {
    let Ok(Some(text)) = key_file::read(file) else {
        return false;
    };
    let Ok(KeyText::Random(key)) = KeyText::parse(&text) else {
        return false;
    };
    let id = key.id();
    state
        .read("doctor", |reading| tenants::by_key_id(reading, id.as_str()))
        .is_ok_and(|tenant| tenant.is_some())
}

impl Lost {
    /// How to bring it. `replaces`: another key is in its place, and goes aside.
    pub(super) fn bring(&self, replaces: bool, typed: &Typed) -> Hint {
        let import = if replaces {
            "key import --force"
        } else {
            "key import"
        };
        match &self.kept {
            Some(file) => Hint::run(
                "a key that this home was set up with lies beside it: take that one",
                typed.command(&format!("{import} {}", path(file))),
            ),
            None => Hint::run(
                "this home's stores are sealed with another key. Put that one back from a backup, or bring it from the file that key export \
                 wrote on the machine where it is (FILE, for example my-key.age)",
                typed.command(&format!("{import} FILE")),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_key_is_named_and_else_the_file_is_left_open() {
        let typed = Typed::new(None, Path::new("/exe"), &Home::at("/h"), None);
        let mut lost = Lost {
            in_use: true,
            kept: None,
        };
        let command = |lost: &Lost, replaces| lost.bring(replaces, &typed).command.unwrap();
        assert_eq!(command(&lost, false), "/exe key import FILE");
        lost.kept = Some("/h/master.key.20260302T141000Z".into());
        assert_eq!(
            command(&lost, true),
            "/exe key import --force /h/master.key.20260302T141000Z"
        );
    }

    #[test]
    fn only_files_beside_the_key_are_looked_into() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path());
        for name in [
            "master.key",
            "master.key.next",
            "master.key.2",
            "master.key.1",
            "state.db",
        ] {
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        let names: Vec<_> = beside(&home)
            .iter()
            .map(|file| file.file_name().unwrap().to_str().unwrap().to_owned())
            .collect();
        assert_eq!(names, ["master.key.2", "master.key.1"]);
    }

    #[test]
    fn a_fresh_home_is_in_use_with_no_key() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().join("home"));
        let state = State::open(&home).unwrap();
        assert_eq!(look(&state, &home), Lost::default());
    }
}
