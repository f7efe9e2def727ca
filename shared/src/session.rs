//! One life of one process, and the lock that proves it.
//!
//! Every process holds a kernel lock on `run/<id>.lock` for as long as it lives; the kernel lets go however the
//! process dies. Nothing is decided by process ids, which are used again, nor by heartbeats, which a suspended laptop
//! misses. The file is made under a temporary name, locked, and then renamed in: under its own name it is locked from
//! the first moment, so nobody ever sees a newborn as dead.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::paths::Home;

/// Which binary a session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// The server that a client spawns.
    McpStdio,
    /// The engine room.
    OpsSidecar,
}

impl Kind {
    /// The binary's name, as stored and as shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::McpStdio => "mcp-stdio",
            Kind::OpsSidecar => "ops-sidecar",
        }
    }

    /// The kind of that name; `None` for one that this version does not know.
    pub fn from_stored(name: &str) -> Option<Kind> {
        [Kind::McpStdio, Kind::OpsSidecar]
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }
}

/// 128 random bits in hex: never used twice, and safe as a file name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(String);

impl SessionId {
    /// A new one.
    pub fn random() -> SessionId {
        let mut bits = [0; 16];
        getrandom::fill(&mut bits).expect("the operating system has randomness");
        SessionId(format!("{:032x}", u128::from_be_bytes(bits)))
    }

    /// One that was stored; `None` for anything but 32 hex digits, because it becomes a file name.
    pub fn from_stored(text: &str) -> Option<SessionId> {
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (text.len() == 32 && text.bytes().all(hex)).then(|| SessionId(text.to_owned()))
    }

    /// As stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// This process's life: alive for others until dropped.
#[derive(Debug)]
pub struct Session {
    run_dir: PathBuf,
    kind: Kind,
    version: String,
    held: RunFile,
}

/// A run file and its lock.
#[derive(Debug)]
struct RunFile {
    id: SessionId,
    path: PathBuf,
    lock: File,
}

impl Session {
    /// Begins a session: from here on others see it alive. The home must exist.
    ///
    /// # Errors
    /// When the run file cannot be made or locked.
    pub fn begin(home: &Home, kind: Kind, version: &str) -> io::Result<Session> {
        let run_dir = home.run_dir();
        let held = RunFile::create(&run_dir)?;
        Ok(Session {
            run_dir,
            kind,
            version: version.to_owned(),
            held,
        })
    }

    /// Its id.
    pub fn id(&self) -> &SessionId {
        &self.held.id
    }

    /// Which binary.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Version of the binary.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Puts the run file back if somebody removed it, so that others see this process alive again before they take it for dead.
    ///
    /// # Errors
    /// When it cannot be made; the session is as it was.
    pub fn stay_visible(&mut self) -> io::Result<()> {
        if !self.held.path.try_exists()? {
            self.held.lock = lock_at(&self.run_dir, &self.held.id, &self.held.path)?;
        }
        Ok(())
    }

    /// Goes on under a new id: what the old one counted was folded by somebody who took it for dead. The new run file
    /// is held before the old one goes.
    ///
    /// # Errors
    /// When the new run file cannot be made; the old id stays.
    pub fn renew(&mut self) -> io::Result<()> {
        self.held = RunFile::create(&self.run_dir)?;
        Ok(())
    }
}

impl RunFile {
    fn create(run_dir: &Path) -> io::Result<RunFile> {
        let id = SessionId::random();
        let path = run_dir.join(format!("{id}.lock"));
        let lock = lock_at(run_dir, &id, &path)?;
        Ok(RunFile { id, path, lock })
    }
}

/// A file that is locked from the first moment that it has its name.
fn lock_at(run_dir: &Path, id: &SessionId, path: &Path) -> io::Result<File> {
    let newborn = run_dir.join(format!("{id}.new"));
    let made = OpenOptions::new()
        .create_new(true)
        .read(true)
        .write(true)
        .open(&newborn)?;
    let locked = made
        .try_lock()
        .map_err(io::Error::from)
        .and_then(|()| fs::rename(&newborn, path));
    if let Err(error) = locked {
        let _ = fs::remove_file(&newborn);
        return Err(error);
    }
    Ok(made)
}

impl Drop for RunFile {
    /// The name goes first, then the lock: in between nobody can find it, so nobody takes a leftover for a dead one.
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Does the process of this session live? In doubt (its file is there but cannot be asked) it does: folding a living
/// one is repairable, but not for free.
pub fn is_alive(home: &Home, id: &SessionId) -> bool {
    let file = match File::open(run_file(home, id)) {
        Ok(file) => file,
        Err(error) => return error.kind() != io::ErrorKind::NotFound,
    };
    // Shared, so that two who ask at once do not take each other for the living.
    !matches!(file.try_lock_shared(), Ok(()))
}

/// Removes the run file that a dead session left. Only for a session that was found dead: its id never comes back.
pub fn remove_run_file(home: &Home, id: &SessionId) {
    let _ = fs::remove_file(run_file(home, id));
}

fn run_file(home: &Home, id: &SessionId) -> PathBuf {
    home.run_dir().join(format!("{id}.lock"))
}

#[cfg(test)]
mod tests;
