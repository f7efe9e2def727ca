//! Reading in pages: what happens between two of them, and going on where an earlier check had ended.

use super::*;
use crate::audit::tests::kit::{Keys, Kit, actor, filled, tenant};
use crate::audit::{Entry, action};

/// Reads and checks the next page, as `verify` does.
fn next(kit: &Kit, walk: &mut Walk<'_>) -> Result<bool, Bad> {
    let page = kit
        .state
        .read("test", |reading| Page::read(reading, walk))
        .unwrap();
    walk.take(&page)
}

#[test]
fn a_long_chain_is_read_in_pages() {
    let kit = Kit::new();
    let a = tenant("a");
    for (records, pages) in [(999, 1), (1, 2), (1, 2), (1_499, 3)] {
        kit.add_many(&a, records, 1);
        let mut walk = Walk::new(&a, Some(&Keys { newest: 1 }), &[]);
        let mut read = 1;
        while next(&kit, &mut walk).unwrap() {
            read += 1;
        }
        assert_eq!(read, pages, "{} records", walk.rows);
        assert_eq!(walk.last, kit.head(&a));
    }
}

#[test]
fn what_is_added_meanwhile_is_checked_as_well() {
    let kit = Kit::new();
    let a = tenant("a");
    kit.add_many(&a, 1_000, 1);
    let mut walk = Walk::new(&a, None, &[]);
    assert_eq!(next(&kit, &mut walk), Ok(true));
    kit.add_many(&a, 10, 1);
    assert_eq!(next(&kit, &mut walk), Ok(false));
    assert_eq!(walk.rows, 1_010);
}

#[test]
fn a_pruning_between_two_pages_is_no_fault() {
    for older_than_ms in [500, 1_000, 1_800, 9_000] {
        let kit = Kit::new();
        let a = tenant("a");
        kit.add_many(&a, 2_500, 1);
        let mut walk = Walk::new(&a, Some(&Keys { newest: 1 }), &[]);
        assert_eq!(next(&kit, &mut walk), Ok(true));
        prune(&kit.state, older_than_ms, &actor(), 1).unwrap();
        while next(&kit, &mut walk).expect("still sound") {}
        assert_eq!(walk.last.seq, 2_500, "pruned before {older_than_ms}");
    }
}

#[test]
fn a_cut_between_two_pages_is_a_fault() {
    let kit = Kit::new();
    let a = tenant("a");
    kit.add_many(&a, 2_500, 1);
    let mut walk = Walk::new(&a, None, &[]);
    assert_eq!(next(&kit, &mut walk), Ok(true));
    kit.attack("DELETE FROM audit WHERE tenant_id = 'a' AND seq <= 1500");
    let bad = next(&kit, &mut walk).unwrap_err();
    assert_eq!((bad.seq, bad.what), (1_001, Fault::Missing));
}

#[test]
fn going_on_from_a_sound_end_checks_what_is_new_alone() {
    let kit = filled();
    let a = tenant("a");
    let known = kit.head(&a);
    let after = |head: &Head| verify_after(&kit.state, &a, head, &[]).unwrap();
    assert_eq!((after(&known).ok, after(&known).rows), (true, 0));
    let actor = actor();
    kit.add_with(&a, &Entry::done(&actor, action::STORE_ADDED, None), 7, 2);
    let verdict = after(&known);
    assert_eq!((verdict.ok, verdict.rows), (true, 1));
    assert_eq!(verdict.head, Some(kit.head(&a)));
    assert_eq!(
        after(&Head::NONE).rows,
        7,
        "from nothing it is a whole check"
    );
    prune(&kit.state, 100, &actor, 1).unwrap();
    assert!(after(&known).ok, "pruned meanwhile");
}

#[test]
fn going_on_from_an_end_that_is_no_more_is_a_fault() {
    for (sql, what) in [
        (
            "DELETE FROM audit WHERE tenant_id = 'a' AND seq = 6",
            Fault::TailCut,
        ),
        (
            "UPDATE audit SET target = 'x' WHERE tenant_id = 'a' AND seq = 6",
            Fault::Changed,
        ),
        (
            "UPDATE audit SET hash = zeroblob(32) WHERE tenant_id = 'a' AND seq = 6",
            Fault::Changed,
        ),
    ] {
        let kit = filled();
        let known = kit.head(&tenant("a"));
        kit.attack(sql);
        let verdict = verify_after(&kit.state, &tenant("a"), &known, &[]).unwrap();
        assert_eq!(verdict.first_bad, Some(bad(6, what)), "{sql}");
    }
}
