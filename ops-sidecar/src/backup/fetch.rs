//! One backup from one target to a database that is known to be what was backed up.
//!
//! Everything is written to a file that is the caller's alone, and nothing is believed before it is proven: the file's hash while it comes,
//! the seal, the hash of the image while it is opened, then what is in it, all against the manifest. Here: these steps, in bounded memory.
//! Not here: which backup from which target (`restore`).

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::Progress;
use super::check::{self, CheckError, Checked};
use super::manifest::{ChainEnd, Manifest};
use super::scratch::{self, Scratch};
use super::seal::{self, Identities, SealError};
use super::targets::{Fetched, Kind, Target, TargetError};
use super::words::hex;
use crate::upkeep::disk;

/// How much is opened at a time.
const PIECE_BYTES: usize = 256 * 1024;
/// What is left free on the disk.
const LEFT_FREE_BYTES: u64 = 8 * 1024 * 1024;

/// Why a backup could not be fetched from a target.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The target did not give it.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// What came is not what was made.
    #[error("it is not what was backed up: {0}")]
    Differs(String),
    /// It cannot be opened.
    #[error(transparent)]
    Seal(SealError),
    /// It was opened and is no sound state file.
    #[error("it was opened and is not sound")]
    Unsound(#[from] CheckError),
    /// The disk on this side.
    #[error("cannot write `{}`: {source}{}", path.display(), room(source))]
    Here {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl FetchError {
    /// Another target would fail in the same way: the key does not fit, or there is no room on this side.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        match self {
            FetchError::Here { .. }
            | FetchError::Seal(SealError::NoIdentity | SealError::WrongIdentity) => true,
            // Reading fills nothing at the target.
            FetchError::Target(error) => error.kind() == Kind::Full,
            _ => false,
        }
    }
}

impl FetchError {
    /// What is at the target is not sound, or is missing where it should be; else the target, or this side, could not do its part.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        match self {
            FetchError::Target(error) => error.kind() == Kind::Missing,
            FetchError::Differs(_) | FetchError::Unsound(_) => true,
            FetchError::Seal(error) => matches!(error, SealError::Damaged(_)),
            FetchError::Here { .. } => false,
        }
    }
}

fn room(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            "; hint: it needs room for the backup and for the database in it; make some, or restore to another disk with `--to FILE`"
        }
        _ => "",
    }
}

/// A database that equals the one that was backed up.
#[derive(Debug)]
pub struct Image {
    /// Where it lies; it goes with the scratch folder.
    pub path: PathBuf,
    /// What is in it.
    pub checked: Checked,
}

/// Fetches, opens and checks. `identities` are needed for what is encrypted.
///
/// # Errors
/// [`FetchError`]; whatever was written is in `scratch`.
pub fn fetch(
    target: &Target,
    manifest: &Manifest,
    identities: Option<&Identities>,
    scratch: &Scratch,
    progress: &dyn Progress,
) -> Result<Image, FetchError> {
    if manifest.encrypted && identities.is_none() {
        return Err(FetchError::Seal(SealError::NoIdentity));
    }
    let sealed = scratch.join(&manifest.file.name);
    let path = scratch.join("state.db");
    for leftover in [&sealed, &path] {
        remove(leftover)?;
    }
    let both = (manifest.file.bytes).saturating_add(manifest.database.bytes);
    refuse_to_fill(both, &path)?;
    progress.stage("fetching", manifest.file.bytes);
    let fetched = target.get_to(&manifest.file_key(), &sealed, &mut |bytes| {
        progress.advance(bytes);
    })?;
    same_file(manifest, &fetched)?;
    progress.stage("opening", manifest.database.bytes);
    open(manifest, &sealed, identities, &path, progress)?;
    remove(&sealed)?;
    progress.stage("checking", 0);
    let checked = check::check_copy(&path, &[])?;
    same_content(manifest, &checked)?;
    Ok(Image { path, checked })
}

