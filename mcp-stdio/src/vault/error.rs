//! What can go wrong with keys and seals, said for people: what, why, and what to type.
//!
//! No text here ever holds a key, a passphrase or an API key: a broken seal is named by its row, a bad key by its source.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use shared::state::StateError;

use super::key::{KeyId, KeyTextError};
use super::passphrase::Weak;
use super::source::KeySource;
use crate::shell::shell_word;

/// Why a vault could not be opened, read or changed.
#[derive(Clone, Debug)]
pub enum VaultError {
    /// No source holds a master key.
    NoKey,
    /// A source holds something that is no key.
    BadKey {
        /// Which source.
        source: KeySource,
        /// What is wrong with it.
        why: KeyTextError,
    },
    /// A key's file is refused, or cannot be read or written.
    KeyFile {
        /// Which file.
        path: PathBuf,
        /// The second half of the sentence "the key file `…` …".
        why: String,
        /// What to do, mostly a command to type.
        fix: String,
    },
    /// The system's keyring gave no answer, or a useless one.
    Keyring {
        /// The second half of the sentence "the system's keyring …".
        why: String,
        /// What to do.
        fix: &'static str,
    },
    /// Words that are to guard a vault or an export could be guessed.
    WeakPassphrase(Weak),
    /// Another process is changing the key, or asking the keyring.
    KeyLocked {
        /// Who, as far as they said.
        who: String,
    },
    /// The key is sound, and nobody's.
    NoTenant {
        /// Where the key came from.
        source: KeySource,
        /// Which key; `None` for a passphrase, which has one only together with a tenant.
        key_id: Option<KeyId>,
    },
    /// The key worked in this process until somebody rotated it.
    KeyRotated {
        /// Where the old one came from.
        source: KeySource,
    },
    /// A seal does not open: the row was edited, cut, moved or put back from before a rotation.
    SealBroken {
        /// Which row: the store's name, or the tenant's id.
        row: Row,
    },
    /// No store of this tenant is called so.
    UnknownStore {
        /// What was asked for, cleaned and capped.
        given: String,
        /// The stores there are.
        known: Vec<String>,
        /// The one that was probably meant.
        nearest: Option<String>,
    },
    /// Several stores are called so: a name and another one's id, say.
    AmbiguousStore {
        /// What was asked for, cleaned and capped.
        given: String,
        /// What they are called.
        names: Vec<String>,
    },
    /// The name or the shop is taken.
    StoreExists {
        /// The name of the store that has it.
        name: String,
        /// Its Order Desk id.
        store_id: String,
    },
    /// A name that no store can have.
    BadStoreName {
        /// What is wrong with it.
        why: &'static str,
    },
    /// The key has a tenant already.
    AlreadyThere {
        /// What the tenant is called.
        name: String,
    },
    /// Somebody else rotated the key meanwhile: a rotation met another tenant than it was prepared for, or a change was overtaken
    /// again and again.
    Outrun,
    /// An export could not be made or opened.
    Export {
        /// What is wrong.
        why: &'static str,
        /// What to do.
        fix: &'static str,
    },
    /// The state file failed.
    State(Arc<StateError>),
}

/// The row whose seal is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// A store, by its name.
    Store(String),
    /// A tenant, by its id.
    Tenant(String),
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Row::Store(name) => write!(f, "store `{name}`"),
            Row::Tenant(id) => write!(f, "tenant `{id}`"),
        }
    }
}

impl std::fmt::Display for VaultError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            VaultError::NoKey => f.write_str("there is no master key"),
            VaultError::BadKey { source, why } => {
                write!(f, "the master key from {source} is not usable: {why}")
            }
            VaultError::KeyFile { path, why, .. } => {
                write!(f, "the key file `{}` {why}", path.display())
            }
            VaultError::Keyring { why, .. } => write!(f, "the system's keyring {why}"),
            VaultError::WeakPassphrase(weak) => write!(f, "the passphrase is too weak: {weak}"),
            VaultError::KeyLocked { who } => write!(f, "the master key is in use elsewhere: {who}"),
            VaultError::NoTenant {
                source,
                key_id: Some(id),
            } => write!(
                f,
                "no tenant for this key: {source} holds the key `{id}`, and nobody was set up with it"
            ),
            VaultError::NoTenant {
                source,
                key_id: None,
            } => write!(
                f,
                "no tenant for this key: nobody was set up with the passphrase from {source}"
            ),
            VaultError::KeyRotated { source } => {
                write!(
                    f,
                    "the master key was rotated, and {source} still holds the old one"
                )
            }
            VaultError::SealBroken { row } => write!(
                f,
                "the seal of {row} is broken: its row in the state file was edited, cut short, moved, or put back from before a key rotation"
            ),
            VaultError::UnknownStore { given, nearest, .. } => {
                write!(f, "no store is called `{given}`")?;
                nearest
                    .as_ref()
                    .map_or(Ok(()), |name| write!(f, "; did you mean `{name}`?"))
            }
            VaultError::AmbiguousStore { given, .. } => {
                write!(f, "`{given}` is more than one store")
            }
            VaultError::StoreExists { name, store_id } => {
                write!(
                    f,
                    "there is a store `{name}` with the id {store_id} already"
                )
            }
            VaultError::BadStoreName { why } => write!(f, "no store can be called so: {why}"),
            VaultError::AlreadyThere { name } => {
                write!(f, "this key has a tenant already: `{name}`")
            }
            VaultError::Outrun => f.write_str(
                "the tenant's key was changed by another process meanwhile; nothing was done",
            ),
            VaultError::Export { why, .. } => write!(f, "the key export {why}"),
            VaultError::State(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for VaultError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            VaultError::State(error) => error.source(),
            _ => None,
        }
    }
}

