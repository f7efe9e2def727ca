//! What this server answers, and what stands in front of every answer.
//!
//! | address | open | what |
//! |---|---|---|
//! | `/` | yes | the list of addresses |
//! | `/health` | yes | 200 while we serve; the status in a word |
//! | `/health/live` | yes | 200 while we serve |
//! | `/health/ready` | yes | 503 with reasons while this machine should get no traffic |
//! | `/health/detailed` | token | components, facts and findings |
//! | `/metrics` | on loopback, else token | Prometheus text of all processes |
//!
//! Layers, from the outside in: headers for all answers, one shape for all errors, a panic is a 500, count and time, the guard (host and
//! origin), the body's limit and deadline, the answer's deadline. Not here: sockets and their limits (`serve`).

mod answer;
mod auth;
mod guard;
mod health;
mod index;
mod measure;
mod metrics;
pub mod serve;
mod text;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::routing::get;
use shared::env::{Effective, Owner};
use shared::state::Slot;
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::{RequestBodyDeadlineLayer, TimeoutLayer};

use self::auth::Auth;
use self::guard::Guard;
use crate::checks::board::Board;
use crate::config::Config;

/// Largest body of a request: nothing here takes one yet, and what comes later takes small JSON.
const MAX_BODY_BYTES: usize = 64 * 1024;
/// From a request's head to the end of its body; a client that trickles cannot stretch it.
const BODY_DEADLINE: Duration = Duration::from_secs(5);
/// From a request's head to its answer: below the ten seconds that Prometheus waits.
const ANSWER_DEADLINE: Duration = Duration::from_secs(8);
/// Answers made from the state file at a time: fewer than its connections, so that no crowd of scrapers keeps the checks from looking.
const READERS: usize = 2;

/// What the answers are made from. Cheap to clone.
#[derive(Clone)]
pub struct Rooms {
    inner: Arc<Inner>,
}

struct Inner {
    guard: Arc<Guard>,
    auth: Arc<Auth>,
    metrics_need_token: bool,
    started: Instant,
    slot: Slot,
    board: Arc<Board>,
    readers: Arc<Semaphore>,
    config: Vec<Effective>,
}

impl Rooms {
    /// For a server that listens on `listen` (the address it really got).
    #[must_use]
    pub fn new(config: &Config, listen: SocketAddr, slot: Slot, board: Arc<Board>) -> Rooms {
        let concerns_us = |line: &Effective| line.owner.concerns(Owner::Sidecar);
        let inner = Inner {
            guard: Arc::new(Guard::new(listen, &config.allowed_hosts)),
            auth: Arc::new(Auth::new(config.admin_token.as_ref())),
            metrics_need_token: !listen.ip().is_loopback(),
            started: Instant::now(),
            slot,
            board,
            readers: Arc::new(Semaphore::new(READERS)),
            config: config
                .settings
                .effective()
                .into_iter()
                .filter(concerns_us)
                .collect(),
        };
        Rooms {
            inner: Arc::new(inner),
        }
    }

    /// Runs `work`, which reads the state file, on a thread where it may block, once there is room for it.
    ///
    /// # Errors
    /// It panicked, or this program is ending: a 500 for whoever asked.
    async fn read<T, W>(&self, work: W) -> Result<T, StatusCode>
    where
        T: Send + 'static,
        W: FnOnce(&Slot, &Board) -> T + Send + 'static,
    {
        let room = Arc::clone(&self.inner.readers).acquire_owned().await;
        let inner = Arc::clone(&self.inner);
        let work = move || {
            // Given back when the work is done, not when its asker goes away.
            let _room = room;
            work(&inner.slot, &inner.board)
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
    }
}

/// All addresses behind all layers.
pub fn router(rooms: Rooms) -> Router {
    let guard = Arc::clone(&rooms.inner.guard);
    let auth = Arc::clone(&rooms.inner.auth);
    let metrics = Router::new().route("/metrics", get(metrics::scrape));
    let closed = Router::new().route("/health/detailed", get(health::detailed));
    let (metrics, closed) = if rooms.inner.metrics_need_token {
        (Router::new(), closed.merge(metrics))
    } else {
        (metrics, closed)
    };
    let routes = Router::new()
        .route("/", get(index::index))
        .route("/health", get(health::health))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .merge(metrics)
        .merge(closed.route_layer(from_fn_with_state(auth, auth::require)))
        .fallback(|| async { StatusCode::NOT_FOUND })
        .with_state(rooms);
    harden(routes, guard)
}

/// Puts all layers around `routes`; axum runs the last one added first.
fn harden(routes: Router, guard: Arc<Guard>) -> Router {
    routes
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            ANSWER_DEADLINE,
        ))
        .layer(RequestBodyDeadlineLayer::new(BODY_DEADLINE))
        .layer(RequestBodyLimitLayer::new(MAX_BODY_BYTES))
        .layer(from_fn_with_state(guard, guard::admit))
        .layer(CatchPanicLayer::new())
        .layer(from_fn(measure::measure))
        .layer(map_response(answer::as_json))
        .layer(map_response(answer::with_headers))
}

#[cfg(test)]
mod tests;
