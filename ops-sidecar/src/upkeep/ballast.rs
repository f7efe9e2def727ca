//! Space in reserve for the day the disk is full.
//!
//! On a full disk SQLite can neither commit nor checkpoint nor delete, and an operator cannot even edit a file. So a little space is held
//! by a file that holds nothing else, and is given back when a write meets the end of the disk: then the log can be moved over, writes go on,
//! and somebody has time to act. It is taken again only when there is plenty of room, far above the point where it is given back.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use parking_lot::Mutex;
use rustix::fs::FallocateFlags;
use rustix::io::Errno;
use serde::Serialize;
use shared::state::{Checkpoint, Slot};

use super::disk::{self, DiskFacts, MIN_FREE_BYTES};

/// With less than this, a commit may be the one that fails.
const GIVE_BACK_BELOW_BYTES: u64 = 8 * 1024 * 1024;
/// So much free space is plenty on any disk,
const PLENTY_BYTES: u64 = 1024 * 1024 * 1024;
/// and so is more than one part in twenty of a small one.
const PLENTY_PART: u64 = 20;
/// What is written to learn whether anything can be written: one block.
const TRIAL_BYTES: usize = 4096;

/// How it stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BallastFacts {
    /// How much the settings ask for; 0 for none.
    pub wanted_bytes: u64,
    /// How much is held.
    pub held_bytes: u64,
}

/// Where to read it; `None` before the first look.
pub type Latest = Arc<Mutex<Option<BallastFacts>>>;

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plan {
    Keep,
    Take,
    GiveBack,
}

/// The step of the ballast loop.
#[derive(Debug)]
pub struct Ballast {
    slot: Slot,
    wanted: u64,
    latest: Latest,
}

impl Ballast {
    /// Has not looked yet. `wanted` bytes are to be held, 0 for none.
    #[must_use]
    pub fn new(slot: Slot, wanted: u64) -> Ballast {
        Ballast {
            slot,
            wanted,
            latest: Latest::default(),
        }
    }

    /// Where to read how it stands.
    #[must_use]
    pub fn latest(&self) -> Latest {
        Arc::clone(&self.latest)
    }

    /// One round. `writes_fail` says that this program could not write to the state file, for whatever reason; `false` if there was
    /// nothing to do.
    ///
    /// # Errors
    /// The disk refuses; it is tried again at the next turn.
    pub fn step(&mut self, writes_fail: bool) -> anyhow::Result<bool> {
        let path = self.slot.home().ballast();
        let Some(disk) = disk::look(self.slot.home().root()) else {
            // Without the folder there is nothing to hold space for; that is a finding of its own.
            return Ok(false);
        };
        let held = held(&path)?;
        let is_full = writes_fail && cannot_write(&self.slot.home().run_dir());
        let plan = plan(held, self.wanted, disk, is_full);
        match plan {
            Plan::Keep => {}
            Plan::Take => take(&path, self.wanted).context("cannot hold space in reserve")?,
            Plan::GiveBack => self.give_back(&path, held)?,
        }
        *self.latest.lock() = Some(BallastFacts {
            wanted_bytes: self.wanted,
            held_bytes: self::held(&path)?,
        });
        Ok(plan != Plan::Keep)
    }

    fn give_back(&self, path: &Path, held: u64) -> anyhow::Result<()> {
        fs::remove_file(path).context("cannot give space back that is held in reserve")?;
        if self.wanted > 0 {
            tracing::warn!(
                "the disk is full: {} MiB that were held in reserve are free now",
                held >> 20
            );
        }
        if let Ok(state) = self.slot.get() {
            // The first thing the space is good for: what the log holds gets its place in the file. The next round tries again.
            let _ = state.checkpoint(Checkpoint::Passive);
        }
        Ok(())
    }
}

/// A reserve of another size than wanted is not one: it is given back, and taken afresh when there is room.
fn plan(held: u64, wanted: u64, disk: DiskFacts, is_full: bool) -> Plan {
    let is_there = held > 0;
    let is_right = held >= wanted && held - wanted < 1024 * 1024;
    if is_there && (!is_right || wanted == 0 || is_full || disk.free_bytes < GIVE_BACK_BELOW_BYTES)
    {
        return Plan::GiveBack;
    }
    let stays_ready = disk.free_bytes >= wanted.saturating_add(MIN_FREE_BYTES);
    let is_plenty =
        disk.free_bytes > PLENTY_BYTES || disk.free_bytes > disk.size_bytes / PLENTY_PART;
    if !is_there && wanted > 0 && !is_full && stays_ready && is_plenty {
        return Plan::Take;
    }
    Plan::Keep
}

/// What the file really occupies: one that only looks large is no reserve. A link or a folder of that name is nobody's reserve.
fn held(path: &Path) -> anyhow::Result<u64> {
    const BLOCK_BYTES: u64 = 512;
    match fs::symlink_metadata(path) {
        Ok(about) if about.is_file() => Ok((about.blocks() * BLOCK_BYTES).max(1)),
        Ok(_) => anyhow::bail!(
            "`ballast` in the home folder is not a file; hint: move it away, its name is taken"
        ),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error).context("cannot look at `ballast` in the home folder"),
    }
}

/// All of it or nothing: a part would be found wanting at the next look, given back, and taken again.
fn take(path: &Path, bytes: u64) -> io::Result<()> {
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    let filled = fill(file, bytes);
    if filled.is_err() {
        fs::remove_file(path)?;
    }
    filled
}

