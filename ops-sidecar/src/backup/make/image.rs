//! From the state file to one sealed file in the spool, and its manifest.
//!
//! The copy is opened and checked before it is sealed, and what was sealed is opened again before it goes anywhere: also when it is
//! encrypted to keys that this machine does not have, because one more key is made for that and forgotten with the run. Everything is
//! streamed; memory does not grow with the state file.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use shared::audit::checkpoint::{self, Checkpoint};
use shared::state::{Copied, State, StateError};

use super::MakeError;
use super::hashing::{Sum, Summed};
use crate::VERSION;
use crate::backup::check::{self, Checked};
use crate::backup::id::BackupId;
use crate::backup::manifest::{DatabasePart, FORMAT, FilePart, Manifest};
use crate::backup::owner;
use crate::backup::scratch::{self, Scratch};
use crate::backup::seal::{self, Identities, Recipients, SealError};
use crate::backup::{Progress, Room, words};

/// Read and hashed at a time.
const CHUNK: usize = 64 * 1024;

/// The sealed file, and what is true of it.
pub(super) struct Sealed {
    pub(super) file: PathBuf,
    pub(super) manifest: Manifest,
}

/// Copies, checks and seals.
pub(super) fn sealed(
    room: &Room,
    id: &BackupId,
    scratch: &Scratch,
    progress: &dyn Progress,
) -> Result<Sealed, MakeError> {
    let began = Instant::now();
    let image = scratch.join("state.db");
    // Read before the copy: what is remembered later than that may not be in it.
    let mut remembered = checkpoint::read(&room.home).map_err(MakeError::Checkpoints)?;
    let copied = copy(room, &image, progress)?;
    remembered.extend(prunings(room)?);
    progress.stage("check", 0);
    let checked = check::check_copy(&image, &remembered)?;
    if (checked.inspected.pages, checked.inspected.page_size) != (copied.pages, copied.page_size) {
        return Err(MakeError::Differs);
    }
    stop_if_asked(progress)?;

    let recipients = &room.settings.recipients;
    let file = scratch.join(&id.file_name(!recipients.is_empty()));
    let (recipients_and_us, identity) = recipients.and_one_to_check_with();
    let packed = pack(&image, &file, &recipients_and_us, progress)?;
    open_again(&file, &packed, identity.as_ref(), progress)?;
    // The spool may be small: the image is not needed any more.
    std::fs::remove_file(&image).map_err(SealError::from)?;
    let manifest = manifest(id, &copied, &checked, &packed, recipients, began);
    Ok(Sealed { file, manifest })
}

/// Pruned beginnings that were noted while the copy was made: the note comes before the pruning, so the copy may have either.
fn prunings(room: &Room) -> Result<impl Iterator<Item = Checkpoint>, MakeError> {
    let now = checkpoint::read(&room.home).map_err(MakeError::Checkpoints)?;
    Ok(now.into_iter().filter(|point| point.pruned))
}

fn copy(room: &Room, image: &Path, progress: &dyn Progress) -> Result<Copied, MakeError> {
    let state = match room.slot.get() {
        Ok(state) => state,
        // Nobody has opened it yet: a command, or the first seconds of the daemon.
        Err(_) => room.slot.open_now().map_err(MakeError::Copy)?,
    };
    // So that it is in the copy: a restored home is known where the lost one was.
    owner::prepare(&state);
    copy_from(&state, image, progress)
}

fn copy_from(state: &State, image: &Path, progress: &dyn Progress) -> Result<Copied, MakeError> {
    let mut told = 0;
    let copied = state.copy_for_now(image, &mut |done, of| {
        if told == 0 {
            progress.stage("copy", u64::from(of));
        }
        progress.advance(u64::from(done.saturating_sub(told)));
        told = done;
        if progress.is_stopped() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    copied.map_err(|error| match error {
        StateError::Stopped => MakeError::Stopped,
        other => MakeError::Copy(Arc::new(other)),
    })
}

fn stop_if_asked(progress: &dyn Progress) -> Result<(), MakeError> {
    if progress.is_stopped() {
        return Err(MakeError::Stopped);
    }
    Ok(())
}

/// Both sides of the seal.
struct Packed {
    image: Sum,
    file: Sum,
}

/// Compresses and encrypts the image into a new file. Like the image it is gone when the run ends, and not flushed: what has to last is at the
/// targets.
fn pack(
    image: &Path,
    file: &Path,
    recipients: &Recipients,
    progress: &dyn Progress,
) -> Result<Packed, MakeError> {
    let input = File::open(image).map_err(SealError::from)?;
    let length = input.metadata().map_err(SealError::from)?.len();
    progress.stage("seal", length);
    let out = Summed::new(BufWriter::with_capacity(
        CHUNK,
        scratch::new_file(file).map_err(SealError::from)?,
    ));
    let mut writer = seal::writer(out, recipients).map_err(SealError::from)?;
    let image = pump(input, &mut writer, progress)?;
    let (buffered, file) = writer.finish().map_err(SealError::from)?.finish();
    buffered
        .into_inner()
        .map_err(|error| SealError::from(error.into_error()))?;
    Ok(Packed { image, file })
}

/// Reads the file again and opens it: the image must come out.
fn open_again(
    file: &Path,
    packed: &Packed,
    identity: Option<&Identities>,
    progress: &dyn Progress,
) -> Result<(), MakeError> {
    progress.stage("open", packed.image.bytes);
    let mut input = Summed::new(File::open(file).map_err(SealError::from)?);
    let opened = seal::reader(&mut input, identity.is_some(), identity)?;
    let image = pump(opened, &mut io::sink(), progress)?;
    let (_, file) = input.finish();
    let is_same = image == packed.image && file == packed.file;
    is_same.then_some(()).ok_or(MakeError::Differs)
}

/// From one to the other; what passed.
fn pump(from: impl Read, to: &mut dyn Write, progress: &dyn Progress) -> Result<Sum, MakeError> {
    let mut from = Summed::new(from);
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = match from.read(&mut chunk) {
            Ok(0) => return Ok(from.finish().1),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(seal::read_error(error).into()),
        };
        to.write_all(&chunk[..read]).map_err(SealError::from)?;
        progress.advance(read as u64);
        stop_if_asked(progress)?;
    }
}

fn manifest(
    id: &BackupId,
    copied: &Copied,
    checked: &Checked,
    packed: &Packed,
    recipients: &Recipients,
    began: Instant,
) -> Manifest {
    let encrypted = !recipients.is_empty();
    let inspected = &checked.inspected;
    Manifest {
        format: FORMAT,
        id: id.to_string(),
        at: words::moment(copied.at_ms),
        version: VERSION.to_owned(),
        file: FilePart {
            name: id.file_name(encrypted),
            bytes: packed.file.bytes,
            sha256: packed.file.hex(),
        },
        database: DatabasePart {
            bytes: packed.image.bytes,
            sha256: packed.image.hex(),
            page_size: inspected.page_size,
            pages: inspected.pages,
            schema: inspected.schema,
            compatible_from: inspected.compatible_from,
            restore_epoch: inspected.restore_epoch,
            rows: inspected.rows.clone(),
        },
        chains: checked.chains.clone(),
        encrypted,
        recipients: recipients.names(),
        took_ms: super::millis(began.elapsed()),
    }
}
