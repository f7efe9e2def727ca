//! What waits on this machine for its targets: one folder, whose listing is all there is to know.
//!
//! An increment is `<slot>_<line>_<name>`, once per target that still lacks it (hard links, so the bytes are there once); `last_<line>_<ms>`
//! is the newest point. Everything gets its name before one flush of the folder: a point is in the spool entirely, for all its targets, or
//! not at all. The spool is bounded; what goes first is what matters least, and a target that has lost something is looked at again
//! before it is trusted (`ship`).

mod folder;
mod queue;

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;

use parking_lot::Mutex;
use shared::paths::Home;
use tempfile::NamedTempFile;

use self::folder::{LAST, files, folder_of, link, parse, parse_last, slot};
use self::queue::Queue;
use super::level::Level;
use super::name::{Line, Name};

pub(super) use self::folder::pending_for;
pub(super) use self::queue::{QueueView, Waiting};

/// What is being written; without a name until it is whole.
const UNFINISHED: &str = ".cutting-";

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
    /// What waits for targets that are not set.
    strangers: Vec<PathBuf>,
    queues: Vec<Queue>,
    last: Option<(Line, i64)>,
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

impl Spool {
    /// Opens the spool, for the one process that holds `run/pitr.lock`. What a killed process left unfinished goes.
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
        let mut strangers = Vec::new();
        for (path, file_name, bytes) in files(&folder)? {
            if file_name.starts_with(UNFINISHED) {
                let _ = fs::remove_file(&path);
            } else if let Some(last) = parse_last(&file_name) {
                inner.last = inner.last.max(Some(last));
            } else if let Some((of, line, name)) = parse(&file_name) {
                match slots.iter().position(|slot| slot == of) {
                    Some(place) => inner.queues[place].push(Waiting { line, name, bytes }),
                    None => strangers.push(path),
                }
            }
        }
        inner.strangers = strangers;
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

    /// Removes what waits for targets that are no longer set. Only who captures does this: a command may have been given fewer targets.
    pub(super) fn forget_strangers(&self) {
        let strangers = std::mem::take(&mut self.inner.lock().strangers);
        if !strangers.is_empty() {
            let count = strangers.len();
            tracing::warn!(
                "{count} increments waited for targets that are no longer in BACKUP_TARGETS; they are removed"
            );
        }
        for path in strangers {
            let _ = fs::remove_file(path);
        }
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
            let mut options = File::options();
            options.create(true).truncate(true).write(true).mode(0o600);
            options.open(path(&new))?;
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

#[cfg(test)]
mod tests;
