//! Counting and hashing what passes by.

use std::io::{self, Read, Write};

use sha2::{Digest, Sha256};

use crate::backup::words;

/// A size and a SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) bytes: u64,
    pub(super) sha256: [u8; 32],
}

impl Sum {
    /// The hash as `sha256sum` prints it.
    pub(super) fn hex(&self) -> String {
        words::hex(&self.sha256)
    }
}

/// A reader or writer whose bytes are summed up.
pub(super) struct Summed<T> {
    inner: T,
    bytes: u64,
    hash: Sha256,
}

impl<T> Summed<T> {
    pub(super) fn new(inner: T) -> Summed<T> {
        Summed {
            inner,
            bytes: 0,
            hash: Sha256::new(),
        }
    }

    pub(super) fn finish(self) -> (T, Sum) {
        let sum = Sum {
            bytes: self.bytes,
            sha256: self.hash.finalize().into(),
        };
        (self.inner, sum)
    }

    fn add(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.hash.update(bytes);
    }
}

impl<R: Read> Read for Summed<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.add(&into[..read]);
        Ok(read)
    }
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.add(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
