//! The envelope of everything that leaves the machine: zstd, and age around it.
//!
//! Here: to whom things are encrypted ([`Recipients`]), a writer and a reader that never hold more than a few megabytes; in `identities`, who
//! can open them. The file is exactly what the commands `zstd` and `age` make of it, so that anybody can open it without us. These two are
//! the only files of the sidecar that know the library; they never see the keys that protect the shop's API keys.

mod identities;

use std::fmt;
use std::io::{self, BufReader, Read, Write};
use std::path::PathBuf;

use age::x25519;
use age::{DecryptError, Decryptor, Encryptor};

pub use identities::{Identities, IdentityFile, Protected};

/// zstd's own default: a fifth of the size of a state file at some 300 MB/s, with a window of 2 MiB.
const LEVEL: i32 = 3;
/// The largest window that is accepted when reading, 8 MiB (what `zstd -19` makes): a hostile file must not choose our memory.
const WINDOW_LOG_MAX: u32 = 23;
/// How every secret key of `age` begins, in capitals.
const SECRET_KEY: &str = "AGE-SECRET-KEY-";

/// Why something could not be sealed or opened. No variant holds a key.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// One of the public keys is none.
    #[error(
        "recipient {place} is not a public key of age: {why}; hint: copy the line that begins with `age1` as `age-keygen` printed it"
    )]
    Recipient {
        /// Which one, counted from 1.
        place: usize,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A secret key stands where a public one belongs.
    #[error(
        "recipient {place} is a secret key, which belongs to whoever restores; hint: take it out and make a new pair with `age-keygen`, because settings are read by others"
    )]
    SecretRecipient {
        /// Which one, counted from 1.
        place: usize,
    },
    /// The identity file cannot be read.
    #[error("cannot read the identity file `{}`", path.display())]
    IdentityFile {
        /// Where it should be.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The identity file is open to others.
    #[error(
        "the identity file `{}` can be read by others; hint: `chmod 600 {}`", path.display(), path.display()
    )]
    OpenToOthers {
        /// Which file.
        path: PathBuf,
    },
    /// The identity file is encrypted itself, and there is nobody to ask for the passphrase.
    #[error(
        "the identity file `{}` is protected by a passphrase, and nobody can be asked for it; \
         hint: a command that runs on a terminal asks, `--passphrase-file FILE` answers; the sidecar itself needs an identity without one", path.display()
    )]
    Passphrase {
        /// Which file.
        path: PathBuf,
    },
    /// Another passphrase protects the identity file.
    #[error(
        "the passphrase does not open the identity file `{}`; hint: it is the one that was given when `age -p` made the file", path.display()
    )]
    WrongPassphrase {
        /// Which file.
        path: PathBuf,
    },
    /// The identity file is encrypted to a key.
    #[error(
        "the identity file `{0}` is encrypted, and not to a passphrase; hint: decrypt it first, `age -d -i KEY {0} > identity.key`", path.display()
    )]
    SealedToKey {
        /// Which file.
        path: PathBuf,
    },
    /// The identity file is encrypted, and is no longer what was written.
    #[error(
        "the identity file `{}` cannot be opened: {why}; hint: take another copy of it", path.display()
    )]
    IdentityDamaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The identity file holds something else.
    #[error(
        "line {line} of the identity file `{}` is no secret key of age; hint: it should be as `age-keygen -o FILE` wrote it", path.display()
    )]
    NoKey {
        /// Which file.
        path: PathBuf,
        /// Which line, counted from 1; one behind the last if there is no key at all.
        line: usize,
    },
    /// It is encrypted and nobody said with what to open it.
    #[error("it is encrypted; hint: say where the secret key is with `--identity FILE`")]
    NoIdentity,
    /// None of the keys opens it.
    #[error(
        "it was encrypted to other keys than those given; hint: its manifest names the public keys, `age-keygen -y FILE` prints yours"
    )]
    WrongIdentity,
    /// It ends early, was changed, or was never such a file.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// The file cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The public keys to encrypt to. None means: compress only.
#[derive(Clone)]
pub struct Recipients(Vec<x25519::Recipient>);

impl Recipients {
    /// Reads public keys (`age1…`).
    ///
    /// # Errors
    /// The first that is none, by its place; the text itself is never in the message, it may be a secret key.
    pub fn parse(keys: &[String]) -> Result<Recipients, SealError> {
        let one = |(index, key): (usize, &String)| {
            let place = index + 1;
            if key.to_ascii_uppercase().starts_with(SECRET_KEY) {
                return Err(SealError::SecretRecipient { place });
            }
            key.parse()
                .map_err(|why| SealError::Recipient { place, why })
        };
        keys.iter()
            .enumerate()
            .map(one)
            .collect::<Result<_, _>>()
            .map(Recipients)
    }

    /// Nobody: what is sealed is compressed only.
    #[must_use]
    pub fn none() -> Recipients {
        Recipients(Vec::new())
    }

