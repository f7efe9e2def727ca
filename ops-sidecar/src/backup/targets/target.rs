//! What can be asked of a target, whatever it is.
//!
//! Here: names are checked, blocking callers meet the clouds' asynchronous client, "the name is taken" becomes success when what is there
//! is what was to be stored, and hashes are made as bytes go by. Not here: how a folder or a bucket does any of it.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::runtime::Handle;

use super::bounds::Bounds;
use super::bucket::Bucket;
use super::cloud::{self, Patience};
use super::error::{Kind, TargetError};
use super::folder::{self, Folder};
use super::key;
use super::spec::{Place, TargetSpec};

/// The most that [`Target::get`] reads into memory.
pub(super) const SMALL: u64 = 16 * 1024 * 1024;

/// A place for backups, ready to be used. Cheap to clone.
#[derive(Clone)]
pub struct Target {
    pub(super) store: Arc<Store>,
    pub(super) handle: Handle,
    pub(super) is_remote: bool,
}

pub(super) enum Store {
    Folder(Folder),
    Bucket(Bucket),
}

/// The name only: a client holds credentials.
impl fmt::Debug for Target {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Target").field(&self.name()).finish()
    }
}

/// An object at a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its name below the target.
    pub key: String,
    /// Its size.
    pub bytes: u64,
    /// When it was stored, by the target's clock; milliseconds since 1970.
    pub modified_ms: i64,
}

/// What was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// How many bytes.
    pub bytes: u64,
    /// Their SHA-256.
    pub sha256: [u8; 32],
}

impl Target {
    /// The target that `spec` names. Reads credentials from the environment; touches neither network nor disk. The runtime behind
    /// `handle` must be multi-threaded and outlive the target's use.
    ///
    /// # Errors
    /// The cloud's variables in the environment are incomplete or contradict each other.
    pub fn open(spec: &TargetSpec, handle: Handle) -> Result<Target, TargetError> {
        Target::open_with(spec, handle, Patience::USUAL)
    }

    fn open_with(
        spec: &TargetSpec,
        handle: Handle,
        patience: Patience,
    ) -> Result<Target, TargetError> {
        let name = spec.name().to_owned();
        let store = match &spec.place {
            Place::Folder { path, ours } => Store::Folder(Folder {
                name,
                path: path.clone(),
                ours: *ours,
            }),
            Place::Bucket {
                cloud,
                root,
                prefix,
            } => {
                // Credentials that expire are fetched by the client on this runtime.
                let _entered = handle.enter();
                Store::Bucket(Bucket {
                    store: cloud::open(&name, *cloud, root, patience)?,
                    name,
                    prefix: prefix.clone(),
                    bounds: Bounds::USUAL,
                })
            }
        };
        Ok(Target {
            store: Arc::new(store),
            handle,
            is_remote: spec.is_remote(),
        })
    }

