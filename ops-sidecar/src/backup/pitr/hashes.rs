//! The pages of one moment, as sixteen bytes each, and the root that stands for all of them.
//!
//! Hashes are keyed with a random key of the line: who cannot open the line's objects cannot make a page, or a series of increments, that
//! fits to them. Two tables with the same root are the same image of the database; an increment names the root it starts from and the
//! root it leads to, which is how a rebuild proves every step.

use blake3::Hash;

/// Of one page: 128 bits, keyed, are enough that nobody finds a second page for one.
pub(super) type PageHash = [u8; 16];

/// The key of a line's hashes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Key([u8; 32]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}

impl Key {
    /// A fresh one.
    ///
    /// # Errors
    /// The system has no randomness to give.
    pub(super) fn random() -> Result<Key, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Key(bytes))
    }

    /// As text, for the inside of an object.
    #[must_use]
    pub(super) fn to_hex(self) -> String {
        Hash::from_bytes(self.0).to_hex().to_string()
    }

    /// From text.
    #[must_use]
    pub(super) fn from_hex(text: &str) -> Option<Key> {
        Some(Key(*Hash::from_hex(text).ok()?.as_bytes()))
    }

    /// The hash of one page, or of several that follow each other.
    #[must_use]
    pub(super) fn hash(&self, bytes: &[u8]) -> PageHash {
        let mut short = [0; 16];
        short.copy_from_slice(&blake3::keyed_hash(&self.0, bytes).as_bytes()[..16]);
        short
    }
}

/// One moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    page_size: u32,
    /// By page number, less one. The page that SQLite keeps for its locks has zeros.
    hashes: Vec<PageHash>,
}

impl Table {
    /// A database of `pages` pages of which none is known yet.
    #[must_use]
    pub(super) fn empty(page_size: u32, pages: u32) -> Table {
        Table {
            page_size,
            hashes: vec![[0; 16]; pages as usize],
        }
    }

    /// A table read back from where it was stored.
    #[must_use]
    pub(super) fn of_hashes(page_size: u32, hashes: Vec<PageHash>) -> Table {
        Table { page_size, hashes }
    }

    /// Number of pages.
    #[must_use]
    pub(super) fn pages(&self) -> u32 {
        u32::try_from(self.hashes.len()).unwrap_or(u32::MAX)
    }

    /// Bytes per page.
    #[must_use]
    pub(super) fn page_size(&self) -> u32 {
        self.page_size
    }

    /// All hashes, in order.
    #[must_use]
    pub(super) fn hashes(&self) -> &[PageHash] {
        &self.hashes
    }

    /// The hash of one page, if there is such a page.
    #[must_use]
    pub(super) fn get(&self, number: u32) -> Option<PageHash> {
        let place = (number as usize).checked_sub(1)?;
        self.hashes.get(place).copied()
    }

    /// Notes one page; `false` when there is no such page.
    pub(super) fn set(&mut self, number: u32, hash: PageHash) -> bool {
        let place = (number as usize).checked_sub(1);
        match place.and_then(|place| self.hashes.get_mut(place)) {
            Some(slot) => {
                *slot = hash;
                true
            }
            None => false,
        }
    }

    /// The database grows or shrinks.
    pub(super) fn resize(&mut self, pages: u32) {
        self.hashes.resize(pages as usize, [0; 16]);
    }

    /// What stands for all of it.
    #[must_use]
    pub(super) fn root(&self, key: &Key) -> Hash {
        let mut hasher = blake3::Hasher::new_keyed(&key.0);
        hasher.update(&self.page_size.to_le_bytes());
        hasher.update(&self.pages().to_le_bytes());
        hasher.update(self.hashes.as_flattened());
        hasher.finalize()
    }

    /// Numbers of the pages that are not as they were `before`, ascending; without one, all that can be read.
    pub(super) fn changed<'a>(
        &'a self,
        before: Option<&'a Table>,
    ) -> impl Iterator<Item = u32> + 'a {
        let lock = lock_page(self.page_size);
        let known = move |place: usize| before.and_then(|before| before.hashes.get(place));
        self.hashes
            .iter()
            .enumerate()
            .filter(move |(place, hash)| known(*place) != Some(hash))
            .map(|(place, _)| u32::try_from(place + 1).unwrap_or(u32::MAX))
            .filter(move |number| *number != lock)
    }
}

/// The page in which SQLite's locks live, at 1 GiB: it never holds data, and nobody can read it.
#[must_use]
pub(super) fn lock_page(page_size: u32) -> u32 {
    0x4000_0000 / page_size.max(1) + 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn table(key: &Key, pages: &[u8]) -> Table {
        let mut table = Table::empty(512, u32::try_from(pages.len()).unwrap());
        for (number, page) in (1..).zip(pages) {
            assert!(table.set(number, key.hash(&[*page; 512])));
        }
        table
    }

    #[test]
    fn a_page_outside_is_refused_and_number_zero_is_none() {
        let mut table = Table::empty(4096, 2);
        assert!(!table.set(0, [1; 16]));
        assert!(!table.set(3, [1; 16]));
        assert!(table.set(2, [1; 16]));
    }

    #[test]
    fn another_key_gives_other_hashes_and_another_root() {
        let (one, two) = (Key::random().unwrap(), Key::random().unwrap());
        assert_ne!(one.hash(b"page"), two.hash(b"page"));
        let table = table(&one, &[1, 2]);
        assert_ne!(table.root(&one), table.root(&two));
        assert_eq!(Key::from_hex(&one.to_hex()), Some(one));
        assert_eq!(Key::from_hex("short"), None);
    }

    #[test]
    fn the_size_of_a_page_is_part_of_the_root() {
        let key = Key::random().unwrap();
        assert_ne!(
            Table::empty(512, 3).root(&key),
            Table::empty(1024, 3).root(&key)
        );
    }

    proptest! {
        #[test]
        fn roots_are_equal_exactly_when_all_pages_are(a in proptest::collection::vec(0u8..4, 0..8), b in proptest::collection::vec(0u8..4, 0..8)) {
            let key = Key::random().unwrap();
            prop_assert_eq!(table(&key, &a).root(&key) == table(&key, &b).root(&key), a == b);
        }

        #[test]
        fn what_changed_brings_one_table_to_the_other(a in proptest::collection::vec(0u8..4, 0..8), b in proptest::collection::vec(0u8..4, 0..8)) {
            let key = Key::random().unwrap();
            let (mut before, after) = (table(&key, &a), table(&key, &b));
            let changed: Vec<u32> = after.changed(Some(&before)).collect();
            before.resize(after.pages());
            for number in changed {
                before.set(number, after.hashes()[number as usize - 1]);
            }
            prop_assert_eq!(before, after);
        }
    }
}
