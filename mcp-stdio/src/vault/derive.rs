//! Keys from keys.
//!
//! Here: HKDF-SHA256 with an info that names the product, the purpose, the tenant and the key version, so that no two uses ever share a
//! key; and the encoding that keeps such lists of parts unambiguous. Not here: sealing. Whatever is changed here makes every stored
//! seal unreadable: the tests hold fixed vectors.

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

/// The first part of every info and of all associated data: a later format gets another one.
pub(super) const SCHEMA: &[u8] = b"orderdesk-mcp/v1";

/// 256 secret bits, overwritten when dropped.
pub(super) type Key = Zeroizing<[u8; 32]>;

/// What a key is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    /// From the master key: seals a tenant's generations.
    TenantKek,
    /// From a generation: seals the API keys of stores.
    StoreSeal,
    /// From a generation: signs audit rows.
    AuditMac,
    /// From a generation: signs the tokens by which a preview is confirmed.
    RequestState,
}

impl Purpose {
    fn name(self) -> &'static [u8] {
        match self {
            Purpose::TenantKek => b"tenant-kek",
            Purpose::StoreSeal => b"store-seal",
            Purpose::AuditMac => b"audit-mac",
            Purpose::RequestState => b"request-state",
        }
    }
}

/// A key for one purpose of one tenant at one key version. The salt is the tenant's.
pub(super) fn key(
    from: &[u8; 32],
    salt: &[u8],
    purpose: Purpose,
    tenant_id: &str,
    key_version: u32,
) -> Key {
    let info = lp([
        SCHEMA,
        purpose.name(),
        tenant_id.as_bytes(),
        &key_version.to_be_bytes(),
    ]);
    expand(from, Some(salt), &info)
}

/// The info under which a master key is told from another.
pub(super) fn info_of_key_id() -> Vec<u8> {
    lp([SCHEMA, b"key-id"])
}

/// HKDF-SHA256, extract and expand, 32 bytes.
pub(super) fn expand(from: &[u8], salt: Option<&[u8]>, info: &[u8]) -> Key {
    let (mut extracted, hkdf) = Hkdf::<Sha256>::extract(salt, from);
    extracted.as_mut_slice().zeroize();
    let mut key: Key = Zeroizing::new([0; 32]);
    hkdf.expand(info, key.as_mut_slice())
        .expect("HKDF-SHA256 gives up to 8160 bytes");
    key
}

/// Each part behind its length (32 bits, big-endian): no two lists of parts give the same bytes.
pub(super) fn lp<const N: usize>(parts: [&[u8]; N]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        let length = u32::try_from(part.len()).expect("parts are ids, names and addresses");
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

/// From the operating system.
pub(super) fn random() -> Key {
    let mut key: Key = Zeroizing::new([0; 32]);
    getrandom::fill(key.as_mut_slice()).expect("the operating system has randomness");
    key
}

#[cfg(test)]
mod tests;
