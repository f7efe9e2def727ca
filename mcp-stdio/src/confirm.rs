//! A preview's token: whoever brings it back has seen what is about to happen.
//!
//! A tool that destroys something answers its first call with a preview and a token, and acts only on a second call that carries the
//! token. The token is a message authentication code over the tool, the tenant and what was shown, with a time limit; nothing is
//! stored when it is made, so the second call may reach another process. Here: making and checking tokens. Not here: what a deed is; the tool describes
//! it in words that change when anything about it changes, so that a token for one deed never stands for another.

use std::collections::HashMap;
use std::time::Duration;

use hmac::digest::KeyInit as _;
use hmac::{Hmac, Mac as _};
use jiff::Timestamp;
use parking_lot::Mutex;
use sha2::Sha256;
use shared::secret::Secret;
use zeroize::Zeroizing;

/// How long a token stands for what its preview showed: long enough to ask a person, too short to be found in an old conversation.
pub const LIFETIME: Duration = Duration::from_secs(5 * 60);

/// Keeps these tokens apart from whatever else the same key may authenticate.
const PURPOSE: &[u8] = b"orderdesk-mcp/confirm/v1";

/// Keeps the derived key apart from whatever else a store's key may authenticate.
const ENV_KEY_PURPOSE: &[u8] = b"orderdesk-mcp/confirm/env-store/v1";

const EXPIRY_BYTES: usize = 8;
const NONCE_BYTES: usize = 8;
/// Half of SHA-256: 128 bits cannot be guessed, and a model has to copy every character.
const MAC_BYTES: usize = 16;
const TOKEN_BYTES: usize = EXPIRY_BYTES + NONCE_BYTES + MAC_BYTES;

/// The key of a tenant's tokens: the same in all its processes.
pub type TokenKey = Zeroizing<[u8; 32]>;

/// The key of the tokens for the one store that comes from the environment, which has no vault: derived from the store's own key, so that it is
/// the same in all processes that may act for this store, and in no other.
#[must_use]
pub fn key_of(api_key: &Secret) -> TokenKey {
    let mut mac = Hmac::<Sha256>::new_from_slice(api_key.expose().as_bytes())
        .expect("HMAC takes a key of any length");
    mac.update(ENV_KEY_PURPOSE);
    Zeroizing::new(mac.finalize().into_bytes().into())
}

/// What would be done.
#[derive(Clone, Copy, Debug)]
pub struct Deed<'a> {
    /// The tool that would do it.
    pub tool: &'static str,
    /// For whom.
    pub tenant: &'a str,
    /// What to what, complete and unambiguous: ids and the state that the preview showed.
    pub what: &'a str,
}

/// Why a token does not count. None of these says what was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadToken {
    /// It was not made for this call: another deed, other arguments, a changed state, or no token of ours at all.
    NotForThis,
    /// Its time is over.
    Expired,
    /// It was used before; or the state file was restored since it was made, and nobody knows.
    Used,
}

/// A token that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// What it is called: random, and nothing of what was agreed to.
    pub name: String,
    /// When it was made, in milliseconds since 1970.
    pub made_ms: i64,
    /// When it would have expired.
    pub expires_ms: i64,
}

/// The tokens of one process.
#[derive(Debug, Default)]
pub struct Confirmations {
    /// What was used, until it would have expired anyway. What other processes used is known to the state file.
    used: Mutex<HashMap<[u8; NONCE_BYTES], i64>>,
}

impl Confirmations {
    /// A token for `deed`, good for [`LIFETIME`].
    ///
    /// # Errors
    /// If the system gives no random bytes.
    pub fn offer(
        &self,
        key: &TokenKey,
        deed: Deed<'_>,
        now: Timestamp,
    ) -> Result<String, getrandom::Error> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce)?;
        let expires_ms = now.as_millisecond().saturating_add(lifetime_ms());
        let mut token = Vec::with_capacity(TOKEN_BYTES);
        token.extend(expires_ms.to_be_bytes());
        token.extend(nonce);
        let tag = seal(key, deed, expires_ms, nonce).finalize().into_bytes();
        token.extend(&tag[..MAC_BYTES]);
        Ok(hex(&token))
    }

    /// Accepts the token once in this process. What it gives is to be used once among all processes ([`Agreement`]).
    ///
    /// # Errors
    /// [`BadToken`]; then nothing may be done.
    pub fn redeem(
        &self,
        key: &TokenKey,
        deed: Deed<'_>,
        token: &str,
        now: Timestamp,
    ) -> Result<Agreement, BadToken> {
        let (expires_ms, nonce, tag) = parts(token).ok_or(BadToken::NotForThis)?;
        seal(key, deed, expires_ms, nonce)
            .verify_truncated_left(&tag)
            .map_err(|_differs| BadToken::NotForThis)?;
        let now_ms = now.as_millisecond();
        if expires_ms <= now_ms {
            return Err(BadToken::Expired);
        }
        let mut used = self.used.lock();
        used.retain(|_, expires_ms| *expires_ms > now_ms);
        match used.insert(nonce, expires_ms) {
            None => Ok(Agreement {
                name: hex(&nonce),
                made_ms: expires_ms.saturating_sub(lifetime_ms()),
                expires_ms,
            }),
            Some(_) => Err(BadToken::Used),
        }
    }
}

