//! What every target promises. One function, run over each kind of target and over servers that others have written.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::super::{Kind, Target};

/// Just above what is uploaded at once, so that it goes in two parts and comes in two ranges; neither is full.
const LARGE: usize = 5 * 1024 * 1024 + 4321;

/// Checks every promise. The target must be empty under `promises`; it is empty again afterwards.
pub(in super::super) fn every_promise_holds(target: &Target) {
    let scratch = tempfile::tempdir().unwrap();
    nothing_is_there(target);
    what_is_put_is_got(target);
    a_name_stays_with_its_bytes(target);
    files_of_every_size_come_back(target, scratch.path());
    a_file_never_replaces_another(target, scratch.path());
    fetching_makes_a_new_private_file_or_none(target, scratch.path());
    listings_are_sorted_and_whole(target);
    names_that_are_not_ours_are_refused(target);
    deleting_is_final_and_repeatable(target);
}

fn nothing_is_there(target: &Target) {
    assert_eq!(target.list("promises").unwrap(), []);
    let missing = target.get("promises/none").unwrap_err();
    assert_eq!(missing.kind(), Kind::Missing, "{missing}");
    assert!(!missing.is_transient());
    assert_eq!(
        target
            .hash("promises/none", &mut |_| {})
            .unwrap_err()
            .kind(),
        Kind::Missing
    );
}

fn what_is_put_is_got(target: &Target) {
    for bytes in [&b""[..], b"{}", &patterned(100_000)] {
        let key = format!("promises/small/{}.json", bytes.len());
        target.put(&key, bytes.to_vec()).unwrap();
        assert_eq!(target.get(&key).unwrap(), bytes);
    }
}

fn a_name_stays_with_its_bytes(target: &Target) {
    let key = "promises/small/2.json";
    // The answer to the first try was lost: storing the same again is how the caller finds out.
    target.put(key, b"{}".to_vec()).unwrap();
    for other in [&b"[]"[..], b"{ }"] {
        let taken = target.put(key, other.to_vec()).unwrap_err();
        assert_eq!(taken.kind(), Kind::Exists, "{taken}");
    }
    assert_eq!(target.get(key).unwrap(), b"{}");
}

fn files_of_every_size_come_back(target: &Target, scratch: &Path) {
    for size in [0, 1, 70_000, LARGE] {
        let bytes = patterned(size);
        let (file, back) = (scratch.join("there"), scratch.join(format!("back-{size}")));
        std::fs::write(&file, &bytes).unwrap();
        let key = format!("promises/files/{size}.db.zst");
        let (mut sent, mut came, mut read) = (0, 0, 0);
        assert_eq!(
            target.put_file(&key, &file, &mut |by| sent += by).unwrap(),
            size as u64
        );
        let fetched = target.get_to(&key, &back, &mut |by| came += by).unwrap();
        let hashed = target.hash(&key, &mut |by| read += by).unwrap();
        assert_eq!((sent, came, read), (size as u64, size as u64, size as u64));
        assert_eq!(fetched.sha256, <[u8; 32]>::from(Sha256::digest(&bytes)));
        assert_eq!((fetched, fetched.bytes), (hashed, size as u64));
        assert!(
            std::fs::read(&back).unwrap() == bytes,
            "{size} bytes came back as others"
        );
    }
}

fn a_file_never_replaces_another(target: &Target, scratch: &Path) {
    let file = scratch.join("again");
    for size in [70_000, LARGE] {
        let key = format!("promises/files/{size}.db.zst");
        let mut bytes = patterned(size);
        std::fs::write(&file, &bytes).unwrap();
        assert_eq!(
            target.put_file(&key, &file, &mut |_| {}).unwrap(),
            size as u64
        );
        // Another of the same size, then one of another size.
        bytes[size - 1] ^= 1;
        std::fs::write(&file, &bytes).unwrap();
        assert_eq!(
            target
                .put_file(&key, &file, &mut |_| {})
                .unwrap_err()
                .kind(),
            Kind::Exists
        );
        std::fs::write(&file, &bytes[1..]).unwrap();
        assert_eq!(
            target
                .put_file(&key, &file, &mut |_| {})
                .unwrap_err()
                .kind(),
            Kind::Exists
        );
        let is = target.hash(&key, &mut |_| {}).unwrap();
        assert_eq!(is.sha256, <[u8; 32]>::from(Sha256::digest(patterned(size))));
    }
}

