//! What goes, what stays, and what an interruption leaves.

use std::time::{Duration, Instant};

use super::*;
use crate::backup::make::tests::desk::{Desk, SECOND};
use crate::backup::make::tests::faulty::Fault;
use crate::backup::retention::Keep;

const HOUR: Duration = Duration::from_secs(3600);

/// Three good backups, an hour after each other, and a rule for one.
fn three() -> (Desk, Vec<BackupId>) {
    let mut desk = Desk::new();
    let ids = (0..3).map(|_| desk.good()).collect();
    desk.room.settings.keep = Keep {
        last: 0,
        hourly: 1,
        daily: 0,
        weekly: 0,
        monthly: 0,
    };
    (desk, ids)
}

#[test]
fn what_no_rule_keeps_goes_from_every_target() {
    let (desk, ids) = three();
    let pruned = prune(&desk.room, false).unwrap();
    for (target, pruned) in desk.room.targets.iter().zip(&pruned) {
        assert_eq!(desk.claimed(target), ids[2..]);
        assert_eq!(desk.keys(target).len(), 2);
        assert_eq!((pruned.removed.len(), pruned.kept), (2, 1));
        assert!(pruned.bytes > 0 && pruned.error.is_none());
    }
    let again = prune(&desk.room, false).unwrap();
    assert!(again.iter().all(|pruned| pruned.removed.is_empty()));
}

#[test]
fn a_dry_run_says_the_same_and_removes_nothing() {
    let (desk, ids) = three();
    let said = prune(&desk.room, true).unwrap();
    assert_eq!(desk.claimed(&desk.room.targets[0]), ids);
    assert_eq!(said, prune(&desk.room, false).unwrap());
}

#[test]
fn a_target_that_does_not_answer_does_not_hold_up_the_other() {
    let (desk, ids) = three();
    desk.second_fails(Fault::List);
    let pruned = prune(&desk.room, false).unwrap();
    assert_eq!(pruned[0].removed.len(), 2);
    assert!(pruned[1].error.as_ref().unwrap().contains(SECOND));
    desk.stores[1].heal();
    assert_eq!(desk.claimed(&desk.room.targets[1]), ids);
}

#[test]
fn an_interruption_leaves_no_claim_without_a_file() {
    let (desk, ids) = three();
    desk.second_fails(Fault::Delete(".zst"));
    let pruned = prune(&desk.room, false).unwrap();
    assert!(pruned[1].error.is_some());
    desk.stores[1].heal();
    let second = &desk.room.targets[1];
    assert_eq!(
        desk.claimed(second),
        ids[1..],
        "the first lost its manifest"
    );
    assert!(desk.keys(second).contains(&ids[0].file_key(false)));
    // What is left of it is not touched before nobody can be uploading it any more.
    prune(&desk.room, false).unwrap();
    assert!(desk.keys(second).contains(&ids[0].file_key(false)));
}

#[test]
fn a_file_without_a_manifest_goes_after_a_day_and_not_before() {
    let desk = Desk::new();
    let target = &desk.room.targets[0];
    let orphan = BackupId::new(desk.room.clock.now_ms()).file_key(true);
    target.put(&orphan, b"half".to_vec()).unwrap();
    let stored_ms = target.list(FOLDER).unwrap()[0].modified_ms;
    let at = |age_ms: i64| {
        let now = jiff::Timestamp::from_millisecond(stored_ms + age_ms).unwrap();
        desk.clock.jump_to(now);
        prune(&desk.room, false).unwrap()[0].leftovers.clone()
    };
    assert_eq!(at(-1000), Vec::<String>::new());
    assert_eq!(at(UPLOADING_MS), Vec::<String>::new());
    assert_eq!(at(UPLOADING_MS + 1), [orphan]);
    assert_eq!(desk.keys(target), Vec::<String>::new());
}

#[test]
fn what_is_not_ours_is_left_alone() {
    let (desk, _) = three();
    let target = &desk.room.targets[0];
    let foreign = [
        "snapshots/readme.txt",
        "snapshots/20260101T000000Z-0000.json",
    ];
    for key in foreign {
        target.put(key, b"mine".to_vec()).unwrap();
    }
    desk.clock.advance(48 * HOUR);
    prune(&desk.room, false).unwrap();
    for key in foreign {
        assert_eq!(target.get(key).unwrap(), b"mine");
    }
}

#[test]
fn a_backup_whose_file_is_gone_or_cut_displaces_no_good_one() {
    for cut in [false, true] {
        let (desk, ids) = three();
        let target = &desk.room.targets[0];
        let newest = ids[2].file_key(false);
        target.delete(&newest).unwrap();
        if cut {
            target.put(&newest, b"half".to_vec()).unwrap();
        }
        prune(&desk.room, false).unwrap();
        assert_eq!(
            desk.claimed(target),
            ids[1..],
            "the second is the newest good one"
        );
    }
}

#[test]
fn a_manifest_of_a_later_version_counts_and_a_damaged_one_does_not() {
    for (manifest, counts) in [(&br#"{"format": 2}"#[..], true), (b"{}", false)] {
        let (desk, ids) = three();
        let target = &desk.room.targets[0];
        target.delete(&ids[2].manifest_key()).unwrap();
        target
            .put(&ids[2].manifest_key(), manifest.to_vec())
            .unwrap();
        prune(&desk.room, false).unwrap();
        let stays = if counts { &ids[2..] } else { &ids[1..] };
        assert_eq!(desk.claimed(target), stays);
    }
}

#[test]
fn nobody_prunes_while_a_backup_is_made() {
    let (desk, ids) = three();
    let first = &desk.room.targets[0];
    let turn = Turn::take(&desk.room.home, Duration::ZERO).unwrap();
    // A dry run removes nothing, so it need not wait.
    prune(&desk.room, true).unwrap();
    std::thread::scope(|scope| {
        let pruning = scope.spawn(|| prune(&desk.room, false));
        let since = Instant::now();
        // Ten times what it takes when nobody has the turn.
        while since.elapsed() < Duration::from_millis(500) {
            assert_eq!(desk.claimed(first), ids, "before it was its turn");
        }
        drop(turn);
        pruning.join().unwrap().unwrap();
    });
    assert_eq!(desk.claimed(first), ids[2..]);
}
