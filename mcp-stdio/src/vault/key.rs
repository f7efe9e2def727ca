//! The master key and its text.
//!
//! Here: 256 random bits, the text form with a checksum (`odmk1…`), the passphrase form, the key id. Not here: where a text comes from
//! (`source`), and how a passphrase becomes a key (`passphrase`). A text that is neither form is an error: taking it for a passphrase
//! would turn every slip of the keyboard into a new, empty and weak vault.

use std::fmt;

use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32m, Hrp};
use shared::secret::Secret;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use super::derive::{self, Key};
use super::passphrase::{self, Weak};

/// What the text of a random key begins with: the human-readable part and bech32's separator.
const PREFIX: &str = "odmk1";

/// The human-readable part alone.
const HRP: &str = "odmk";

/// What the text of a passphrase begins with.
const PASSPHRASE_PREFIX: &str = "passphrase:";

/// Length of a random key's text: prefix, 52 characters of five bits each for 32 bytes, 6 of checksum.
const TEXT_CHARS: usize = PREFIX.len() + 52 + 6;

/// 256 secret bits from which everything else is derived. Overwritten when dropped; printed, copied and serialised by nobody:
///
/// ```compile_fail,E0277
/// let key = mcp_stdio::vault::MasterKey::generate();
/// println!("{key:?}");
/// ```
///
/// ```compile_fail,E0277
/// let key = mcp_stdio::vault::MasterKey::generate();
/// println!("{key}");
/// ```
///
/// ```compile_fail,E0599
/// let key = mcp_stdio::vault::MasterKey::generate();
/// let copy = key.clone();
/// ```
///
/// ```compile_fail,E0277
/// let key = mcp_stdio::vault::MasterKey::generate();
/// let text = serde_json::to_string(&key);
/// ```
///
/// Its text is asked for on purpose:
///
/// ```
/// let key = mcp_stdio::vault::MasterKey::generate();
/// assert!(key.to_text().expose().starts_with("odmk1"));
/// assert_eq!(key.to_text().to_string(), "[secret]");
/// ```
pub struct MasterKey(Key);

impl MasterKey {
    /// A new one from the operating system's randomness.
    #[must_use]
    pub fn generate() -> MasterKey {
        MasterKey(derive::random())
    }

    /// Of known bits: what a passphrase was stretched to, or what a text holds.
    pub(super) fn from_bytes(bytes: Key) -> MasterKey {
        MasterKey(bytes)
    }

    /// For key derivation.
    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// `odmk1…`: 63 characters in which any slip of up to four is found.
    #[must_use]
    pub fn to_text(&self) -> Secret {
        let hrp = Hrp::parse(HRP).expect("four lower-case letters");
        // Of the final length from the start: a string that grows leaves copies behind.
        let mut text = String::with_capacity(TEXT_CHARS);
        bech32::encode_to_fmt::<Bech32m, _>(&mut text, hrp, self.0.as_slice())
            .expect("32 bytes fit, and a string takes what is written");
        Secret::new(text)
    }

    /// Tells one key from another, and gives nothing away.
    #[must_use]
    pub fn id(&self) -> KeyId {
        let bits = derive::expand(self.bytes(), None, &derive::info_of_key_id());
        KeyId(bits[..8].iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// Sixteen hex digits that say which master key it is: the same on every machine. Not secret; the tenant that a key opens is found by it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(String);

impl KeyId {
    /// As stored and shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As read from a tenant's row.
    pub(super) fn from_stored(text: &str) -> KeyId {
        KeyId(text.to_owned())
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a source holds: a key, or words from which one is stretched with a tenant's salt.
pub enum KeyText {
    /// `odmk1…`.
    Random(MasterKey),
    /// `passphrase:…`, without that word.
    Passphrase(Secret),
}

impl KeyText {
    /// Reads either form; white space around it is dropped.
    ///
    /// # Errors
    /// [`KeyTextError`] says what is wrong without repeating any of it.
    pub fn parse(text: &Secret) -> Result<KeyText, KeyTextError> {
        let text = text.expose().trim();
        if text.is_empty() {
            return Err(KeyTextError::Empty);
        }
        if let Some(words) = text.strip_prefix(PASSPHRASE_PREFIX) {
            let words = words.trim();
            passphrase::check(words)?;
            return Ok(KeyText::Passphrase(Secret::new(words.to_owned())));
        }
        match text.get(..PREFIX.len()) {
            Some(start) if start.eq_ignore_ascii_case(PREFIX) => decode(text).map(KeyText::Random),
            _ => Err(KeyTextError::NeitherForm),
        }
    }

    /// The text as a source holds it: what `parse` takes.
    #[must_use]
    pub fn to_text(&self) -> Secret {
        match self {
            KeyText::Random(key) => key.to_text(),
            KeyText::Passphrase(words) => {
                let mut text =
                    String::with_capacity(PASSPHRASE_PREFIX.len() + words.expose().len());
                text.push_str(PASSPHRASE_PREFIX);
                text.push_str(words.expose());
                Secret::new(text)
            }
        }
    }

    /// Whether two sources hold the same; takes the same time either way.
    pub(super) fn is_same(&self, other: &KeyText) -> bool {
        let (one, two) = (self.to_text(), other.to_text());
        one.expose()
            .as_bytes()
            .ct_eq(two.expose().as_bytes())
            .into()
    }
}

/// Why a text is no key. Never holds the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyTextError {
    /// Nothing, or only white space.
    #[error("it is empty")]
    Empty,
    /// Neither `odmk1…` nor `passphrase:…`.
    #[error(
        "it is neither a key (`odmk1` and 58 more letters and digits) nor `passphrase:` and your words"
    )]
    NeitherForm,
    /// It begins like a key and its checksum does not fit.
    #[error("its checksum is wrong: a character is missing, added or different")]
    Checksum,
    /// It is well formed and holds another number of bits.
    #[error("it does not hold 256 bits")]
    Length,
    /// The passphrase could be guessed.
    #[error("{0}")]
    Weak(#[from] Weak),
}

fn decode(text: &str) -> Result<MasterKey, KeyTextError> {
    let checked = CheckedHrpstring::new::<Bech32m>(text).map_err(|_| KeyTextError::Checksum)?;
    let mut bytes: Key = Zeroizing::new([0; 32]);
    let mut held = 0;
    for byte in checked.byte_iter() {
        let place = bytes.get_mut(held).ok_or(KeyTextError::Length)?;
        *place = byte;
        held += 1;
    }
    if held != bytes.len() {
        return Err(KeyTextError::Length);
    }
    Ok(MasterKey(bytes))
}

/// A text of exactly these bytes, without a copy left behind by a growing or shrinking string.
pub(super) fn secret_text(bytes: &[u8]) -> Option<Secret> {
    std::str::from_utf8(bytes)
        .ok()
        .map(|text| Secret::new(text.to_owned()))
}

/// Overwrites what a library handed back.
pub(super) fn wipe(mut bytes: Vec<u8>) {
    bytes.zeroize();
}

#[cfg(test)]
mod tests;
