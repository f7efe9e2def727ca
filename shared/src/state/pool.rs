//! Few connections, opened when they are needed, through `r2d2`.
//!
//! `r2d2`'s ways that matter here: building a pool that tests itself blocks for the whole timeout on a file that
//! cannot be opened, so the first connection is opened by hand and handed in, and the pool is built unchecked; errors
//! reach `get` as text only, so the last one is kept here with its code; and its own thread may be the last to let go of a connection, a
//! moment after the pool is gone, so each connection holds the gate for itself.

use std::fs::File;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use r2d2::{HandleError, ManageConnection, PooledConnection};
use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::Connection;
use scheduled_thread_pool::ScheduledThreadPool;

use super::connection::Address;
use super::{StateError, busy};
use crate::telemetry::names;

/// Two callers, the flush and the scrape: more would only wait for the one write lock.
const MAX_CONNECTIONS: u32 = 4;

/// How many connections there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolStatus {
    /// Open now.
    pub size: u32,
    /// Of these, waiting for work.
    pub idle: u32,
}

/// A connection that goes back to the pool when dropped.
pub(super) type Pooled = PooledConnection<Manager>;

#[derive(Debug)]
pub(super) struct Pool {
    connections: r2d2::Pool<Manager>,
    last_error: Arc<LastError>,
    noted: Mutex<Option<PoolStatus>>,
    /// The gauges tell of the state file, not of copies of it.
    is_copy: bool,
}

impl Pool {
    /// A pool of connections to one file, beginning with `first`. `gate` is held until the last of them is closed.
    pub(super) fn starting_with(
        first: Connection,
        address: &Address,
        gate: Option<Arc<File>>,
    ) -> Pool {
        let last_error = Arc::new(LastError::default());
        let connections = r2d2::Pool::builder()
            .max_size(MAX_CONNECTIONS)
            .min_idle(Some(0))
            .max_lifetime(None)
            .idle_timeout(None)
            .test_on_check_out(false)
            .connection_timeout(busy::PATIENCE)
            .thread_pool(Arc::new(open_thread()))
            .error_handler(Box::new(KeepLast(Arc::clone(&last_error))))
            .build_unchecked(Manager::new(first, address, gate));
        Pool {
            connections,
            last_error,
            noted: Mutex::new(None),
            is_copy: address.is_copy(),
        }
    }

    /// A connection of one's own until dropped.
    ///
    /// # Errors
    /// [`StateError::Locked`] when all are in use for longer than `patience`; else why none could be opened.
    pub(super) fn take(&self, patience: Duration) -> Result<Pooled, StateError> {
        if let Some(connection) = self.connections.try_get() {
            return Ok(connection);
        }
        self.last_error.0.lock().take();
        self.connections
            .get_timeout(patience)
            .map_err(|_| match self.last_error.0.lock().take() {
                Some(error) => error.into(),
                None => StateError::Locked,
            })
    }

    /// Sets the two gauges when they would change.
    pub(super) fn note(&self) {
        if self.is_copy {
            return;
        }
        let now = Some(self.status());
        let before = std::mem::replace(&mut *self.noted.lock(), now);
        if let (Some(status), true) = (now, now != before) {
            metrics::gauge!(names::DB_POOL_SIZE.name).set(status.size);
            metrics::gauge!(names::DB_POOL_AVAILABLE.name).set(status.idle);
        }
    }

    pub(super) fn status(&self) -> PoolStatus {
        let state = self.connections.state();
        PoolStatus {
            size: state.connections,
            idle: state.idle_connections,
        }
    }
}

/// Connections are opened on one thread; three are the default, and each is memory in every process.
fn open_thread() -> ScheduledThreadPool {
    ScheduledThreadPool::builder()
        .num_threads(1)
        .thread_name_pattern("state-open-{}")
        .build()
}

/// A connection, and the gate that it must not outlive: fields are dropped in this order.
#[derive(Debug)]
pub(super) struct Gated {
    connection: Connection,
    _gate: Option<Arc<File>>,
}

impl Deref for Gated {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        &self.connection
    }
}

/// Opens connections the way of the house; the very first one is there already.
#[derive(Debug)]
pub(super) struct Manager {
    first: Mutex<Option<Connection>>,
    others: SqliteConnectionManager,
    gate: Option<Arc<File>>,
}

impl Manager {
    fn new(first: Connection, address: &Address, gate: Option<Arc<File>>) -> Manager {
        let how = address.clone();
        let others = SqliteConnectionManager::file(address.name())
            .with_flags(address.flags())
            .with_init(move |new| how.set_up(new));
        Manager {
            first: Mutex::new(Some(first)),
            others,
            gate,
        }
    }
}

impl ManageConnection for Manager {
    type Connection = Gated;
    type Error = rusqlite::Error;

    fn connect(&self) -> Result<Gated, rusqlite::Error> {
        let first = self.first.lock().take();
        let connection = first.map_or_else(|| self.others.connect(), Ok)?;
        metrics::counter!(names::DB_CONNECTIONS.name).increment(1);
        Ok(Gated {
            connection,
            _gate: self.gate.clone(),
        })
    }

    fn is_valid(&self, gated: &mut Gated) -> Result<(), rusqlite::Error> {
        self.others.is_valid(&mut gated.connection)
    }

    /// A transaction that outlived its closure would hold its lock for ever.
    fn has_broken(&self, gated: &mut Gated) -> bool {
        !gated.is_autocommit()
    }
}

#[derive(Debug, Default)]
struct LastError(Mutex<Option<rusqlite::Error>>);

#[derive(Debug)]
struct KeepLast(Arc<LastError>);

impl HandleError<rusqlite::Error> for KeepLast {
    fn handle_error(&self, error: rusqlite::Error) {
        *self.0.0.lock() = Some(error);
    }
}
