//! The operating system's keyring: Secret Service, Keychain, Credential Manager.
//!
//! Here: reading and writing the entries of a home, each time on a thread of its own and within a time. A keyring may ask its user to
//! unlock it, and a bus may never answer: nobody here waits for either without end. `run/keyring.lock` is held while it is asked, so
//! that a hundred processes do not ask a hundred times: when the first has been let in, the others are not asked any more.

use std::fs::OpenOptions;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use keyring_core::{CredentialStore, Entry, Error};
use shared::paths::Home;
use shared::secret::Secret;
use zeroize::Zeroizing;

use super::error::VaultError;
use super::key::{secret_text, wipe};

/// The name under which our entries stand; the user part is the home's path.
const SERVICE: &str = "orderdesk-mcp";

/// How long one question may take, the wait for other processes included. Most clients give up a call after 60 s.
const PATIENCE: Duration = Duration::from_secs(10);

/// Which of a home's two entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// The key that counts.
    Key,
    /// The one that a rotation is about to put in place.
    Next,
}

/// What a home has in the keyring.
pub(super) struct Held {
    pub(super) key: Option<Secret>,
    pub(super) next: Option<Secret>,
}

/// What helps when the keyring does not.
const ELSEWHERE: &str = "unlock the keyring of this desktop and try again; on a machine without one keep the key in `master.key` \
    (`mcp-stdio init` makes it) or in a file that ORDERDESK_MCP_MASTER_KEY_FILE names, and leave ORDERDESK_MCP_KEY_SOURCE out";

type Open = dyn Fn() -> keyring_core::Result<Arc<CredentialStore>> + Send + Sync;

/// The entries of one home. Opens nothing before it is asked.
#[derive(Clone)]
pub(super) struct Keyring {
    open: Arc<Open>,
    home: Home,
    patience: Duration,
}

/// How far the thread has come, for the message when it is not waited for any longer.
mod stage {
    pub(super) const QUEUING: u8 = 0;
    pub(super) const ASKING: u8 = 1;
    pub(super) const GIVEN_UP: u8 = 2;
}

impl Keyring {
    /// The platform's own.
    pub(super) fn of_system(home: &Home) -> Keyring {
        Keyring {
            open: Arc::new(system),
            home: home.clone(),
            patience: PATIENCE,
        }
    }

    /// One that a test made up, with little patience.
    #[cfg(test)]
    pub(super) fn of_test(
        home: &Home,
        open: impl Fn() -> keyring_core::Result<Arc<CredentialStore>> + Send + Sync + 'static,
    ) -> Keyring {
        Keyring {
            open: Arc::new(open),
            home: home.clone(),
            patience: Duration::from_secs(5),
        }
    }

    /// Both entries of the home.
    pub(super) fn read(&self) -> Result<Held, VaultError> {
        let users = [self.user(Kept::Key), self.user(Kept::Next)];
        self.ask(move |store| {
            let [key, next] = users.map(|user| get(store, &user));
            Ok(Held {
                key: key?,
                next: next?,
            })
        })
    }

    /// Writes an entry; what it held is replaced.
    pub(super) fn put(&self, which: Kept, text: &Secret) -> Result<(), VaultError> {
        let (user, text) = (self.user(which), text.clone());
        self.ask(move |store| entry(store, &user)?.set_password(text.expose()))
    }

    /// Removes an entry; none is fine.
    pub(super) fn remove(&self, which: Kept) -> Result<(), VaultError> {
        let user = self.user(which);
        self.ask(
            move |store| match entry(store, &user)?.delete_credential() {
                Err(Error::NoEntry) => Ok(()),
                done => done,
            },
        )
    }

    fn user(&self, which: Kept) -> String {
        let root = self.home.root();
        let root = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
        match which {
            Kept::Key => root.to_string_lossy().into_owned(),
            Kept::Next => format!("{} (next)", root.to_string_lossy()),
        }
    }

    fn lock_path(&self) -> PathBuf {
        self.home.run_dir().join("keyring.lock")
    }

