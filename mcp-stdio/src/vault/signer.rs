//! Signing audit rows, which only the tenant's key can do.
//!
//! Here: the tenant's [`Signer`]. Not here: what a row's hash covers (`shared::audit`). Every key version keeps its signing key, so
//! that rows from before a rotation can still be verified.

use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use shared::audit::Signer;

use super::derive::Purpose;
use super::tenant::Generations;

/// Signs with the newest key version, verifies with each.
#[derive(Clone)]
pub struct TenantSigner(Arc<Generations>);

impl TenantSigner {
    pub(super) fn new(generations: Arc<Generations>) -> TenantSigner {
        TenantSigner(generations)
    }
}

impl fmt::Debug for TenantSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TenantSigner(version {})", self.0.newest())
    }
}

impl Signer for TenantSigner {
    fn key_version(&self) -> u32 {
        self.0.newest()
    }

    fn mac(&self, key_version: u32, message: &[u8]) -> Option<[u8; 32]> {
        let key = self.0.key(Purpose::AuditMac, key_version)?;
        Some(hmac(key.as_slice(), message))
    }
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac =
        <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests;
