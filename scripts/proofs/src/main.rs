//! Timed proofs and benchmarks: many real processes at once, driven and counted from outside.
//!
//! What a unit test cannot show is shown here: fifty servers under load that are killed at random moments, two hundred
//! that write one file at once or start at once on none, and how long things take beside a bare rmcp server. This program
//! spawns the products' release binaries, speaks JSON lines to them, and reads the sidecar's `/metrics`, as a client and an
//! operator would; only `seed` uses a room of theirs.
//!
//! Run through `scripts/soak` and `scripts/bench`.

// A command line that prints its findings.
#![allow(clippy::print_stdout)]

mod bench;
mod client;
mod contention;
mod http;
mod kill;
mod ledger;
mod procfs;
mod race;
mod recovery;
mod scrape;
mod seed;
mod shop;
mod stage;
mod stampede;
mod stats;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Timed proofs and benchmarks of the real binaries", version)]
struct Cli {
    #[command(subcommand)]
    proof: Proof,
}

#[derive(Subcommand)]
enum Proof {
    /// Servers under load, killed at random moments: nothing answered is forgotten, nothing is counted twice.
    Kill {
        /// How many servers live at once.
        #[arg(long, default_value_t = 50)]
        processes: usize,
        /// How often they are started, killed and counted.
        #[arg(long, default_value_t = 20)]
        rounds: usize,
    },
    /// Many servers that all count at once: nobody sees a locked database, and every call is counted.
    Contention {
        /// How many servers live at once.
        #[arg(long, default_value_t = 200)]
        processes: usize,
        /// For how long they call.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
    /// Many servers that start at once where no state file is.
    Stampede {
        /// How many servers start.
        #[arg(long, default_value_t = 200)]
        processes: usize,
    },
    /// Many servers that write to one order at once: whatever was confirmed is there exactly once. Then the same beside a
    /// foreign writer, and then while some of them are killed.
    Race {
        /// How many servers live at once; each adds a note, and an order holds some twenty.
        #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(2..=18))]
        processes: u16,
        /// For how long they write in each of the three parts.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
    /// Backups every few seconds while many processes write and everybody is killed at random: every backup that is recorded as
    /// good restores and equals the state at its time.
    Backups {
        /// How many write at once; half of them are servers.
        #[arg(long, default_value_t = 100)]
        writers: usize,
        /// For how long.
        #[arg(long, default_value_t = 120)]
        seconds: u64,
        /// Seconds from one backup to the next.
        #[arg(long, default_value_t = 5)]
        every: u64,
        /// Encrypts the backups to a public key.
        #[arg(long)]
        encrypt: bool,
    },
    /// Recovery to a moment: random moments of a time with restarts, an outage of the target and clock jumps are restored, and
    /// each equals the state at that time.
    Pitr {
        /// For how long the writers write, without the outage.
        #[arg(long, default_value_t = 120)]
        seconds: u64,
        /// For how many seconds the target is away.
        #[arg(long, default_value_t = 60)]
        outage: u64,
        /// How many moments are restored.
        #[arg(long, default_value_t = 50)]
        moments: usize,
        /// To a bucket of this program (moto's S3) instead of a folder: where it is installed.
        #[arg(long)]
        moto_server: Option<PathBuf>,
    },
    /// The numbers of docs/BENCHMARKS.md.
    Bench {
        /// A tenth of the samples.
        #[arg(long)]
        quick: bool,
        /// Prints Markdown rather than a table for a terminal.
        #[arg(long)]
        markdown: bool,
    },
    /// Leaves a state file with many series; part of `bench`.
    #[command(hide = true)]
    Seed {
        #[arg(long)]
        home: PathBuf,
        #[arg(long)]
        series: usize,
    },
    /// One writer; part of `backups` and `pitr`.
    #[command(hide = true)]
    Write {
        #[arg(long)]
        home: PathBuf,
        #[arg(long)]
        name: String,
        #[arg(long)]
        from_ms: u64,
        #[arg(long)]
        to_ms: u64,
        #[arg(long)]
        checkpoints: Option<u64>,
    },
}

fn main() -> ExitCode {
    let proof = Cli::parse().proof;
    let proved = match proof {
        Proof::Kill { processes, rounds } => kill::prove(processes, rounds),
        Proof::Contention { processes, seconds } => {
            contention::prove(processes, Duration::from_secs(seconds))
        }
        Proof::Stampede { processes } => stampede::prove(processes),
        Proof::Race { processes, seconds } => race::prove(processes, Duration::from_secs(seconds)),
        Proof::Backups {
            writers,
            seconds,
            every,
            encrypt,
        } => recovery::backups(recovery::BackupPlan {
            writers,
            time: Duration::from_secs(seconds),
            every: Duration::from_secs(every),
            encrypt,
        }),
        Proof::Pitr {
            seconds,
            outage,
            moments,
            moto_server,
        } => recovery::pitr(&recovery::PitrPlan {
            moto_server,
            time: Duration::from_secs(seconds),
            outage: Duration::from_secs(outage),
            moments,
        }),
        Proof::Bench { quick, markdown } => bench::run(quick, markdown),
        Proof::Seed { home, series } => seed::run(&home, series),
        Proof::Write {
            home,
            name,
            from_ms,
            to_ms,
            checkpoints,
        } => recovery::writer::run(&home, &name, from_ms..to_ms, checkpoints),
    };
    match proved {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("  FAILED: {error:#}");
            ExitCode::FAILURE
        }
    }
}