impl VaultError {
    /// What to do, in words or as a command to type. Empty only for errors of the state file, whose text ends with its own hint.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            VaultError::NoKey => "run `mcp-stdio init` once on this machine, or give this process ORDERDESK_MCP_MASTER_KEY".to_owned(),
            VaultError::BadKey { source, .. } => source.how_to_mend(),
            VaultError::KeyFile { fix, .. } => fix.clone(),
            VaultError::Keyring { fix, .. } => (*fix).to_owned(),
            VaultError::WeakPassphrase(_) => {
                "six words that have nothing to do with each other are easy to remember and hard to guess".to_owned()
            }
            VaultError::KeyLocked { .. } => "wait until it has ended, then try again".to_owned(),
            VaultError::NoTenant { source, .. } => format!(
                "if the key was rotated, put the new one into {source}; if this is another tenant's or another machine's, give the right one \
                 (`mcp-stdio key import`); for a new tenant run `mcp-stdio init`"
            ),
            VaultError::KeyRotated { source } => format!("put the new key into {source}, then restart this program"),
            VaultError::SealBroken { row: Row::Store(name) } => format!(
                "add the store again with its API key (`mcp-stdio store add --replace --name {} …`), and find out who changed the file: \
                 `mcp-stdio audit verify`",
                shell_word(name)
            ),
            VaultError::SealBroken { row: Row::Tenant(_) } => {
                "restore a backup of the state file, and find out who changed it: `mcp-stdio audit verify`".to_owned()
            }
            VaultError::UnknownStore { known, .. } if known.is_empty() => {
                "add one with `mcp-stdio store add --name NAME --id STORE_ID`".to_owned()
            }
            VaultError::UnknownStore { known, .. } => format!("use one of `{}`", known.join("`, `")),
            VaultError::AmbiguousStore { names, .. } => format!("say which one by its name: `{}`", names.join("`, `")),
            VaultError::StoreExists { name, .. } => {
                format!(
                    "`--replace` gives that store this name, id and key; `mcp-stdio store remove {}` removes it; two stores need two names and two ids",
                    shell_word(name)
                )
            }
            VaultError::BadStoreName { .. } => "give a name of 1 to 60 characters, with a letter in it".to_owned(),
            VaultError::AlreadyThere { .. } => "nothing needs to be done: `mcp-stdio store add` adds a store to it".to_owned(),
            VaultError::Outrun => "see which key counts with `mcp-stdio key show-id`, then try again".to_owned(),
            VaultError::Export { fix, .. } => (*fix).to_owned(),
            VaultError::State(_) => String::new(),
        }
    }

    /// A word from a small closed set: for labels, and for programs that decide by it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            VaultError::NoKey => "no_key",
            VaultError::BadKey { .. } => "bad_key",
            VaultError::KeyFile { .. } => "key_file",
            VaultError::Keyring { .. } => "keyring",
            VaultError::WeakPassphrase(_) => "weak_passphrase",
            VaultError::KeyLocked { .. } => "key_locked",
            VaultError::NoTenant { .. } => "no_tenant",
            VaultError::KeyRotated { .. } => "key_rotated",
            VaultError::SealBroken { .. } => "seal_broken",
            VaultError::UnknownStore { .. } => "unknown_store",
            VaultError::AmbiguousStore { .. } => "ambiguous_store",
            VaultError::StoreExists { .. } => "store_exists",
            VaultError::BadStoreName { .. } => "bad_store_name",
            VaultError::AlreadyThere { .. } => "tenant_exists",
            VaultError::Outrun => "outrun",
            VaultError::Export { .. } => "export",
            VaultError::State(_) => "state",
        }
    }

    /// A file that could not be read or written, in the operating system's words.
    pub(super) fn file(path: &Path, doing: &str, error: &std::io::Error, fix: &str) -> VaultError {
        VaultError::KeyFile {
            path: path.to_owned(),
            why: format!("cannot be {doing} ({})", error.kind()),
            fix: fix.to_owned(),
        }
    }
}

impl From<Weak> for VaultError {
    fn from(weak: Weak) -> VaultError {
        VaultError::WeakPassphrase(weak)
    }
}

impl From<StateError> for VaultError {
    fn from(error: StateError) -> VaultError {
        VaultError::State(Arc::new(error))
    }
}

impl From<Arc<StateError>> for VaultError {
    fn from(error: Arc<StateError>) -> VaultError {
        VaultError::State(error)
    }
}

#[cfg(test)]
mod tests;
