//! A kept copy as the source of a restore: what stood there before another restore, or before a migration.
//!
//! Such a copy lies on this machine as a plain database without a manifest. So there is nothing to fetch, to open or to compare with; what
//! can be checked of a file by itself is checked as it is of every other. The kept copy stays where it is; like every other, it goes when
//! newer ones have taken its place.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use shared::paths::Home;
use shared::state::{KeptCopy, StateError, kept_copies};

use super::error::RestoreError;
use super::{Brought, Source};
use crate::backup::Progress;
use crate::backup::check::{self, CheckError};
use crate::backup::fetch::{self, FetchError, Image};
use crate::backup::scratch::{self, Scratch};
use crate::backup::words::chain;

/// How much is copied at a time.
const PIECE_BYTES: usize = 256 * 1024;

/// Brings the kept copy of this name, or at this path, into a folder of its own inside of `place`, checked.
///
/// # Errors
/// [`RestoreError::NoSuchCopy`]; [`RestoreError::CannotPutBack`] for one that is damaged, or that this program must not use. Nothing is left
/// behind.
pub fn bring_kept(
    home: &Home,
    name: &str,
    place: &Path,
    progress: &dyn Progress,
) -> Result<Brought, RestoreError> {
    let copy = find(home, name)?;
    if copy.has_log {
        let why = "SQLite could not open it when it was put aside, and its log still lies beside it; \
            hint: `ops-sidecar backup list` shows what else there is";
        return Err(cannot(&copy, why));
    }
    let scratch = Scratch::new(place).map_err(|source| RestoreError::Here {
        path: place.to_owned(),
        source,
    })?;
    let path = scratch.join("state.db");
    take(&copy, &path, progress)?;
    progress.stage("checking", 0);
    let checked = check::check_copy(&path, &[]).map_err(|error| cannot(&copy, &unsound(&error)))?;
    Ok(Brought {
        image: Image { path, checked },
        bytes: copy.bytes,
        from: Source::Kept(copy),
        scratch,
    })
}

/// By its name as it is listed, or by the whole path, as a restore says it.
fn find(home: &Home, wanted: &str) -> Result<KeptCopy, RestoreError> {
    let is_wanted = |copy: &KeptCopy| {
        let same_place = || {
            Some((
                copy.path.canonicalize().ok()?,
                Path::new(wanted).canonicalize().ok()?,
            ))
        };
        copy.name == wanted || same_place().is_some_and(|(one, other)| one == other)
    };
    kept_copies(home)?
        .into_iter()
        .find(is_wanted)
        .ok_or_else(|| RestoreError::NoSuchCopy {
            name: wanted.escape_debug().to_string(),
        })
}

/// Copies it: the one that is kept stays, and what becomes of this one is changed.
fn take(copy: &KeptCopy, to: &Path, progress: &dyn Progress) -> Result<(), RestoreError> {
    let cannot_read = |error: io::Error| cannot(copy, &format!("it cannot be read: {error}"));
    let cannot_write = |source| {
        let path = to.to_owned();
        cannot(copy, &chain(&FetchError::Here { path, source }))
    };
    fetch::refuse_to_fill(copy.bytes, to).map_err(|error| cannot(copy, &chain(&error)))?;
    progress.stage("copying", copy.bytes);
    let mut from = File::open(&copy.path).map_err(cannot_read)?;
    let mut out = scratch::new_file(to).map_err(cannot_write)?;
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let read = match from.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(cannot_read(error)),
        };
        out.write_all(piece.get(..read).unwrap_or_default())
            .map_err(cannot_write)?;
        progress.advance(read as u64);
    }
    out.sync_all().map_err(cannot_write)
}

fn cannot(copy: &KeptCopy, why: &str) -> RestoreError {
    RestoreError::CannotPutBack {
        name: copy.name.clone(),
        why: why.to_owned(),
    }
}

/// The errors of the state file speak of the one in use; this is another.
fn unsound(error: &CheckError) -> String {
    match error {
        CheckError::State(StateError::Corrupt { said, .. }) => format!(
            "it is damaged ({said}); hint: `ops-sidecar backup list` shows what else there is"
        ),
        CheckError::State(StateError::Newer { file, ours }) => format!(
            "it has schema {file}, and this program knows {ours}; hint: put it back with the program that wrote it, or a newer one"
        ),
        other => chain(other),
    }
}