    /// These and one more, made for the moment, whose secret half is given back: with it, whoever encrypts can open what was written once
    /// more before forgetting it. Nothing to add when nothing is encrypted.
    #[must_use]
    pub fn and_one_to_check_with(&self) -> (Recipients, Option<Identities>) {
        if self.is_empty() {
            return (self.clone(), None);
        }
        let identity = x25519::Identity::generate();
        let mut keys = self.0.clone();
        keys.push(identity.to_public());
        (Recipients(keys), Some(Identities(vec![identity])))
    }

    /// Whether nothing is encrypted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The public keys, fit to be shown.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}

impl fmt::Debug for Recipients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

/// How the name of something sealed to these ends: `zst.age`, or `zst` when nothing is encrypted.
#[must_use]
pub fn extension(recipients: &Recipients) -> &'static str {
    if recipients.is_empty() {
        "zst"
    } else {
        "zst.age"
    }
}

/// Compresses, then encrypts, what is written into it. Nothing is complete before [`SealWriter::finish`].
pub struct SealWriter<W: Write>(Layers<W>);

enum Layers<W: Write> {
    Compressed(zstd::Encoder<'static, W>),
    Encrypted(Box<zstd::Encoder<'static, age::stream::StreamWriter<W>>>),
}

/// Begins something sealed. The writer should be buffered: age writes pieces of 64 KiB.
///
/// # Errors
/// The first bytes cannot be written.
pub fn writer<W: Write>(out: W, recipients: &Recipients) -> io::Result<SealWriter<W>> {
    if recipients.is_empty() {
        return Ok(SealWriter(Layers::Compressed(compressor(out)?)));
    }
    let keys = recipients.0.iter().map(|key| key as &dyn age::Recipient);
    let encryptor = Encryptor::with_recipients(keys).map_err(io::Error::other)?;
    let sealed = compressor(encryptor.wrap_output(out)?)?;
    Ok(SealWriter(Layers::Encrypted(Box::new(sealed))))
}

fn compressor<W: Write>(out: W) -> io::Result<zstd::Encoder<'static, W>> {
    let mut encoder = zstd::Encoder::new(out, LEVEL)?;
    // Without encryption this is what notices a changed byte, also when the file is opened without its manifest.
    encoder.include_checksum(true)?;
    Ok(encoder)
}

impl<W: Write> SealWriter<W> {
    /// Writes the end, without which nothing can be opened, and gives the output back.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(self) -> io::Result<W> {
        match self.0 {
            Layers::Compressed(encoder) => encoder.finish(),
            Layers::Encrypted(encoder) => encoder.finish()?.finish(),
        }
    }
}

impl<W: Write> Write for SealWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Layers::Compressed(encoder) => encoder.write(bytes),
            Layers::Encrypted(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Layers::Compressed(encoder) => encoder.flush(),
            Layers::Encrypted(encoder) => encoder.flush(),
        }
    }
}

impl<W: Write> fmt::Debug for SealWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Layers::Compressed(_) => "SealWriter(zstd)",
            Layers::Encrypted(_) => "SealWriter(zstd, age)",
        })
    }
}

/// Opens something sealed. Only who has read to the end without an error knows that it is whole: turn errors while reading into a
/// [`SealError`] with [`read_error`].
///
/// # Errors
/// No key, another key, or not such a file.
pub fn reader<'a, R: Read + 'a>(
    input: R,
    encrypted: bool,
    identities: Option<&Identities>,
) -> Result<Box<dyn Read + 'a>, SealError> {
    if !encrypted {
        return Ok(Box::new(decompressor(BufReader::new(input))?));
    }
    let identities = identities.ok_or(SealError::NoIdentity)?;
    let decryptor = Decryptor::new_buffered(BufReader::new(input)).map_err(decrypt_error)?;
    let keys = identities.0.iter().map(|key| key as &dyn age::Identity);
    let opened = decryptor.decrypt(keys).map_err(decrypt_error)?;
    Ok(Box::new(decompressor(BufReader::new(opened))?))
}

fn decompressor<R: io::BufRead>(input: R) -> io::Result<zstd::Decoder<'static, R>> {
    let mut decoder = zstd::Decoder::with_buffer(input)?;
    decoder.window_log_max(WINDOW_LOG_MAX)?;
    Ok(decoder)
}

fn decrypt_error(error: DecryptError) -> SealError {
    match error {
        DecryptError::NoMatchingKeys => SealError::WrongIdentity,
        DecryptError::Io(error) => read_error(error),
        other => SealError::Damaged(other.to_string()),
    }
}

/// What an error while reading means: damage when the content is wrong or ends early, else what the system said.
#[must_use]
pub fn read_error(error: io::Error) -> SealError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => SealError::Damaged("it ends early".to_owned()),
        // age says the first, zstd the second; neither comes with a number of the system.
        io::ErrorKind::InvalidData | io::ErrorKind::Other if error.raw_os_error().is_none() => {
            SealError::Damaged(error.to_string())
        }
        _ => SealError::Io(error),
    }
}

#[cfg(test)]
mod tests;
