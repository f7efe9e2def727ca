//! The sandbox as a program: exit code 0 after a clean stop, 2 for bad usage or a bad fault file, 1 for the rest.

use std::process::ExitCode;

use clap::Parser as _;
use orderdesk_sandbox::{StartError, cli};

fn main() -> ExitCode {
    // clap itself exits with 2 on bad usage and with 0 after --help.
    let Err(error) = cli::run(cli::Args::parse()) else {
        return ExitCode::SUCCESS;
    };
    eprintln!("orderdesk-sandbox: {error:#}");
    match error.downcast_ref::<StartError>() {
        Some(StartError::Faults(_)) => ExitCode::from(2),
        _ => ExitCode::FAILURE,
    }
}
