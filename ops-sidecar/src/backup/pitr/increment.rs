//! The inside of an object: which step it is, the pages of that step, and a proof that nothing of it is missing.
//!
//! ```text
//! "orderdesk-mcp increment 1\n"
//! {"line":…,"to_ms":…,"from_ms":…,"to_root":…,…}\n        one line of JSON
//! (page number, 4 bytes little endian; the page)*         ascending
//! 0, 4 bytes
//! BLAKE3 of everything before, 32 bytes
//! ```
//!
//! Around it are zstd and age (`backup::seal`), so that the ordinary commands of both show it. Here: writing and reading this format, and
//! refusing what is not it. Not here: whether a step fits to the state it is applied to (`rebuild`).

use std::io::{self, BufRead, BufReader, Read, Write};

use blake3::Hash;
use serde::{Deserialize, Serialize};

use super::hashes::Key;
use super::name::{Line, Name};

const MAGIC: &str = "orderdesk-mcp increment 1\n";
/// A header has some 500 bytes; what is much longer is none.
const LONGEST_HEADER: u64 = 64 * 1024;

/// What an object says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The line it belongs to.
    pub line: Line,
    /// The same as its name says; whether it is encrypted is not told inside.
    pub name: Name,
    /// The key of the line's hashes.
    pub key: Key,
    /// What the state before has to be; a base needs none.
    pub from_root: Option<Hash>,
    /// What the state is afterwards.
    pub to_root: Hash,
    /// Bytes per page.
    pub page_size: u32,
    /// Size of the database afterwards, in pages.
    pub pages: u32,
    /// The restore epoch of the state file.
    pub restore_epoch: u64,
}

/// The header as it is written.
#[derive(Serialize, Deserialize)]
struct Wire {
    line: String,
    level: String,
    to_ms: i64,
    from_ms: Option<i64>,
    to_root: String,
    from_root: Option<String>,
    key: String,
    page_size: u32,
    pages: u32,
    restore_epoch: u64,
}

/// Why an object cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    /// It is not what it should be.
    #[error("{0}")]
    Bad(&'static str),
    /// It ends early or cannot be read.
    #[error("it cannot be read to its end: {0}")]
    Unreadable(#[from] io::Error),
}

/// Writes one object.
#[derive(Debug)]
pub(super) struct Encoder<W> {
    out: Hashing<W>,
    page_size: usize,
    last: u32,
}

impl<W: Write> Encoder<W> {
    /// Begins with the header.
    ///
    /// # Errors
    /// `out` refuses.
    pub(super) fn begin(out: W, header: &Header) -> io::Result<Encoder<W>> {
        let mut out = Hashing::over(out);
        out.write_all(MAGIC.as_bytes())?;
        serde_json::to_writer(&mut out, &Wire::of(header))?;
        out.write_all(b"\n")?;
        Ok(Encoder {
            out,
            page_size: header.page_size as usize,
            last: 0,
        })
    }

    /// Adds a page; pages come in ascending order.
    ///
    /// # Errors
    /// `out` refuses, or the page is not one of this database.
    pub(super) fn page(&mut self, number: u32, bytes: &[u8]) -> io::Result<()> {
        if number <= self.last || bytes.len() != self.page_size {
            return Err(io::Error::other("a page out of order, or of another size"));
        }
        self.last = number;
        self.out.write_all(&number.to_le_bytes())?;
        self.out.write_all(bytes)
    }

    /// Ends it. The caller finishes what lies below.
    ///
    /// # Errors
    /// `out` refuses.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.out.write_all(&0u32.to_le_bytes())?;
        let proof = self.out.hasher.finalize();
        self.out.inner.write_all(proof.as_bytes())?;
        Ok(self.out.inner)
    }
}

/// Reads one object. What its pages say counts only after [`Decoder::next_page`] has said `None`.
#[derive(Debug)]
pub(super) struct Decoder<R: Read> {
    input: Hashing<BufReader<R>>,
    header: Header,
    last: u32,
}