/// What is to lie at `path` and beside it is mostly on the disk of the state file: whoever writes that must not be the one who notices that
/// there is no room, however large a manifest says that something is.
pub(super) fn refuse_to_fill(bytes: u64, path: &Path) -> Result<(), FetchError> {
    let needed = bytes.saturating_add(LEFT_FREE_BYTES);
    let folder = path.parent().unwrap_or(Path::new("."));
    match disk::look(folder) {
        Some(disk) if disk.free_bytes < needed => Err(FetchError::Here {
            path: path.to_owned(),
            source: io::ErrorKind::StorageFull.into(),
        }),
        _ => Ok(()),
    }
}

/// Whether what a target gave is the file of the manifest.
///
/// # Errors
/// [`FetchError::Differs`].
pub fn same_file(manifest: &Manifest, fetched: &Fetched) -> Result<(), FetchError> {
    if fetched.bytes != manifest.file.bytes {
        return Err(FetchError::Differs(format!(
            "the file has {} bytes instead of {}",
            fetched.bytes, manifest.file.bytes
        )));
    }
    if hex(&fetched.sha256) != manifest.file.sha256 {
        return Err(FetchError::Differs(
            "the file has another hash than when it was made".to_owned(),
        ));
    }
    Ok(())
}

/// Decrypts and decompresses `sealed` into a new file, no further than the manifest says that it goes.
fn open(
    manifest: &Manifest,
    sealed: &Path,
    identities: Option<&Identities>,
    path: &Path,
    progress: &dyn Progress,
) -> Result<(), FetchError> {
    let here = |path: &Path| {
        let path = path.to_owned();
        move |source| FetchError::Here { path, source }
    };
    let input = BufReader::new(File::open(sealed).map_err(here(sealed))?);
    let mut content =
        seal::reader(input, manifest.encrypted, identities).map_err(FetchError::Seal)?;
    let mut out = scratch::new_file(path).map_err(here(path))?;
    let mut hash = Sha256::new();
    let mut bytes = 0;
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let read = match content.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(FetchError::Seal(seal::read_error(error))),
        };
        let piece = piece.get(..read).unwrap_or_default();
        bytes += read as u64;
        if bytes > manifest.database.bytes {
            return Err(FetchError::Differs(
                "the database in it is larger than it was".to_owned(),
            ));
        }
        hash.update(piece);
        out.write_all(piece).map_err(here(path))?;
        progress.advance(read as u64);
    }
    out.sync_all().map_err(here(path))?;
    if bytes != manifest.database.bytes || hex(&hash.finalize()) != manifest.database.sha256 {
        return Err(FetchError::Differs(
            "the database in it is not the one that was copied".to_owned(),
        ));
    }
    Ok(())
}

/// Whether an opened copy holds what the manifest says: schema, epoch, the rows of each table, the ends of the audit chains.
fn same_content(manifest: &Manifest, checked: &Checked) -> Result<(), FetchError> {
    let (was, is) = (&manifest.database, &checked.inspected);
    let numbers = [
        ("schema", u64::from(was.schema), u64::from(is.schema)),
        ("restore epoch", was.restore_epoch, is.restore_epoch),
    ];
    for (what, was, is) in numbers {
        if was != is {
            return Err(FetchError::Differs(format!(
                "its {what} is {is}, not {was}"
            )));
        }
    }
    let tables = was.rows.keys().chain(is.rows.keys());
    for table in tables {
        let (was, is) = (was.rows.get(table), is.rows.get(table));
        if was != is {
            let (was, is) = (was.copied().unwrap_or(0), is.copied().unwrap_or(0));
            return Err(FetchError::Differs(format!(
                "table `{table}` has {is} rows instead of {was}"
            )));
        }
    }
    same_chains(&manifest.chains, &checked.chains)
}

/// Whether the audit is as it was: also where it was not whole. (That may have shown by checkpoints, which a copy is not held against.)
fn same_chains(was: &[ChainEnd], is: &[ChainEnd]) -> Result<(), FetchError> {
    let differs = |what: String| Err(FetchError::Differs(what));
    for now in is {
        let Some(then) = was.iter().find(|then| then.chain == now.chain) else {
            return differs(format!("there was no audit chain `{}`", now.chain));
        };
        if (then.rows, &then.head) != (now.rows, &now.head) {
            return differs("its audit does not end as it did".to_owned());
        }
        if let (None, Some(broken)) = (&then.problem, now.broken()) {
            return differs(format!(
                "{broken}, and it was whole when the backup was made"
            ));
        }
    }
    let is_gone = |then: &&ChainEnd| then.rows > 0 && is.iter().all(|now| now.chain != then.chain);
    match was.iter().find(is_gone) {
        Some(gone) => differs(format!("the audit chain `{}` is gone", gone.chain)),
        None => Ok(()),
    }
}

