//! Secret keys: the file that they lie in, and one that is protected by a passphrase.
//!
//! Here: what `age-keygen` writes, and what `age -p` makes of it. Not here: asking for a passphrase (`cli`); a program that has nobody to ask
//! takes plain files only.

use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use age::armor::ArmoredReader;
use age::secrecy::SecretString;
use age::{DecryptError, Decryptor, scrypt, x25519};
use shared::secret::Secret;

use super::SealError;

/// An identity file is a few lines; a larger one is another file.
const FILE_MAX: u64 = 64 * 1024;
/// What `age` takes for a passphrase is 18 (a second, 256 MiB); a file that asks for more than four times as much must not hang the machine.
const MOST_WORK: u8 = 20;

/// Secret keys that open what was encrypted to their public halves.
#[derive(Clone)]
pub struct Identities(pub(super) Vec<x25519::Identity>);

/// What an identity file holds.
#[derive(Debug)]
pub enum IdentityFile {
    /// Keys, ready for use.
    Plain(Identities),
    /// Keys that a passphrase opens.
    Protected(Protected),
}

impl IdentityFile {
    /// Reads a file as `age-keygen` writes it (one or more keys, comments and empty lines between them), or as `age -p` makes it of one.
    ///
    /// # Errors
    /// The file cannot be read, is open to others, or holds something else.
    pub fn read(path: &Path) -> Result<IdentityFile, SealError> {
        let failed = |source| SealError::IdentityFile {
            path: path.to_owned(),
            source,
        };
        let file = std::fs::File::open(path).map_err(failed)?;
        if is_open_to_others(&file).map_err(failed)? {
            return Err(SealError::OpenToOthers {
                path: path.to_owned(),
            });
        }
        let content = all_of(file).map_err(failed)?;
        if is_encrypted(&content) {
            return Ok(IdentityFile::Protected(Protected {
                path: path.to_owned(),
                sealed: content,
            }));
        }
        parse(path, content).map(IdentityFile::Plain)
    }
}

impl Identities {
    /// Reads a file that needs no passphrase.
    ///
    /// # Errors
    /// As [`IdentityFile::read`], and [`SealError::Passphrase`].
    pub fn from_file(path: &Path) -> Result<Identities, SealError> {
        match IdentityFile::read(path)? {
            IdentityFile::Plain(identities) => Ok(identities),
            IdentityFile::Protected(file) => Err(file.refusal()),
        }
    }
}

impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identities({})", self.0.len())
    }
}

/// An identity file that is encrypted itself.
pub struct Protected {
    path: PathBuf,
    sealed: Vec<u8>,
}

impl fmt::Debug for Protected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Protected({})", self.path.display())
    }
}

impl Protected {
    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What to say where nobody can be asked for the passphrase.
    #[must_use]
    pub fn refusal(&self) -> SealError {
        SealError::Passphrase {
            path: self.path.clone(),
        }
    }

    /// Opens it with a passphrase. Takes a second and 256 MiB, as `age` made it.
    ///
    /// # Errors
    /// Another passphrase, a file that no passphrase opens, a damaged one, or one that holds no keys.
    pub fn open(&self, words: &Secret) -> Result<Identities, SealError> {
        let refused = |error| self.refused(error);
        let decryptor = Decryptor::new_buffered(ArmoredReader::new(&self.sealed[..]));
        let mut key = scrypt::Identity::new(SecretString::from(words.expose().to_owned()));
        key.set_max_work_factor(MOST_WORK);
        let keys = std::iter::once(&key as &dyn age::Identity);
        let opened = decryptor
            .and_then(|decryptor| decryptor.decrypt(keys))
            .map_err(refused)?;
        let content = all_of(opened).map_err(|error| refused(DecryptError::Io(error)))?;
        parse(&self.path, content)
    }

    fn refused(&self, error: DecryptError) -> SealError {
        let path = self.path.clone();
        match error {
            DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed => {
                SealError::WrongPassphrase { path }
            }
            DecryptError::NoMatchingKeys => SealError::SealedToKey { path },
            DecryptError::ExcessiveWork { .. } => SealError::IdentityDamaged {
                path,
                why: "it asks for more work than an honest one does".to_owned(),
            },
            other => SealError::IdentityDamaged {
                path,
                why: other.to_string(),
            },
        }
    }
}

/// Of its final size from the start: a buffer that grows leaves copies behind.
fn all_of(input: impl Read) -> io::Result<Vec<u8>> {
    let mut content = Vec::with_capacity(FILE_MAX as usize);
    input.take(FILE_MAX).read_to_end(&mut content)?;
    Ok(content)
}

/// As text, or as it comes without `--armor`.
fn is_encrypted(content: &[u8]) -> bool {
    let begins = |with: &[u8]| content.trim_ascii_start().starts_with(with);
    begins(b"age-encryption.org/") || begins(b"-----BEGIN AGE ENCRYPTED FILE-----")
}

fn parse(path: &Path, content: Vec<u8>) -> Result<Identities, SealError> {
    let no_key = |line| SealError::NoKey {
        path: path.to_owned(),
        line,
    };
    let text = Secret::new(String::from_utf8(content).map_err(|_| no_key(1))?);
    let mut keys = Vec::new();
    let mut lines = 0;
    for line in text.expose().lines().map(str::trim) {
        lines += 1;
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        keys.push(line.parse().map_err(|_| no_key(lines))?);
    }
    if keys.is_empty() {
        return Err(no_key(lines + 1));
    }
    Ok(Identities(keys))
}

#[cfg(unix)]
fn is_open_to_others(file: &std::fs::File) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    Ok(file.metadata()?.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_file: &std::fs::File) -> io::Result<bool> {
    Ok(false)
}
