//! What waits on this machine for its targets: one folder, whose listing is all there is to know.
//!
//! An increment is `<slot>_<line>_<name>`, once per target that still lacks it (hard links, so the bytes are there once); `last_<line>_<ms>`
//! is the newest point. Everything gets its name before one flush of the folder: a point is in the spool entirely, for all its targets, or
//! not at all. The spool is bounded; what goes first is what matters least, and a target that has lost something is looked at again
//! before it is trusted (`ship`).

use std::collections::VecDeque;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use shared::paths::Home;
use tempfile::NamedTempFile;

use super::level::Level;
use super::name::{Line, Name};

/// What is being written; without a name until it is whole.
const UNFINISHED: &str = ".cutting-";
const LAST: &str = "last";

/// The spool of a home.
#[derive(Debug)]
pub(super) struct Spool {
    folder: PathBuf,
    max_bytes: u64,
    /// By target, in the order of the settings.
    slots: Vec<String>,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    queues: Vec<Queue>,
    last: Option<(Line, i64)>,
}

/// What waits for one target, in the order in which it is sent.
#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    bytes: u64,
    dropped: u64,
    is_suspect: bool,
    order: Option<Level>,
}

/// One increment that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    /// Its line.
    pub line: Line,
    /// Its name.
    pub name: Name,
    /// Its size.
    pub bytes: u64,
}

/// An increment that is whole, and for whom it is.
#[derive(Debug)]
pub(super) struct Cut {
    /// Its bytes.
    pub file: NamedTempFile,
    /// Its name.
    pub name: Name,
    /// The targets, by their place in the settings.
    pub slots: Vec<usize>,
}

/// What is shown of a queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct QueueView {
    /// How many wait.
    pub pending: u64,
    /// How large they are.
    pub bytes: u64,
    /// The point of the first.
    pub oldest_ms: Option<i64>,
    /// How many had to go.
    pub dropped: u64,
}

