//! Queues before the things of a shop, as rows. Who may write is [`crate::writes::turn`]'s business.
//!
//! One ticket may stand in several queues; in each, lower numbers come first. Numbers are drawn from one machine and never used again,
//! so that two who wait for the same things never wait for each other.

use super::read::text;
use crate::state::{Reading, StateError, Writing};

/// What is left of a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Own {
    /// In how many queues it stands.
    pub things: u32,
    /// When it was drawn or last used, in milliseconds since 1970.
    pub since_ms: i64,
}

/// A ticket that stands before another one in some queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ahead {
    /// Its number.
    pub ticket: i64,
    /// Who drew it.
    pub session_id: String,
    /// When it was drawn or last used, in milliseconds since 1970.
    pub since_ms: i64,
}

/// The next number.
///
/// # Errors
/// Why the file could not be written.
pub fn draw(writing: &Writing<'_>) -> Result<i64, StateError> {
    let mut next = writing
        .conn()
        .prepare_cached("UPDATE turn_seq SET seq = seq + 1 RETURNING seq")?;
    Ok(next.query_row([], |row| row.get(0))?)
}

/// Puts a ticket at the end of the queue before one thing.
///
/// # Errors
/// Why the file could not be written.
pub fn insert(
    writing: &Writing<'_>,
    ticket: &Ahead,
    store_key: &str,
    thing: &str,
) -> Result<(), StateError> {
    let mut insert = writing.conn().prepare_cached(
        "INSERT INTO turns (store_key, thing, ticket, session_id, since_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    insert.execute((
        store_key,
        thing,
        ticket.ticket,
        &ticket.session_id,
        ticket.since_ms,
    ))?;
    Ok(())
}

/// What is left of a ticket; `None` when it is in no queue.
///
/// # Errors
/// Why the file could not be read.
pub fn own(reading: &Reading<'_>, ticket: i64) -> Result<Option<Own>, StateError> {
    let mut query = reading
        .conn()
        .prepare_cached("SELECT count(*), min(since_ms) FROM turns WHERE ticket = ?1")?;
    let (things, since_ms): (u32, Option<i64>) =
        query.query_row([ticket], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(since_ms.map(|since_ms| Own { things, since_ms }))
}

/// Who stands before a ticket in any of its queues, lowest number first.
///
/// # Errors
/// Why the file could not be read.
pub fn ahead(reading: &Reading<'_>, ticket: i64) -> Result<Vec<Ahead>, StateError> {
    let mut query = reading.conn().prepare_cached(
        "SELECT DISTINCT other.ticket, other.session_id, other.since_ms
           FROM turns AS mine
           JOIN turns AS other ON other.store_key = mine.store_key AND other.thing = mine.thing
            AND other.ticket < mine.ticket
          WHERE mine.ticket = ?1
          ORDER BY other.ticket",
    )?;
    let rows = query.query_map([ticket], |row| {
        Ok(Ahead {
            ticket: row.get(0)?,
            session_id: text(row, 1)?,
            since_ms: row.get(2)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Notes that a ticket is in use; its time begins anew.
///
/// # Errors
/// Why the file could not be written.
pub fn touch(writing: &Writing<'_>, ticket: i64, now_ms: i64) -> Result<(), StateError> {
    let mut update = writing
        .conn()
        .prepare_cached("UPDATE turns SET since_ms = ?2 WHERE ticket = ?1")?;
    update.execute((ticket, now_ms))?;
    Ok(())
}

/// Takes a ticket out of all its queues.
///
/// # Errors
/// Why the file could not be written.
pub fn remove(writing: &Writing<'_>, ticket: i64) -> Result<(), StateError> {
    let mut delete = writing
        .conn()
        .prepare_cached("DELETE FROM turns WHERE ticket = ?1")?;
    delete.execute([ticket])?;
    Ok(())
}

/// Takes out what was last used before or after these moments, in milliseconds since 1970.
///
/// # Errors
/// Why the file could not be written.
pub fn remove_outside(
    writing: &Writing<'_>,
    earliest_ms: i64,
    latest_ms: i64,
) -> Result<(), StateError> {
    let mut delete = writing
        .conn()
        .prepare_cached("DELETE FROM turns WHERE since_ms < ?1 OR since_ms > ?2")?;
    delete.execute((earliest_ms, latest_ms))?;
    Ok(())
}

/// Hands the tickets of one session to another: the same process under its new id.
///
/// # Errors
/// Why the file could not be written.
pub fn hand_over(writing: &Writing<'_>, from: &str, to: &str) -> Result<(), StateError> {
    let mut update = writing
        .conn()
        .prepare_cached("UPDATE turns SET session_id = ?2 WHERE session_id = ?1")?;
    update.execute([from, to])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tables::testing::{Fresh, fresh};

    fn join(file: &Fresh, session_id: &str, things: &[&str]) -> i64 {
        file.write(|writing| {
            let ticket = Ahead {
                ticket: draw(writing)?,
                session_id: session_id.into(),
                since_ms: 5,
            };
            for thing in things {
                insert(writing, &ticket, "shop", thing)?;
            }
            Ok(ticket.ticket)
        })
    }

    fn before(file: &Fresh, ticket: i64) -> Vec<i64> {
        let rows = file.read(|reading| ahead(reading, ticket));
        rows.into_iter().map(|row| row.ticket).collect()
    }

    #[test]
    fn a_ticket_waits_for_the_lower_ones_in_its_queues_only() {
        let file = fresh();
        let both = join(&file, "a", &["order/1", "order/2"]);
        let other = join(&file, "b", &["order/3"]);
        let last = join(&file, "c", &["order/2", "order/1"]);
        assert_eq!(before(&file, both), [0; 0]);
        assert_eq!(before(&file, other), [0; 0]);
        assert_eq!(before(&file, last), [both]);
        file.write(|writing| remove(writing, both));
        assert_eq!(before(&file, last), [0; 0]);
        assert_eq!(file.read(|reading| own(reading, both)), None);
    }

    #[test]
    fn a_number_is_never_drawn_twice() {
        let file = fresh();
        let first = join(&file, "a", &["order/1"]);
        file.write(|writing| remove(writing, first));
        assert_eq!(join(&file, "a", &["order/1"]), first + 1);
    }

    #[test]
    fn a_ticket_is_used_handed_over_and_goes_with_age() {
        let file = fresh();
        let ticket = join(&file, "a", &["order/1", "order/2"]);
        file.write(|writing| touch(writing, ticket, 50));
        let left = Own {
            things: 2,
            since_ms: 50,
        };
        assert_eq!(file.read(|reading| own(reading, ticket)), Some(left));
        file.write(|writing| hand_over(writing, "a", "b"));
        let next = join(&file, "c", &["order/1"]);
        assert_eq!(file.read(|reading| ahead(reading, next))[0].session_id, "b");
        file.write(|writing| remove_outside(writing, 6, 50));
        assert_eq!(file.read(|reading| own(reading, next)), None);
        assert_eq!(file.read(|reading| own(reading, ticket)), Some(left));
        file.write(|writing| remove_outside(writing, 6, 49));
        assert_eq!(file.read(|reading| own(reading, ticket)), None);
    }
}
