//! Whose a target is: the first home that stores something there, and no other's.
//!
//! What two homes store in one place would be one series to retention and to whoever restores: one would remove the other's backups, and a lost
//! machine would be given the other's state. The same happens when a lost machine is set up anew and its sidecar starts before anything was
//! restored: what is newest then is empty. So an object at the root of each target says whose it is. The name in it lies in the state file, goes
//! into every backup, and comes back with a restore: the restored home goes on where the lost one stopped.
//!
//! The folder in the home itself needs none.

use std::fs;
use std::io;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shared::fsx::{self, Mode};
use shared::paths::Home;
use shared::state::tables::meta;
use shared::state::{Durability, State, StateError};

use super::Room;
use super::make::has_state;
use super::targets::{Kind, Target, TargetError};

/// The object that says whose a target is.
pub const KEY: &str = "home-id";

/// In the spool: the name as it was last used. For who may not open the state file.
pub(super) const REMEMBERED: &str = "home-id";

/// A target must not be used, or it cannot be told whether it may.
#[derive(Debug, thiserror::Error)]
pub enum OwnerError {
    /// Somebody else's.
    #[error(
        "target `{target}` has the backups of another home, and nothing is stored or removed there; hint: if this machine takes the place of a lost one, stop everything and restore (`ops-sidecar backup restore --latest --force`); else give this home a place of its own, such as `{target}/NAME`"
    )]
    Another {
        /// Which.
        target: String,
    },
    /// The object is there and says nothing that we understand.
    #[error(
        "target `{target}`: `{KEY}` cannot be read, so it does not say whose backups these are; hint: remove it if they are this home's"
    )]
    Odd {
        /// Which.
        target: String,
    },
    /// The target did not answer.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The state file cannot be read, or has no name yet and cannot be given one.
    #[error("the state file cannot be asked for its name")]
    State(#[from] Arc<StateError>),
}

#[derive(Serialize, Deserialize)]
struct Owner {
    home: String,
}

/// The name of a state, made if it has none.
///
/// # Errors
/// It cannot be read or written.
fn name(state: &State) -> Result<String, StateError> {
    let read = state.read("state_id", meta::state_id)?;
    if let Some(name) = read {
        return Ok(name);
    }
    let new = format!("{:016x}", fastrand::u64(..));
    state.write("state_id", Durability::Full, |writing| {
        meta::name_state(writing, &new)
    })
}

/// Gives a state its name before it is copied, also where no target asks for it yet: whoever restores that copy later, when there is one,
/// must not come back as a stranger. One that cannot be had is said by the target that asks.
pub fn prepare(state: &State) {
    let _ = name(state);
}

/// Makes sure that the target is this home's; from now on it is, if it was nobody's.
///
/// # Errors
/// [`OwnerError`]; then nothing may be stored or removed there.
pub fn claim(room: &Room, target: &Target) -> Result<(), OwnerError> {
    if target.is_in_home() {
        return Ok(());
    }
    let state = match room.slot.get() {
        Ok(state) => state,
        // Opening would make one, and that one would have a name of its own.
        Err(_) if !has_state(&room.home) => return may_deliver(&room.home, target),
        Err(_) => room.slot.open_now()?,
    };
    let name = name(&state).map_err(Arc::new)?;
    let _ = remember(&room.home, &name);
    if owner(target)?.is_none() {
        let ours = Owner { home: name.clone() };
        let text = serde_json::to_vec(&ours).expect("a text is JSON");
        match target.put(KEY, text) {
            // Somebody was first.
            Err(error) if error.kind() == Kind::Exists => {}
            stored => stored?,
        }
    }
    match owner(target)? {
        Some(owner) if owner == name => Ok(()),
        _ => Err(another(target)),
    }
}

/// Whether what waits in the spool may go to the target; for who must not open the state file, because it is about to be replaced.
///
/// # Errors
/// [`OwnerError`].
pub fn may_deliver(home: &Home, target: &Target) -> Result<(), OwnerError> {
    if target.is_in_home() {
        return Ok(());
    }
    match (remembered(home), owner(target)?) {
        (Some(ours), Some(owner)) if ours != owner => Err(another(target)),
        _ => Ok(()),
    }
}

fn another(target: &Target) -> OwnerError {
    OwnerError::Another {
        target: target.name().to_owned(),
    }
}

fn owner(target: &Target) -> Result<Option<String>, OwnerError> {
    let text = match target.get(KEY) {
        Ok(text) => text,
        Err(error) if error.kind() == Kind::Missing => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    match serde_json::from_slice::<Owner>(&text) {
        Ok(owner) => Ok(Some(owner.home)),
        Err(_) => Err(OwnerError::Odd {
            target: target.name().to_owned(),
        }),
    }
}

fn remember(home: &Home, name: &str) -> io::Result<()> {
    if remembered(home).as_deref() == Some(name) {
        return Ok(());
    }
    fs::create_dir_all(home.backup_spool())?;
    let path = home.backup_spool().join(REMEMBERED);
    fsx::write_atomic(&path, name.as_bytes(), Mode::Private)
}

fn remembered(home: &Home) -> Option<String> {
    fs::read_to_string(home.backup_spool().join(REMEMBERED)).ok()
}

#[cfg(test)]
mod tests;
