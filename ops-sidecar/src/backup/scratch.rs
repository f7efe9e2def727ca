//! A folder of its own for each piece of work, gone when the work ends.
//!
//! A process that is killed cannot tidy up: its folder stays, and the next one that works here removes it. Whether its owner lives is told
//! by a lock on a file inside, never by a process id or an age.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// How the names of the folders begin; what is named so, has a lock inside and is not locked is a leftover.
const PREFIX: &str = ".work-";

/// So many letters and digits follow.
const SUFFIX: usize = 8;

/// Inside of each: held by its owner.
const LOCK: &str = "lock";

/// How often a folder is made afresh because somebody who tidied up took the first for a leftover.
const TRIES: u32 = 8;

/// A folder for the owner only; removed with everything in it when dropped.
#[derive(Debug)]
pub struct Scratch {
    folder: PathBuf,
    // Held until the folder is gone.
    _lock: File,
}

impl Scratch {
    /// A fresh folder inside of `place`, which is made if it is missing; first, what dead processes left there goes.
    ///
    /// # Errors
    /// What the file system says.
    pub fn new(place: &Path) -> io::Result<Scratch> {
        make(place, true)?;
        sweep(place);
        for _ in 0..TRIES {
            let name: String = std::iter::repeat_with(fastrand::alphanumeric)
                .take(SUFFIX)
                .collect();
            let folder = place.join(format!("{PREFIX}{name}"));
            match make(&folder, false).and_then(|()| occupy(&folder)) {
                Ok(Some(lock)) => {
                    return Ok(Scratch {
                        folder,
                        _lock: lock,
                    });
                }
                // Taken, or swept between being made and being locked.
                Ok(None) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("no folder to work in could be made"))
    }

    /// A path in it.
    #[must_use]
    pub fn join(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed now is a leftover for the next one.
        let _ = remove(&self.folder);
    }
}

/// Removes the folders in `place` whose owners are gone. A restore may work wherever somebody wants a file: what only looks alike stays.
pub fn sweep(place: &Path) {
    let Ok(entries) = fs::read_dir(place) else {
        return;
    };
    for entry in entries.flatten() {
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if !is_folder || !is_named_so(&entry.file_name().to_string_lossy()) {
            continue;
        }
        if entry.path().join(LOCK).symlink_metadata().is_err() {
            // One that died before it had its lock is empty.
            let _ = fs::remove_dir(entry.path());
            continue;
        }
        // Held while the folder goes: who makes one of that name meanwhile sees that it is taken.
        if let Ok(Some(_lock)) = occupy(&entry.path()) {
            let _ = remove(&entry.path());
        }
    }
}

/// The lock last: who dies meanwhile leaves what is still known for ours.
fn remove(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name() == LOCK {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    fs::remove_dir_all(folder)
}

fn is_named_so(name: &str) -> bool {
    name.strip_prefix(PREFIX).is_some_and(|rest| {
        rest.len() == SUFFIX && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

fn make(folder: &Path, with_parents: bool) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(with_parents);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// The lock of a folder; `None` if somebody holds it. In a folder that all may write to, a link of that name is somebody's trap.
fn occupy(folder: &Path) -> io::Result<Option<File>> {
    let path = folder.join(LOCK);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(
        &mut options,
        rustix::fs::OFlags::NOFOLLOW.bits().cast_signed(),
    );
    let lock = options.open(&path)?;
    match lock.try_lock() {
        // A lock on a file that somebody has just removed keeps nobody out.
        Ok(()) => Ok(path.exists().then_some(lock)),
        Err(fs::TryLockError::WouldBlock) => Ok(None),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}

/// A file that nobody else may read and that was not there.
pub(super) fn new_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(place: &Path) -> usize {
        fs::read_dir(place).expect("a folder").count()
    }

    #[test]
    fn a_folder_goes_with_its_owner_and_with_everything_in_it() {
        let place = tempfile::tempdir().expect("a folder");
        let place = place.path().join("not/there/yet");
        let scratch = Scratch::new(&place).expect("a folder");
        fs::write(scratch.join("state.db"), "x").expect("a file");
        drop(scratch);
        assert_eq!(names(&place), 0);
    }

    #[test]
    fn what_a_dead_process_left_goes_and_what_a_living_one_uses_stays() {
        let place = tempfile::tempdir().expect("a folder");
        let left = place.path().join(".work-leftover");
        fs::create_dir(&left).expect("a folder");
        fs::write(left.join("state.db"), "x").expect("a file");
        fs::write(left.join(LOCK), "").expect("a file");
        fs::create_dir(place.path().join("somebody-elses")).expect("a folder");
        let living = Scratch::new(place.path()).expect("a folder");
        let other = Scratch::new(place.path()).expect("a folder");
        assert!(!left.exists() && living.join(LOCK).exists() && other.join(LOCK).exists());
        assert!(place.path().join("somebody-elses").exists());
    }

    #[test]
    fn what_somebody_else_named_alike_stays() {
        let place = tempfile::tempdir().expect("a folder");
        let theirs = [".work-notes", ".work-in-berlin", ".work-20261121"];
        for folder in theirs {
            let folder = place.path().join(folder);
            fs::create_dir(&folder).expect("a folder");
            fs::write(folder.join("important"), "x").expect("a file");
        }
        fs::create_dir(place.path().join(".work-hollowed")).expect("a folder");
        drop(Scratch::new(place.path()).expect("a folder"));
        for folder in theirs {
            let inside = fs::read_dir(place.path().join(folder)).expect("a folder");
            assert_eq!(inside.count(), 1, "{folder}");
        }
        assert_eq!(names(place.path()), theirs.len());
    }

    #[test]
    fn a_link_instead_of_a_lock_is_not_followed() {
        let place = tempfile::tempdir().expect("a folder");
        let (trap, victim) = (
            place.path().join(".work-trapdoor"),
            place.path().join("victim"),
        );
        fs::create_dir(&trap).expect("a folder");
        std::os::unix::fs::symlink(&victim, trap.join(LOCK)).expect("a link");
        let _scratch = Scratch::new(place.path()).expect("a folder");
        assert!(!victim.exists() && trap.exists());
    }

    #[test]
    fn many_at_once_each_have_their_own() {
        let place = tempfile::tempdir().expect("a folder");
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        let scratch = Scratch::new(place.path()).expect("a folder");
                        assert!(scratch.join(LOCK).exists());
                    }
                });
            }
        });
        assert_eq!(names(place.path()), 0);
    }
}
