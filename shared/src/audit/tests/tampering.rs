//! Everything that somebody with a SQL shell can do to a chain, and what is said about it.

use super::kit::{Keys, Kit, actor, filled, tenant};
use crate::audit::{Bad, Chain, Entry, Fault, Signer, action, chains, verify};

#[track_caller]
fn found(kit: &Kit, chain: &Chain, expected: Option<(u64, Fault)>, what: &str) {
    let verdict = kit.verify(chain, &[]);
    let expected = expected.map(|(seq, what)| Bad { seq, what });
    assert_eq!(verdict.first_bad, expected, "{what}");
    assert_eq!(verdict.ok, expected.is_none());
}

/// Sets one column of a tenant's third record to another value of its type.
#[test]
fn a_change_of_any_column_is_found_with_and_without_the_key() {
    const COLUMNS: &[(&str, &str, Fault)] = &[
        ("at_ms", "at_ms + 1", Fault::Changed),
        ("session_id", "'0' || session_id", Fault::Changed),
        ("client_name", "'other'", Fault::Changed),
        ("client_name", "NULL", Fault::Changed),
        ("client_name", "CAST(x'ff' AS TEXT)", Fault::Changed),
        ("action", "'store.added'", Fault::Changed),
        ("target", "target || ' '", Fault::Changed),
        ("target", "NULL", Fault::Changed),
        ("args_shape", "''", Fault::Changed),
        ("outcome", "'failed'", Fault::Changed),
        ("intent_seq", "1", Fault::Changed),
        ("intent_seq", "-2", Fault::Changed),
        ("intent_seq", "NULL", Fault::Changed),
        ("key_version", "2", Fault::Changed),
        ("key_version", "NULL", Fault::Changed),
        ("prev_hash", "zeroblob(32)", Fault::Unlinked),
        ("prev_hash", "x''", Fault::Unlinked),
        ("hash", "zeroblob(32)", Fault::Changed),
        ("hash", "CAST(hash || x'00' AS BLOB)", Fault::Changed),
        ("mac", "NULL", Fault::Unsigned),
        ("mac", "x''", Fault::WrongSignature),
        ("seq", "7", Fault::Missing),
        ("seq", "0", Fault::Missing),
        ("tenant_id", "'c'", Fault::Missing),
    ];
    for (column, value, fault) in COLUMNS {
        let kit = filled();
        kit.attack(&format!(
            "UPDATE audit SET {column} = {value} WHERE tenant_id = 'a' AND seq = 3"
        ));
        let with_key = kit.verify(&tenant("a"), &[]).first_bad;
        let without = kit.verify_without_key(&tenant("a"), &[]).first_bad;
        assert_eq!(with_key, without, "{column} = {value}");
        let what = with_key.map(|bad| bad.what);
        assert_eq!(what, Some(*fault), "{column} = {value}");
    }
}

