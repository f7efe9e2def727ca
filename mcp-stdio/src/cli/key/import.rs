//! `key import`: a key from another machine.
//!
//! A key that is replaced is kept aside under a date: it may be the only one that opens something.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use serde_json::json;
use shared::audit::{self, action};
use shared::fsx::{self, Mode};
use shared::secret::Secret;
use zeroize::Zeroizing;

use crate::cli::failure::{Failure, Outcome};
use crate::cli::print::{show, show_json, warn};
use crate::cli::setup::Setup;
use crate::cli::{ask, print};
use crate::vault::{KeyId, KeyLock, KeySource, KeyText, Tenant, VaultError, export, key_file};

/// The largest file that is taken for a key.
const MOST_BYTES: u64 = 64 * 1024;

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  mcp-stdio key import my-key.age
  pass show orderdesk/master-key | mcp-stdio key import -

FILE is what `key export` wrote (any file that `age` encrypted to a passphrase), or holds the key itself as one line.")]
pub(super) struct Args {
    /// The file; `-` is stdin
    file: PathBuf,
    /// Read the passphrase from this file instead of asking
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Replace another key that is there; it is kept aside
    #[arg(long)]
    force: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Takes the key in.
pub(super) fn run(setup: &Setup, args: &Args) -> Outcome {
    let key = key(args)?;
    let lock = setup.key_lock("key import")?;
    let (changed, aside) = put(setup, args, &lock, &key)?;
    drop(lock);
    let tenant = tenant(setup)?;
    if changed {
        setup.record(action::KEY_IMPORTED, None, audit::Outcome::Done)?;
    }
    warn_of_others(setup);
    tell(args, &key, changed, aside.as_deref(), tenant.as_ref())
}

/// The key in the file, which is an export or the key's own text.
fn key(args: &Args) -> Outcome<KeyText> {
    let bytes = content(&args.file)?;
    let text = if is_export(&bytes) {
        let words = match &args.passphrase_file {
            Some(path) => ask::secret_in("passphrase", path)?,
            None if args.file == Path::new("-") => {
                ask::secret_at_terminal("passphrase of the export")?
            }
            None => ask::secret("passphrase of the export")?,
        };
        export::open(&bytes, &words)?
    } else {
        let text =
            std::str::from_utf8(&bytes).map_err(|_| no_key("it is neither an export nor text"))?;
        Secret::new(text.trim().to_owned())
    };
    KeyText::parse(&text).map_err(|why| no_key(&why.to_string()))
}

fn no_key(why: &str) -> Failure {
    Failure::usage(
        format!("there is no key in it: {why}; nothing was changed"),
        "give the file that `mcp-stdio key export` wrote, or the key as one line",
    )
}

fn content(path: &Path) -> Outcome<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    ask::refuse_secret_as_path(path)?;
    let read = if path == Path::new("-") {
        io::stdin().lock().take(MOST_BYTES).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(MOST_BYTES).read_to_end(&mut bytes))
    };
    read.map_err(|error| Failure::file("reading", path, &error))?;
    Ok(bytes)
}

fn is_export(bytes: &[u8]) -> bool {
    let start = bytes.trim_ascii_start();
    start.starts_with(b"-----BEGIN AGE") || start.starts_with(b"age-encryption.org/")
}

/// Puts the key in place; gives whether that changed anything, and where the old one went.
fn put(
    setup: &Setup,
    args: &Args,
    lock: &KeyLock,
    key: &KeyText,
) -> Outcome<(bool, Option<PathBuf>)> {
    let path = setup.home.master_key();
    let in_keyring = setup.settings.text("key_source") == Some("keyring");
    let old = if in_keyring {
        held_in_keyring(setup)?
    } else {
        key_file::read(&path).ok().flatten()
    };
    if old.is_some_and(|old| old.expose().trim() == key.to_text().expose()) {
        return Ok((false, None));
    }
    let is_taken = if in_keyring {
        setup.keys.find().is_ok()
    } else {
        path.symlink_metadata().is_ok()
    };
    if is_taken && !args.force {
        return Err(Failure::usage(
            "there is another master key already; nothing was changed",
            "`--force` replaces it and keeps the old one aside; what it protects opens with it only",
        ));
    }
    let aside = if is_taken && !in_keyring {
        Some(keep_aside(setup, &path)?)
    } else {
        None
    };
    setup.keys.keep(lock, key, is_taken)?;
    Ok((true, aside))
}

/// What the keyring holds, when nothing else comes before it.
fn held_in_keyring(setup: &Setup) -> Outcome<Option<Secret>> {
    match setup.keys.find() {
        Ok(found) if found.source == KeySource::Keyring => {
            Ok(found.candidates.first().map(KeyText::to_text))
        }
        Ok(_) | Err(VaultError::NoKey) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A copy of the old file under a name that nothing has: from here on the first one can be replaced.
fn keep_aside(setup: &Setup, path: &Path) -> Outcome<PathBuf> {
    let stamp = print::time(setup.clock.now_ms()).replace([':', '-'], "");
    let old = content(path)?;
    let mut name = format!("master.key.{stamp}");
    loop {
        let aside = path.with_file_name(&name);
        match fsx::write_new(&aside, &old, Mode::Private) {
            Ok(()) => return Ok(aside),
            // Of another import in this second: what it put aside may be the only key of something, too.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => name.push('+'),
            Err(error) => return Err(Failure::file("keeping the old key in", &aside, &error)),
        }
    }
}

fn tenant(setup: &Setup) -> Outcome<Option<Tenant>> {
    match setup.vault()?.tenant() {
        Ok(tenant) => Ok(Some(tenant)),
        Err(VaultError::NoTenant { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A key that comes from elsewhere goes before the one that was just put in place.
fn warn_of_others(setup: &Setup) {
    if let Ok(found) = setup.keys.find()
        && !found.source.is_ours()
    {
        warn(&format!(
            "the key in {} goes before the one that was imported: remove it there to use the new one",
            found.source
        ));
    }
}

fn tell(
    args: &Args,
    key: &KeyText,
    changed: bool,
    aside: Option<&Path>,
    tenant: Option<&Tenant>,
) -> Outcome {
    if args.json {
        // A passphrase has an id only together with a tenant.
        let key_id = match key {
            KeyText::Random(key) => Some(key.id()),
            KeyText::Passphrase(_) => tenant.map(|tenant| tenant.key_id.clone()),
        };
        return show_json(&json!({
            "changed": changed,
            "kept_aside": aside,
            "key_id": key_id.as_ref().map(KeyId::as_str),
            "tenant": tenant.map(|tenant| json!({"id": &*tenant.id, "name": tenant.name})),
        }));
    }
    let mut text = if changed {
        "the key is in place\n".to_owned()
    } else {
        "this key is in place already, nothing changed\n".to_owned()
    };
    if let Some(aside) = aside {
        text.push_str(&format!("the old one is kept in {}\n", aside.display()));
    }
    match tenant {
        Some(tenant) => text.push_str(&format!("it opens the tenant {}\n", tenant.name)),
        None => text.push_str(
            "no tenant here was set up with it: restore a backup of state.db, or make one with `mcp-stdio init`\n",
        ),
    }
    show(&text)
}
