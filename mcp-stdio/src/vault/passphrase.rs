//! From words to a key: Argon2id, and which words are strong enough.
//!
//! Here: the parameters as they are stored beside the salt, their reading with bounds, and the strength rule. Not here: random keys, which
//! need none of this. Stretching takes 19 MiB and some 20 ms; a process does it once.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use shared::secret::Secret;
use zeroize::Zeroizing;

use super::derive::Key;
use super::key::MasterKey;

/// The fewest characters of a passphrase. Four or five unrelated words have more.
const FEWEST_CHARS: usize = 16;

/// The fewest different ones among them: `aaaaaaaaaaaaaaaa` is long and no secret.
const FEWEST_DISTINCT: usize = 8;

/// The most memory that a stored row may make a process use, in KiB (256 MiB): whoever can edit the row must not be able to hang us.
const MOST_MEMORY_KIB: u32 = 256 * 1024;

/// The most passes and lanes, for the same reason.
const MOST_PASSES: u32 = 16;

/// Why words are not taken. Never holds them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Weak {
    /// Too few characters.
    #[error("a passphrase has at least {FEWEST_CHARS} characters, this one has {0}")]
    Short(usize),
    /// The same few characters over and over.
    #[error("a passphrase has at least {FEWEST_DISTINCT} different characters, this one has {0}")]
    Monotonous(usize),
    /// A line break or another control character: two terminals would not give the same.
    #[error("a passphrase is one line without control characters")]
    ControlCharacter,
}

/// Whether words are strong enough to guard a vault, or an export of its key.
///
/// # Errors
/// [`Weak`] says what is missing.
pub fn check(words: &str) -> Result<(), Weak> {
    if words.chars().any(char::is_control) {
        return Err(Weak::ControlCharacter);
    }
    let mut chars: Vec<char> = words.chars().collect();
    let length = chars.len();
    if length < FEWEST_CHARS {
        return Err(Weak::Short(length));
    }
    chars.sort_unstable();
    chars.dedup();
    if chars.len() < FEWEST_DISTINCT {
        return Err(Weak::Monotonous(chars.len()));
    }
    Ok(())
}

/// How words are stretched: stored with each tenant, so that it can be made dearer for new ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretching {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Stretching {
    /// OWASP's password storage cheat sheet, 2026: 19 MiB, two passes, one lane.
    pub(super) const CURRENT: Stretching = Stretching {
        memory_kib: 19_456,
        passes: 2,
        lanes: 1,
    };

    /// As stored: `argon2id$v=19$m=19456,t=2,p=1`.
    pub(super) fn to_stored(self) -> String {
        format!(
            "argon2id$v=19$m={},t={},p={}",
            self.memory_kib, self.passes, self.lanes
        )
    }

    /// `None` for another algorithm and for numbers that would exhaust this machine.
    pub(super) fn from_stored(text: &str) -> Option<Stretching> {
        let mut numbers = text.strip_prefix("argon2id$v=19$")?.split(',');
        let mut number =
            |name: &str| -> Option<u32> { numbers.next()?.strip_prefix(name)?.parse().ok() };
        let stretching = Stretching {
            memory_kib: number("m=")?,
            passes: number("t=")?,
            lanes: number("p=")?,
        };
        let bounded = stretching.memory_kib <= MOST_MEMORY_KIB
            && stretching.passes <= MOST_PASSES
            && stretching.lanes <= MOST_PASSES;
        let known = bounded && numbers.next().is_none() && stretching.params().is_some();
        known.then_some(stretching)
    }

    /// The master key of these words under a tenant's salt; `None` for a salt of under eight bytes.
    pub(super) fn stretch(self, words: &Secret, salt: &[u8]) -> Option<MasterKey> {
        let params = self.params()?;
        let blocks = vec![Block::default(); params.block_count()];
        // The library gives its memory back as it is; ours is overwritten.
        let mut memory = Zeroizing::new(blocks);
        let mut key: Key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(
                words.expose().as_bytes(),
                salt,
                key.as_mut_slice(),
                memory.as_mut_slice(),
            )
            .ok()?;
        Some(MasterKey::from_bytes(key))
    }

    fn params(self) -> Option<Params> {
        Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).ok()
    }
}

#[cfg(test)]
mod tests;
