//! One flush: what changed since the last one goes to the state file in one transaction.
//!
//! Values are cumulative since the process began and replace the former row, so a flush that is repeated changes
//! nothing; they count as written only after the commit. A flush also says that the session lives, and finds out
//! whether somebody took it for dead and folded its rows: then it goes on under a new id, with what was folded as the
//! base. When to flush, and what to do when it fails, is not here (see `runner`).

use std::io;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use metrics::{counter, histogram};

use super::fold;
use super::ledger::{Changes, Ledger};
use super::names;
use super::recorder::Recorder;
use crate::session::{self, Session, SessionId};
use crate::state::tables::metrics as rows;
use crate::state::tables::sessions::{self, Client, NewSession};
use crate::state::{Durability, State, StateError, Writing};
use crate::writes;

/// Label of the transaction in `db_query_duration_seconds`.
const OPERATION: &str = "telemetry_flush";

/// Why a flush failed; nothing was written then.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FlushError {
    /// The run file could not be made or locked.
    #[error(
        "cannot begin a session in the home folder: {0}; hint: give this user write access to its `run` folder"
    )]
    Session(#[from] io::Error),
    /// There is no state file to write to.
    #[error("{0}")]
    NoState(Arc<StateError>),
    /// The state file could not be written.
    #[error(transparent)]
    State(#[from] StateError),
}

impl FlushError {
    /// A word from a small closed set, for the label of the error counter.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            FlushError::Session(_) => "session",
            FlushError::NoState(error) => error.code(),
            FlushError::State(error) => error.code(),
        }
    }
}

/// Whether the values go on living with their process or are left to those who come after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    GoOn,
    Retire,
}

/// Whom a process works for, as far as that is known yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Serves {
    /// The program that speaks to it.
    pub(crate) client: Option<Client>,
    /// The holder of the stores it works on.
    pub(crate) tenant_id: Option<String>,
}

/// Writes the values of one process. Belongs to one thread.
#[derive(Debug)]
pub(crate) struct Flusher {
    recorder: Recorder,
    kind: session::Kind,
    version: &'static str,
    ledger: Ledger,
    session: Option<Session>,
    /// Whether a commit has put the session's row into the file.
    is_registered: bool,
    serves_written: Serves,
    /// Ids under which this process was taken for dead. Nearly always none; what it holds under one is handed over by every flush,
    /// because a write may still begin under it while the new id is being told.
    former: Vec<SessionId>,
}

impl Flusher {
    pub(crate) fn new(recorder: Recorder, kind: session::Kind, version: &'static str) -> Flusher {
        let ledger = Ledger::default();
        Flusher {
            recorder,
            kind,
            version,
            ledger,
            session: None,
            is_registered: false,
            serves_written: Serves::default(),
            former: Vec::new(),
        }
    }

    /// The id under which this process writes, once it has begun.
    pub(crate) fn session_id(&self) -> Option<&SessionId> {
        self.session.as_ref().map(Session::id)
    }

    /// Writes what changed, and whom this process serves.
    ///
    /// # Errors
    /// Why nothing was written; the next flush writes it.
    pub(crate) fn flush(
        &mut self,
        state: &State,
        serves: &Serves,
        now: Timestamp,
    ) -> Result<(), FlushError> {
        self.attempt(state, serves, now, Then::GoOn)
    }

    /// Writes what changed and hands all values over to the retired totals, in one transaction. The end of a process.
    ///
    /// # Errors
    /// Why nothing was written or folded; whoever comes by folds what earlier flushes wrote.
    pub(crate) fn finish(
        mut self,
        state: &State,
        serves: &Serves,
        now: Timestamp,
    ) -> Result<(), FlushError> {
        self.attempt(state, serves, now, Then::Retire)
    }

    fn attempt(
        &mut self,
        state: &State,
        serves: &Serves,
        now: Timestamp,
        then: Then,
    ) -> Result<(), FlushError> {
        let since = Instant::now();
        let result = self.write(state, serves, now, then);
        histogram!(names::FLUSH_DURATION.name).record(since.elapsed());
        if let Err(error) = &result {
            counter!(names::FLUSH_ERRORS.name, "code" => error.code()).increment(1);
        }
        result
    }

    fn write(
        &mut self,
        state: &State,
        serves: &Serves,
        now: Timestamp,
        then: Then,
    ) -> Result<(), FlushError> {
        match &mut self.session {
            Some(session) => {
                // What cannot be put back now may be at the next flush; if others are faster, this one goes on under a new id.
                let _ = session.stay_visible();
            }
            None => self.session = Some(Session::begin(state.home(), self.kind, self.version)?),
        }
        loop {
            let changes = self.ledger.changes(self.recorder.book());
            let written = state.write(OPERATION, Durability::Normal, |writing| {
                self.in_transaction(writing, &changes, serves, now.as_millisecond(), then)
            })?;
            match written {
                Written::All => {
                    self.is_registered = true;
                    self.serves_written = serves.clone();
                    self.ledger.commit(changes);
                    return Ok(());
                }
                Written::NothingWeWereFolded => self.go_on_under_a_new_id()?,
            }
        }
    }

    fn in_transaction(
        &self,
        writing: &Writing<'_>,
        changes: &Changes,
        serves: &Serves,
        now_ms: i64,
        then: Then,
    ) -> Result<Written, StateError> {
        let session = self.session.as_ref().expect("write() has begun it");
        let id = session.id().as_str();
        if !sessions::touch(writing, id, now_ms)? {
            if self.is_registered {
                return Ok(Written::NothingWeWereFolded);
            }
            sessions::insert(writing, &self.introduction(session, now_ms))?;
        }
        for former in &self.former {
            writes::hand_over(writing, former, session.id())?;
        }
        let written = &self.serves_written;
        if let Some(client) = &serves.client
            && serves.client != written.client
        {
            sessions::describe(writing, id, client, now_ms)?;
        }
        if let Some(tenant_id) = &serves.tenant_id
            && serves.tenant_id != written.tenant_id
        {
            sessions::belongs_to(writing, id, tenant_id)?;
        }
        let seq = if self.ledger.needs_seq(changes) {
            rows::next_seq(writing)?
        } else {
            0
        };
        rows::put(writing, id, self.ledger.rows(changes, seq))?;
        if then == Then::Retire {
            fold::retire(writing, session.id())?;
        }
        Ok(Written::All)
    }

    fn introduction<'a>(&'a self, session: &'a Session, now_ms: i64) -> NewSession<'a> {
        NewSession {
            id: session.id(),
            kind: self.kind,
            pid: std::process::id(),
            version: self.version,
            started_ms: now_ms,
        }
    }

    fn go_on_under_a_new_id(&mut self) -> io::Result<()> {
        let session = self
            .session
            .as_mut()
            .expect("only a session can have been folded");
        let former = session.id().clone();
        session.renew()?;
        tracing::warn!(session = %session.id(), "this process was taken for dead; it goes on under a new session id");
        self.former.push(former);
        self.is_registered = false;
        self.serves_written = Serves::default();
        self.ledger.rebase();
        Ok(())
    }
}

/// What a transaction did.
enum Written {
    All,
    NothingWeWereFolded,
}

#[cfg(test)]
mod tests;