    /// What users, logs and metrics call it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self.store.as_ref() {
            Store::Folder(folder) => &folder.name,
            Store::Bucket(bucket) => &bucket.name,
        }
    }

    /// Whether it is not on this machine's file system.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        self.is_remote
    }

    /// Whether it is the folder in the home itself, which nobody else can have.
    #[must_use]
    pub fn is_in_home(&self) -> bool {
        matches!(self.store.as_ref(), Store::Folder(folder) if folder.ours)
    }

    /// Stores a file as `key`, in pieces; `progress` is told the bytes of each. Gives the size. An object of that name with the same
    /// bytes is fine: the last try had worked, and its answer was lost.
    ///
    /// # Errors
    /// [`Kind::Exists`] if another object has the name; else why it could not be stored. Nothing is visible then.
    pub fn put_file(
        &self,
        key: &str,
        file: &Path,
        progress: &mut dyn FnMut(u64),
    ) -> Result<u64, TargetError> {
        self.check(key, "store")?;
        let unread = |error: io::Error| {
            TargetError::io(
                self.name(),
                format!("read `{}` for `{key}`", file.display()),
                &error,
            )
        };
        let mut source = File::open(file).map_err(unread)?;
        let bytes = source.metadata().map_err(unread)?.len();
        let stored = match self.store.as_ref() {
            Store::Folder(folder) => folder.put(key, &mut source, progress).map(|_| ()),
            Store::Bucket(bucket) => {
                self.handle
                    .block_on(bucket.put_file(key, &mut source, bytes, progress))
            }
        };
        self.same_is_fine(key, stored, bytes, || {
            let mut digest = Sha256::new();
            let mut source = File::open(file).map_err(unread)?;
            folder::each_chunk(&mut source, &mut |chunk| {
                digest.update(chunk);
                Ok(())
            })
            .map_err(unread)?;
            Ok(digest.finalize().into())
        })?;
        Ok(bytes)
    }

    /// Stores a few bytes as `key`, at once. An object of that name with the same bytes is fine.
    ///
    /// # Errors
    /// [`Kind::Exists`] if another object has the name; else why it could not be stored. Nothing is visible then.
    pub fn put(&self, key: &str, bytes: Vec<u8>) -> Result<(), TargetError> {
        self.check(key, "store")?;
        let size = bytes.len() as u64;
        let sha256: [u8; 32] = Sha256::digest(&bytes).into();
        let stored = match self.store.as_ref() {
            Store::Folder(folder) => folder
                .put(key, &mut bytes.as_slice(), &mut |_| {})
                .map(|_| ()),
            Store::Bucket(bucket) => self.handle.block_on(bucket.put(key, bytes)),
        };
        self.same_is_fine(key, stored, size, || Ok(sha256))
    }

    /// Reads a small object.
    ///
    /// # Errors
    /// [`Kind::Missing`]; larger than 16 MiB; else why it could not be read.
    pub fn get(&self, key: &str) -> Result<Vec<u8>, TargetError> {
        let mut bytes = Vec::new();
        self.read(key, &mut |chunk| {
            if (bytes.len() + chunk.len()) as u64 > SMALL {
                return Err(io::Error::other("it is larger than such an object can be"));
            }
            bytes.extend_from_slice(chunk);
            Ok(())
        })?;
        Ok(bytes)
    }

    /// Reads an object into a new file (0600), in pieces; `progress` is told the bytes of each. The file is flushed to disk; after an
    /// error it is gone.
    ///
    /// # Errors
    /// [`Kind::Missing`]; the file is there already or cannot be written; else why the object could not be read.
    pub fn get_to(
        &self,
        key: &str,
        file: &Path,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Fetched, TargetError> {
        self.check(key, "read")?;
        let failed = |error: io::Error| {
            TargetError::io(self.name(), format!("write `{}`", file.display()), &error)
        };
        let mut out = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(file)
            .map_err(failed)?;
        let fetched = self
            .digest(key, &mut |chunk| {
                out.write_all(chunk)?;
                progress(chunk.len() as u64);
                Ok(())
            })
            .and_then(|fetched| out.sync_all().map(|()| fetched).map_err(failed));
        if fetched.is_err() {
            let _ = std::fs::remove_file(file);
        }
        fetched
    }

    /// Reads an object to its last byte and keeps only what it amounts to.
    ///
    /// # Errors
    /// [`Kind::Missing`]; else why it could not be read.
    pub fn hash(&self, key: &str, progress: &mut dyn FnMut(u64)) -> Result<Fetched, TargetError> {
        self.digest(key, &mut |chunk| {
            progress(chunk.len() as u64);
            Ok(())
        })
    }

    /// Every object of ours in the folder `prefix` (`snapshots`, `pitr/<line>`; empty is everything) and below it, sorted by key. Things
    /// that others put there, and uploads under way, are passed over. A folder that is missing is empty.
    ///
    /// # Errors
    /// As [`Target::each`].
    pub fn list(&self, prefix: &str) -> Result<Vec<Item>, TargetError> {
        let mut items = Vec::new();
        self.each(prefix, &mut |item| items.push(item))?;
        items.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        Ok(items)
    }

    /// The same one by one, in no order: for whoever keeps less of each than its name. After an error what was visited is not all.
    ///
    /// # Errors
    /// Why the target could not be asked; or the listing is longer than one can be.
    pub fn each(&self, prefix: &str, visit: &mut dyn FnMut(Item)) -> Result<(), TargetError> {
        let prefix = self.folder(prefix, "list")?;
        match self.store.as_ref() {
            Store::Folder(folder) => folder.list(prefix, visit),
            Store::Bucket(bucket) => self.handle.block_on(bucket.list(prefix, visit)),
        }
    }

    /// Removes an object; gone already is fine.
    ///
    /// # Errors
    /// Why it is still there.
    pub fn delete(&self, key: &str) -> Result<(), TargetError> {
        self.check(key, "delete")?;
        match self.store.as_ref() {
            Store::Folder(folder) => folder.delete(key),
            Store::Bucket(bucket) => self.handle.block_on(bucket.delete(key)),
        }
    }

    /// Removes what killed processes left half stored in the folder `prefix`, once it is older than `older_than`; gives how many files.
    /// Only folder targets leave such files. In a bucket, half an upload is no object; a lifecycle rule of the bucket removes it.
    ///
    /// # Errors
    /// Why the folder could not be looked through.
    pub fn sweep(&self, prefix: &str, older_than: Duration) -> Result<usize, TargetError> {
        let prefix = self.folder(prefix, "clean up")?;
        match self.store.as_ref() {
            Store::Folder(folder) => folder.sweep(prefix, older_than),
            Store::Bucket(_) => Ok(0),
        }
    }

    fn read(
        &self,
        key: &str,
        sink: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<u64, TargetError> {
        self.check(key, "read")?;
        match self.store.as_ref() {
            Store::Folder(folder) => folder.read(key, sink),
            Store::Bucket(bucket) => self.handle.block_on(bucket.read(key, sink)),
        }
    }

    fn digest(
        &self,
        key: &str,
        also: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<Fetched, TargetError> {
        let mut digest = Sha256::new();
        let bytes = self.read(key, &mut |chunk| {
            digest.update(chunk);
            also(chunk)
        })?;
        Ok(Fetched {
            bytes,
            sha256: digest.finalize().into(),
        })
    }

    /// Turns "the name is taken" into success if what is there is what was to be stored.
    fn same_is_fine(
        &self,
        key: &str,
        stored: Result<(), TargetError>,
        bytes: u64,
        sha256: impl FnOnce() -> Result<[u8; 32], TargetError>,
    ) -> Result<(), TargetError> {
        match stored {
            Err(taken) if taken.kind() == Kind::Exists => {
                let size = match self.store.as_ref() {
                    Store::Folder(folder) => folder.size(key)?,
                    Store::Bucket(bucket) => self.handle.block_on(bucket.size(key))?,
                };
                let same = size == Some(bytes) && self.hash(key, &mut |_| {})?.sha256 == sha256()?;
                if same { Ok(()) } else { Err(taken) }
            }
            other => other,
        }
    }

    fn check(&self, key: &str, doing: &str) -> Result<(), TargetError> {
        if key::is_ours(key) {
            return Ok(());
        }
        Err(TargetError::new(
            Kind::Other,
            self.name(),
            format!("{doing} `{}`", key.escape_debug()),
            "this is no name of an object of ours",
        ))
    }

    fn folder<'p>(&self, prefix: &'p str, doing: &str) -> Result<&'p str, TargetError> {
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        if !prefix.is_empty() {
            self.check(prefix, doing)?;
        }
        Ok(prefix)
    }
}

/// What a listing of `folder` is called in an error.
pub(super) fn listing(folder: &str) -> String {
    if folder.is_empty() {
        "list what is there".to_owned()
    } else {
        format!("list `{folder}`")
    }
}
