//! What the newest record of a change says about all stores of the tenant.
//!
//! A seal tells that its row was edited or moved. It cannot tell an older copy of a row from the current one, and a row that is gone has
//! no seal. So each record of a change to the stores carries a hash over all of the tenant's rows as that change has left them, in
//! `args_shape`. Here: that hash and the comparison, which every change makes first: a change must not cover up what it finds. Not here:
//! whether the records are sound (`shared::audit`); the comparison says nothing without that.

use sha2::{Digest, Sha256};
use shared::audit::{self as records, Actor, Bad, Chain, Entry, Fault, Outcome, action};
use shared::state::tables::audit;
use shared::state::tables::stores::{self, Row};
use shared::state::tables::tenants;
use shared::state::{Reading, StateError, Writing};

use super::derive::{SCHEMA, lp};
use super::error::VaultError;
use super::signer::TenantSigner;
use super::unlock::Vault;

/// How the shape of such a record begins.
const BEGINNING: &str = "{\"stores_after\":\"";

/// Bytes of the hash that are kept: nobody finds other rows with the same 128 bits.
const HASH_BYTES: usize = 16;

/// The shape for a record of a change that has just been made.
pub(super) fn shape(reading: &Reading<'_>, tenant_id: &str) -> Result<String, StateError> {
    let mut rows = stores::of_tenant(reading, tenant_id)?;
    // Not by name: the order in which the file gives them can be edited.
    rows.sort_by(|one, other| one.id.cmp(&other.id));
    let tenant = tenants::by_id(reading, tenant_id)?;
    let default = tenant.and_then(|tenant| tenant.default_store);
    let mut hash = Sha256::new();
    hash.update(lp([
        SCHEMA,
        b"stores-after",
        default.unwrap_or_default().as_bytes(),
    ]));
    for row in &rows {
        hash.update(everything_of(row));
    }
    let hash = hash.finalize();
    let hex: String = hash[..HASH_BYTES]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok(format!("{BEGINNING}{hex}\"}}"))
}

fn everything_of(row: &Row) -> Vec<u8> {
    lp([
        row.id.as_bytes(),
        row.name.as_bytes(),
        row.base_url.as_bytes(),
        row.store_id.as_bytes(),
        &row.sealed_key,
        &row.seal_nonce,
        &row.key_version.to_be_bytes(),
    ])
}

impl Vault {
    /// The newest record about the stores, if it has left other stores than there are now: somebody has put back, removed or edited
    /// rows behind this program. `None` also when there is no such record, or none any more.
    ///
    /// # Errors
    /// As [`Vault::tenant`].
    pub fn differs_from_records(&self) -> Result<Option<Bad>, VaultError> {
        let tenant = self.tenant()?;
        // One snapshot for both: a change that is made meanwhile is in both or in neither.
        let bad = self
            .state()?
            .read("audit_verify", |reading| differs(reading, &tenant.id));
        Ok(bad?)
    }
}

/// Records that the stores are not as they should be, if they are not: the change that is about to be made leaves a new hash, and nobody
/// would find that out any more. To be called in its transaction, before it changes anything.
pub(super) fn note_difference(
    writing: &Writing<'_>,
    tenant_id: &str,
    signer: &TenantSigner,
    actor: &Actor,
    at_ms: i64,
) -> Result<(), StateError> {
    let Some(bad) = differs(writing, tenant_id)? else {
        return Ok(());
    };
    tracing::warn!("the stores of this tenant were changed behind this program: {bad}");
    let chain = Chain::Tenant(tenant_id.to_owned());
    let number = bad.seq.to_string();
    let entry = Entry::new(
        actor,
        action::STORES_DIFFERED,
        Some(&number),
        Outcome::Unknown,
    );
    records::append(writing, &chain, &entry, at_ms, Some(signer)).map(|_| ())
}

fn differs(reading: &Reading<'_>, tenant_id: &str) -> Result<Option<Bad>, StateError> {
    let chain = Chain::Tenant(tenant_id.to_owned());
    let Some(record) = audit::last_with_shape(reading, chain.as_str(), BEGINNING)? else {
        return Ok(None);
    };
    let now = shape(reading, tenant_id)?;
    let differs = record.args_shape.as_deref() != Some(&now);
    Ok(differs.then(|| Bad {
        seq: record.seq.cast_unsigned(),
        what: Fault::StoresDiffer,
    }))
}

#[cfg(test)]
mod tests;