fn fetching_makes_a_new_private_file_or_none(target: &Target, scratch: &Path) {
    let file = scratch.join("fetched");
    target
        .get_to("promises/files/1.db.zst", &file, &mut |_| {})
        .unwrap();
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let there = target
        .get_to("promises/files/1.db.zst", &file, &mut |_| {})
        .unwrap_err();
    assert_eq!(there.kind(), Kind::Exists, "{there}");
    let none = scratch.join("none");
    let missing = target
        .get_to("promises/none", &none, &mut |_| {})
        .unwrap_err();
    assert_eq!(missing.kind(), Kind::Missing, "{missing}");
    assert!(!none.exists());
}

fn listings_are_sorted_and_whole(target: &Target) {
    let items = target.list("promises").unwrap();
    let expected = [
        ("promises/files/0.db.zst", 0),
        ("promises/files/1.db.zst", 1),
        ("promises/files/5247201.db.zst", LARGE as u64),
        ("promises/files/70000.db.zst", 70_000),
        ("promises/small/0.json", 0),
        ("promises/small/100000.json", 100_000),
        ("promises/small/2.json", 2),
    ];
    let got: Vec<_> = items
        .iter()
        .map(|item| (item.key.as_str(), item.bytes))
        .collect();
    assert_eq!(got, expected);
    let year_2020 = 1_577_836_800_000;
    assert!(items.iter().all(|item| item.modified_ms > year_2020));
    assert_eq!(target.list("promises/small/").unwrap(), items[4..]);
    // A folder, not the beginning of a name.
    assert_eq!(target.list("promises/smal").unwrap(), []);
}

fn names_that_are_not_ours_are_refused(target: &Target) {
    for key in [
        "", "/a", "a/", "../a", "a/../b", ".a", "a b", "a\\b", "a%2fb",
    ] {
        for refused in [
            target.put(key, vec![1]).unwrap_err(),
            target.get(key).unwrap_err(),
            target.hash(key, &mut |_| {}).unwrap_err(),
            target.delete(key).unwrap_err(),
        ] {
            assert_eq!(refused.kind(), Kind::Other, "{refused}");
        }
    }
    assert_eq!(target.list("../promises").unwrap_err().kind(), Kind::Other);
}

/// Of several who store different bytes under one name at the same moment, one wins and the others are told.
pub(in super::super) fn one_of_many_wins(target: &Target) {
    let key = "promises/race";
    let tries = std::thread::scope(|scope| {
        let store = |by: u8| scope.spawn(move || target.put(key, vec![by; 100]));
        (0..4)
            .map(store)
            .collect::<Vec<_>>()
            .into_iter()
            .map(|one| one.join().unwrap())
            .collect::<Vec<_>>()
    });
    let won: Vec<usize> = (0..4).filter(|by| tries[*by].is_ok()).collect();
    assert_eq!(won.len(), 1, "{tries:?}");
    assert_eq!(
        target.get(key).unwrap(),
        vec![u8::try_from(won[0]).unwrap(); 100]
    );
    target.delete(key).unwrap();
}

fn deleting_is_final_and_repeatable(target: &Target) {
    for item in target.list("promises").unwrap() {
        target.delete(&item.key).unwrap();
        assert_eq!(target.get(&item.key).unwrap_err().kind(), Kind::Missing);
        target.delete(&item.key).unwrap();
    }
    assert_eq!(target.list("promises").unwrap(), []);
}

/// Bytes that differ from place to place, so that a piece in the wrong place is noticed.
pub(super) fn patterned(size: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    (0..size)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            state.to_be_bytes()[0]
        })
        .collect()
}
