//! Hashing all pages of a snapshot, as quickly as the machine can.
//!
//! Most of what a look costs is the hash, and the hash of one page keeps only a part of the processor's vector units busy. So pages are
//! hashed in runs, with one keyed hash for each, and page by page only where that of the run is not what it was at the look before. Every
//! byte of every page goes through the hash at every look: which pages changed is never taken on trust, neither from the log nor from
//! anybody's notes.

use std::sync::Arc;

use shared::state::{Snapshot, StateError};

use crate::backup::pitr::hashes::{Key, PageHash, Table};

/// Pages in a run: 64 KiB of them usually, enough for the widest vectors there are, and little to hash again where one has changed.
const RUN: usize = 16;

/// All pages of a moment, hashed; the next look leans on it.
#[derive(Debug)]
pub(in crate::backup::pitr) struct Scan {
    /// What the moment is.
    pub(in crate::backup::pitr) table: Arc<Table>,
    key: Key,
    /// One hash for each run.
    runs: Vec<PageHash>,
}

impl Scan {
    /// Hashes all pages. `before` is any earlier scan, or none: the table is the same, it only comes sooner.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(in crate::backup::pitr) fn of(
        snapshot: &Snapshot<'_>,
        key: &Key,
        before: Option<&Scan>,
    ) -> Result<Scan, StateError> {
        let mut scanning = Scanning::begin(snapshot.page_size(), snapshot.pages(), key, before);
        snapshot.each_page(&mut |number, page| {
            scanning.page(number, page);
            Ok(())
        })?;
        Ok(scanning.finish())
    }
}

/// A scan that is not at its end.
struct Scanning<'b> {
    key: Key,
    before: Option<&'b Scan>,
    table: Table,
    runs: Vec<PageHash>,
    /// The pages of the run that is being read, and their numbers.
    bytes: Vec<u8>,
    numbers: Vec<u32>,
}

impl<'b> Scanning<'b> {
    fn begin(page_size: u32, pages: u32, key: &Key, before: Option<&'b Scan>) -> Scanning<'b> {
        let comparable = |scan: &&Scan| scan.key == *key && scan.table.page_size() == page_size;
        Scanning {
            key: *key,
            before: before.filter(comparable),
            table: Table::empty(page_size, pages),
            runs: vec![[0; 16]; (pages as usize).div_ceil(RUN)],
            bytes: Vec::with_capacity(RUN * page_size as usize),
            numbers: Vec::with_capacity(RUN),
        }
    }

    /// Pages come in ascending order; the page that nobody can read is left out.
    fn page(&mut self, number: u32, page: &[u8]) {
        let is_next_run = |first: &u32| place(*first) != place(number);
        if self.numbers.first().is_some_and(is_next_run) {
            self.end_run();
        }
        self.numbers.push(number);
        self.bytes.extend_from_slice(page);
    }

    fn finish(mut self) -> Scan {
        self.end_run();
        Scan {
            table: Arc::new(self.table),
            key: self.key,
            runs: self.runs,
        }
    }

    fn end_run(&mut self) {
        let Some(first) = self.numbers.first() else {
            return;
        };
        let run = place(*first);
        let hash = self.key.hash(&self.bytes);
        let known = self
            .before
            .filter(|before| before.runs.get(run) == Some(&hash));
        let page_size = self.table.page_size() as usize;
        for (number, page) in self.numbers.iter().zip(self.bytes.chunks(page_size)) {
            // Runs of different lengths have different hashes: what the one had, the other has.
            let same = known.and_then(|before| before.table.get(*number));
            let hash = same.unwrap_or_else(|| self.key.hash(page));
            self.table.set(*number, hash);
        }
        if let Some(slot) = self.runs.get_mut(run) {
            *slot = hash;
        }
        self.numbers.clear();
        self.bytes.clear();
    }
}

/// The run of a page.
fn place(number: u32) -> usize {
    (number as usize).saturating_sub(1) / RUN
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PAGE: usize = 512;

    /// Pages that hold one byte over and over; `lacking` is never shown.
    fn scan(key: &Key, pages: &[u8], lacking: Option<u32>, before: Option<&Scan>) -> Scan {
        let count = u32::try_from(pages.len()).unwrap();
        let mut scanning = Scanning::begin(PAGE as u32, count, key, before);
        for (number, fill) in (1..).zip(pages) {
            if Some(number) != lacking {
                scanning.page(number, &[*fill; PAGE]);
            }
        }
        scanning.finish()
    }

    /// What each page hashed by itself gives.
    fn one_by_one(key: &Key, pages: &[u8], lacking: Option<u32>) -> Table {
        let mut table = Table::empty(PAGE as u32, u32::try_from(pages.len()).unwrap());
        for (number, fill) in (1..).zip(pages) {
            if Some(number) != lacking {
                table.set(number, key.hash(&[*fill; PAGE]));
            }
        }
        table
    }

    #[test]
    fn an_earlier_scan_with_another_key_or_page_size_is_no_help() {
        let (key, other) = (Key::random().unwrap(), Key::random().unwrap());
        let pages = [7; 40];
        let foreign = scan(&other, &pages, None, None);
        let seen = scan(&key, &pages, None, Some(&foreign));
        assert_eq!(*seen.table, one_by_one(&key, &pages, None));
        let mut coarse = Scanning::begin(2 * PAGE as u32, 20, &key, Some(&seen));
        for number in 1..=20 {
            coarse.page(number, &[7; 2 * PAGE]);
        }
        let coarse = coarse.finish();
        assert_eq!(coarse.table.get(1), Some(key.hash(&[7; 2 * PAGE])));
    }

    #[test]
    fn a_file_without_pages_has_a_table_without_any() {
        let key = Key::random().unwrap();
        assert_eq!(scan(&key, &[], None, None).table.pages(), 0);
    }

    proptest! {
        #[test]
        fn whatever_came_before_the_table_is_that_of_each_page_by_itself(
            looks in proptest::collection::vec(proptest::collection::vec(0u8..3, 0..70), 1..5),
            lacking in proptest::option::of(1u32..70),
        ) {
            let key = Key::random().unwrap();
            let mut before: Option<Scan> = None;
            for pages in &looks {
                let seen = scan(&key, pages, lacking, before.as_ref());
                prop_assert_eq!(&*seen.table, &one_by_one(&key, pages, lacking));
                before = Some(seen);
            }
        }

        #[test]
        fn one_page_among_many_that_stay_is_found(
            (count, place) in (1usize..200).prop_flat_map(|count| (Just(count), 0..count)), fill in 1u8..=255
        ) {
            let key = Key::random().unwrap();
            let mut pages = vec![0; count];
            let before = scan(&key, &pages, None, None);
            pages[place] = fill;
            let after = scan(&key, &pages, None, Some(&before));
            let changed: Vec<u32> = after.table.changed(Some(&before.table)).collect();
            prop_assert_eq!(changed, vec![u32::try_from(place + 1).unwrap()]);
        }
    }
}
