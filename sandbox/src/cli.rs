//! The command line: flags to options, one line of JSON when ready, a clean stop on Ctrl-C or SIGTERM.
#![allow(
    clippy::print_stdout,
    reason = "the line of JSON on stdout is this command's product"
)]

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::{CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;

use crate::{Bucket, Options, Sandbox};

/// A faithful Order Desk API v2 on loopback, held in memory.
#[derive(Debug, Parser)]
#[command(
    name = "orderdesk-sandbox",
    version,
    args_conflicts_with_subcommands = true
)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 9465)]
    port: u16,
    /// Orders in each store.
    #[arg(long, default_value_t = 60)]
    orders: usize,
    /// Number of stores.
    #[arg(long, default_value_t = 1)]
    stores: usize,
    /// A JSON file of fault rules, read again whenever it changes.
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
    /// Milliseconds added to every answer.
    #[arg(long, default_value_t = 0, value_name = "N")]
    latency_ms: u64,
    /// Blank on PUT also what sources disagree on: items, folder and card number that were left out.
    #[arg(long)]
    strict: bool,
    /// No token bucket, for benchmarks.
    #[arg(long)]
    no_rate_limit: bool,
    /// What the data is made from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print what a shell needs to complete this command with the tab key.
    Completions {
        /// For which shell.
        shell: Shell,
    },
}

impl Args {
    fn options(self) -> Options {
        Options {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, self.port)),
            orders: self.orders,
            stores: self.stores,
            latency: Duration::from_millis(self.latency_ms),
            strict: self.strict,
            faults: self.faults,
            bucket: if self.no_rate_limit {
                Bucket::wide_open()
            } else {
                Bucket::default()
            },
            seed: self.seed,
            ..Options::default()
        }
    }
}

/// Does what the command line says: serves until a signal asks it to stop, unless it is asked for something else.
///
/// # Errors
/// If the port is taken, the fault file is of no use, or signals cannot be heard.
pub fn run(args: Args) -> anyhow::Result<()> {
    if let Some(Command::Completions { shell }) = args.command {
        return completions(shell);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the async runtime")?;
    runtime.block_on(async {
        let stopped = stop_signal()?;
        let sandbox = Sandbox::start(args.options()).await?;
        println!(
            "{}",
            serde_json::json!({"base_url": sandbox.base_url(), "stores": sandbox.stores()})
        );
        stopped.await;
        sandbox.close().await;
        Ok(())
    })
}

fn completions(shell: Shell) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(
        shell,
        &mut Args::command(),
        "orderdesk-sandbox",
        &mut script,
    );
    // clap_complete names bash's states after the program in two ways where its name has a hyphen (clap-rs/clap#6421).
    let script = String::from_utf8_lossy(&script).replace("__subcmd__sandbox", "__sandbox");
    std::io::stdout()
        .write_all(script.as_bytes())
        .context("cannot write to stdout")
}

/// Starts to listen for Ctrl-C and SIGTERM now; the future ends when one comes. Whoever reads the line of JSON may send one
/// at once, so this comes before it.
#[cfg(unix)]
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for Ctrl-C")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Starts to listen for Ctrl-C now; the future ends when it comes.
#[cfg(windows)]
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    let mut interrupt = tokio::signal::windows::ctrl_c().context("cannot listen for Ctrl-C")?;
    Ok(async move {
        interrupt.recv().await;
    })
}