impl<R: Read> Decoder<R> {
    /// Reads the header. `is_sealed` completes its name.
    ///
    /// # Errors
    /// [`Unusable`].
    pub(super) fn open(input: R, is_sealed: bool) -> Result<Decoder<R>, Unusable> {
        let mut input = Hashing::over(BufReader::new(input));
        let magic = input.line(MAGIC.len() as u64)?;
        if magic != MAGIC.as_bytes() {
            return Err(Unusable::Bad(
                "it is no increment, or one of a newer program",
            ));
        }
        let line = input.line(LONGEST_HEADER)?;
        let header = serde_json::from_slice::<Wire>(&line)
            .ok()
            .and_then(|wire| wire.header(is_sealed))
            .ok_or(Unusable::Bad("its header is damaged"))?;
        Ok(Decoder {
            input,
            header,
            last: 0,
        })
    }

    /// What it says about itself.
    #[must_use]
    pub(super) fn header(&self) -> &Header {
        &self.header
    }

    /// The next page into `bytes`, or `None` after the last one, when all of it was found whole.
    ///
    /// # Errors
    /// [`Unusable`].
    pub(super) fn next_page(&mut self, bytes: &mut Vec<u8>) -> Result<Option<u32>, Unusable> {
        let mut number = [0; 4];
        self.input.read_exact(&mut number)?;
        let number = u32::from_le_bytes(number);
        if number == 0 {
            return self.end().map(|()| None);
        }
        if number <= self.last || number > self.header.pages {
            return Err(Unusable::Bad(
                "its pages are out of order or not of this database",
            ));
        }
        self.last = number;
        bytes.resize(self.header.page_size as usize, 0);
        self.input.read_exact(bytes)?;
        Ok(Some(number))
    }

    fn end(&mut self) -> Result<(), Unusable> {
        let proof = self.input.hasher.finalize();
        let mut told = [0; 32];
        self.input.inner.read_exact(&mut told)?;
        if proof != Hash::from_bytes(told) {
            return Err(Unusable::Bad("its content is not what was written"));
        }
        if !self.input.inner.fill_buf()?.is_empty() {
            return Err(Unusable::Bad("something follows its end"));
        }
        Ok(())
    }
}

impl Wire {
    fn of(header: &Header) -> Wire {
        Wire {
            line: header.line.to_string(),
            level: header.name.level.letter().to_string(),
            to_ms: header.name.to_ms,
            from_ms: header.name.from_ms,
            to_root: header.to_root.to_hex().to_string(),
            from_root: header.from_root.map(|root| root.to_hex().to_string()),
            key: header.key.to_hex(),
            page_size: header.page_size,
            pages: header.pages,
            restore_epoch: header.restore_epoch,
        }
    }

    /// `None` when the parts do not fit together.
    fn header(self, is_sealed: bool) -> Option<Header> {
        let from_root = match &self.from_root {
            Some(text) => Some(Hash::from_hex(text).ok()?),
            None => None,
        };
        let is_size = self.page_size.is_power_of_two() && (512..=65_536).contains(&self.page_size);
        let is_whole = from_root.is_some() == self.from_ms.is_some();
        (is_size && is_whole).then_some(())?;
        Some(Header {
            line: self.line.parse().ok()?,
            name: Name {
                to_ms: self.to_ms,
                from_ms: self.from_ms,
                level: super::level::Level::of_letter(&self.level)?,
                is_sealed,
            },
            key: Key::from_hex(&self.key)?,
            from_root,
            to_root: Hash::from_hex(&self.to_root).ok()?,
            page_size: self.page_size,
            pages: self.pages,
            restore_epoch: self.restore_epoch,
        })
    }
}

/// Hashes what passes.
#[derive(Debug)]
struct Hashing<T> {
    inner: T,
    hasher: Box<blake3::Hasher>,
}

