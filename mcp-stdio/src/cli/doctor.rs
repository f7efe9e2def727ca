//! `doctor`: every check a person would try, each with its remedy.

use std::sync::Arc;

use clap::Args as ClapArgs;

use crate::cli::call::runtime;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::print::{self, show, show_json};
use crate::cli::setup::Setup;
use crate::doctor::{self, Patient};
use crate::hosts::Places;

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  mcp-stdio doctor
  mcp-stdio doctor --json

Exit code 1 if something does not work; what could only be better does not count. Each remedy can be typed as it stands.")]
pub(super) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Examines and tells.
pub(super) fn run(setup: Setup, args: &Args) -> Outcome {
    let is_dumb = setup.env.get("TERM").is_some_and(|term| term == "dumb");
    let in_colour = print::in_colour() && setup.env.get("NO_COLOR").is_none() && !is_dumb;
    let patient = Patient {
        places: Places::new(&setup.env),
        home: setup.home,
        settings: setup.settings,
        mistakes: setup.mistakes,
        keys: setup.keys,
        slot: setup.slot,
        clock: Arc::clone(&setup.clock),
        typed: setup.typed,
    };
    let runtime = runtime()?;
    let report = runtime.block_on(doctor::examine(&patient));
    // A question to the keyring or to a sick disk may still be open on its own thread.
    runtime.shutdown_background();
    if args.json {
        show_json(&report.to_json())?;
    } else {
        show(&report.to_text(in_colour))?;
    }
    match report.exit_code() {
        print::FINE => Ok(()),
        _ => Err(Failure::said()),
    }
}
