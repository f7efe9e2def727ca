//! One row per life of a process, for people to look at; whether it lives is told by its run file, never by a row.

use crate::session::{Kind, SessionId};
use crate::state::{Reading, StateError, Writing};

/// What a session knows of itself when it begins.
#[derive(Debug, Clone)]
pub struct NewSession<'a> {
    /// Its id.
    pub id: &'a SessionId,
    /// Which binary.
    pub kind: Kind,
    /// Its process id: a label for people, nothing is decided by it.
    pub pid: u32,
    /// Version of the binary.
    pub version: &'a str,
    /// When it began, in milliseconds since 1970.
    pub started_ms: i64,
}

/// The program that speaks to a session, as it introduced itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The protocol version the two agreed on.
    pub protocol: String,
}

/// A session as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its id.
    pub id: SessionId,
    /// Which binary.
    pub kind: Kind,
    /// Its process id.
    pub pid: u32,
    /// Version of the binary.
    pub version: String,
    /// When it began, in milliseconds since 1970.
    pub started_ms: i64,
    /// When it last said that it lives, in milliseconds since 1970.
    pub heartbeat_ms: i64,
    /// Who speaks to it, once that is known.
    pub client: Option<Client>,
    /// Whose stores it works on, once that is known.
    pub tenant_id: Option<String>,
}

/// Adds a session.
///
/// # Errors
/// Why the file could not be written.
pub fn insert(writing: &Writing<'_>, new: &NewSession<'_>) -> Result<(), StateError> {
    let mut insert = writing.conn().prepare_cached(
        "INSERT INTO sessions (id, kind, pid, version, started_ms, heartbeat_ms, state_changed_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?5)",
    )?;
    insert.execute((
        new.id.as_str(),
        new.kind.as_str(),
        new.pid,
        new.version,
        new.started_ms,
    ))?;
    Ok(())
}

/// Is there a row of this session? It is gone once somebody took us for dead.
///
/// # Errors
/// Why the file could not be read.
pub fn exists(reading: &Reading<'_>, id: &str) -> Result<bool, StateError> {
    let mut query = reading
        .conn()
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM sessions WHERE id = ?1)")?;
    Ok(query.query_row([id], |row| row.get(0))?)
}

/// Notes who speaks to a session; `false` when there is no such session.
///
/// # Errors
/// Why the file could not be written.
pub fn describe(
    writing: &Writing<'_>,
    id: &str,
    client: &Client,
    now_ms: i64,
) -> Result<bool, StateError> {
    let mut update = writing.conn().prepare_cached(
        "UPDATE sessions SET client_name = ?2, client_version = ?3, protocol_version = ?4, state_changed_ms = ?5
         WHERE id = ?1",
    )?;
    Ok(update.execute((id, &client.name, &client.version, &client.protocol, now_ms))? == 1)
}

/// Notes whose stores a session works on; `false` when there is no such session.
///
/// # Errors
/// Why the file could not be written.
pub fn belongs_to(writing: &Writing<'_>, id: &str, tenant_id: &str) -> Result<bool, StateError> {
    let mut update = writing
        .conn()
        .prepare_cached("UPDATE sessions SET tenant_id = ?2 WHERE id = ?1")?;
    Ok(update.execute([id, tenant_id])? == 1)
}

/// Notes that a session lives; `false` when there is no such session.
///
/// # Errors
/// Why the file could not be written.
pub fn touch(writing: &Writing<'_>, id: &str, now_ms: i64) -> Result<bool, StateError> {
    let mut update = writing
        .conn()
        .prepare_cached("UPDATE sessions SET heartbeat_ms = ?2 WHERE id = ?1")?;
    Ok(update.execute((id, now_ms))? == 1)
}

/// Removes a session; `false` when somebody else did.
///
/// # Errors
/// Why the file could not be written.
pub fn delete(writing: &Writing<'_>, id: &str) -> Result<bool, StateError> {
    let mut delete = writing
        .conn()
        .prepare_cached("DELETE FROM sessions WHERE id = ?1")?;
    Ok(delete.execute([id])? == 1)
}

