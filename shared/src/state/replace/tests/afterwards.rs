//! What a restored file means for those who look at it later: the audit, writes that were under way, ended processes.

use rusqlite::Connection;

use super::kit::Kit;
use crate::audit::checkpoint::{self, Restored};
use crate::audit::{self, Chain, Fault, Head};
use crate::session::{Kind, Session};
use crate::telemetry::fold;

#[test]
fn after_a_restore_the_audit_is_sound_and_a_real_cut_is_still_found() {
    let kit = Kit::new();
    kit.record(3);
    let backup = kit.backup("at-three");
    kit.record(4);
    kit.remember();
    kit.restore(&backup, true).unwrap();
    assert_eq!(
        kit.fault(),
        None,
        "shorter than it was, and that is no fault"
    );
    kit.record(1);
    kit.remember();
    kit.cut(4);
    assert_eq!(kit.fault(), Some(Fault::TailCut));
}

#[test]
fn a_cut_below_what_was_restored_is_found_at_once() {
    let kit = Kit::new();
    kit.record(3);
    let backup = kit.backup("at-three");
    kit.restore(&backup, true).unwrap();
    kit.cut(3);
    assert_eq!(kit.fault(), Some(Fault::TailCut));
}

#[test]
fn a_file_that_was_put_back_by_hand_is_still_a_cut() {
    let kit = Kit::new();
    kit.record(3);
    let backup = kit.backup("at-three");
    kit.record(4);
    kit.remember();
    std::fs::rename(&backup, kit.home.state_db()).unwrap();
    assert_eq!(kit.fault(), Some(Fault::TailCut));
}

#[test]
fn a_restore_that_was_noted_and_not_done_covers_up_nothing() {
    let kit = Kit::new();
    kit.record(7);
    kit.remember();
    let noted = Restored {
        epoch: 1,
        heads: vec![(
            Chain::Env,
            Head {
                seq: 2,
                hash: [7; 32],
            },
        )],
        pruned: Vec::new(),
    };
    checkpoint::note_restore(&kit.home, &noted, 9_000).unwrap();
    assert_eq!(
        kit.fault(),
        None,
        "of a file that never was restored it says nothing"
    );
    kit.cut(5);
    assert_eq!(kit.fault(), Some(Fault::TailCut));
}

#[test]
fn a_backup_of_another_home_is_judged_by_its_own_history() {
    let (kit, other) = (Kit::new(), Kit::new());
    kit.record(5);
    kit.remember();
    other.record_as(9, "other");
    audit::prune(&other.open(), 4, &audit::Actor::cli(), 100).unwrap();
    kit.restore(&other.backup("foreign"), true).unwrap();
    assert_eq!(kit.fault(), None);
}

#[test]
fn the_outcome_of_a_write_that_the_restored_file_does_not_know_is_refused() {
    // No living process can come here: whoever began the write held the gate, so there was no restore until it had ended.
    let kit = Kit::new();
    let backup = kit.backup("before-the-write");
    let begun = kit.begin_a_write();
    kit.restore(&backup, true).unwrap();
    let refused = kit.end_a_write(&begun).unwrap_err();
    assert_eq!(refused.code(), "audit_refused");
}

#[test]
fn sessions_in_the_restored_file_are_dead_and_folded_as_usual() {
    let kit = Kit::new();
    let session = Session::begin(&kit.home, Kind::McpStdio, "1").unwrap();
    kit.sql(&format!(
        "INSERT INTO sessions (id, kind, pid, version, started_ms, heartbeat_ms, state_changed_ms)
            VALUES ('{0}', 'mcp-stdio', 1, '1', 1, 1, 1);
         INSERT INTO metric_live VALUES ('{0}', 'n', '{{}}', '', 'counter', 5, NULL, 1)",
        session.id()
    ));
    let backup = kit.backup("while-it-lived");
    drop(session);
    let fold = || fold::fold_dead(&kit.open()).unwrap();
    assert_eq!(fold(), 1);
    kit.sql("UPDATE metric_retired SET value = 50");
    kit.restore(&backup, true).unwrap();
    assert_eq!((fold(), fold()), (1, 0));
    let total: f64 = Connection::open(kit.home.state_db())
        .unwrap()
        .query_row("SELECT sum(value) FROM metric_retired", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert!((total - 5.0).abs() < 0.1, "as it was then: a counter reset");
}
