//! A folder as a target: files that appear whole, for their owner only, on a disk that is really there.
//!
//! Not through the clouds' library: its files take whatever permissions the umask leaves, its large files replace what has their name, and
//! it follows symbolic links out of the folder. Here an object is a regular file (0600) in real folders (0700); it is written under a
//! name that no listing shows, flushed, and given its own name only if that is free.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::error::{Kind, TargetError};
use super::key;
use super::target::{Item, listing};

/// How files are called that are not whole yet. The leading dot keeps them out of every listing.
const ARRIVING: &str = ".arriving-";
/// One read or write; large enough that system calls do not matter, small enough that memory does not.
const CHUNK: usize = 64 * 1024;

/// A folder target.
pub(super) struct Folder {
    pub(super) name: String,
    pub(super) path: PathBuf,
    /// Whether it is ours to make when it is missing.
    pub(super) ours: bool,
}

impl Folder {
    /// Stores what `from` gives as `key`, unless the name is taken (an error of [`Kind::Exists`]).
    pub(super) fn put(
        &self,
        key: &str,
        from: &mut dyn Read,
        progress: &mut dyn FnMut(u64),
    ) -> Result<u64, TargetError> {
        let failed = |error: io::Error| self.failed(format!("store `{key}`"), &error);
        self.is_there(format!("store `{key}`"))?;
        let path = self.path.join(key);
        let folder = self.make_folders(key).map_err(failed)?;
        let mut file = tempfile::Builder::new()
            .prefix(ARRIVING)
            .tempfile_in(&folder)
            .map_err(failed)?;
        let mut bytes = 0;
        each_chunk(from, &mut |chunk| {
            file.write_all(chunk)?;
            bytes += chunk.len() as u64;
            progress(chunk.len() as u64);
            Ok(())
        })
        .map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        file.persist_noclobber(&path)
            .map_err(|refused| failed(refused.error))?;
        sync_folder(&folder).map_err(failed)?;
        Ok(bytes)
    }

    /// Gives every byte of `key` to `sink`, in order.
    pub(super) fn read(
        &self,
        key: &str,
        sink: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<u64, TargetError> {
        let doing = format!("read `{key}`");
        self.is_there(doing.clone())?;
        let mut read = || {
            let mut file = self.open(key)?;
            let mut bytes = 0;
            each_chunk(&mut file, &mut |chunk| {
                bytes += chunk.len() as u64;
                sink(chunk)
            })?;
            Ok(bytes)
        };
        read().map_err(|error: io::Error| self.failed(doing, &error))
    }

    /// How large `key` is, if it is there.
    pub(super) fn size(&self, key: &str) -> Result<Option<u64>, TargetError> {
        match self.open(key).and_then(|file| file.metadata()) {
            Ok(found) => Ok(Some(found.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed(format!("look at `{key}`"), &error)),
        }
    }

    /// Gives every object under the folder `prefix` to `visit`, in no order. What is not ours to name, and every link, is passed over.
    pub(super) fn list(
        &self,
        prefix: &str,
        visit: &mut dyn FnMut(Item),
    ) -> Result<(), TargetError> {
        self.is_there(listing(prefix))?;
        let mut folders = vec![prefix.to_owned()];
        while let Some(folder) = folders.pop() {
            let failed = |error: io::Error| self.failed(listing(&folder), &error);
            for entry in read_dir(&self.path.join(&folder)).map_err(failed)? {
                match Entry::of(&folder, &entry.map_err(failed)?) {
                    Some(entry) if entry.is_folder => folders.push(entry.key),
                    Some(entry) => visit(Item {
                        key: entry.key,
                        bytes: entry.bytes,
                        modified_ms: entry.modified_ms,
                    }),
                    None => {}
                }
            }
        }
        Ok(())
    }

    /// Removes `key`, if it is there.
    pub(super) fn delete(&self, key: &str) -> Result<(), TargetError> {
        let doing = format!("delete `{key}`");
        self.is_there(doing.clone())?;
        let path = self.path.join(key);
        let gone = self
            .no_links(key)
            .and_then(|()| fs::remove_file(&path))
            .and_then(|()| sync_folder(path.parent().unwrap_or(&self.path)));
        match gone {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(self.failed(doing, &error))
            }
            _ => Ok(()),
        }
    }

    /// Removes what a killed process left half written under `prefix`, when nobody has written to it for `older_than`.
    pub(super) fn sweep(&self, prefix: &str, older_than: Duration) -> Result<usize, TargetError> {
        let doing = || "clean up what killed runs left".to_owned();
        self.is_there(doing())?;
        let failed = |error: io::Error| self.failed(doing(), &error);
        let mut swept = 0;
        let mut folders = vec![prefix.to_owned()];
        while let Some(folder) = folders.pop() {
            let subfolders = self.entries(&folder)?.into_iter();
            folders.extend(
                subfolders
                    .filter(|entry| entry.is_folder)
                    .map(|entry| entry.key),
            );
            for entry in read_dir(&self.path.join(&folder)).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                if entry
                    .file_name()
                    .as_encoded_bytes()
                    .starts_with(ARRIVING.as_bytes())
                    && is_older(&entry, older_than)
                    && fs::remove_file(entry.path()).is_ok()
                {
                    swept += 1;
                }
            }
        }
        Ok(swept)
    }

