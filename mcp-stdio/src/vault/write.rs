//! One way of changing the vault's rows.
//!
//! Here: a transaction that waits for the disk and whose end of the audit chain is noted outside of the state file. Not here: what
//! changes. A refusal rolls back everything, like an error of the file.

use shared::audit::{Chain, Head, checkpoint};
use shared::state::{Durability, State, StateError, Writing};

use super::error::VaultError;

/// Runs `work` as the only writer; what it gives beside its value is the chain that it made longer.
pub(super) fn transaction<T>(
    state: &State,
    now_ms: i64,
    work: impl FnOnce(&Writing<'_>) -> Result<(T, (Chain, Head)), VaultError>,
) -> Result<T, VaultError> {
    let mut refused = None;
    let written = state.write("vault", Durability::Full, |writing| {
        work(writing).map_err(|error| {
            refused = Some(error);
            // Only makes the transaction roll back; the caller gets what was refused.
            StateError::Moved
        })
    });
    let (value, grown) = written.map_err(|error| refused.unwrap_or_else(|| error.into()))?;
    // The sidecar notes it within a minute, too.
    if let Err(error) = checkpoint::note(state.home(), &[grown], now_ms) {
        tracing::warn!(
            "the end of the audit chain could not be noted beside the state file ({})",
            error.kind()
        );
    }
    Ok(value)
}
