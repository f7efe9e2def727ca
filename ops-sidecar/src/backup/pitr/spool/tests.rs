//! What the spool holds over restarts, and what it gives up when it is full.

use std::io::Write;
use std::path::Path;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

const BOTH: [&str; 2] = ["local", "s3://far"];

fn open(folder: &TempDir, targets: &[&str], max_bytes: u64) -> Spool {
    Spool::open(&Home::at(folder.path()), targets, max_bytes).unwrap()
}

fn line() -> Line {
    "20261121T120000Z-00ab12".parse().unwrap()
}

fn name(level: Level, to: i64) -> Name {
    let to_ms = 1_795_262_400_000 + to;
    Name {
        to_ms,
        from_ms: (level != Level::Day).then_some(to_ms - 1),
        level,
        is_sealed: false,
    }
}

fn cut(spool: &Spool, name: Name, bytes: usize, slots: &[usize]) -> Cut {
    let mut file = spool.new_file().unwrap();
    file.write_all(&vec![7; bytes]).unwrap();
    Cut {
        file,
        name,
        slots: slots.to_vec(),
    }
}

fn put(spool: &Spool, level: Level, to: i64, bytes: usize, slots: &[usize]) {
    let name = name(level, to);
    let cuts = vec![cut(spool, name, bytes, slots)];
    spool.commit(&line(), name.to_ms, cuts).unwrap();
}

fn waiting(spool: &Spool, slot: usize) -> Vec<(char, i64)> {
    let short = |(_, name): (Line, Name)| (name.level.letter(), name.to_ms - 1_795_262_400_000);
    spool.pending(slot).into_iter().map(short).collect()
}

#[test]
fn what_was_taken_in_is_there_for_each_target_until_each_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(&folder, &BOTH, 1_000);
    put(&spool, Level::Minute, 5, 10, &[0, 1]);
    for slot in [0, 1] {
        let (next, path) = spool.next(slot).unwrap();
        assert_eq!((next.bytes, fs::read(&path).unwrap().len()), (10, 10));
        spool.done(slot, &next);
        assert!(!path.exists() && spool.next(slot).is_none());
    }
    assert_eq!(spool.bytes(), 0);
}

#[test]
fn the_listing_is_all_there_is_to_know() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(&folder, &BOTH, 10_000);
    put(&spool, Level::Day, 1, 10, &[0, 1]);
    put(&spool, Level::Second, 2, 10, &[0]);
    let cuts = vec![
        cut(&spool, name(Level::Remote, 3), 10, &[1]),
        cut(&spool, name(Level::Hour, 3), 10, &[0, 1]),
    ];
    spool
        .commit(&line(), name(Level::Hour, 3).to_ms, cuts)
        .unwrap();
    let before = (
        waiting(&spool, 0),
        waiting(&spool, 1),
        spool.last(),
        spool.bytes(),
    );
    assert_eq!(
        before.1,
        [('d', 1), ('h', 3), ('t', 3)],
        "coarse before fine"
    );
    drop(spool);
    let spool = open(&folder, &BOTH, 10_000);
    let after = (
        waiting(&spool, 0),
        waiting(&spool, 1),
        spool.last(),
        spool.bytes(),
    );
    assert_eq!(before, after);
    let sorted = |mut pending: Vec<(Line, Name)>| {
        pending.sort();
        pending
    };
    let seen = pending_for(&Home::at(folder.path()), "local");
    assert_eq!(sorted(seen), sorted(spool.pending(0)));
    assert!(spool.is_suspect(0) && spool.is_suspect(1));
}

#[test]
fn the_newest_point_is_known_after_everything_was_sent() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(&folder, &BOTH, 1_000);
    for to in [1, 2, 3] {
        put(&spool, Level::Second, to, 10, &[0]);
        let (next, _) = spool.next(0).unwrap();
        spool.done(0, &next);
    }
    drop(spool);
    let spool = open(&folder, &BOTH, 1_000);
    assert_eq!(spool.last(), Some((line(), name(Level::Second, 3).to_ms)));
    assert_eq!(
        files(&folder_of(&Home::at(folder.path()))).unwrap().len(),
        1
    );
}

