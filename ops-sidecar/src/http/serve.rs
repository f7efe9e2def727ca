//! The accept loop: sockets in, bounded in every direction.
//!
//! Our own instead of `axum::serve`, which has no header timeout: a client that opens connections and says nothing, or half of something,
//! would hold them for ever. Each bound is a field of [`Limits`]. Not here: what is answered (`http`).

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::tasks::Stop;

/// What one client, and all of them together, may take.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections at a time; more wait in the kernel's queue. A scraper, a few probes and a browser need a dozen.
    pub connections: usize,
    /// From the opening of a connection, or from the end of the last answer, to the last byte of a request's head.
    pub header_timeout: Duration,
    /// Largest head of a request in bytes (431 beyond).
    pub header_bytes: usize,
    /// Most header lines (431 beyond).
    pub headers: usize,
    /// Longest life of one connection, which also bounds a client that does not read its answer.
    pub connection_age: Duration,
    /// How long a stop waits for answers that are under way. Under systemd's default 90 s and a container's 10 s.
    pub drain: Duration,
    /// Pause after a failed accept: out of file descriptors, the loop would otherwise spin.
    pub accept_pause: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: 256,
            header_timeout: Duration::from_secs(5),
            header_bytes: 16 * 1024,
            headers: 64,
            connection_age: Duration::from_secs(120),
            drain: Duration::from_secs(2),
            accept_pause: Duration::from_millis(100),
        }
    }
}

/// Serves until `stop` is asked for, then lets answers under way finish within [`Limits::drain`].
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: &Limits,
    mut stop: Stop,
) -> io::Result<()> {
    let slots = Arc::new(Semaphore::new(limits.connections));
    let connections = GracefulShutdown::new();
    loop {
        let next = tokio::select! {
            biased;
            () = stop.asked() => break,
            next = accept(&listener, Arc::clone(&slots)) => next,
        };
        match next {
            Ok((stream, slot)) => hold(stream, slot, &router, limits, &connections),
            Err(cause) => {
                tracing::warn!("a connection could not be accepted: {cause}");
                tokio::time::sleep(limits.accept_pause).await;
            }
        }
    }
    drop(listener);
    if timeout(limits.drain, connections.shutdown()).await.is_err() {
        tracing::warn!(
            "stopped with answers still under way after {:?}",
            limits.drain
        );
    }
    Ok(())
}

/// The next connection once there is room for one.
async fn accept(
    listener: &TcpListener,
    slots: Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let slot = slots.acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, slot))
}

/// Serves one connection on a task of its own, which ends by itself: every wait in it has a bound.
fn hold(
    stream: TcpStream,
    slot: OwnedSemaphorePermit,
    router: &Router,
    limits: &Limits,
    connections: &GracefulShutdown,
) {
    let _ = stream.set_nodelay(true);
    let service = TowerToHyperService::new(router.clone());
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_buf_size(limits.header_bytes)
        .max_headers(limits.headers)
        .serve_connection(TokioIo::new(stream), service);
    let watched = timeout(limits.connection_age, connections.watch(connection));
    tokio::spawn(async move {
        // A client that goes away or sends rubbish is its own affair: hyper has answered what could be answered.
        let _ = watched.await;
        drop(slot);
    });
}
