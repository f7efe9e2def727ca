//! The three verbs: put the entry into a client's file, take it out, look whether it is there.
//!
//! Here: the order of things: find the file, lock it, read it, change the text, back it up, replace it. Not here: how each is done.

use std::path::PathBuf;

use jiff::Timestamp;

use super::client::{Candidate, Client};
use super::edit::{self, Refusal, Spot};
use super::entry::{Entry, check_name};
use super::error::HostError;
use super::file::{self, Held, Replaced};
use super::places::Places;

/// How often a file that another program changes under our hands is read anew.
const ATTEMPTS: u32 = 5;

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The client's file.
    pub path: PathBuf,
    /// The copy of what stood there before; none if nothing changed or nothing stood there.
    pub backup: Option<PathBuf>,
    /// Whether the file was changed.
    pub changed: bool,
}

/// What to do when a client's own folder is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Folder {
    /// Refuse: the client is not installed here, or was never started.
    MustExist,
    /// Make it (`--force`): the client will find the file when it is installed.
    MayBeMade,
}

/// Puts the entry into a client's file, or brings it up to date: command, arguments and home; what else stands in the entry is the user's
/// and stays. Safe to repeat: if nothing is to be done, nothing is written. `now` dates the backup.
///
/// # Errors
/// [`HostError`]; the file is then as it was.
pub fn install(
    client: &Client,
    places: &Places,
    entry: &Entry,
    folder: Folder,
    now: Timestamp,
) -> Result<Done, HostError> {
    entry.check()?;
    let candidate = client.candidate(places)?;
    if !candidate.folder.is_dir() && folder == Folder::MustExist {
        let (client, id, folder) = (client.title, client.id, candidate.folder);
        return Err(HostError::NotInstalled { client, id, folder });
    }
    file::make_folder(&candidate.file)?;
    let spot = Spot::of(client, &entry.name);
    let fields = entry.fields(client.shape);
    change(&candidate, spot, now, |text| edit::put(text, spot, &fields))
}

/// Takes the entry of that name out of a client's file, and nothing else. Nothing to take out is fine.
///
/// # Errors
/// [`HostError`]; the file is then as it was.
pub fn uninstall(
    client: &Client,
    places: &Places,
    name: &str,
    now: Timestamp,
) -> Result<Done, HostError> {
    check_name(name)?;
    let candidate = client.candidate(places)?;
    if file::read(&candidate.file)?.is_none() {
        return Ok(Done {
            path: candidate.file,
            backup: None,
            changed: false,
        });
    }
    let spot = Spot::of(client, name);
    change(&candidate, spot, now, |text| edit::remove(text, spot))
}

/// The entry of that name in a client's file, if there is a file and it holds one. Changes nothing.
///
/// # Errors
/// [`HostError`] if the file cannot be read or understood.
pub fn installed(client: &Client, places: &Places, name: &str) -> Result<Option<Entry>, HostError> {
    let path = client.candidate(places)?.file;
    let Some(found) = file::read(&path)? else {
        return Ok(None);
    };
    let entry = edit::find(&found.text, Spot::of(client, name));
    let entry = entry.map_err(|refusal| explain(refusal, path, name))?;
    Ok(entry.and_then(|tree| Entry::from_tree(name, &tree)))
}

/// Reads, changes and replaces a file. If it was changed in between by a program that does not know our lock, everything is done again
/// with what stands there now.
fn change(
    candidate: &Candidate,
    spot: Spot<'_>,
    now: Timestamp,
    work: impl Fn(&str) -> Result<String, Refusal>,
) -> Result<Done, HostError> {
    let path = &candidate.file;
    let held = Held::lock(path)?;
    for _ in 0..ATTEMPTS {
        let found = held.read()?;
        let before = found.as_ref().map_or("", |found| found.text.as_str());
        let after = work(before).map_err(|refusal| explain(refusal, path.clone(), spot.name))?;
        if after == before {
            return Ok(Done {
                path: path.clone(),
                backup: None,
                changed: false,
            });
        }
        if let Replaced::Done { backup } = held.replace(found.as_ref(), &after, now)? {
            return Ok(Done {
                path: path.clone(),
                backup,
                changed: true,
            });
        }
    }
    Err(HostError::Busy { path: path.clone() })
}

fn explain(refusal: Refusal, path: PathBuf, name: &str) -> HostError {
    match refusal {
        Refusal::Syntax { line, column, why } => HostError::Syntax {
            path,
            line,
            column,
            why,
        },
        Refusal::Shape(what) => HostError::Shape { path, what },
        Refusal::Foreign => HostError::Foreign {
            path,
            name: name.to_owned(),
        },
        Refusal::Damage => HostError::WouldDamage { path },
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::fs;

    use super::super::client::find;
    use super::*;

    /// A file `config.toml` with a text in it, in a folder of its own.
    fn file(text: &str) -> (tempfile::TempDir, Candidate) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        fs::write(&file, text).unwrap();
        let candidate = Candidate {
            folder: folder.path().to_owned(),
            file,
        };
        (folder, candidate)
    }

    fn spot() -> Spot<'static> {
        Spot::of(find("codex").unwrap(), "orderdesk")
    }

    #[test]
    fn what_another_program_wrote_meanwhile_is_read_and_kept() {
        let (folder, candidate) = file("a = 1\n");
        let rounds = Cell::new(0);
        let done = change(&candidate, spot(), Timestamp::UNIX_EPOCH, |text| {
            rounds.set(rounds.get() + 1);
            if rounds.get() == 1 {
                fs::write(&candidate.file, "a = 2\n").unwrap();
            }
            Ok(format!("{text}ours = true\n"))
        });
        assert_eq!(
            fs::read_to_string(&candidate.file).unwrap(),
            "a = 2\nours = true\n"
        );
        let backup = done.unwrap().backup.unwrap();
        assert_eq!(fs::read_to_string(backup).unwrap(), "a = 2\n");
        // The backup of the first round, which came to nothing, is gone.
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_file_that_never_rests_is_given_up_and_left_as_it_is() {
        let (folder, candidate) = file("0");
        let rounds = Cell::new(0);
        let refused = change(&candidate, spot(), Timestamp::UNIX_EPOCH, |_| {
            rounds.set(rounds.get() + 1);
            fs::write(&candidate.file, rounds.get().to_string()).unwrap();
            Ok("ours".to_owned())
        });
        assert!(matches!(refused, Err(HostError::Busy { .. })));
        assert_eq!(
            fs::read_to_string(&candidate.file).unwrap(),
            ATTEMPTS.to_string()
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_appears_meanwhile_is_not_overwritten() {
        let (_folder, candidate) = file("");
        fs::remove_file(&candidate.file).unwrap();
        let done = change(&candidate, spot(), Timestamp::UNIX_EPOCH, |text| {
            if text.is_empty() {
                fs::write(&candidate.file, "theirs = 1\n").unwrap();
            }
            Ok(format!("{text}ours = 1\n"))
        });
        assert!(done.unwrap().backup.is_some());
        assert_eq!(
            fs::read_to_string(&candidate.file).unwrap(),
            "theirs = 1\nours = 1\n"
        );
    }
}