fn fill(file: File, bytes: u64) -> io::Result<()> {
    match rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, bytes) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => write_all(file, bytes),
        allocated => Ok(allocated?),
    }
}

/// Where the file system cannot allocate, every byte is written; not zeros, of which one that compresses would keep nothing.
fn write_all(mut file: File, bytes: u64) -> io::Result<()> {
    let mut noise = blake3::Hasher::new().finalize_xof();
    let mut chunk = vec![0; 64 * 1024];
    let mut left = bytes;
    while left > 0 {
        let part = usize::try_from(left).unwrap_or(usize::MAX).min(chunk.len());
        noise.fill(&mut chunk[..part]);
        file.write_all(&chunk[..part])?;
        left -= part as u64;
    }
    file.sync_all()
}

/// Whether the disk, or a quota, takes no more: a quota does not show in the free space of the disk.
fn cannot_write(folder: &Path) -> bool {
    let tried = tempfile::tempfile_in(folder).and_then(|mut file| {
        file.write_all(&[1; TRIAL_BYTES])?;
        file.sync_all()
    });
    tried.is_err_and(|error| {
        matches!(
            error.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        )
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use shared::paths::Home;

    use super::*;

    const MIB: u64 = 1024 * 1024;
    const WANTED: u64 = 16 * MIB;

    fn disk(size_bytes: u64, free_bytes: u64) -> DiskFacts {
        DiskFacts {
            size_bytes,
            used_bytes: size_bytes - free_bytes,
            free_bytes,
        }
    }

    fn large(free_bytes: u64) -> DiskFacts {
        disk(1 << 40, free_bytes)
    }

    #[test]
    fn it_is_taken_only_where_there_is_plenty_of_room() {
        assert_eq!(plan(0, WANTED, large(PLENTY_BYTES + 1), false), Plan::Take);
        assert_eq!(plan(0, WANTED, large(PLENTY_BYTES), false), Plan::Keep);
        assert_eq!(
            plan(0, WANTED, disk(1000 * MIB, 100 * MIB), false),
            Plan::Take
        );
        assert_eq!(
            plan(0, WANTED, disk(100 * MIB, 70 * MIB), false),
            Plan::Keep,
            "would not be ready any more"
        );
        assert_eq!(plan(0, 0, large(PLENTY_BYTES + 1), false), Plan::Keep);
    }

    #[test]
    fn it_is_given_back_at_the_end_of_the_disk_or_when_a_write_met_a_quota() {
        assert_eq!(
            plan(WANTED, WANTED, large(GIVE_BACK_BELOW_BYTES), false),
            Plan::Keep
        );
        assert_eq!(
            plan(WANTED, WANTED, large(GIVE_BACK_BELOW_BYTES - 1), false),
            Plan::GiveBack
        );
        assert_eq!(
            plan(WANTED, WANTED, large(PLENTY_BYTES * 2), true),
            Plan::GiveBack
        );
        assert_eq!(plan(0, WANTED, large(PLENTY_BYTES * 2), true), Plan::Keep);
    }

    #[test]
    fn what_was_given_back_is_not_at_once_enough_to_take_it_again() {
        let after = disk(100 * MIB, GIVE_BACK_BELOW_BYTES - 1 + WANTED);
        assert_eq!(plan(0, WANTED, after, false), Plan::Keep);
    }

    #[test]
    fn another_size_in_the_settings_makes_it_another_file() {
        assert_eq!(
            plan(WANTED, 2 * WANTED, large(PLENTY_BYTES * 2), false),
            Plan::GiveBack
        );
        assert_eq!(
            plan(WANTED, WANTED / 2, large(PLENTY_BYTES * 2), false),
            Plan::GiveBack
        );
        assert_eq!(
            plan(WANTED, 0, large(PLENTY_BYTES * 2), false),
            Plan::GiveBack
        );
        assert_eq!(
            plan(1, WANTED, large(PLENTY_BYTES * 2), false),
            Plan::GiveBack,
            "an empty file holds nothing"
        );
    }

    #[test]
    fn a_taken_reserve_occupies_the_disk_and_is_its_owners() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ballast");
        take(&path, MIB).expect("a disk with room");
        assert!(held(&path).expect("a file") >= MIB);
        let mode = fs::metadata(&path).expect("a file").permissions().mode();
        assert_eq!(mode & 0o077, 0);
    }

    #[test]
    fn a_file_system_that_cannot_allocate_is_written_to() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ballast");
        write_all(File::create(&path).expect("a file"), MIB + 1).expect("a disk with room");
        assert_eq!(fs::metadata(&path).expect("a file").len(), MIB + 1);
        assert!(held(&path).expect("a file") > MIB);
    }

    #[test]
    fn what_only_looks_like_a_reserve_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let elsewhere = folder.path().join("precious");
        fs::write(&elsewhere, "x").expect("a file");
        let home = Home::at(folder.path());
        std::os::unix::fs::symlink(&elsewhere, home.ballast()).expect("a link");
        let mut ballast = Ballast::new(Slot::new(home), 0);
        ballast.step(false).expect_err("a link is no reserve");
        assert!(elsewhere.exists());
    }

    #[test]
    fn a_reserve_that_is_no_longer_wanted_goes() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::at(folder.path());
        take(&home.ballast(), MIB).expect("a disk with room");
        let mut ballast = Ballast::new(Slot::new(home.clone()), 0);
        assert!(ballast.step(false).expect("it goes"));
        assert!(!home.ballast().exists());
        assert_eq!(*ballast.latest().lock(), Some(BallastFacts::default()));
    }
}
