//! `init`: home, key, state and tenant.
//!
//! Safe to run again, and after a crash at any point: the key is on the disk before the tenant that it opens is made, so that what is
//! left in between is a key without a tenant, for which the next run makes one. A key is never made where another one may only be missing:
//! the stores of that one would be lost behind a second, empty tenant.

use clap::Args as ClapArgs;
use serde_json::json;
use shared::state::State;
use shared::state::tables::tenants;

use crate::cli::failure::{Failure, Outcome};
use crate::cli::print::{remark, show, show_json, warn};
use crate::cli::setup::Setup;
use crate::cli::{ask, output, settings_file};
use crate::pasted::looks_like_a_key;
use crate::vault::{
    self, Found, KeyLock, KeySource, KeyText, MasterKey, Sources, Tenant, VaultError, key_file,
};

/// The most characters of a tenant's name: as many as of a store's.
const MOST_NAME_CHARS: usize = 60;

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  mcp-stdio init
  mcp-stdio init --keyring
  mcp-stdio init --passphrase

Run again it changes nothing. To move to another machine, use `key export` there and `key import` here instead.")]
pub(super) struct Args {
    /// What you call yourself here; only you see it
    #[arg(long, default_value = "main", value_name = "NAME")]
    name: String,
    /// Use a passphrase instead of a random key; it is asked for and stored nowhere
    #[arg(long, conflicts_with = "keyring")]
    passphrase: bool,
    /// Keep the key in the system's keyring instead of a file
    #[arg(long)]
    keyring: bool,
    /// Make a new key although this home has been set up before; what the missing key protects stays locked
    #[arg(long)]
    new_tenant: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Sets up what is missing.
pub(super) fn run(setup: &Setup, args: &Args) -> Outcome {
    // Before anything is made.
    own_name(args)?;
    let state = setup.state()?;
    let lock = setup.key_lock("init")?;
    let keys = if args.keyring {
        setup.keys.with_keyring()
    } else {
        setup.keys.clone()
    };
    let key_made = make_named_file(setup)?;
    let done = match keys.find() {
        Ok(found) => with_key(setup, args, &state, &lock, &keys, &found)?,
        Err(VaultError::NoKey) => without_key(setup, args, &state, &lock, &keys)?,
        Err(error) => return Err(error.into()),
    };
    let noted = args.keyring && keyring_noted(setup)?;
    tell(setup, args, &done.tenant, key_made || done.changed || noted)
}

/// What there is now.
struct Done {
    tenant: Tenant,
    changed: bool,
}

/// `--master-key-file` may name a file that is to be made: how a second tenant gets its key.
fn make_named_file(setup: &Setup) -> Outcome<bool> {
    let Some(path) = &setup.master_key_file else {
        return Ok(false);
    };
    Ok(key_file::write_new(path, &MasterKey::generate().to_text())?)
}

/// What the tenant is called: on one line, and no key that was typed into the wrong place.
fn own_name(args: &Args) -> Outcome<String> {
    let name = output::line(args.name.trim());
    let why = if name.is_empty() {
        "it is empty"
    } else if name.chars().count() > MOST_NAME_CHARS {
        "it is longer than 60 characters"
    } else if looks_like_a_key(&name) {
        "it looks like a key; one that was typed into a command line is better replaced"
    } else {
        return Ok(name);
    };
    Err(Failure::usage(
        format!("`--name` is refused: {why}; nothing was changed"),
        "leave it away, or give a word or two by which you know this set-up",
    ))
}

/// There is a key: its tenant is found, or made.
fn with_key(
    setup: &Setup,
    args: &Args,
    state: &State,
    lock: &KeyLock,
    keys: &Sources,
    found: &Found,
) -> Outcome<Done> {
    refuse_another_kind(args, found)?;
    match setup.vault_of(keys).tenant() {
        Ok(tenant) => Ok(Done {
            tenant,
            changed: false,
        }),
        Err(VaultError::NoTenant { .. }) => {
            let key = found.candidates.first().ok_or(VaultError::NoKey)?;
            create(setup, args, state, lock, key, &found.source)
        }
        Err(error) => Err(error.into()),
    }
}

/// A key of another kind than the one asked for is there: nothing is guessed.
fn refuse_another_kind(args: &Args, found: &Found) -> Outcome {
    let is_passphrase = matches!(found.candidates.first(), Some(KeyText::Passphrase(_)));
    let wanted = if args.passphrase && !is_passphrase {
        "--passphrase"
    } else if args.keyring && found.source != KeySource::Keyring {
        "--keyring"
    } else {
        return Ok(());
    };
    Err(Failure::usage(
        format!(
            "there is a master key already, in {}; `{wanted}` would need another one, and nothing was changed",
            found.source
        ),
        "leave the flag away to use the key that is there, or change it with `mcp-stdio key rotate`",
    ))
}

/// There is no key anywhere.
fn without_key(
    setup: &Setup,
    args: &Args,
    state: &State,
    lock: &KeyLock,
    keys: &Sources,
) -> Outcome<Done> {
    if !args.new_tenant && state.read("vault", tenants::any)? {
        return Err(Failure::usage(
            format!(
                "`{}` was set up before, and its master key is not here; nothing was changed",
                setup.home.root().display()
            ),
            "put `master.key` back, set ORDERDESK_MCP_MASTER_KEY, or bring the key with `mcp-stdio key import`; \
             `mcp-stdio init --new-tenant` begins anew and leaves what the missing key protects locked",
        ));
    }
    if args.passphrase {
        let words = ask::new_passphrase("passphrase")?;
        let key = KeyText::Passphrase(words);
        return create(setup, args, state, lock, &key, &KeySource::Environment);
    }
    let key = KeyText::Random(MasterKey::generate());
    let source = keys.keep(lock, &key, false)?;
    // Before the tenant: a crash in between must not leave a key that nobody looks for.
    if args.keyring {
        keyring_noted(setup)?;
    }
    create(setup, args, state, lock, &key, &source)
}

fn create(
    setup: &Setup,
    args: &Args,
    state: &State,
    lock: &KeyLock,
    key: &KeyText,
    source: &KeySource,
) -> Outcome<Done> {
    let name = own_name(args)?;
    let clock = &*setup.clock;
    let tenant = vault::create(state, lock, key, source, &name, &setup.actor, clock)?;
    Ok(Done {
        tenant,
        changed: true,
    })
}

/// Has the settings say that the key is in the keyring; gives whether they did not.
fn keyring_noted(setup: &Setup) -> Outcome<bool> {
    if setup.settings.text("key_source") == Some("keyring") {
        return Ok(false);
    }
    let path = setup
        .settings
        .path("config")
        .unwrap_or_else(|| setup.home.config_file());
    settings_file::set(&path, "key_source", "keyring")
}

fn tell(setup: &Setup, args: &Args, tenant: &Tenant, changed: bool) -> Outcome {
    if setup.has_env_store() {
        warn(
            "ORDERDESK_MCP_STORE_ID and ORDERDESK_MCP_API_KEY are set: while they are, the server uses that store and needs no key",
        );
    }
    let next = setup.typed.command("store add --name NAME --id STORE_ID");
    if args.json {
        return show_json(&json!({
            "changed": changed,
            "home": setup.home.root(),
            "key_source": kind(&tenant.source),
            "tenant": {
                "id": &*tenant.id,
                "name": tenant.name,
                "key_id": tenant.key_id.as_str(),
                "key_version": tenant.key_version,
            },
            "next": next,
        }));
    }
    let (word, home) = if changed {
        ("ready", setup.home.root().display())
    } else {
        (
            "already set up, nothing changed",
            setup.home.root().display(),
        )
    };
    let place = if args.passphrase && changed {
        "a passphrase, kept nowhere".to_owned()
    } else {
        format!("in {}", tenant.source)
    };
    show(&format!(
        "{word}\nhome: {home}\nkey:  {place}\nnext: {next}\nthen: {}\n",
        setup.typed.command("install --client claude-code")
    ))?;
    advise(setup, args, changed, tenant);
    Ok(())
}

fn advise(setup: &Setup, args: &Args, changed: bool, tenant: &Tenant) {
    if args.passphrase && changed {
        warn(
            "give the passphrase to every process that needs it: ORDERDESK_MCP_MASTER_KEY='passphrase:…' in its environment, \
             or a file with that line, named by ORDERDESK_MCP_MASTER_KEY_FILE",
        );
    } else if changed && tenant.source.is_ours() {
        remark(&format!(
            "without the key nobody opens the stores again: `{}` makes a copy for a safe place",
            setup.typed.command("key export --to FILE")
        ));
    }
}

/// A word for programs.
pub(super) fn kind(source: &KeySource) -> &'static str {
    match source {
        KeySource::Flag(_) => "flag",
        KeySource::Environment => "environment",
        KeySource::File(_) => "file",
        KeySource::Credential => "credential",
        KeySource::HomeFile => "home_file",
        KeySource::Keyring => "keyring",
    }
}