impl Spool {
    /// Opens the spool, for the one process that holds `run/pitr.lock`. What waits for targets that are no longer set goes; what a killed
    /// process left unfinished goes.
    ///
    /// # Errors
    /// The folder cannot be made or read.
    pub(super) fn open(home: &Home, targets: &[&str], max_bytes: u64) -> io::Result<Spool> {
        let folder = folder_of(home);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)?;
        let slots: Vec<String> = targets.iter().map(|name| slot(name)).collect();
        let mut inner = Inner::default();
        inner.queues.resize_with(slots.len(), Queue::default);
        let mut strangers = 0;
        for (path, file_name, bytes) in files(&folder)? {
            if file_name.starts_with(UNFINISHED) {
                let _ = fs::remove_file(&path);
            } else if let Some(last) = parse_last(&file_name) {
                inner.last = inner.last.max(Some(last));
            } else if let Some((of, line, name)) = parse(&file_name) {
                match slots.iter().position(|slot| slot == of) {
                    Some(place) => inner.queues[place].push(Waiting { line, name, bytes }),
                    None => {
                        strangers += 1;
                        let _ = fs::remove_file(&path);
                    }
                }
            }
        }
        if strangers > 0 {
            tracing::warn!(
                "{strangers} increments waited for targets that are no longer in BACKUP_TARGETS; they are removed"
            );
        }
        for queue in &mut inner.queues {
            queue.sort();
            // Nobody knows what happened while this process was not there.
            queue.is_suspect = true;
            let newest = queue
                .waiting
                .iter()
                .map(|one| (one.line.clone(), one.name.to_ms));
            inner.last = inner.last.take().max(newest.max());
        }
        Ok(Spool {
            folder,
            max_bytes,
            slots,
            inner: Mutex::new(inner),
        })
    }

    /// Where the tables are stored.
    #[must_use]
    pub(super) fn tables(&self) -> PathBuf {
        self.folder.join("tables")
    }

    /// The newest point that ever got here, and its line.
    #[must_use]
    pub(super) fn last(&self) -> Option<(Line, i64)> {
        self.inner.lock().last.clone()
    }

    /// A file for an increment, without a name that anybody looks at.
    ///
    /// # Errors
    /// What the file system says.
    pub(super) fn new_file(&self) -> io::Result<NamedTempFile> {
        tempfile::Builder::new()
            .prefix(UNFINISHED)
            .tempfile_in(&self.folder)
    }

    /// Takes the increments of one point in, durably: when this returns, they survive a power cut. Then the bound is kept.
    ///
    /// # Errors
    /// What the file system says; what got its name before is valid and will be sent after a restart.
    pub(super) fn commit(&self, line: &Line, at_ms: i64, cuts: Vec<Cut>) -> io::Result<()> {
        let mut taken = Vec::new();
        for cut in &cuts {
            cut.file.as_file().sync_all()?;
        }
        for cut in cuts {
            let bytes = cut.file.as_file().metadata()?.len();
            let mut unnamed = Some(cut.file);
            let mut first: Option<PathBuf> = None;
            for slot in cut.slots {
                let path = self.path(slot, line, &cut.name);
                match (unnamed.take(), &first) {
                    (Some(file), _) => drop(file.persist(&path).map_err(|failed| failed.error)?),
                    (None, Some(first)) => link(first, &path)?,
                    (None, None) => {}
                }
                first.get_or_insert(path);
                taken.push((
                    slot,
                    Waiting {
                        line: line.clone(),
                        name: cut.name,
                        bytes,
                    },
                ));
            }
        }
        let mut inner = self.inner.lock();
        self.mark(&mut inner, line, at_ms)?;
        File::open(&self.folder)?.sync_all()?;
        // Coarse before fine: what follows a base needs it.
        taken.sort_by_key(|(_, waiting)| std::cmp::Reverse(waiting.name.level.rank()));
        for (slot, waiting) in taken {
            inner.queues[slot].push(waiting);
        }
        self.keep_bound(&mut inner);
        Ok(())
    }

    /// The next increment for a target, and where it lies.
    #[must_use]
    pub(super) fn next(&self, slot: usize) -> Option<(Waiting, PathBuf)> {
        let waiting = self.inner.lock().queues[slot].waiting.front().cloned()?;
        let path = self.path(slot, &waiting.line, &waiting.name);
        Some((waiting, path))
    }

    /// The target has it.
    pub(super) fn done(&self, slot: usize, waiting: &Waiting) {
        self.remove(slot, waiting);
    }

    /// The target cannot have it: the file is gone, or another object has its name. The target is looked at before it is trusted again.
    pub(super) fn give_up(&self, slot: usize, waiting: &Waiting) {
        self.remove(slot, waiting);
        let queue = &mut self.inner.lock().queues[slot];
        queue.dropped += 1;
        queue.is_suspect = true;
    }

    /// What waits for a target.
    #[must_use]
    pub(super) fn pending(&self, slot: usize) -> Vec<(Line, Name)> {
        let inner = self.inner.lock();
        let waiting = inner.queues[slot].waiting.iter();
        waiting.map(|one| (one.line.clone(), one.name)).collect()
    }

    /// What is shown of a queue.
    #[must_use]
    pub(super) fn view(&self, slot: usize) -> QueueView {
        let inner = self.inner.lock();
        let queue = &inner.queues[slot];
        QueueView {
            pending: queue.waiting.len() as u64,
            bytes: queue.bytes,
            oldest_ms: queue.waiting.front().map(|one| one.name.to_ms),
            dropped: queue.dropped,
        }
    }

    /// How much waits for all targets together; what waits for two counts twice.
    #[must_use]
    pub(super) fn bytes(&self) -> u64 {
        self.inner.lock().bytes()
    }

    /// Whether something may be missing at the target.
    #[must_use]
    pub(super) fn is_suspect(&self, slot: usize) -> bool {
        self.inner.lock().queues[slot].is_suspect
    }

    /// The target was looked at; `order` is the series that has to be cut for it.
    pub(super) fn looked_at(&self, slot: usize, order: Option<Level>) {
        let queue = &mut self.inner.lock().queues[slot];
        queue.is_suspect = false;
        queue.order = order;
    }

    /// The series that have to be cut now, by target.
    #[must_use]
    pub(super) fn orders(&self) -> Vec<(usize, Level)> {
        let inner = self.inner.lock();
        let queues = inner.queues.iter().enumerate();
        queues
            .filter_map(|(slot, queue)| Some((slot, queue.order?)))
            .collect()
    }

    /// These orders were carried out.
    pub(super) fn ordered(&self, done: &[(usize, Level)]) {
        let mut inner = self.inner.lock();
        for (slot, level) in done {
            let order = &mut inner.queues[*slot].order;
            if *order == Some(*level) {
                *order = None;
            }
        }
    }

    fn path(&self, slot: usize, line: &Line, name: &Name) -> PathBuf {
        self.folder
            .join(format!("{}_{line}_{name}", self.slots[slot]))
    }

    fn remove(&self, slot: usize, waiting: &Waiting) {
        let mut inner = self.inner.lock();
        let queue = &mut inner.queues[slot];
        // It may have been dropped meanwhile.
        if let Some(place) = queue.waiting.iter().position(|one| one == waiting) {
            queue.take(place);
        }
        // What stays is sent again after a restart, which is fine.
        let _ = fs::remove_file(self.path(slot, &waiting.line, &waiting.name));
    }

    /// The file of the newest point is renamed, so that there is always one.
    fn mark(&self, inner: &mut Inner, line: &Line, at_ms: i64) -> io::Result<()> {
        let path = |(line, at_ms): &(Line, i64)| self.folder.join(format!("{LAST}_{line}_{at_ms}"));
        let new = (line.clone(), at_ms);
        let renamed = match &inner.last {
            Some(old) => fs::rename(path(old), path(&new)).is_ok(),
            None => false,
        };
        if !renamed {
            File::create(path(&new))?;
        }
        inner.last = Some(new);
        Ok(())
    }

    fn keep_bound(&self, inner: &mut Inner) {
        while inner.bytes() > self.max_bytes {
            let largest = (0..inner.queues.len()).max_by_key(|slot| inner.queues[*slot].bytes);
            let Some(slot) = largest else { return };
            let Some(place) = inner.queues[slot].least() else {
                return;
            };
            let queue = &mut inner.queues[slot];
            let dropped = queue.take(place);
            if queue.dropped == 0 {
                tracing::warn!(
                    "the spool is full: increments for a target that does not take them are dropped, the finest first"
                );
            }
            queue.dropped += 1;
            queue.is_suspect = true;
            let _ = fs::remove_file(self.path(slot, &dropped.line, &dropped.name));
        }
    }
}

