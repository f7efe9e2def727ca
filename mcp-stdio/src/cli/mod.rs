//! The commands and what they print.
//!
//! Here: the arguments and which file carries out which command. Not here: what a command does (one file per command), serving
//! (`run`). Exit codes: 0 fine, 2 bad usage or configuration, 1 the rest. Results go to stdout; prompts, remarks and errors to stderr.
//!
//! | file | keeps |
//! |---|---|
//! | `serve` | what clients start |
//! | `init` `store` `key` | setting up; the shops; the master key |
//! | `install` `doctor` | other programs' configurations; what is wrong and what to do |
//! | `call` `audit` | one tool call; who did what |
//! | `tools` `config` `completions` | what the model will see; the effective settings; the tab key |
//! | `setup` | what every command but `serve` begins with |
//! | `ask` `interrupt` | secrets without echo, yes or no; Ctrl-C meanwhile |
//! | `print` `output` `failure` | every use of stdout that is not a protocol frame; files; what went wrong and the exit code |
//! | `settings_file` | one line of config.toml, changed |

mod ask;
mod audit;
mod call;
mod completions;
mod config;
mod doctor;
mod failure;
mod init;
mod install;
mod interrupt;
mod key;
mod output;
mod print;
mod serve;
mod settings_file;
mod setup;
mod store;
mod tools;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args as ClapArgs, Parser, Subcommand};

use crate::{harden, pasted};
use failure::{Failure, Outcome};
use setup::{Global, Setup};

/// An MCP server on stdio that lets an assistant read an Order Desk shop.
#[derive(Debug, Parser)]
#[command(
    name = "mcp-stdio",
    version,
    about,
    after_help = "Examples:
  mcp-stdio init
  mcp-stdio store add --name \"My Shop\" --id 12345
  mcp-stdio install --client claude-code

Exit codes: 0 fine, 2 bad usage or configuration, 1 the rest."
)]
struct Cli {
    #[command(flatten)]
    global: Global,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve on stdin and stdout; what clients start, and the default
    #[command(after_help = "Examples:
  mcp-stdio
  mcp-stdio --home /srv/orderdesk serve")]
    Serve,
    /// Make the home, the key and the tenant; safe to run again
    Init(init::Args),
    /// Add, test, choose and remove shops
    Store(store::Args),
    /// Rotate, export and import the master key
    Key(key::Args),
    /// Put this server into a client's configuration
    Install(install::Args),
    /// Call one tool from the shell
    Call(call::Args),
    /// Show the tools as the model sees them
    Tools(tools::Args),
    /// Show the effective settings with their sources; secrets are masked
    #[command(after_help = "Examples:
  mcp-stdio config
  mcp-stdio config --json")]
    Config(Form),
    /// Show, export and verify the record of who did what
    Audit(audit::Args),
    /// Check everything, and say what to do
    Doctor(doctor::Args),
    /// Print a completion script for a shell
    Completions(completions::Args),
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
    harden::process();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let command = cli.command.unwrap_or(Command::Serve);
    if let Command::Serve = command {
        return serve::run(&cli.global);
    }
    let flags = cli.global.typed();
    match run(command, cli.global) {
        Ok(()) => print::FINE,
        Err(failure) => failure.with_flags(&flags).say(),
    }
}

/// What the command line's own complaints say. A word that has no place there may be a secret, and is not repeated.
fn usage(error: &clap::Error) -> i32 {
    let stray = match error
        .get(ContextKind::InvalidArg)
        .or(error.get(ContextKind::InvalidSubcommand))
    {
        Some(ContextValue::String(word)) => word.as_str(),
        _ => "",
    };
    let is_flag = stray.starts_with('-');
    let may_be_secret = match error.kind() {
        ErrorKind::UnknownArgument => {
            !is_flag || pasted::looks_like_a_key(stray.trim_start_matches('-'))
        }
        ErrorKind::InvalidSubcommand => pasted::looks_like_a_key(stray),
        _ => false,
    };
    if may_be_secret {
        return Failure::usage(
            "there is a word too many, which is not repeated here because it may be a secret",
            "`--help` says what the command takes; secrets are asked for, and are never arguments",
        )
        .say();
    }
    let _ = error.print();
    error.exit_code()
}

fn run(command: Command, global: Global) -> Outcome {
    match command {
        Command::Serve => Ok(()),
        Command::Init(args) => init::run(&Setup::checked(global, &[])?, &args),
        Command::Store(args) => store::run(global, &args),
        Command::Key(args) => key::run(&Setup::checked(global, &[])?, &args),
        Command::Install(args) => install::run(&Setup::checked(global, &[])?, &args),
        Command::Audit(args) => audit::run(&Setup::checked(global, &[])?, &args),
        Command::Doctor(args) => doctor::run(Setup::new(global, &[])?, &args),
        Command::Call(args) => call::run(&Setup::checked(global, &[])?, &args),
        Command::Tools(args) => tools::run(global, &args),
        Command::Config(form) => config::run(global, &form),
        Command::Completions(args) => completions::run(&args),
    }
}
