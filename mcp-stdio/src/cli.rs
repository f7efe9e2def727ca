//! The commands and what they print.
//!
//! Here: arguments, exit codes, and every use of stdout that is not a protocol frame. Not here: serving (`run`). Exit codes: 0 fine,
//! 2 bad usage or configuration, 1 the rest. `serve` runs with unusable settings, too: a server that dies at start shows its user
//! nothing, one that answers every call with the list of mistakes does.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args as ClapArgs, Parser, Subcommand};
use shared::env::{Owner, Settings, Vars};
use shared::paths::Home;
use shared::telemetry::log;

use crate::config::Config;
use crate::run::run;
use crate::stop::Stop;
use crate::tools;
use crate::transport::Io;

/// Bad usage or configuration.
const USAGE: i32 = 2;

/// An MCP server on stdio that lets an assistant read an Order Desk shop.
#[derive(Debug, Parser)]
#[command(name = "mcp-stdio", version, about)]
struct Cli {
    /// Where the state file and config.toml are [default: ORDERDESK_MCP_HOME, else the platform's data folder]
    #[arg(long, global = true, value_name = "FOLDER")]
    home: Option<PathBuf>,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve on stdin and stdout; what clients start, and the default
    Serve,
    /// Show the tools as the model sees them
    Tools(Form),
    /// Show the effective settings with their sources; secrets are masked
    Config(Form),
}

#[derive(Debug, ClapArgs)]
#[group(multiple = false)]
struct Form {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Print the reference page
    #[arg(long)]
    markdown: bool,
}

/// Runs the command line of this process; gives its exit code.
#[must_use]
pub fn main() -> i32 {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return error.exit_code();
        }
    };
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve(cli.home.as_deref()),
        Command::Tools(form) => print(&tools_text(&form)),
        Command::Config(form) => config(cli.home.as_deref(), &form),
    }
}

fn serve(home: Option<&Path>) -> i32 {
    let env = Vars::from_process();
    let home = match Home::resolve(home, &env) {
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
    for mistake in &mistakes {
        tracing::error!("{mistake}");
    }
    let stop = Stop::default();
    let io = Io {
        input: Box::new(std::io::stdin()),
        output: Box::new(std::io::stdout()),
    };
    let config = Config::new(home, &loaded.settings, mistakes);
    let ended = stop
        .exit_by_force_when_late()
        .map_err(anyhow::Error::from)
        .and_then(|()| run(config, io, &stop));
    match ended {
        Ok(cause) => {
            tracing::debug!(?cause, "ended");
            0
        }
        Err(error) => complain(&format!("{error:#}"), 1),
    }
}

fn start_log(settings: &Settings) {
    let format = if settings.text("log_format") == Some("json") {
        log::Format::Json
    } else {
        log::Format::Text
    };
    let level = settings
        .text("log")
        .and_then(|level| level.parse().ok())
        .unwrap_or(tracing::level_filters::LevelFilter::WARN);
    log::init(format, level);
}

fn config(home: Option<&Path>, form: &Form) -> i32 {
    if form.markdown {
        return print(&shared::env::markdown());
    }
    let env = Vars::from_process();
    let home = match Home::resolve(home, &env) {
        Ok(home) => home,
        Err(error) => return complain(&error.to_string(), USAGE),
    };
    let loaded = Settings::load(&[], &env, &home);
    let mistakes = loaded.mistakes_for(Owner::Stdio);
    let text = if form.json {
        let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        pretty(&serde_json::json!({"settings": loaded.settings.effective(), "mistakes": lines}))
    } else {
        loaded.settings.to_text(Owner::Stdio)
    };
    let printed = print(&text);
    if mistakes.is_empty() {
        return printed;
    }
    let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    complain(&lines.join("\n"), USAGE)
}

fn tools_text(form: &Form) -> String {
    if form.markdown {
        return tools::markdown();
    }
    if form.json {
        let definitions: Vec<_> = tools::ALL.iter().map(|tool| tool.definition()).collect();
        return pretty(&serde_json::json!({ "tools": definitions }));
    }
    tools::ALL
        .iter()
        .map(|tool| {
            format!(
                "{:<16} ~{:>3} tokens  {}\n",
                tool.name,
                tool.tokens(),
                tool.title
            )
        })
        .collect()
}

fn pretty(value: &serde_json::Value) -> String {
    format!("{value:#}\n")
}

/// Prints and gives the exit code. A reader that has gone away (`| head`) is no error.
fn print(text: &str) -> i32 {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            complain(&format!("cannot write to stdout: {error}"), 1)
        }
        _ => 0,
    }
}

fn complain(text: &str, code: i32) -> i32 {
    let _ = writeln!(std::io::stderr(), "mcp-stdio: {text}");
    code
}