fn remove(path: &Path) -> Result<(), FetchError> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(FetchError::Here {
            path: path.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use shared::audit::{self, Actor, Chain, Entry, action};
    use shared::state::Durability;

    use super::*;
    use crate::backup::Quiet;
    use crate::backup::make::tests::desk::Desk;

    #[test]
    fn what_came_back_is_held_against_every_claim_of_its_manifest() {
        let desk = Desk::new();
        let (state, actor) = (desk.room.slot.get().unwrap(), Actor::cli());
        let entry = Entry::done(&actor, action::STORE_ADDED, Some("tea"));
        let noted = state.write("test", Durability::Full, |writing| {
            audit::append(writing, &Chain::Env, &entry, 1, None)
        });
        noted.unwrap();
        let id = desk.good();
        let target = &desk.room.targets[0];
        let bytes = target.get(&id.manifest_key()).unwrap();
        let sound = Manifest::parse(&id, &bytes).unwrap();
        let scratch = Scratch::new(desk.folder.path()).unwrap();
        let claims: [fn(&mut Manifest); 8] = [
            |claimed| claimed.file.bytes += 1,
            |claimed| claimed.file.sha256 = "0".repeat(64),
            |claimed| claimed.database.sha256 = "0".repeat(64),
            |claimed| claimed.database.restore_epoch += 1,
            |claimed| *claimed.database.rows.get_mut("meta").unwrap() += 1,
            |claimed| claimed.chains[0].head = "0".repeat(64),
            |claimed| claimed.chains[0].rows += 1,
            |claimed| {
                claimed.chains.push(ChainEnd {
                    chain: "system".to_owned(),
                    rows: 1,
                    head: "0".repeat(64),
                    problem: None,
                });
            },
        ];
        for (number, claim) in claims.into_iter().enumerate() {
            let mut claimed = sound.clone();
            claim(&mut claimed);
            let refused = fetch(target, &claimed, None, &scratch, &Quiet).unwrap_err();
            assert!(
                matches!(refused, FetchError::Differs(_)),
                "{number}: {refused}"
            );
        }
    }

    #[test]
    fn what_is_larger_inside_than_its_manifest_says_is_written_no_further() {
        let desk = Desk::new();
        let id = desk.good();
        let target = &desk.room.targets[0];
        let bytes = target.get(&id.manifest_key()).unwrap();
        let mut manifest = Manifest::parse(&id, &bytes).unwrap();
        manifest.database.bytes = 4096;
        let scratch = Scratch::new(desk.folder.path()).unwrap();
        let refused = fetch(target, &manifest, None, &scratch, &Quiet).unwrap_err();
        assert!(matches!(refused, FetchError::Differs(_)), "{refused}");
        let written = std::fs::metadata(scratch.join("state.db")).unwrap();
        assert!(written.len() <= 4096, "{}", written.len());
    }

    #[test]
    fn what_the_disk_cannot_hold_is_not_begun() {
        let desk = Desk::new();
        let id = desk.good();
        let target = &desk.room.targets[0];
        let bytes = target.get(&id.manifest_key()).unwrap();
        let mut manifest = Manifest::parse(&id, &bytes).unwrap();
        let scratch = Scratch::new(desk.folder.path()).unwrap();
        fetch(target, &manifest, None, &scratch, &Quiet).unwrap();
        manifest.database.bytes = u64::MAX;
        let refused = fetch(target, &manifest, None, &scratch, &Quiet).unwrap_err();
        assert!(
            refused.is_ours() && refused.to_string().contains("hint: "),
            "{refused}"
        );
        assert!(!scratch.join(&manifest.file.name).exists());
    }
}
