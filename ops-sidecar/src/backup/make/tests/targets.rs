//! The steps at a target: ship, compare, manifest, prune. The first target is fine; the second is not.

use super::desk::{FIRST, SECOND};
use super::faulty::Fault;
use super::*;

const FILE: &str = ".db.zst";
const MANIFEST: &str = ".json";

/// What each fault at the second target is blamed on.
const FAULTS: [(Fault, Step); 6] = [
    (Fault::Put(FILE), Step::Ship),
    (Fault::Get(FILE), Step::Compare),
    (Fault::Changed(FILE), Step::Compare),
    (Fault::Put(MANIFEST), Step::Manifest),
    (Fault::PutUnheard(MANIFEST), Step::Manifest),
    (Fault::Changed(MANIFEST), Step::Manifest),
];

#[test]
fn what_fails_at_one_target_is_claimed_at_the_other_only() {
    for (fault, step) in FAULTS {
        let desk = Desk::new();
        let old = desk.good();
        desk.second_fails(fault);
        let made = make(&desk.room, &Quiet).unwrap();
        assert_eq!(made.outcome, Outcome::Partial, "{fault:?}");
        assert_eq!(made.targets[0].error, None);
        assert_eq!(made.targets[1].step, Some(step), "{fault:?}");
        desk.stores[1].heal();
        let new = made.manifest.backup_id();
        assert_eq!(desk.claimed(&desk.room.targets[0]), [old.clone(), new]);
        assert_eq!(
            desk.claimed(&desk.room.targets[1]),
            std::slice::from_ref(&old),
            "{fault:?}"
        );
        assert_eq!(desk.keys(&desk.room.targets[1]).len(), 2, "{fault:?}");

        let journal = Journal::read(&desk.room.home);
        assert_eq!(journal.totals.partial, 1);
        assert_eq!(journal.last_run().unwrap().step, Some(step));
        assert_eq!(journal.last_good.unwrap().id, Some(old.to_string()));
        assert_eq!(journal.targets[FIRST].error, None);
        let second = &journal.targets[SECOND];
        assert!(second.error.as_ref().unwrap().contains(SECOND));
        assert_eq!(second.last_good_id, Some(old.to_string()));
    }
}

#[test]
fn what_fails_at_every_target_is_no_backup() {
    for (fault, step) in FAULTS {
        let desk = Desk::new();
        let old = desk.good();
        for store in &desk.stores {
            store.has(fault);
        }
        let error = make(&desk.room, &Quiet).unwrap_err();
        assert_eq!(error.step(), step, "{fault:?}: {error}");
        assert_eq!(desk.noted_step(), Some(step));
        desk.nothing_new(&[old]);
        let run = Journal::read(&desk.room.home).runs.pop().unwrap();
        assert_eq!((run.outcome, run.targets.len()), (Outcome::Failed, 2));
    }
}

#[test]
fn a_target_that_did_not_take_the_new_one_keeps_its_old_ones() {
    let mut desk = Desk::new();
    let old = [desk.good(), desk.good()];
    desk.room.settings.keep = crate::backup::retention::Keep {
        last: 1,
        ..crate::backup::retention::Keep::EVERYTHING
    };
    desk.second_fails(Fault::Put(FILE));
    let made = make(&desk.room, &Quiet).unwrap();
    assert_eq!(made.pruned.len(), 1);
    assert_eq!(desk.claimed(&desk.room.targets[0]).len(), 1);
    assert_eq!(desk.claimed(&desk.room.targets[1]), old);
}

#[test]
fn a_file_that_cannot_be_taken_back_is_still_no_backup() {
    let desk = Desk::new();
    let old = desk.good();
    desk.second_fails(Fault::Changed(FILE));
    desk.second_fails(Fault::Delete(""));
    make(&desk.room, &Quiet).unwrap();
    desk.stores[1].heal();
    assert_eq!(desk.claimed(&desk.room.targets[1]), [old]);
    assert_eq!(desk.keys(&desk.room.targets[1]).len(), 3);
}

/// The manifest may have arrived: a backup whose file went would be a lie.
#[test]
fn a_manifest_that_may_have_arrived_keeps_its_file() {
    let desk = Desk::new();
    desk.second_fails(Fault::PutUnheard(MANIFEST));
    desk.second_fails(Fault::Delete(MANIFEST));
    let made = make(&desk.room, &Quiet).unwrap();
    assert_eq!(made.outcome, Outcome::Partial);
    desk.stores[1].heal();
    assert_eq!(desk.claimed(&desk.room.targets[1]).len(), 1);
    let there = desk.room.targets[1]
        .hash(&made.manifest.file_key(), &mut |_| {})
        .unwrap();
    assert_eq!(there.bytes, made.manifest.file.bytes);
}

#[test]
fn a_target_where_pruning_fails_has_the_new_backup_all_the_same() {
    let desk = Desk::new();
    desk.good();
    desk.second_fails(Fault::List);
    let made = make(&desk.room, &Quiet).unwrap();
    assert_eq!(made.outcome, Outcome::Good);
    assert_eq!(desk.noted_step(), Some(Step::Prune));
    let journal = Journal::read(&desk.room.home);
    assert!(journal.targets[SECOND].prune_error.is_some());
    assert!(journal.targets[FIRST].prune_error.is_none());
    desk.stores[1].heal();
    assert_eq!(desk.claimed(&desk.room.targets[1]).len(), 2);
    make(&desk.room, &Quiet).unwrap();
    assert!(
        Journal::read(&desk.room.home).targets[SECOND]
            .prune_error
            .is_none()
    );
}
