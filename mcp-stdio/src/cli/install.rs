//! `install`: this server in a client's configuration.
//!
//! Here: what our entry says, and telling what was done. Not here: how each client's file is edited (`hosts`). An entry never holds a
//! key: files of other programs are synchronised, shared and shown.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use clap::builder::PossibleValuesParser;
use serde_json::json;
use shared::audit::{self, action};
use shared::env::Source;
use shared::paths::HOME_VARIABLE;

use crate::cli::failure::{Failure, Outcome};
use crate::cli::print::{remark, show, show_json, table, warn};
use crate::cli::setup::Setup;
use crate::hosts::{self, CLIENTS, Client, Done, Entry, Folder, Places};
use crate::vault::VaultError;

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  mcp-stdio install --client claude-code
  mcp-stdio install --client claude-desktop --print
  mcp-stdio install --client zed --uninstall
  mcp-stdio install --list

Comments and everything else in the client's file stay as they are; the file is backed up first. No key is ever written into it.")]
pub(super) struct Args {
    /// Which client; `--list` shows them
    #[arg(long, value_name = "ID", value_parser = PossibleValuesParser::new(CLIENTS.iter().map(|client| client.id)), hide_possible_values = true, required_unless_present = "list")]
    client: Option<String>,
    /// What the server is called there
    #[arg(long, default_value = "orderdesk", value_name = "NAME")]
    name: String,
    /// Show what to paste, and change nothing
    #[arg(long, conflicts_with_all = ["uninstall", "list"])]
    print: bool,
    /// Take the entry out again
    #[arg(long, conflicts_with = "list")]
    uninstall: bool,
    /// Make the client's folder if it is not there
    #[arg(long)]
    force: bool,
    /// Show the clients, and which of them have the entry
    #[arg(long)]
    list: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Carries out the command.
pub(super) fn run(setup: &Setup, args: &Args) -> Outcome {
    let places = Places::new(&setup.env);
    if args.list {
        return list(args, &places);
    }
    let client = args
        .client
        .as_deref()
        .and_then(hosts::find)
        .ok_or_else(|| Failure::usage("no such client", "`mcp-stdio install --list` shows them"))?;
    if args.uninstall {
        return uninstall(setup, args, &places, client);
    }
    let entry = entry(setup, &args.name)?;
    if args.print {
        return print(args, &places, client, &entry);
    }
    install(setup, args, &places, client, &entry)
}

/// What the client is to start: this very program, on this home.
fn entry(setup: &Setup, name: &str) -> Outcome<Entry> {
    let mut arguments = Vec::new();
    if let Some(path) = &setup.master_key_file {
        arguments.extend(["--master-key-file".to_owned(), text(path)?]);
    }
    arguments.push("serve".to_owned());
    let mut env = Vec::new();
    if *setup.home.source() != Source::Default {
        let home = text(&setup.home.root().to_owned())?;
        env.push((HOME_VARIABLE.to_owned(), home));
    }
    Ok(Entry {
        name: name.to_owned(),
        command: setup.typed.program().to_owned(),
        args: arguments,
        env,
    })
}

fn text(path: &PathBuf) -> Outcome<String> {
    let absolute =
        std::path::absolute(path).map_err(|error| Failure::file("finding", path, &error))?;
    absolute.into_os_string().into_string().map_err(|path| {
        Failure::usage(
            format!(
                "`{}` is not valid UTF-8 and cannot stand in a configuration file",
                path.display()
            ),
            "use a folder with an ordinary name",
        )
    })
}

fn list(args: &Args, places: &Places) -> Outcome {
    let has = |client: &Client| {
        client.is_edited() && matches!(hosts::installed(client, places, &args.name), Ok(Some(_)))
    };
    if args.json {
        let clients: Vec<_> = CLIENTS
            .iter()
            .map(|client| {
                json!({
                    "id": client.id,
                    "title": client.title,
                    "edited": client.is_edited(),
                    "where": client.whereabouts(places),
                    "installed": has(client),
                })
            })
            .collect();
        return show_json(&json!({ "clients": clients }));
    }
    show(&table(CLIENTS.iter().map(|client| {
        let mark = match (has(client), client.is_edited()) {
            (true, _) => "installed",
            (false, true) => "",
            (false, false) => "print only",
        };
        [client.id, client.title, mark, &client.whereabouts(places)].map(str::to_owned)
    })))
}

fn print(args: &Args, places: &Places, client: &Client, entry: &Entry) -> Outcome {
    let snippet = hosts::snippet(client, entry)?;
    let place = client.whereabouts(places);
    if args.json {
        return show_json(&json!({
            "client": client.id,
            "where": place,
            "snippet": snippet,
            "restart": client.restart,
        }));
    }
    remark(&format!("for {}, into {place}:", client.title));
    show(&snippet)
}

fn install(setup: &Setup, args: &Args, places: &Places, client: &Client, entry: &Entry) -> Outcome {
    let folder = if args.force {
        Folder::MayBeMade
    } else {
        Folder::MustExist
    };
    let done = hosts::install(client, places, entry, folder, setup.clock.now())?;
    if done.changed {
        record(setup, action::CLIENT_INSTALLED, client);
    }
    warn_of_what_is_not_copied(setup, client);
    let word = if done.changed {
        "installed in"
    } else {
        "already installed in"
    };
    tell(args, client, &done, word)?;
    if let Some(next) = what_is_missing(setup) {
        remark(&next);
    }
    Ok(())
}

fn uninstall(setup: &Setup, args: &Args, places: &Places, client: &Client) -> Outcome {
    let done = hosts::uninstall(client, places, &args.name, setup.clock.now())?;
    if done.changed {
        record(setup, action::CLIENT_UNINSTALLED, client);
    }
    let word = if done.changed {
        "removed from"
    } else {
        "not installed in"
    };
    tell(args, client, &done, word)
}

/// The client's file is changed already: that the record could not be written is said, and undoes nothing.
fn record(setup: &Setup, action: &'static str, client: &Client) {
    if let Err(failure) = setup.record(action, Some(client.id), audit::Outcome::Done) {
        warn(&format!("this could not be noted in the audit: {failure}"));
    }
}

/// What has to be done before the client sees a shop: commands may be typed in any order.
fn what_is_missing(setup: &Setup) -> Option<String> {
    if setup.has_env_store() {
        return None;
    }
    let add = "store add --name NAME --id STORE_ID";
    match setup.vault().ok()?.stores() {
        Ok(stores) if !stores.is_empty() => None,
        Ok(_) => Some(format!("no shop yet: `{}`", setup.typed.command(add))),
        Err(VaultError::NoKey | VaultError::NoTenant { .. }) => Some(format!(
            "no shop yet: `{}`, then `{}`",
            setup.typed.command("init"),
            setup.typed.command(add)
        )),
        Err(_) => None,
    }
}

/// Secrets of this shell stay in this shell.
fn warn_of_what_is_not_copied(setup: &Setup, client: &Client) {
    let given = |key: &str| setup.settings.is_given(key);
    let from_env = *setup.settings.source("master_key") == Source::Environment;
    if given("api_key") && !given("master_key") {
        warn(&format!(
            "the store of this shell's environment was not copied into {}'s file, because its key would stand there in the open; \
             `mcp-stdio init` and `mcp-stdio store add` keep it sealed",
            client.title
        ));
    }
    if given("master_key") && from_env {
        warn(&format!(
            "the master key comes from this shell's environment and was not copied; {} must be started with it, too",
            client.title
        ));
    }
}

fn tell(args: &Args, client: &Client, done: &Done, word: &str) -> Outcome {
    if args.json {
        return show_json(&json!({
            "client": client.id,
            "name": args.name,
            "changed": done.changed,
            "path": done.path,
            "backup": done.backup,
            "restart": client.restart,
        }));
    }
    let mut text = format!("{word} {}: {}\n", client.title, done.path.display());
    if let Some(backup) = &done.backup {
        text.push_str(&format!("backup: {}\n", backup.display()));
    }
    if done.changed {
        text.push_str(client.restart);
        text.push('\n');
    }
    show(&text)
}
