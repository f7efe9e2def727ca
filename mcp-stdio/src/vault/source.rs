//! Where the master key is found: the one place that knows the order.
//!
//! Here: the ladder (the flag's file, the environment, `…_FILE`, the systemd credential, `master.key` at home, and the keyring where the
//! settings say so), and putting a new key where it will be found. Not here: what a key opens. The first source that exists wins; one
//! that exists and cannot be used is an error and never skipped: the next in line could hold another tenant's key.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use shared::env::{Settings, Source};
use shared::paths::Home;
use shared::secret::Secret;

use super::error::VaultError;
use super::key::KeyText;
use super::key_file;
use super::keyring::{Kept, Keyring};
use super::lock::KeyLock;
use crate::shell::shell_word;

/// Where a master key came from. Its `Display` fits into a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// The file that `--master-key-file` names.
    Flag(PathBuf),
    /// `ORDERDESK_MCP_MASTER_KEY`.
    Environment,
    /// The file that `ORDERDESK_MCP_MASTER_KEY_FILE` names.
    File(PathBuf),
    /// The systemd credential `master_key`.
    Credential,
    /// `master.key` in the home folder.
    HomeFile,
    /// The operating system's keyring.
    Keyring,
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeySource::Flag(path) => write!(f, "the file `{}` (--master-key-file)", path.display()),
            KeySource::Environment => f.write_str("the environment (ORDERDESK_MCP_MASTER_KEY)"),
            KeySource::File(path) => {
                write!(
                    f,
                    "the file `{}` (ORDERDESK_MCP_MASTER_KEY_FILE)",
                    path.display()
                )
            }
            KeySource::Credential => f.write_str("the systemd credential `master_key`"),
            KeySource::HomeFile => f.write_str("`master.key` in the home folder"),
            KeySource::Keyring => f.write_str("the system's keyring"),
        }
    }
}

impl KeySource {
    /// Whether this program may put a new key there itself. Into the others it only can be put by whoever keeps them.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        matches!(self, KeySource::HomeFile | KeySource::Keyring)
    }

    /// What to do when it holds no key.
    pub(super) fn how_to_mend(&self) -> String {
        let forms = "a key is one line: `odmk1` and 58 more letters and digits, or `passphrase:` and at least 16 characters";
        match self {
            KeySource::HomeFile | KeySource::Keyring => {
                format!(
                    "{forms}; bring a good one with `mcp-stdio key import`, or restore it from a backup"
                )
            }
            _ => format!("{forms}; correct what {self} holds"),
        }
    }
}

/// What a source holds.
pub struct Found {
    /// Which source.
    pub source: KeySource,
    /// Its key and, where a rotation was interrupted, the one that was to follow. The tenants' key ids tell which one counts.
    pub candidates: Vec<KeyText>,
    /// Whether the last candidate is the one that was to follow.
    pub(super) has_next: bool,
}

impl Found {
    /// The key that a rotation was to put in place.
    pub(super) fn next(&self) -> Option<&KeyText> {
        self.candidates.last().filter(|_| self.has_next)
    }
}

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Found")
            .field("source", &self.source)
            .field("candidates", &self.candidates.len())
            .finish()
    }
}

/// The places of one process, in their order. Cheap to clone; reads nothing before [`Sources::find`].
#[derive(Clone)]
pub struct Sources(Arc<Places>);

#[derive(Clone)]
struct Places {
    home: Home,
    flag: Option<PathBuf>,
    setting: Option<(KeySource, Secret)>,
    keyring: Option<Keyring>,
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources")
            .field("home", &self.0.home.root())
            .finish_non_exhaustive()
    }
}

impl Sources {
    /// The places that the settings and the flag `--master-key-file` name.
    #[must_use]
    pub fn new(settings: &Settings, home: &Home, flag: Option<PathBuf>) -> Sources {
        let keyring = settings.text("key_source") == Some("keyring");
        let setting = settings
            .secret("master_key")
            .map(|text| (of_setting(settings.source("master_key")), text));
        Sources(Arc::new(Places {
            home: home.clone(),
            flag,
            setting,
            keyring: keyring.then(|| Keyring::of_system(home)),
        }))
    }

    /// The same places, and the keyring besides: for a set-up that is told to put the key there.
    #[must_use]
    pub fn with_keyring(&self) -> Sources {
        let mut places = (*self.0).clone();
        let home = &self.0.home;
        places
            .keyring
            .get_or_insert_with(|| Keyring::of_system(home));
        Sources(Arc::new(places))
    }

    /// The key of the first place that has one. Files and the keyring are read afresh each time.
    ///
    /// # Errors
    /// [`VaultError::NoKey`]; and what is wrong with the first place that exists: `BadKey`, `KeyFile`, `Keyring`, `KeyLocked`.
    pub fn find(&self) -> Result<Found, VaultError> {
        if let Some(path) = &self.0.flag {
            return one(KeySource::Flag(path.clone()), &key_file::read_named(path)?);
        }
        match &self.0.setting {
            Some((KeySource::File(path), _)) => {
                return one(KeySource::File(path.clone()), &key_file::read_named(path)?);
            }
            Some((source, text)) => return one(source.clone(), text),
            None => {}
        }
        if let Some(found) = self.at_home()? {
            return Ok(found);
        }
        match &self.0.keyring {
            Some(keyring) => in_keyring(keyring),
            None => Err(VaultError::NoKey),
        }
    }

