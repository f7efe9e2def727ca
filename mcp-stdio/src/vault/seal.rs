//! Sealing: XChaCha20-Poly1305 with a random 192-bit nonce and associated data that says which column of which row it is.
//!
//! Here: the cipher, and [`Place`]. Not here: keys and rows. With 192 random bits no two of any number of processes ever use a nonce
//! twice, and no counter is shared. What is bound by [`Place`] cannot be edited, and a seal cannot be moved to another place.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{Key as CipherKey, KeyInit, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use super::derive::{Key, SCHEMA, lp};

/// Bytes of a nonce.
const NONCE_BYTES: usize = 24;

/// Where a seal stands. All of it is bound: what is not the same when the seal is opened makes it refuse.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place<'a> {
    /// `tenants.wrapped_key`.
    Generations {
        tenant_id: &'a str,
        key_version: u32,
    },
    /// `stores.sealed_key`. The address is bound, too: a key must never go to an address that somebody edited. And the name: who names
    /// the test shop must never reach the real one, because somebody swapped the two.
    ApiKey {
        tenant_id: &'a str,
        row_id: &'a str,
        name: &'a str,
        base_url: &'a str,
        store_id: &'a str,
        key_version: u32,
    },
}

impl Place<'_> {
    fn associated_data(&self) -> Vec<u8> {
        match *self {
            Place::Generations {
                tenant_id,
                key_version,
            } => lp([
                SCHEMA,
                b"tenants",
                b"wrapped_key",
                tenant_id.as_bytes(),
                &key_version.to_be_bytes(),
            ]),
            Place::ApiKey {
                tenant_id,
                row_id,
                name,
                base_url,
                store_id,
                key_version,
            } => lp([
                SCHEMA,
                b"stores",
                b"sealed_key",
                tenant_id.as_bytes(),
                row_id.as_bytes(),
                name.as_bytes(),
                base_url.as_bytes(),
                store_id.as_bytes(),
                &key_version.to_be_bytes(),
            ]),
        }
    }
}

/// What is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sealed {
    /// Sixteen bytes longer than what was sealed.
    pub(super) bytes: Vec<u8>,
    pub(super) nonce: Vec<u8>,
}

/// It was not sealed with this key at this place, or somebody changed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken;

/// Seals under a fresh nonce: two seals of one text differ.
pub(super) fn seal(key: &Key, place: Place<'_>, text: &[u8]) -> Sealed {
    let mut nonce = [0; NONCE_BYTES];
    getrandom::fill(&mut nonce).expect("the operating system has randomness");
    seal_with(key, nonce, place, text)
}

/// Opens what was sealed at the same place.
pub(super) fn open(
    key: &Key,
    place: Place<'_>,
    sealed: &[u8],
    nonce: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Broken> {
    let nonce = <&XNonce>::try_from(nonce).map_err(|_| Broken)?;
    let aad = place.associated_data();
    let payload = Payload {
        msg: sealed,
        aad: &aad,
    };
    let opened = cipher(key).decrypt(nonce, payload);
    opened.map(Zeroizing::new).map_err(|_| Broken)
}

/// Under a given nonce: for [`seal`] and for known vectors.
fn seal_with(key: &Key, nonce: [u8; NONCE_BYTES], place: Place<'_>, text: &[u8]) -> Sealed {
    let aad = place.associated_data();
    let payload = Payload {
        msg: text,
        aad: &aad,
    };
    let bytes = cipher(key)
        .encrypt(&XNonce::from(nonce), payload)
        .expect("texts are shorter than 256 GiB");
    Sealed {
        bytes,
        nonce: nonce.to_vec(),
    }
}

fn cipher(key: &Key) -> XChaCha20Poly1305 {
    let key: &CipherKey = (&**key).into();
    XChaCha20Poly1305::new(key)
}

#[cfg(test)]
mod tests;
