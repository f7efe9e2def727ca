//! `stores_register`: how a shop is added without its key passing through the conversation.
//!
//! The tool takes an id and a name and answers with a command for the person, which asks for the key where nobody sees it. Called again it
//! says whether the shop is there. Here: what is accepted, and the command to the letter. Not here: adding (`mcp-stdio store add`).

use std::path::Path;

use futures_util::FutureExt as _;
use shared::audit::{Outcome, action};
use shared::env::Source;

use super::{Answer, Effect, Shape, Tool, Toolset, stores};
use crate::args::{Args, Argument, Kind};
use crate::config::Config;
use crate::context::Context;
use crate::desk::StoreId;
use crate::error::ToolError;
use crate::pasted;
use crate::reply::Reply;
use crate::shell::{self, shell_word};
use crate::stores::{Known, Listed};
use crate::vault::{self, KeySource, VaultError};

pub(super) static STORES_REGISTER: Tool = Tool {
    name: "stores_register",
    title: "Add store",
    description: "How to add a shop: gives the shell command that the person runs, which asks for the API key unseen. Call again to see whether it is there.",
    arguments: &[
        Argument::required("store_id", Kind::Text, "From Store Settings, API"),
        Argument::required("store_name", Kind::Text, "What to call it"),
    ],
    answer: &[
        Answer::always("registered", Shape::Flag),
        Answer::sometimes("store", Shape::Object),
        Answer::sometimes("command", Shape::Text),
        Answer::sometimes("next", Shape::Text),
    ],
    toolset: Toolset::Stores,
    effect: Effect::Local,
    endpoints: &[],
    most_tokens: 600,
    run: |context, args, _| run(context, args).boxed(),
};

/// What the model should do with the command.
const NEXT: &str = "Show this command to the person, who runs it in a terminal on this computer and types the key there. \
    Never ask for the key here. Then call stores_register again.";

async fn run(context: &Context, args: &Args) -> Result<Reply, ToolError> {
    let (store_id, name) = accepted(args)?;
    let known = match context.stores.tenant().await {
        Ok(known) => Some(known),
        Err(ToolError::NoStore) => None,
        Err(other) => return there_all_the_same(context, &store_id, other).await,
    };
    if let Some(store) = there(context, &store_id).await {
        return Ok(registered(&store));
    }
    if let Some(known) = &known {
        free(known, &name)?;
    }
    // Before there is a tenant the record is everybody's to read, and what somebody calls a shop is not.
    let asked = known.is_some().then(|| format!("{store_id} {name}"));
    context
        .stores
        .note(context.actor(), action::STORE_ASKED, asked, Outcome::Done)
        .await;
    let source = known.as_ref().map(|known| &known.tenant.source);
    let also = source.and_then(what_else).unwrap_or_default();
    Ok(Reply::ours()
        .with("registered", false)
        .with(
            "command",
            command(&context.config, source, &store_id, &name),
        )
        .with("next", format!("{NEXT}{also}")))
}

/// The arguments, if they are an id and a name. What they are instead is not repeated: it may be a key.
fn accepted(args: &Args) -> Result<(StoreId, String), ToolError> {
    let given = |name| args.text(name).unwrap_or_default();
    let (id, name) = (given("store_id"), given("store_name"));
    if pasted::looks_like_a_key(id) || pasted::looks_like_a_key(name) {
        return Err(ToolError::KeyRefused);
    }
    let store_id = StoreId::parse(id).map_err(|_| {
        ToolError::Arguments(vec![
            "`store_id` must be the number that Order Desk shows under Store Settings, API"
                .to_owned(),
        ])
    })?;
    let name = vault::check_name(name)?;
    if !shell::carries(&name) {
        return Err(ToolError::Arguments(vec![
            "`store_name` has a character that no command line on Windows carries: leave out double quotes, backticks, `$`, `%` and a backslash at the end".to_owned(),
        ]));
    }
    Ok((store_id, name))
}

/// The store with that id at the address where new stores are.
async fn there(context: &Context, store_id: &StoreId) -> Option<Listed> {
    let address = &context.config.api_base_url.url;
    let stores = context.stores.list().await.unwrap_or_default();
    stores
        .into_iter()
        .find(|store| store.store_id == *store_id && store.base_url == *address)
}

/// Where nothing can be added, the store may be there all the same: from the environment.
async fn there_all_the_same(
    context: &Context,
    store_id: &StoreId,
    error: ToolError,
) -> Result<Reply, ToolError> {
    match there(context, store_id).await {
        Some(store) => Ok(registered(&store)),
        None => Err(error),
    }
}

fn registered(store: &Listed) -> Reply {
    Reply::ours()
        .with("registered", true)
        .with("store", stores::row(store))
}

/// That no other store has the name.
fn free(known: &Known, name: &str) -> Result<(), ToolError> {
    let taken = known
        .stores
        .iter()
        .find(|store| store.name.to_lowercase() == name.to_lowercase());
    taken.map_or(Ok(()), |store| {
        Err(ToolError::Vault(VaultError::StoreExists {
            name: store.name.clone(),
            store_id: store.store_id.to_string(),
        }))
    })
}