impl<T> Hashing<T> {
    fn over(inner: T) -> Hashing<T> {
        Hashing {
            inner,
            hasher: Box::new(blake3::Hasher::new()),
        }
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<R: BufRead> Hashing<R> {
    fn read_exact(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        self.inner.read_exact(bytes)?;
        self.hasher.update(bytes);
        Ok(())
    }

    /// Up to and with the end of a line; less when it is longer than that, which the caller then takes for damage.
    fn line(&mut self, longest: u64) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        (&mut self.inner)
            .take(longest)
            .read_until(b'\n', &mut line)?;
        self.hasher.update(&line);
        Ok(line)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::level::Level;
    use super::*;

    fn header(pages: u32) -> Header {
        let key = Key::random().unwrap();
        Header {
            line: Line::start(1_795_262_400_000, None),
            name: Name {
                to_ms: 1_795_262_400_000,
                from_ms: Some(1_795_262_399_000),
                level: Level::Minute,
                is_sealed: false,
            },
            key,
            from_root: Some(blake3::hash(b"from")),
            to_root: blake3::hash(b"to"),
            page_size: 512,
            pages,
            restore_epoch: 3,
        }
    }

    fn encode(header: &Header, pages: &[(u32, u8)]) -> Vec<u8> {
        let mut encoder = Encoder::begin(Vec::new(), header).unwrap();
        for (number, fill) in pages {
            encoder.page(*number, &[*fill; 512]).unwrap();
        }
        encoder.finish().unwrap()
    }

    fn decode(bytes: &[u8]) -> Result<(Header, Vec<(u32, u8)>), Unusable> {
        let mut decoder = Decoder::open(bytes, false)?;
        let (mut pages, mut page) = (Vec::new(), Vec::new());
        while let Some(number) = decoder.next_page(&mut page)? {
            pages.push((number, page[0]));
        }
        Ok((decoder.header().clone(), pages))
    }

    #[test]
    fn an_object_comes_back() {
        let header = header(9);
        let bytes = encode(&header, &[(1, 7), (9, 8)]);
        let (read, pages) = decode(&bytes).unwrap();
        assert_eq!((read, pages), (header, vec![(1, 7), (9, 8)]));
    }

    #[test]
    fn a_step_without_pages_is_one_too() {
        let header = header(1);
        assert_eq!(
            decode(&encode(&header, &[])).unwrap(),
            (header.clone(), vec![])
        );
    }

    #[test]
    fn pages_out_of_order_are_not_written() {
        let header = header(9);
        let mut encoder = Encoder::begin(Vec::new(), &header).unwrap();
        encoder.page(2, &[0; 512]).unwrap();
        encoder.page(2, &[0; 512]).unwrap_err();
        encoder.page(3, &[0; 511]).unwrap_err();
    }

    #[test]
    fn a_page_behind_the_end_of_the_database_is_refused() {
        let bytes = encode(&header(9), &[(10, 1)]);
        assert!(matches!(decode(&bytes), Err(Unusable::Bad(_))));
    }

    #[test]
    fn every_cut_and_everything_that_follows_is_refused() {
        let bytes = encode(&header(9), &[(1, 7), (2, 7)]);
        for length in 0..bytes.len() {
            decode(&bytes[..length]).unwrap_err();
        }
        let mut longer = bytes;
        longer.push(0);
        decode(&longer).unwrap_err();
    }

    proptest! {
        #[test]
        fn any_flipped_bit_is_refused(place in any::<prop::sample::Index>(), bit in 0u8..8) {
            let mut bytes = encode(&header(9), &[(1, 7), (5, 9)]);
            let place = place.index(bytes.len());
            bytes[place] ^= 1 << bit;
            prop_assert!(decode(&bytes).is_err());
        }

        #[test]
        fn no_bytes_make_reading_fail_in_any_other_way(noise in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut bytes = MAGIC.as_bytes().to_vec();
            bytes.extend(noise);
            let _ = decode(&bytes);
        }
    }
}