#[test]
fn the_columns_of_the_list_are_all_there_are() {
    let kit = filled();
    let connection = rusqlite::Connection::open(kit.home.state_db()).unwrap();
    let columns: i64 = connection
        .query_row(
            "SELECT count(*) FROM pragma_table_info('audit')",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(
        columns, 14,
        "a new column belongs into the hash of a new format, and into the list of the test above"
    );
}

#[test]
fn every_byte_of_a_hash_and_of_a_signature_counts() {
    for column in ["mac", "hash", "prev_hash"] {
        for byte in 0..32 {
            let kit = filled();
            kit.flip(&tenant("a"), 3, column, byte);
            let bad = kit.verify(&tenant("a"), &[]).first_bad;
            assert_eq!(bad.map(|bad| bad.seq), Some(3), "{column}, byte {byte}");
        }
    }
}

#[test]
fn rows_that_are_removed_moved_or_swapped_are_found() {
    const ATTACKS: &[(&str, &str, (u64, Fault))] = &[
        ("removed middle", "DELETE FROM audit WHERE tenant_id = 'a' AND seq = 4", (4, Fault::Missing)),
        ("removed head", "DELETE FROM audit WHERE tenant_id = 'a' AND seq <= 2", (3, Fault::HeadCut)),
        (
            "removed head, renumbered",
            "DELETE FROM audit WHERE tenant_id = 'a' AND seq <= 2;
             UPDATE audit SET seq = seq - 2 WHERE tenant_id = 'a'",
            (1, Fault::Unlinked),
        ),
        (
            "swapped",
            "UPDATE audit SET seq = 99 WHERE tenant_id = 'a' AND seq = 4;
             UPDATE audit SET seq = 4 WHERE tenant_id = 'a' AND seq = 5;
             UPDATE audit SET seq = 5 WHERE tenant_id = 'a' AND seq = 99",
            (4, Fault::Unlinked),
        ),
        (
            "another tenant's first record",
            "DELETE FROM audit WHERE tenant_id = 'a' AND seq = 1;
             UPDATE audit SET tenant_id = 'a' WHERE tenant_id = 'b' AND seq = 1",
            (1, Fault::Changed),
        ),
        (
            "another tenant's middle record",
            "DELETE FROM audit WHERE tenant_id = 'a' AND seq = 2;
             UPDATE audit SET tenant_id = 'a' WHERE tenant_id = 'b' AND seq = 2",
            (2, Fault::Unlinked),
        ),
        (
            "a copy at the end",
            "INSERT INTO audit SELECT tenant_id, 7, at_ms, session_id, client_name, action, target, args_shape, outcome,
                intent_seq, prev_hash, hash, mac, key_version FROM audit WHERE tenant_id = 'a' AND seq = 6",
            (7, Fault::Unlinked),
        ),
    ];
    for (what, sql, expected) in ATTACKS {
        let kit = filled();
        kit.attack(sql);
        found(&kit, &tenant("a"), Some(*expected), what);
        if *what == "removed middle" {
            found(&kit, &tenant("b"), None, "other chains stay sound");
        }
    }
}

#[test]
fn a_removed_tail_shows_by_the_checkpoint_alone() {
    let kit = filled();
    let remembered = kit.remember();
    kit.attack("DELETE FROM audit WHERE tenant_id = 'a' AND seq > 4");
    found(&kit, &tenant("a"), None, "the chain itself is sound");
    let verdict = kit.verify(&tenant("a"), &remembered);
    assert_eq!(
        verdict.first_bad,
        Some(Bad {
            seq: 5,
            what: Fault::TailCut
        })
    );
    assert_eq!(verdict.head.map(|head| head.seq), Some(4));
}

#[test]
fn a_tail_that_was_cut_and_grew_again_shows_by_the_checkpoint() {
    let kit = filled();
    let remembered = kit.remember();
    kit.attack("DELETE FROM audit WHERE tenant_id = 'a' AND seq > 4");
    let actor = actor();
    for at_ms in 10..15 {
        kit.add_with(
            &tenant("a"),
            &Entry::done(&actor, action::STORE_ADDED, None),
            at_ms,
            2,
        );
    }
    found(
        &kit,
        &tenant("a"),
        None,
        "the chain itself is sound and signed",
    );
    assert_eq!(
        kit.verify(&tenant("a"), &remembered).first_bad,
        Some(Bad {
            seq: 6,
            what: Fault::CheckpointDiffers
        })
    );
}

#[test]
fn a_chain_that_is_gone_as_a_whole_shows_by_the_checkpoint() {
    let kit = filled();
    let remembered = kit.remember();
    kit.attack("DELETE FROM audit WHERE tenant_id = 'b'");
    let known = kit
        .state
        .read("test", |reading| chains(reading, &remembered));
    let faults: Vec<_> = known
        .unwrap()
        .into_iter()
        .filter_map(|chain| kit.verify(&chain, &remembered).first_bad)
        .collect();
    assert_eq!(
        faults,
        [Bad {
            seq: 1,
            what: Fault::TailCut
        }]
    );
}

#[test]
fn a_forged_record_with_sound_hashes_shows_by_its_signature_alone() {
    let kit = filled();
    let remembered = kit.remember();
    let a = tenant("a");
    kit.attack("UPDATE audit SET target = 'another' WHERE tenant_id = 'a' AND seq = 3");
    kit.rehash(&a, 3);
    found(&kit, &a, Some((3, Fault::WrongSignature)), "with the key");
    assert!(
        kit.verify_without_key(&a, &[]).ok,
        "hashes alone show nothing"
    );
    let by_checkpoint = kit.verify_without_key(&a, &remembered).first_bad;
    assert_eq!(
        by_checkpoint.map(|bad| bad.what),
        Some(Fault::CheckpointDiffers)
    );
}

#[test]
fn a_chain_stripped_of_its_signatures_is_not_taken_for_one_that_nobody_signs() {
    for (columns, from) in [
        ("mac = NULL", 1),
        ("mac = NULL, key_version = NULL", 1),
        ("mac = NULL, key_version = NULL", 6),
    ] {
        let kit = filled();
        let a = tenant("a");
        kit.attack(&format!(
            "UPDATE audit SET {columns} WHERE tenant_id = 'a' AND seq >= {from}"
        ));
        kit.rehash(&a, from);
        let bad = Bad {
            seq: from.cast_unsigned(),
            what: Fault::Unsigned,
        };
        assert_eq!(kit.verify(&a, &[]).first_bad, Some(bad), "{columns}");
        assert_eq!(
            kit.verify_without_key(&a, &[]).first_bad,
            Some(bad),
            "{columns}"
        );
    }
}

#[test]
fn a_signature_where_nobody_signs_is_found() {
    for sql in [
        "UPDATE audit SET mac = zeroblob(32) WHERE tenant_id = 'system' AND seq = 2",
        "UPDATE audit SET key_version = 1 WHERE tenant_id = 'system' AND seq = 2",
    ] {
        let kit = filled();
        kit.attack(sql);
        kit.rehash(&Chain::System, 2);
        found(&kit, &Chain::System, Some((2, Fault::WrongSignature)), sql);
    }
}

#[test]
fn records_signed_with_a_key_that_was_rotated_away_are_found() {
    let kit = filled();
    let a = tenant("a");
    // Whoever stole the first key can make a sound record with it, were it not for the order of keys.
    kit.attack("UPDATE audit SET key_version = 1 WHERE tenant_id = 'a' AND seq = 6");
    kit.rehash(&a, 6);
    let hash = kit.rows(&a)[5].hash.clone();
    let mac = Keys { newest: 1 }.mac(1, &hash).unwrap();
    let hex: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
    kit.attack(&format!(
        "UPDATE audit SET mac = x'{hex}' WHERE tenant_id = 'a' AND seq = 6"
    ));
    found(&kit, &a, Some((6, Fault::OlderKey)), "an older key");
}

#[test]
fn records_of_a_key_that_the_tenant_does_not_have_are_found() {
    for version in ["9", "-1", "4294967297"] {
        let kit = filled();
        kit.attack(&format!(
            "UPDATE audit SET key_version = {version} WHERE tenant_id = 'b' AND seq = 1"
        ));
        kit.rehash(&tenant("b"), 1);
        found(&kit, &tenant("b"), Some((1, Fault::UnknownKey)), version);
    }
    let kit = filled();
    let first_key_only = Keys { newest: 1 };
    let verdict = verify(&kit.state, &tenant("a"), Some(&first_key_only), &[]).unwrap();
    assert_eq!(
        verdict.first_bad,
        Some(Bad {
            seq: 4,
            what: Fault::UnknownKey
        })
    );
}

#[test]
fn a_beginning_that_was_cut_and_called_pruned_is_found() {
    let cut = "DELETE FROM audit WHERE tenant_id = 'a' AND seq <= 2;";
    let said = "INSERT INTO audit_anchors SELECT 'a', 2, prev_hash, 1 FROM audit WHERE tenant_id = 'a' AND seq = 3;";
    let kit = filled();
    kit.attack(&format!("{cut}{said}"));
    found(
        &kit,
        &tenant("a"),
        Some((2, Fault::AnchorForged)),
        "no pruning tells of it",
    );

    let kit = filled();
    kit.attack("INSERT INTO audit_anchors VALUES ('a', 9, zeroblob(32), 1)");
    found(
        &kit,
        &tenant("a"),
        Some((9, Fault::AnchorForged)),
        "nothing was cut at all",
    );
}

#[test]
fn faults_are_said_in_words_for_people_and_for_programs() {
    let bad = Bad {
        seq: 7,
        what: Fault::Changed,
    };
    assert_eq!(bad.to_string(), "record 7 was changed after it was written");
    assert_eq!(
        serde_json::to_string(&bad).unwrap(),
        r#"{"seq":7,"what":"changed"}"#
    );
}