    /// Asks on a thread of its own, one process and thread at a time, for as long as the patience lasts. A thread that is given up
    /// stays behind with its question: it keeps the lock, so that nobody asks again while the user's answer is outstanding.
    fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&CredentialStore) -> keyring_core::Result<T> + Send + 'static,
    ) -> Result<T, VaultError> {
        let stage = Arc::new(AtomicU8::new(stage::QUEUING));
        let (answer, answered) = mpsc::sync_channel(1);
        let (this, progress) = (self.clone(), Arc::clone(&stage));
        let thread = move || {
            let _ = answer.send(this.ask_in_turn(&progress, question));
        };
        std::thread::Builder::new()
            .name("keyring".to_owned())
            .spawn(thread)
            .map_err(|error| VaultError::Keyring {
                why: format!("cannot be asked: no thread for it ({})", error.kind()),
                fix: "close some programs and try again",
            })?;
        match answered.recv_timeout(self.patience) {
            Ok(answer) => answer,
            Err(_) => Err(self.given_up(stage.swap(stage::GIVEN_UP, Ordering::SeqCst))),
        }
    }

    fn ask_in_turn<T>(
        &self,
        progress: &AtomicU8,
        question: impl FnOnce(&CredentialStore) -> keyring_core::Result<T>,
    ) -> Result<T, VaultError> {
        let path = self.lock_path();
        let failed = |error: std::io::Error| {
            VaultError::file(
                &path,
                "locked",
                &error,
                "see that the home folder is writable",
            )
        };
        self.home.create().map_err(failed)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(failed)?;
        lock.lock().map_err(failed)?;
        let turn = progress.compare_exchange(
            stage::QUEUING,
            stage::ASKING,
            Ordering::SeqCst,
            Ordering::SeqCst,
        );
        if turn.is_err() {
            // Nobody waits for this any more: the user is not bothered with it.
            return Err(self.given_up(stage::QUEUING));
        }
        let answer = (self.open)().and_then(|store| question(store.as_ref()));
        let _ = lock.unlock();
        answer.map_err(refused)
    }

    fn given_up(&self, stage: u8) -> VaultError {
        let seconds = self.patience.as_secs();
        if stage == stage::QUEUING {
            return VaultError::KeyLocked {
                who: format!(
                    "another process has been asking the system's keyring for {seconds} seconds; it may be waiting to be unlocked"
                ),
            };
        }
        VaultError::Keyring {
            why: format!(
                "gave no answer within {seconds} seconds; it may be waiting to be unlocked"
            ),
            fix: ELSEWHERE,
        }
    }
}

fn entry(store: &CredentialStore, user: &str) -> keyring_core::Result<Entry> {
    store.build(SERVICE, user, None)
}

fn get(store: &CredentialStore, user: &str) -> keyring_core::Result<Option<Secret>> {
    match entry(store, user)?.get_secret() {
        Ok(bytes) => {
            let bytes = Zeroizing::new(bytes);
            let text = secret_text(bytes.trim_ascii());
            text.map(Some).ok_or_else(|| Error::BadEncoding(Vec::new()))
        }
        Err(Error::NoEntry) => Ok(None),
        Err(other) => Err(other),
    }
}

/// Never with what the keyring holds: two of its errors carry that.
fn refused(error: Error) -> VaultError {
    let why = match error {
        Error::BadEncoding(bytes) => {
            wipe(bytes);
            "holds something that is no text".to_owned()
        }
        Error::BadDataFormat(bytes, _) => {
            wipe(bytes);
            "holds something that cannot be read".to_owned()
        }
        Error::NoStorageAccess(_) => "is locked or denies access".to_owned(),
        Error::Ambiguous(_) => "holds several keys for this home".to_owned(),
        Error::PlatformFailure(platform) => format!("cannot be reached ({platform})"),
        other => format!("cannot be used ({other})"),
    };
    VaultError::Keyring {
        why,
        fix: ELSEWHERE,
    }
}

#[cfg(all(unix, not(target_os = "macos")))]
fn system() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(zbus_secret_service_keyring_store::Store::new()? as Arc<CredentialStore>)
}

#[cfg(target_os = "macos")]
fn system() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(apple_native_keyring_store::keychain::Store::new()? as Arc<CredentialStore>)
}

#[cfg(windows)]
fn system() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(windows_native_keyring_store::Store::new()? as Arc<CredentialStore>)
}

#[cfg(test)]
mod tests;