/// All sessions, oldest first. Rows that this version cannot read (a kind it does not know) are left out.
///
/// # Errors
/// Why the file could not be read.
pub fn all(reading: &Reading<'_>) -> Result<Vec<Row>, StateError> {
    let mut query = reading.conn().prepare_cached(
        "SELECT id, kind, pid, version, started_ms, heartbeat_ms, client_name, client_version, protocol_version,
                tenant_id
         FROM sessions ORDER BY started_ms, id",
    )?;
    let rows = query.query_map([], from_row)?;
    Ok(rows
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .flatten()
        .collect())
}

fn from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<Row>> {
    let (id, kind): (String, String) = (row.get(0)?, row.get(1)?);
    let (Some(id), Some(kind)) = (SessionId::from_stored(&id), Kind::from_stored(&kind)) else {
        return Ok(None);
    };
    let client = row.get::<_, Option<String>>(6)?.map(|name| {
        let text = |column| {
            Ok::<_, rusqlite::Error>(row.get::<_, Option<String>>(column)?.unwrap_or_default())
        };
        Ok::<_, rusqlite::Error>(Client {
            name,
            version: text(7)?,
            protocol: text(8)?,
        })
    });
    Ok(Some(Row {
        id,
        kind,
        pid: row.get(2)?,
        version: row.get(3)?,
        started_ms: row.get(4)?,
        heartbeat_ms: row.get(5)?,
        client: client.transpose()?,
        tenant_id: row.get(9)?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tables::testing::{Fresh, fresh};

    fn begin(file: &Fresh, started_ms: i64) -> SessionId {
        let id = SessionId::random();
        let new = NewSession {
            id: &id,
            kind: Kind::McpStdio,
            pid: 7,
            version: "1.0",
            started_ms,
        };
        file.write(|writing| insert(writing, &new));
        id
    }

    #[test]
    fn a_session_begins_introduces_its_client_lives_and_ends() {
        let file = fresh();
        let id = begin(&file, 10);
        let client = Client {
            name: "inspector".into(),
            version: "2".into(),
            protocol: "2025-11-25".into(),
        };
        assert!(file.write(|writing| describe(writing, id.as_str(), &client, 11)));
        assert!(file.write(|writing| touch(writing, id.as_str(), 12)));
        let row = file.read(all).remove(0);
        assert_eq!(
            (
                row.id.clone(),
                row.kind,
                row.pid,
                row.started_ms,
                row.heartbeat_ms
            ),
            (id.clone(), Kind::McpStdio, 7, 10, 12)
        );
        assert_eq!(row.client, Some(client));
        assert!(file.write(|writing| delete(writing, id.as_str())));
        assert!(!file.read(|reading| exists(reading, id.as_str())));
    }

    #[test]
    fn a_session_learns_whose_stores_it_works_on() {
        let file = fresh();
        let id = begin(&file, 10);
        assert_eq!(file.read(all).remove(0).tenant_id, None);
        assert!(file.write(|writing| belongs_to(writing, id.as_str(), "t1")));
        assert_eq!(file.read(all).remove(0).tenant_id.as_deref(), Some("t1"));
        assert!(!file.write(|writing| belongs_to(writing, "gone", "t1")));
    }

    #[test]
    fn who_was_taken_for_dead_can_tell() {
        let file = fresh();
        let id = begin(&file, 10);
        assert!(file.write(|writing| delete(writing, id.as_str())));
        assert!(!file.write(|writing| delete(writing, id.as_str())));
        assert!(!file.write(|writing| touch(writing, id.as_str(), 12)));
    }

    #[test]
    fn sessions_are_listed_oldest_first() {
        let file = fresh();
        let (young, old) = (begin(&file, 20), begin(&file, 10));
        let ids: Vec<_> = file.read(all).into_iter().map(|row| row.id).collect();
        assert_eq!(ids, [old, young]);
    }
}