fn lifetime_ms() -> i64 {
    i64::try_from(LIFETIME.as_millis()).unwrap_or(i64::MAX)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Each part after its length: no two deeds run together into the same bytes.
fn seal(key: &TokenKey, deed: Deed<'_>, expires_ms: i64, nonce: [u8; NONCE_BYTES]) -> Hmac<Sha256> {
    let mut seal =
        Hmac::<Sha256>::new_from_slice(key.as_slice()).expect("HMAC takes a key of any length");
    for part in [
        PURPOSE,
        deed.tool.as_bytes(),
        deed.tenant.as_bytes(),
        deed.what.as_bytes(),
        &expires_ms.to_be_bytes(),
        &nonce,
    ] {
        seal.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        seal.update(part);
    }
    seal
}

/// Expiry, nonce and code of a well-formed token.
fn parts(token: &str) -> Option<(i64, [u8; NONCE_BYTES], [u8; MAC_BYTES])> {
    let token = token.trim();
    if token.len() != 2 * TOKEN_BYTES || !token.is_ascii() {
        return None;
    }
    let bytes: Vec<u8> = (0..TOKEN_BYTES)
        .map(|at| u8::from_str_radix(token.get(2 * at..2 * at + 2)?, 16).ok())
        .collect::<Option<_>>()?;
    let (expires, rest) = bytes.split_first_chunk::<EXPIRY_BYTES>()?;
    let (nonce, rest) = rest.split_first_chunk::<NONCE_BYTES>()?;
    Some((
        i64::from_be_bytes(*expires),
        *nonce,
        *rest.first_chunk::<MAC_BYTES>()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DEED: Deed<'static> = Deed {
        tool: "stores_remove",
        tenant: "3f2a",
        what: "row-1",
    };

    fn key(byte: u8) -> TokenKey {
        Zeroizing::new([byte; 32])
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    #[test]
    fn a_token_is_good_once() {
        let tokens = Confirmations::default();
        let token = tokens.offer(&key(1), DEED, at(0)).unwrap();
        assert!(tokens.redeem(&key(1), DEED, &token, at(1)).is_ok());
        assert_eq!(
            tokens.redeem(&key(1), DEED, &token, at(2)),
            Err(BadToken::Used)
        );
    }

    #[test]
    fn a_token_is_good_in_every_process_of_the_tenant() {
        let tokens = Confirmations::default();
        let token = tokens.offer(&key(1), DEED, at(0)).unwrap();
        let elsewhere = Confirmations::default();
        let first = tokens.redeem(&key(1), DEED, &token, at(1)).unwrap();
        let second = elsewhere.redeem(&key(1), DEED, &token, at(299));
        assert_eq!(
            second,
            Ok(first),
            "by its name the state file tells that it is the same"
        );
    }

    #[test]
    fn after_five_minutes_a_token_is_nothing() {
        let tokens = Confirmations::default();
        let token = tokens.offer(&key(1), DEED, at(0)).unwrap();
        assert_eq!(
            tokens.redeem(&key(1), DEED, &token, at(300)),
            Err(BadToken::Expired)
        );
    }

    #[test]
    fn a_token_stands_for_one_deed_of_one_tenant_under_one_key() {
        let tokens = Confirmations::default();
        let token = tokens.offer(&key(1), DEED, at(0)).unwrap();
        let others = [
            Deed {
                tool: "orders_delete",
                ..DEED
            },
            Deed {
                tenant: "77bc",
                ..DEED
            },
            Deed {
                what: "row-2",
                ..DEED
            },
            // The same letters, cut elsewhere.
            Deed {
                tenant: "3f2arow",
                what: "-1",
                ..DEED
            },
        ];
        for deed in others {
            assert_eq!(
                tokens.redeem(&key(1), deed, &token, at(0)),
                Err(BadToken::NotForThis)
            );
        }
        assert_eq!(
            tokens.redeem(&key(2), DEED, &token, at(0)),
            Err(BadToken::NotForThis)
        );
        assert!(tokens.redeem(&key(1), DEED, &token, at(0)).is_ok());
    }

    #[test]
    fn the_store_of_the_environment_has_a_key_of_its_own_that_is_not_its_api_key() {
        let key = |text: &str| key_of(&Secret::new(text.to_owned()));
        assert_eq!(key("one"), key("one"));
        assert_ne!(key("one"), key("two"));
        let bare: [u8; 32] = *b"tB7xK2mQ9vLr4WzN8cYp3HsD6fGj1ZaE";
        assert_ne!(*key(std::str::from_utf8(&bare).unwrap()), bare);
    }

    #[test]
    fn every_changed_character_spoils_a_token() {
        let tokens = Confirmations::default();
        let token = tokens.offer(&key(1), DEED, at(0)).unwrap();
        for place in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[place] = if changed[place] == b'0' { b'1' } else { b'0' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(
                tokens.redeem(&key(1), DEED, &changed, at(0)),
                Err(BadToken::NotForThis),
                "at {place}"
            );
        }
    }

    #[test]
    fn what_was_used_is_forgotten_when_it_would_have_expired() {
        let tokens = Confirmations::default();
        for second in 0..100 {
            let now = at(second * 10);
            let token = tokens.offer(&key(1), DEED, now).unwrap();
            tokens.redeem(&key(1), DEED, &token, now).unwrap();
        }
        assert!(tokens.used.lock().len() <= 31);
    }

    proptest! {
        #[test]
        fn no_text_is_taken_for_a_token(text in ".{0,80}") {
            let tokens = Confirmations::default();
            prop_assert_eq!(tokens.redeem(&key(1), DEED, &text, at(0)), Err(BadToken::NotForThis));
        }
    }
}
