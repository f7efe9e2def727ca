//! What the live file has that another one has not.
//!
//! Compared is what cannot be had again: audit records, and the stores and keys. Telemetry, sessions and caches are not worth a question. The
//! other file may be of an older schema: only what schema 1 has is asked of both, and the rest where it is there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension};

use super::super::connection::{self, Address};
use super::super::migrate::Header;
use super::super::tables::meta;
use super::super::transaction::Reading;
use super::super::{StateError, gate, migrate, presence};
use crate::paths::Home;

/// What the live file has that the one at `copy` has not, in words for people, one thing each; nothing would be lost when it is empty.
/// `copy` is read and left as it is; nobody may have it open.
///
/// # Errors
/// The live file cannot be read (missing or damaged: then there is nothing that a restore could lose), or the copy cannot.
pub fn newer_than(home: &Home, copy: &Path) -> Result<Vec<String>, StateError> {
    let _gate = gate::enter(&home.gate_lock())?;
    let live = connection::open(&home.state_db())?;
    Content::read(&live)?.beyond(&Copy::open(copy)?)
}

/// The live file, while nobody else has it open.
pub(super) struct Live {
    connection: Connection,
    path: PathBuf,
    content: Result<Content, StateError>,
    epoch: u64,
}

impl Live {
    /// Opens it; `None` when there is none, or one that SQLite cannot open: then there is nothing to compare with, and nothing to save but
    /// the file as it is.
    pub(super) fn look(home: &Home) -> Result<Option<Live>, StateError> {
        let path = home.state_db();
        if !super::has_content(&path)? {
            return Ok(None);
        }
        let opened = connection::open(&path)
            .map_err(StateError::from)
            .and_then(|connection| {
                // The first read: where a damaged file shows.
                Header::read(&connection)?;
                Ok(connection)
            });
        match opened {
            Ok(connection) => {
                let content = Content::read(&connection);
                let epoch =
                    meta::restore(&Reading::through(&connection)).map_or(0, |noted| noted.epoch);
                Ok(Some(Live {
                    connection,
                    path,
                    content,
                    epoch,
                }))
            }
            Err(StateError::Corrupt { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) fn restore_epoch(&self) -> u64 {
        self.epoch
    }

    /// # Errors
    /// [`StateError::WouldLose`]; a file that is not ours or newer than this program is not replaced without force either.
    pub(super) fn refuse_to_lose(&self, new: &Path) -> Result<(), StateError> {
        let newer = match &self.content {
            Ok(content) => content.beyond(&Copy::open(new)?)?,
            Err(StateError::Corrupt { .. } | StateError::Unexpected { .. }) => return Ok(()),
            Err(error) => vec![error.to_string()],
        };
        if newer.is_empty() {
            return Ok(());
        }
        Err(StateError::WouldLose {
            what: newer.join("; "),
        })
    }

    /// Copies its log back into it and closes it: what was committed is in the one file that is kept.
    ///
    /// # Errors
    /// [`StateError::InUse`] when a program that does not know of the gate has it open.
    pub(super) fn empty_log(self) -> Result<(), StateError> {
        let in_use = || StateError::InUse {
            holders: "a program that does not wait for others, such as the `sqlite3` command"
                .to_owned(),
        };
        let emptied = self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
                row.get::<_, i64>(0)
            });
        match emptied.map_err(StateError::from) {
            Ok(0) => {}
            Ok(_) | Err(StateError::Locked) => return Err(in_use()),
            // Its log goes aside with it, as it is.
            Err(StateError::Corrupt { .. }) => return Ok(()),
            Err(error) => return Err(error),
        }
        self.connection.close().map_err(|(_, error)| error)?;
        match presence::companion(&self.path, "-wal").exists() {
            true => Err(in_use()),
            false => Ok(()),
        }
    }
}

/// What is compared.
#[derive(Debug, Default)]
struct Content {
    /// The end of each audit chain: number and hash.
    ends: BTreeMap<String, (i64, Vec<u8>)>,
    /// Each tenant, and which master key opens it.
    keys: BTreeMap<String, i64>,
    vault_revision: u64,
}

impl Content {
    /// Of a file that may be empty.
    fn read(connection: &Connection) -> Result<Content, StateError> {
        let header = Header::read(connection)?;
        migrate::refuse_newer(connection, header.schema)?;
        if header.schema == 0 {
            return Ok(Content::default());
        }
        let mut ends =
            connection.prepare("SELECT tenant_id, max(seq), hash FROM audit GROUP BY tenant_id")?;
        let ends = ends.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?;
        let mut keys = connection.prepare("SELECT id, key_version FROM tenants")?;
        let keys = keys.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Content {
            ends: ends.collect::<Result<_, _>>()?,
            keys: keys.collect::<Result<_, _>>()?,
            vault_revision: meta::vault_revision(&Reading::through(connection))?,
        })
    }

    /// What this has and the other has not.
    fn beyond(&self, other: &Copy) -> Result<Vec<String>, StateError> {
        let mut words = Vec::new();
        for (chain, end) in &self.ends {
            words.extend(other.lacks_of_chain(chain, end)?);
        }
        let than = &other.content;
        if self.vault_revision > than.vault_revision {
            let changes = self.vault_revision - than.vault_revision;
            words.push(format!("{} of stores or keys", counted(changes, "change")));
        }
        let rotated = |(id, version): &(&String, &i64)| {
            than.keys.get(*id).is_some_and(|older| older < *version)
        };
        if self.keys.iter().any(|key| rotated(&key)) {
            words.push(
                "the newest master key: what would take its place opens only with the one before"
                    .to_owned(),
            );
        }
        Ok(words)
    }
}

/// The other file, open as long as it is asked.
struct Copy {
    connection: Connection,
    content: Content,
}

impl Copy {
    /// Read without a lock and without companions: nobody writes to it.
    fn open(path: &Path) -> Result<Copy, StateError> {
        let connection = Address::copy(path)?.open()?;
        migrate::refuse_not_ours(&connection, path)?;
        let content = Content::read(&connection)?;
        Ok(Copy {
            connection,
            content,
        })
    }

    fn lacks_of_chain(
        &self,
        chain: &str,
        (end, hash): &(i64, Vec<u8>),
    ) -> Result<Option<String>, StateError> {
        let whose = match chain {
            "system" => "of the system's audit".to_owned(),
            "env" => "of the audit of the store from the environment".to_owned(),
            tenant => format!("of the audit of tenant {tenant}"),
        };
        let last = self.content.ends.get(chain).map_or(0, |(seq, _)| *seq);
        if *end > last {
            let records = counted((end - last).unsigned_abs(), "record");
            return Ok(Some(format!(
                "{records} {whose} (number {} and on)",
                last + 1
            )));
        }
        let mut same = self
            .connection
            .prepare("SELECT hash FROM audit WHERE tenant_id = ?1 AND seq = ?2")?;
        let same: Option<Vec<u8>> = same.query_row((chain, end), |row| row.get(0)).optional()?;
        // A record that was pruned there since is no other history.
        let is_other = same.is_some_and(|same| same != *hash);
        Ok(is_other.then(|| format!("another history {whose} (record {end} is not the same)")))
    }
}

/// `1 record`, `2 records`.
fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}