#[test]
fn what_a_killed_process_left_unfinished_and_what_waits_for_nobody_goes() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(&folder, &BOTH, 1_000);
    put(&spool, Level::Minute, 5, 10, &[0, 1]);
    let (_, path) = spool.new_file().unwrap().keep().unwrap();
    drop(spool);
    let spool = open(&folder, &["local"], 1_000);
    assert!(!path.exists());
    assert_eq!(waiting(&spool, 0), [('m', 5)]);
    let all = files(&folder_of(&Home::at(folder.path()))).unwrap();
    assert_eq!(all.len(), 3, "who only looks removes nothing of others");
    spool.forget_strangers();
    let left = files(&folder_of(&Home::at(folder.path()))).unwrap();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn a_full_spool_gives_up_the_finest_first_and_the_newest_base_never() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(&folder, &BOTH, 100);
    for slot in [0, 1] {
        spool.looked_at(slot, None);
    }
    put(&spool, Level::Day, 1, 30, &[1]);
    put(&spool, Level::Hour, 2, 30, &[1]);
    put(&spool, Level::Remote, 3, 30, &[1]);
    assert!(!spool.is_suspect(1));
    put(&spool, Level::Minute, 4, 30, &[1]);
    assert_eq!(waiting(&spool, 1), [('d', 1), ('h', 2), ('m', 4)]);
    assert!(spool.is_suspect(1), "it is looked at before it is trusted");
    put(&spool, Level::Hour, 5, 30, &[1]);
    assert_eq!(waiting(&spool, 1), [('d', 1), ('h', 2), ('h', 5)]);
    put(&spool, Level::Day, 6, 90, &[1]);
    assert_eq!(waiting(&spool, 1), [('d', 6)]);
    put(&spool, Level::Day, 7, 900, &[1]);
    assert_eq!(
        waiting(&spool, 1),
        [('d', 7)],
        "more than the bound, and all there is"
    );
    let view = spool.view(1);
    assert_eq!((view.pending, view.bytes, view.dropped), (1, 900, 6));
    assert!(spool.view(0).dropped == 0 && !spool.is_suspect(0));
}

#[test]
fn an_order_stands_until_it_was_carried_out() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(&folder, &BOTH, 100);
    spool.looked_at(1, Some(Level::Hour));
    assert_eq!(spool.orders(), [(1, Level::Hour)]);
    spool.ordered(&[(1, Level::Day)]);
    assert_eq!(spool.orders(), [(1, Level::Hour)], "another one meanwhile");
    spool.ordered(&[(1, Level::Hour)]);
    assert_eq!(spool.orders(), []);
    assert!(!spool.is_suspect(1) && spool.is_suspect(0));
}

#[test]
fn a_spool_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let spool = open(&folder, &BOTH, 100);
    put(&spool, Level::Second, 1, 10, &[0]);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let (_, path) = spool.next(0).unwrap();
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
}

proptest! {
    // Each case flushes the disk some hundred times.
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_bound_holds_whatever_comes_and_only_bases_pass_it(
        sizes in proptest::collection::vec((0usize..5, 1usize..50, 0usize..3), 1..60),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let spool = open(&folder, &BOTH, 100);
        for (to, (level, bytes, whom)) in (1..).zip(sizes) {
            let slots: &[usize] = [&[0][..], &[1], &[0, 1]][whom];
            put(&spool, Level::ALL[level], to, bytes, slots);
            let inner = spool.inner.lock();
            let newest = inner.queues.iter().filter_map(|queue| queue.waiting.iter().rfind(|one| one.name.is_base()));
            let bases: u64 = newest.map(|base| base.bytes).sum();
            drop(inner);
            prop_assert!(spool.bytes() <= 100.max(bases));
        }
        let told = [0, 1].map(|slot| spool.pending(slot));
        drop(spool);
        let spool = open(&folder, &BOTH, 100);
        prop_assert_eq!(told, [0, 1].map(|slot| spool.pending(slot)));
    }
}