impl Inner {
    fn bytes(&self) -> u64 {
        self.queues.iter().map(|queue| queue.bytes).sum()
    }
}

impl Queue {
    fn push(&mut self, waiting: Waiting) {
        self.bytes += waiting.bytes;
        self.waiting.push_back(waiting);
    }

    fn take(&mut self, place: usize) -> Waiting {
        let taken = self
            .waiting
            .remove(place)
            .expect("the place was just found");
        self.bytes -= taken.bytes;
        taken
    }

    fn sort(&mut self) {
        let order = |one: &Waiting| {
            let coarse_first = std::cmp::Reverse(one.name.level.rank());
            (one.line.clone(), one.name.to_ms, coarse_first)
        };
        self.waiting.make_contiguous().sort_by_key(order);
    }

    /// What matters least: the oldest of the finest. The newest base stays, however full it is: without it nothing that follows is worth
    /// anything.
    fn least(&self) -> Option<usize> {
        let base = self.waiting.iter().rposition(|one| one.name.is_base());
        let others = self
            .waiting
            .iter()
            .enumerate()
            .filter(|(place, _)| Some(*place) != base);
        others
            .min_by_key(|(place, one)| (one.name.level.rank(), *place))
            .map(|(place, _)| place)
    }
}

/// What waits for a target on this machine, read without being its owner.
#[must_use]
pub(super) fn pending_for(home: &Home, target: &str) -> Vec<(Line, Name)> {
    let slot = slot(target);
    let Ok(files) = files(&folder_of(home)) else {
        return Vec::new();
    };
    let waiting = files.into_iter().filter_map(|(_, file_name, _)| {
        let (of, line, name) = parse(&file_name)?;
        (of == slot).then_some((line, name))
    });
    waiting.collect()
}

fn folder_of(home: &Home) -> PathBuf {
    home.backup_spool().join("pitr")
}

/// A name of a target that can stand in the name of a file.
fn slot(target: &str) -> String {
    blake3::hash(target.as_bytes()).to_hex()[..8].to_owned()
}

fn files(folder: &Path) -> io::Result<Vec<(PathBuf, String, u64)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        // Sent and removed since the folder was read.
        let Ok(about) = entry.metadata() else {
            continue;
        };
        files.push((entry.path(), name, about.len()));
    }
    Ok(files)
}

fn parse(file_name: &str) -> Option<(&str, Line, Name)> {
    let mut parts = file_name.splitn(3, '_');
    let (slot, line, name) = (parts.next()?, parts.next()?, parts.next()?);
    Some((slot, line.parse().ok()?, name.parse().ok()?))
}

fn parse_last(file_name: &str) -> Option<(Line, i64)> {
    let (line, at_ms) = file_name
        .strip_prefix(LAST)?
        .strip_prefix('_')?
        .split_once('_')?;
    Some((line.parse().ok()?, at_ms.parse().ok()?))
}

/// The same file under a second name; a copy where the file system has no such thing.
fn link(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            fs::copy(from, to)?;
            File::open(to)?.sync_all()
        }
        // Left from a try that failed half-way, at the same millisecond; it is the one that is sent.
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
