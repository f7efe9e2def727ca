//! `serve`: what clients start.
//!
//! It runs with unusable settings, too: a server that dies at start shows its user nothing, one that answers every call with the
//! list of mistakes does.

use std::io::IsTerminal as _;

use shared::env::{Owner, Settings, Vars};
use shared::paths::Home;

use crate::cli::print::{FAILED, FINE, USAGE, complain, remark};
use crate::cli::setup::{Global, start_log};
use crate::config::Config;
use crate::run::run as live;
use crate::stop::Stop;
use crate::transport::Io;

/// Serves on stdin and stdout until one of them, or the client, ends it.
pub(super) fn run(global: &Global) -> i32 {
    let env = Vars::from_process();
    let home = match Home::resolve(global.home.as_deref(), &env) {
        Ok(home) => home,
        Err(error) => return complain(&error.to_string(), USAGE),
    };
    let loaded = Settings::load(&[], &env, &home);
    start_log(&loaded.settings);
    let mistakes: Vec<String> = loaded
        .mistakes_for(Owner::Stdio)
        .iter()
        .map(ToString::to_string)
        .collect();
    if std::io::stdin().is_terminal() {
        remark(
            "this is a server that an MCP client starts and speaks to; `mcp-stdio --help` shows what a person can do (Ctrl-C ends it)",
        );
    }
    let stop = Stop::default();
    let io = Io {
        input: Box::new(std::io::stdin()),
        output: Box::new(std::io::stdout()),
    };
    let config = Config::new(
        home,
        &loaded.settings,
        global.master_key_file.clone(),
        mistakes,
    );
    for mistake in &config.mistakes {
        tracing::error!("{mistake}");
    }
    let ended = stop
        .exit_by_force_when_late()
        .map_err(anyhow::Error::from)
        .and_then(|()| live(config, io, &stop));
    match ended {
        Ok(cause) => {
            tracing::debug!(?cause, "ended");
            FINE
        }
        Err(error) => complain(&format!("{error:#}"), FAILED),
    }
}
