//! Who has the state file open, for people who want it closed.
//!
//! Whoever holds the lock of a run file lives; the rest (which program, since when, for whom) is a label from the file itself, where it
//! can be read. Short commands have no run file: nobody can name them, and they end by themselves.

use std::fmt;

use jiff::Timestamp;

use super::tables::sessions;
use super::transaction::Reading;
use super::{connection, gate};
use crate::paths::Home;
use crate::session::{self, SessionId};

/// A process that lives in this home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its session's id.
    pub session: String,
    /// Which program: `mcp-stdio` or `ops-sidecar`; `a process` where the file does not say.
    pub kind: String,
    /// Its process id.
    pub pid: Option<u32>,
    /// When it began, in milliseconds since 1970.
    pub since_ms: Option<i64>,
    /// The program that speaks to it.
    pub client: Option<String>,
}

/// For people: `mcp-stdio (process 4711, since 2026-11-21T21:40:11Z, for claude-ai)`.
impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = self
            .since_ms
            .and_then(|ms| Timestamp::from_millisecond(ms - ms.rem_euclid(1000)).ok());
        let facts: Vec<String> = [
            self.pid.map(|pid| format!("process {pid}")),
            since.map(|since| format!("since {since}")),
            self.client.as_ref().map(|client| format!("for {client}")),
        ]
        .into_iter()
        .flatten()
        .collect();
        if facts.is_empty() {
            return write!(f, "{} (session {})", self.kind, self.session);
        }
        write!(f, "{} ({})", self.kind, facts.join(", "))
    }
}

/// The living, oldest first; those that the file does not know come last.
#[must_use]
pub fn holders(home: &Home) -> Vec<Holder> {
    let known = known(home);
    let mut holders: Vec<Holder> = living(home)
        .into_iter()
        .map(|id| describe(&id, &known))
        .collect();
    holders.sort_by_key(|holder| (holder.since_ms.is_none(), holder.since_ms));
    holders
}

/// All of them in one line, for an error.
pub(super) fn in_words(home: &Home) -> String {
    /// More names than this help nobody.
    const NAMED: usize = 5;
    let holders = holders(home);
    if holders.is_empty() {
        return "a command that does not say its name, or another program".to_owned();
    }
    let mut words: Vec<String> = holders
        .iter()
        .take(NAMED)
        .map(ToString::to_string)
        .collect();
    if holders.len() > NAMED {
        words.push(format!("{} more", holders.len() - NAMED));
    }
    words.join("; ")
}

fn living(home: &Home) -> Vec<SessionId> {
    let Ok(files) = std::fs::read_dir(home.run_dir()) else {
        return Vec::new();
    };
    files
        .flatten()
        .filter_map(|file| {
            let name = file.file_name().into_string().ok()?;
            SessionId::from_stored(name.strip_suffix(".lock")?)
        })
        .filter(|id| session::is_alive(home, id))
        .collect()
}

/// What the file says of sessions. A file that cannot be read says nothing; it is neither made nor brought up here.
fn known(home: &Home) -> Vec<sessions::Row> {
    let path = home.state_db();
    if !path.exists() {
        return Vec::new();
    }
    let Ok(_gate) = gate::enter(&home.gate_lock()) else {
        return Vec::new();
    };
    connection::open(&path)
        .ok()
        .and_then(|connection| sessions::all(&Reading::through(&connection)).ok())
        .unwrap_or_default()
}

fn describe(id: &SessionId, known: &[sessions::Row]) -> Holder {
    let row = known.iter().find(|row| row.id == *id);
    Holder {
        session: id.as_str().to_owned(),
        kind: row.map_or("a process", |row| row.kind.as_str()).to_owned(),
        pid: row.map(|row| row.pid),
        since_ms: row.map(|row| row.started_ms),
        client: row.and_then(|row| row.client.as_ref().map(|client| client.name.clone())),
    }
}

#[cfg(test)]
mod tests;
