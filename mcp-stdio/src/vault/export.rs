//! A master key on its way to another machine: encrypted to a passphrase, as armoured text that the ordinary `age` command reads.
//!
//! Here: sealing and opening such a text. Not here: reading and writing files, and asking for the passphrase. What comes out of
//! `age -d` is exactly what `master.key` holds.

use std::io::Read;

use age::armor::{ArmoredReader, ArmoredWriter, Format};
use age::secrecy::SecretString;
use age::{DecryptError, Decryptor, Encryptor, scrypt};
use shared::secret::Secret;
use zeroize::Zeroizing;

use super::error::VaultError;
use super::key::{KeyText, secret_text};
use super::passphrase;

/// The base-two logarithm of scrypt's cost: what the `age` command uses, about a second and 256 MiB.
const WORK_FACTOR: u8 = 18;

/// The dearest export that is opened (four times as much): a hostile file must not hang or exhaust the machine.
const MOST_WORK: u8 = 20;

/// The most text that an export can hold; a real one has under a hundred bytes.
const MAX_BYTES: u64 = 64 * 1024;

/// Encrypts a key's text to a passphrase.
///
/// # Errors
/// [`VaultError::WeakPassphrase`] for one that could be guessed.
pub fn seal(key: &KeyText, words: &Secret) -> Result<Vec<u8>, VaultError> {
    seal_with(key, words, WORK_FACTOR)
}

/// Decrypts what [`seal`] or `age -p -a` made; the result is for [`KeyText::parse`].
///
/// # Errors
/// [`VaultError::Export`]: no export, a wrong passphrase, or one that would take too much work.
pub fn open(export: &[u8], words: &Secret) -> Result<Secret, VaultError> {
    let decryptor = Decryptor::new(ArmoredReader::new(export)).map_err(|error| refused(&error))?;
    let mut identity = scrypt::Identity::new(age_words(words));
    identity.set_max_work_factor(MOST_WORK);
    let reader = decryptor
        .decrypt(std::iter::once(&identity as &dyn age::Identity))
        .map_err(|error| refused(&error))?;
    // Of its final size from the start: a buffer that grows leaves copies behind.
    let mut text = Zeroizing::new(Vec::with_capacity(MAX_BYTES as usize + 1));
    reader
        .take(MAX_BYTES + 1)
        .read_to_end(&mut text)
        .map_err(|_| DAMAGED)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(DAMAGED);
    }
    secret_text(text.trim_ascii()).ok_or(DAMAGED)
}

fn seal_with(key: &KeyText, words: &Secret, work_factor: u8) -> Result<Vec<u8>, VaultError> {
    passphrase::check(words.expose())?;
    let mut recipient = scrypt::Recipient::new(age_words(words));
    recipient.set_work_factor(work_factor);
    let text = key.to_text();
    let mut line = Zeroizing::new(String::with_capacity(text.expose().len() + 1));
    line.push_str(text.expose());
    line.push('\n');
    Ok(encrypt(&recipient, line.as_bytes()).expect("writing to memory does not fail"))
}

fn encrypt(recipient: &scrypt::Recipient, text: &[u8]) -> std::io::Result<Vec<u8>> {
    use std::io::Write;
    let encryptor = Encryptor::with_recipients(std::iter::once(recipient as &dyn age::Recipient))
        .map_err(std::io::Error::other)?;
    let armor = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor)?;
    let mut writer = encryptor.wrap_output(armor)?;
    writer.write_all(text)?;
    writer.finish()?.finish()
}

fn age_words(words: &Secret) -> SecretString {
    SecretString::from(words.expose().to_owned())
}

const DAMAGED: VaultError = VaultError::Export {
    why: "is damaged",
    fix: "export the key again on the machine that has it",
};

fn refused(error: &DecryptError) -> VaultError {
    match error {
        DecryptError::ExcessiveWork { .. } => VaultError::Export {
            why: "asks for more work than an honest one does",
            fix: "export the key again with `mcp-stdio key export`",
        },
        DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed => VaultError::Export {
            why: "does not open with this passphrase",
            fix: "type the passphrase that was given when the key was exported",
        },
        DecryptError::NoMatchingKeys => VaultError::Export {
            why: "is not encrypted to a passphrase",
            fix: "export the key with `mcp-stdio key export`, or encrypt it with `age -p -a`",
        },
        DecryptError::InvalidHeader | DecryptError::UnknownFormat | DecryptError::Io(_) => {
            VaultError::Export {
                why: "is not one: it is no armoured age file, or only a part of one",
                fix: "give the file that `mcp-stdio key export` wrote, unchanged",
            }
        }
        _ => DAMAGED,
    }
}

#[cfg(test)]
mod tests;
