//! The life of a serving process, from the first byte to the exit code.
//!
//! Here: the order in which things start and end, and the times they get. Not here: where settings and streams come from (`cli`), and
//! what ends a process (`stop`). `initialize` is answered before anything heavy is done: the state file is opened by the telemetry
//! thread, the HTTP client is built by the first request.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use rmcp::service::ServerInitializeError;
use shared::clock::SystemClock;
use shared::session::Kind;
use shared::state::Slot;
use shared::telemetry::Telemetry;

use crate::config::Config;
use crate::context::Context;
use crate::server::Server;
use crate::stop::{Cause, Stop};
use crate::tools;
use crate::transport::{Io, Stdio};

/// How much longer than its drain the library gets to end by itself: it only joins tasks that are done.
const AFTER_DRAIN: Duration = Duration::from_millis(30);

/// Serves one client on these streams until its end, its will or a signal ends it. Gives the cause.
///
/// # Errors
/// If the system gives no runtime, threads or signal handlers, or the library ends for a reason that is not the client's.
pub fn run(config: Config, io: Io, stop: &Stop) -> anyhow::Result<Cause> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the async runtime")?;
    // Before anything writes a file: a limit on file sizes kills whoever has no handler.
    {
        let _inside = runtime.enter();
        stop.listen().context("cannot listen for signals")?;
    }
    // What cannot be made now shows as a degraded state file; serving goes on.
    let _ = config.home.create();
    let slot = Slot::new(config.home.clone());
    let telemetry = Telemetry::start(slot.clone(), Kind::McpStdio, env!("CARGO_PKG_VERSION"));
    let handle = telemetry.handle();

    let served = runtime.block_on(async {
        let known_tool = |name: &str| tools::find(name).map(|tool| tool.name);
        let transport = Stdio::start(io, config.bounds, stop.clone(), known_tool, {
            let handle = handle.clone();
            move || handle.answered()
        });
        let transport = transport.context("cannot start the threads for stdin and stdout")?;
        let context = Context::new(config, slot, handle, SystemClock::shared());
        serve(Server::new(Arc::new(context)), transport, stop).await
    });
    // Calls that were not answered in time end here; blocking ones are left behind.
    runtime.shutdown_background();
    stop.now(Cause::InputEnded);
    if !telemetry.finish(stop.time_to_flush()) {
        tracing::warn!(
            "the last counters could not be written in time; what was written before is kept"
        );
    }
    served.map(|()| stop.cause().unwrap_or(Cause::InputEnded))
}

/// Runs the protocol until the transport ends it. The library waits seconds for calls that do not end; we do not.
async fn serve(server: Server, transport: Stdio, stop: &Stop) -> anyhow::Result<()> {
    let late = async {
        let cause = stop.requested().await;
        tokio::time::sleep(cause.drain() + AFTER_DRAIN).await;
    };
    tokio::select! {
        ended = converse(server, transport) => ended.or_else(|error| if stop.cause().is_some() { Ok(()) } else { Err(error) }),
        () = late => Ok(()),
    }
}

async fn converse(server: Server, transport: Stdio) -> anyhow::Result<()> {
    let service = match rmcp::serve_server(server, transport).await {
        Ok(service) => service,
        // A client that only looked whether somebody is there.
        Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(error) => return Err(anyhow::Error::new(error).context("the session could not begin")),
    };
    service
        .waiting()
        .await
        .context("the protocol task failed")?;
    Ok(())
}