/// The command to the letter: this very binary, this very home, and everything that only this process was told.
fn command(config: &Config, source: Option<&KeySource>, store_id: &StoreId, name: &str) -> String {
    let mut program = vec![binary()];
    if *config.home.source() != Source::Default {
        program.extend(["--home".to_owned(), path(config.home.root())]);
    }
    if let Some(KeySource::Flag(file) | KeySource::File(file)) = source {
        program.extend(["--master-key-file".to_owned(), path(file)]);
    }
    let mut add = program.clone();
    // One word: a name may begin with a dash.
    let name = if name.starts_with('-') {
        vec![format!("--name={name}")]
    } else {
        vec!["--name".to_owned(), name.to_owned()]
    };
    add.extend(["store", "add"].map(str::to_owned));
    add.extend(name);
    add.extend(["--id", store_id.as_str()].map(str::to_owned));
    if !config.api_base_url.is_usual {
        add.extend([
            "--api-base-url".to_owned(),
            config.api_base_url.url.to_string(),
        ]);
    }
    let quoted = |words: Vec<String>| {
        let words: Vec<String> = words.iter().map(|word| shell_word(word)).collect();
        words.join(" ")
    };
    match source {
        Some(_) => quoted(add),
        // Nothing is set up yet; `init` makes the key that the store is sealed with.
        None => {
            program.push("init".to_owned());
            format!("{} && {}", quoted(program), quoted(add))
        }
    }
}

/// This program's file. A file that was replaced while it ran has a note behind its name on Linux.
fn binary() -> String {
    let running = std::env::current_exe().map(|file| path(&file));
    let file = running.unwrap_or_else(|_| "mcp-stdio".to_owned());
    file.strip_suffix(" (deleted)").unwrap_or(&file).to_owned()
}

fn path(path: &Path) -> String {
    path.display().to_string()
}

/// What no command can carry.
fn what_else(source: &KeySource) -> Option<&'static str> {
    match source {
        KeySource::Environment => Some(
            " The terminal needs the same ORDERDESK_MCP_MASTER_KEY in its environment as this server has.",
        ),
        KeySource::Credential => {
            Some(" It must run where the systemd credential `master_key` can be read.")
        }
        KeySource::Keyring => {
            Some(" The terminal needs ORDERDESK_MCP_KEY_SOURCE=keyring, as this server has it.")
        }
        KeySource::Flag(_) | KeySource::File(_) | KeySource::HomeFile => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::env::{Settings, Vars};
    use shared::paths::Home;

    fn config(home: Option<&str>, vars: &[(&str, &str)]) -> Config {
        let env = Vars::from_pairs(vars.iter().copied());
        let home = Home::resolve(home.map(Path::new), &env).unwrap();
        let settings = Settings::load(&[], &env, &home).settings;
        Config::new(home, &settings, None, Vec::new())
    }

    /// The command without the test binary's own path.
    fn said(config: &Config, source: Option<&KeySource>, name: &str) -> String {
        let id = StoreId::parse("4242").unwrap();
        let command = command(config, source, &id, name);
        command.replace(&shell_word(&binary()), "BIN")
    }

    #[test]
    fn the_usual_home_needs_no_flag() {
        let usual = config(None, &[("HOME", "/home/ana")]);
        assert_eq!(
            said(&usual, Some(&KeySource::HomeFile), "Demo"),
            "BIN store add --name Demo --id 4242"
        );
    }

    #[cfg(unix)]
    #[test]
    fn everything_that_only_this_process_was_told_is_in_the_command() {
        let vars = [("ORDERDESK_MCP_API_BASE_URL", "http://127.0.0.1:9465/api/v2")];
        let told = config(Some("/srv/my home"), &vars);
        assert_eq!(
            said(
                &told,
                Some(&KeySource::File("/run/key".into())),
                "Ana's Shop; rm -rf $HOME"
            ),
            "BIN --home '/srv/my home' --master-key-file /run/key store add --name 'Ana'\\''s Shop; rm -rf $HOME' --id 4242 \
             --api-base-url http://127.0.0.1:9465/api/v2"
        );
    }

    #[test]
    fn on_a_fresh_machine_the_key_is_made_first() {
        let told = config(Some("/srv/home"), &[]);
        assert_eq!(
            said(&told, None, "Demo"),
            "BIN --home /srv/home init && BIN --home /srv/home store add --name Demo --id 4242"
        );
    }

    #[test]
    fn a_name_that_looks_like_a_flag_stays_a_name() {
        let usual = config(None, &[("HOME", "/home/ana")]);
        assert_eq!(
            said(&usual, Some(&KeySource::HomeFile), "-Sale-"),
            "BIN store add --name=-Sale- --id 4242"
        );
    }

    #[test]
    fn what_no_command_can_carry_is_said() {
        assert!(
            what_else(&KeySource::Environment)
                .unwrap()
                .contains("ORDERDESK_MCP_MASTER_KEY")
        );
        assert_eq!(what_else(&KeySource::HomeFile), None);
    }
}