    /// Puts a key where [`Sources::find`] will find it: into the keyring where the settings say so, else into `master.key`.
    /// Without `replace` a key that is there stays. The caller holds the lock, so that no rotation is under way.
    ///
    /// # Errors
    /// [`VaultError::KeyFile`] or [`VaultError::Keyring`]: there is one already, a rotation was interrupted, or it cannot be written.
    pub fn keep(
        &self,
        _lock: &KeyLock,
        key: &KeyText,
        replace: bool,
    ) -> Result<KeySource, VaultError> {
        match &self.0.keyring {
            Some(keyring) => keep_in_keyring(keyring, key, replace),
            None => self.keep_at_home(key, replace),
        }
    }

    fn keep_at_home(&self, key: &KeyText, replace: bool) -> Result<KeySource, VaultError> {
        let (path, next) = (self.0.home.master_key(), self.0.home.master_key_next());
        if next.symlink_metadata().is_ok() {
            return Err(VaultError::KeyFile {
                why: "is left from a key rotation that was interrupted".to_owned(),
                fix: format!(
                    "`mcp-stdio key show-id` ends the rotation; if the file is there after that, it opens nothing: rm {}",
                    shell_word(&next.to_string_lossy())
                ),
                path: next,
            });
        }
        if !replace && path.symlink_metadata().is_ok() {
            return Err(VaultError::KeyFile {
                path,
                why: "is there already".to_owned(),
                fix: "use it as it is; `mcp-stdio key rotate` changes it, `mcp-stdio key import` replaces it".to_owned(),
            });
        }
        key_file::write(&path, &key.to_text())?;
        Ok(KeySource::HomeFile)
    }

    /// `master.key`, and `master.key.next` where there is one.
    fn at_home(&self) -> Result<Option<Found>, VaultError> {
        let next_path = self.0.home.master_key_next();
        let key = key_file::read(&self.0.home.master_key())?;
        let next = key_file::read(&next_path)?;
        let has_next = next.is_some();
        let mut candidates = Vec::new();
        if let Some(text) = key {
            candidates.push(parse(&KeySource::HomeFile, &text)?);
        }
        if let Some(text) = next {
            candidates.push(KeyText::parse(&text).map_err(|why| VaultError::KeyFile {
                why: format!("holds no key: {why}"),
                fix: format!(
                    "it is the work of no rotation: rm {}",
                    shell_word(&next_path.to_string_lossy())
                ),
                path: next_path,
            })?);
        }
        let found = Found {
            source: KeySource::HomeFile,
            candidates,
            has_next,
        };
        Ok((!found.candidates.is_empty()).then_some(found))
    }

    /// The home whose files and locks these are.
    pub(super) fn home(&self) -> &Home {
        &self.0.home
    }

    /// The keyring, where one is asked.
    pub(super) fn keyring(&self) -> Option<&Keyring> {
        self.0.keyring.as_ref()
    }

    /// Places made up by a test.
    #[cfg(test)]
    pub(super) fn of_test(
        home: &Home,
        setting: Option<(KeySource, Secret)>,
        keyring: Option<Keyring>,
    ) -> Sources {
        Sources(Arc::new(Places {
            home: home.clone(),
            flag: None,
            setting,
            keyring,
        }))
    }
}

fn keep_in_keyring(
    keyring: &Keyring,
    key: &KeyText,
    replace: bool,
) -> Result<KeySource, VaultError> {
    let held = keyring.read()?;
    if held.next.is_some() {
        return Err(VaultError::Keyring {
            why: "holds the next key of a rotation that was interrupted".to_owned(),
            fix: "`mcp-stdio key show-id` ends the rotation; if it does not, remove the entry that ends in `(next)` from the keyring",
        });
    }
    if !replace && held.key.is_some() {
        return Err(VaultError::Keyring {
            why: "holds a key for this home already".to_owned(),
            fix: "use it as it is; `mcp-stdio key rotate` changes it, `mcp-stdio key import` replaces it",
        });
    }
    keyring.put(Kept::Key, &key.to_text())?;
    Ok(KeySource::Keyring)
}

fn in_keyring(keyring: &Keyring) -> Result<Found, VaultError> {
    let held = keyring.read()?;
    let has_next = held.next.is_some();
    let candidates = [held.key, held.next]
        .iter()
        .flatten()
        .map(|text| parse(&KeySource::Keyring, text))
        .collect::<Result<Vec<_>, _>>()?;
    if candidates.is_empty() {
        return Err(VaultError::NoKey);
    }
    Ok(Found {
        source: KeySource::Keyring,
        candidates,
        has_next,
    })
}

fn one(source: KeySource, text: &Secret) -> Result<Found, VaultError> {
    let candidates = vec![parse(&source, text)?];
    Ok(Found {
        source,
        candidates,
        has_next: false,
    })
}

fn parse(source: &KeySource, text: &Secret) -> Result<KeyText, VaultError> {
    KeyText::parse(text).map_err(|why| VaultError::BadKey {
        source: source.clone(),
        why,
    })
}

/// `config.toml` may not hold the key, and no flag does.
fn of_setting(source: &Source) -> KeySource {
    match source {
        Source::File(path) => KeySource::File(path.clone()),
        Source::Credential => KeySource::Credential,
        _ => KeySource::Environment,
    }
}

#[cfg(test)]
mod tests;