    /// That the folder itself is there; only our own is made. A missing one is most likely a disk that is not mounted: writing to where
    /// it belongs would fill the disk of the machine and be hidden when it comes back.
    fn is_there(&self, doing: String) -> Result<(), TargetError> {
        if self.ours {
            return private_folder(&self.path)
                .or_else(|error| {
                    if self.path.is_dir() {
                        Ok(())
                    } else {
                        Err(error)
                    }
                })
                .map_err(|error| self.failed(doing, &error));
        }
        match fs::metadata(&self.path) {
            Ok(found) if found.is_dir() => Ok(()),
            Ok(_) => Err(TargetError::new(Kind::Other, &self.name, doing, "it is not a folder")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(TargetError::new(
                Kind::Away,
                &self.name,
                doing,
                "there is no such folder",
            )
            .hint("mount the disk; if the folder really is new, make it (`mkdir`): ops-sidecar does not")),
            Err(error) => Err(self.failed(doing, &error)),
        }
    }

    fn failed(&self, doing: String, error: &io::Error) -> TargetError {
        TargetError::io(&self.name, doing, error)
    }

    /// The folder that `key` stands in, made if need be.
    fn make_folders(&self, key: &str) -> io::Result<PathBuf> {
        self.no_links(key)?;
        let mut folder = self.path.clone();
        let mut segments: Vec<&str> = key.split('/').collect();
        segments.pop();
        for segment in segments {
            let parent = folder.clone();
            folder.push(segment);
            match DirBuilder::new().mode(0o700).create(&folder) {
                Ok(()) => sync_folder(&parent)?,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Ok(folder)
    }

    fn open(&self, key: &str) -> io::Result<File> {
        self.no_links(key)?;
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
            .open(self.path.join(key))?;
        if file.metadata()?.is_file() {
            Ok(file)
        } else {
            Err(io::Error::other("it is not a file"))
        }
    }

    /// That no folder on the way to `key` is a symbolic link: it would lead out of the target.
    fn no_links(&self, key: &str) -> io::Result<()> {
        let mut path = self.path.clone();
        for segment in key.split('/') {
            path.push(segment);
            match fs::symlink_metadata(&path) {
                Ok(found) if found.is_symlink() => {
                    return Err(io::Error::other(format!(
                        "`{}` is a symbolic link; hint: put a real file or folder there, or name its target as the target of backups",
                        path.display()
                    )));
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn entries(&self, folder: &str) -> Result<Vec<Entry>, TargetError> {
        let failed = |error: io::Error| self.failed(listing(folder), &error);
        let mut entries = Vec::new();
        for entry in read_dir(&self.path.join(folder)).map_err(failed)? {
            entries.extend(Entry::of(folder, &entry.map_err(failed)?));
        }
        Ok(entries)
    }
}

/// Something in a folder that we could have put there.
struct Entry {
    key: String,
    is_folder: bool,
    bytes: u64,
    modified_ms: i64,
}

impl Entry {
    /// None for what is not ours, and for what vanished since it was listed.
    fn of(folder: &str, entry: &fs::DirEntry) -> Option<Entry> {
        let name = entry.file_name().into_string().ok()?;
        let key = if folder.is_empty() {
            name
        } else {
            format!("{folder}/{name}")
        };
        // Of the entry itself: a link is neither file nor folder.
        let found = entry.metadata().ok()?;
        (key::is_ours(&key) && (found.is_file() || found.is_dir())).then(|| Entry {
            key,
            is_folder: found.is_dir(),
            bytes: found.len(),
            modified_ms: found.modified().map_or(0, millis),
        })
    }
}

fn is_older(entry: &fs::DirEntry, than: Duration) -> bool {
    let modified = entry.metadata().and_then(|found| found.modified());
    // A time in the future is a clock that was set back: not old, and not for ever either.
    modified.is_ok_and(|at| {
        SystemTime::now()
            .duration_since(at)
            .is_ok_and(|age| age >= than)
    })
}

fn millis(at: SystemTime) -> i64 {
    at.duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| {
            i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
        })
}

/// The entries of a folder; none when it is missing.
fn read_dir(folder: &Path) -> io::Result<impl Iterator<Item = io::Result<fs::DirEntry>>> {
    match fs::read_dir(folder) {
        Ok(entries) => Ok(Some(entries).into_iter().flatten()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None.into_iter().flatten()),
        Err(error) => Err(error),
    }
}

fn private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// So that a new name in the folder survives a power cut. Some file systems have no such thing; they are not to blame for it.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        other => other,
    }
}

pub(super) fn each_chunk(
    from: &mut dyn Read,
    visit: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => visit(&buffer[..read])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
