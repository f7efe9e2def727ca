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
use shared::housekeeping::retain_audit_in_turn;
use shared::session::Kind;
use shared::state::Slot;
use shared::telemetry::Telemetry;
use tokio::sync::oneshot;

use crate::config::Config;
use crate::context::Context;
use crate::desk::Desk;
use crate::server::Server;
use crate::stop::{Cause, Stop};
use crate::tools;
use crate::transport::{Io, Stdio};

/// How much longer than its drain the library gets to end by itself: it only joins tasks that are done.
const AFTER_DRAIN: Duration = Duration::from_millis(30);

/// How long a process serves before it looks for old audit records: one that only lives for a question has better things to do, and must
/// not be in the middle of it when it ends.
const BEFORE_RETENTION: Duration = Duration::from_secs(30);

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
        let (first_answer, answered) = oneshot::channel();
        let transport = Stdio::start(io, config.bounds, stop.clone(), known_tool, {
            let handle = handle.clone();
            move || {
                handle.answered();
                let _ended_already = first_answer.send(());
            }
        });
        let transport = transport.context("cannot start the threads for stdin and stdout")?;
        let context = Arc::new(Context::new(config, slot, handle, SystemClock::shared()));
        tokio::spawn(retain_audit_after(answered, Arc::clone(&context)));
        let desk = context.desk.clone();
        let served = serve(Server::new(context), transport, stop).await;
        stop.now(Cause::InputEnded);
        settle_writes(&desk, stop.time_for_writes()).await;
        served
    });
    // Calls that were not answered in time end here; blocking ones are left behind.
    runtime.shutdown_background();
    if !telemetry.finish(stop.time_to_flush()) {
        tracing::warn!(
            "the last counters could not be written in time; what was written before is kept"
        );
    }
    served.map(|()| stop.cause().unwrap_or(Cause::InputEnded))
}

/// Lets no further write begin, and those that have begun come to their outcome.
async fn settle_writes(desk: &Desk, patience: Duration) {
    let writes = desk.writes_under_way();
    writes.close();
    if !writes.settled(patience).await {
        tracing::warn!(
            "{} writes to a shop were cut off by the end of this process; they show as unknown",
            writes.count()
        );
    }
}

/// Removes what is older than the audit's retention, once a day over all processes of a home: without a sidecar nobody else does it.
async fn retain_audit_after(answered: oneshot::Receiver<()>, context: Arc<Context>) {
    if answered.await.is_err() {
        return;
    }
    tokio::time::sleep(BEFORE_RETENTION).await;
    let Ok(state) = context.slot.get() else {
        return;
    };
    let (retention, actor) = (context.config.audit_retention, context.actor());
    let now_ms = context.clock.now().as_millisecond();
    let work = move || retain_audit_in_turn(&state, retention, &actor, now_ms);
    if let Ok(Err(error)) = tokio::task::spawn_blocking(work).await {
        tracing::warn!("old audit records could not be removed: {error}");
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use shared::audit::{self, Actor, Chain, Entry, Filter, action};
    use shared::clock::Clock as _;
    use shared::env::Settings;
    use shared::paths::Home;
    use shared::state::Durability;

    #[tokio::test(start_paused = true)]
    async fn a_server_that_lives_removes_audit_records_past_their_time() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().join("home"));
        let slot = Slot::new(home.clone());
        let state = slot.open_now().unwrap();
        let now_ms = SystemClock.now().as_millisecond();
        let days = |count: i64| now_ms - count * 24 * 3600 * 1000;
        let entry_of = |at_ms| {
            let actor = Actor::cli();
            let entry = Entry::done(&actor, action::CLIENT_INSTALLED, Some("test"));
            let append = |writing: &shared::state::Writing<'_>| {
                audit::append(writing, &Chain::System, &entry, at_ms, None)
            };
            state.write("test", Durability::Full, append).unwrap();
        };
        entry_of(days(91));
        entry_of(days(89));

        let telemetry = Telemetry::start(slot.clone(), Kind::McpStdio, "0");
        let config = Config::new(home.clone(), &Settings::defaults(&home), None, Vec::new());
        let clock = SystemClock::shared();
        let context = Arc::new(Context::new(config, slot, telemetry.handle(), clock));
        let (first_answer, answered) = oneshot::channel();
        first_answer.send(()).unwrap();
        retain_audit_after(answered, context).await;

        let list = |reading: &shared::state::Reading<'_>| {
            audit::list(reading, &Chain::System, &Filter::default())
        };
        let kept = state.read("test", list).unwrap();
        let actions: Vec<&str> = kept.iter().map(|record| record.action.as_str()).collect();
        assert_eq!(actions, [action::CLIENT_INSTALLED, action::AUDIT_PRUNED]);
    }
}
