//! Pruned chains can still be checked, and show what was pruned by somebody else.

use super::kit::{Keys, Kit, actor, filled, tenant};
use crate::audit::checkpoint::{self, Checkpoint};
use crate::audit::{
    Bad, Chain, Entry, Fault, Filter, Head, Held, Outcome, Pruned, action, heads, list, prune,
};

fn prune_before(kit: &Kit, older_than_ms: i64) -> Pruned {
    prune(&kit.state, older_than_ms, &actor(), 1_000).unwrap()
}

fn all_sound(kit: &Kit) {
    for (chain, _) in kit.state.read("test", heads).unwrap() {
        let verdict = kit.verify(&chain, &[]);
        assert!(verdict.ok, "{chain:?}: {verdict:?}");
    }
}

#[test]
fn what_is_old_goes_and_the_rest_still_verifies() {
    let kit = filled();
    let mut before = kit.remember();
    // Of a: 1 to 3; of b: all; of the system and the environment: both.
    assert_eq!(prune_before(&kit, 4).rows, 3 + 3 + 2 + 2);
    assert_eq!(kit.seqs(&tenant("a")), [4, 5, 6]);
    assert_eq!(kit.seqs(&tenant("b")), Vec::<u64>::new());
    all_sound(&kit);
    before.extend(checkpoint::read(kit.state.home()).unwrap());
    let verdict = kit.verify(&tenant("a"), &before);
    assert_eq!((verdict.ok, verdict.rows, verdict.first_seq), (true, 3, 4));
    for chain in [tenant("b"), Chain::Env] {
        let verdict = kit.verify(&chain, &before);
        assert!(
            verdict.ok,
            "what a checkpoint remembers was pruned: {verdict:?}"
        );
    }
    assert_eq!(
        prune_before(&kit, 4),
        Pruned::default(),
        "nothing is left to do"
    );
}

#[test]
fn a_chain_goes_on_where_it_was_even_when_all_of_it_was_pruned() {
    let kit = filled();
    let before = kit.head(&tenant("b"));
    prune_before(&kit, 4);
    assert_eq!(kit.head(&tenant("b")), before);
    let actor = actor();
    let entry = Entry::done(&actor, action::STORE_ADDED, None);
    assert_eq!(kit.add(&tenant("b"), &entry, 5).seq, 4);
    all_sound(&kit);
}

#[test]
fn each_pruning_leaves_a_record_of_what_went() {
    let kit = filled();
    prune_before(&kit, 3);
    let records = kit
        .state
        .read("test", |reading| {
            list(reading, &Chain::System, &Filter::default())
        })
        .unwrap();
    let told: Vec<_> = records
        .iter()
        .map(|record| (record.action.as_str(), record.target.as_deref().unwrap()))
        .collect();
    let pruned = action::AUDIT_PRUNED;
    // The tenant a keeps its second record: the outcome of that intent is the third.
    assert_eq!(
        told,
        [
            (pruned, "a"),
            (pruned, "b"),
            (pruned, "env"),
            (pruned, "system")
        ]
    );
    let shape = records[0].args_shape.as_deref().unwrap();
    assert!(
        shape.starts_with(r#"{"rows":1,"through_seq":1,"hash":""#),
        "{shape}"
    );
}

#[test]
fn an_intent_of_unknown_fate_is_never_pruned_and_that_is_said() {
    let kit = filled();
    let a = tenant("a");
    let actor = actor();
    let intent = Entry::new(&actor, action::STORE_REMOVED, Some("tea"), Outcome::Intent);
    let open = kit.add_with(&a, &intent, 7, 2).seq;
    kit.add_with(&a, &Entry::done(&actor, action::STORE_ADDED, None), 8, 2);
    let pruned = prune_before(&kit, 100);
    assert_eq!(pruned.held, [(a.clone(), Held::OpenIntent(open))]);
    assert_eq!(kit.seqs(&a), [7, 8]);
    let unknown = Entry::new(&actor, action::STORE_REMOVED, Some("tea"), Outcome::Unknown);
    kit.add_with(&a, &unknown.of_intent(open), 9, 2);
    assert_eq!(prune_before(&kit, 100).held, []);
    assert_eq!(kit.seqs(&a), Vec::<u64>::new());
    all_sound(&kit);
}

#[test]
fn a_chain_that_is_not_sound_keeps_everything() {
    let kit = filled();
    kit.attack("UPDATE audit SET at_ms = -5 WHERE tenant_id = 'a' AND seq = 2");
    let pruned = prune_before(&kit, 100);
    let bad = Bad {
        seq: 2,
        what: Fault::Changed,
    };
    assert_eq!(pruned.held, [(tenant("a"), Held::Unsound(bad))]);
    assert_eq!(kit.seqs(&tenant("a")).len(), 6);
}

#[test]
fn anchors_stay_believable_when_the_system_chain_is_pruned_as_well() {
    let kit = filled();
    prune(&kit.state, 4, &actor(), 1_000).unwrap();
    // The records of those prunings are old by now, and nothing else is.
    let later = prune(&kit.state, 1_001, &actor(), 9_000).unwrap();
    assert!(later.rows > 0);
    assert_eq!(kit.seqs(&tenant("a")), Vec::<u64>::new());
    all_sound(&kit);
    for round in 1..4 {
        prune(&kit.state, 9_001 * round, &actor(), 9_000 * (round + 1)).unwrap();
        all_sound(&kit);
    }
}

#[test]
fn an_anchor_that_somebody_moved_is_found() {
    for sql in [
        "UPDATE audit_anchors SET through_seq = 4 WHERE tenant_id = 'a'",
        "UPDATE audit_anchors SET through_seq = 2 WHERE tenant_id = 'a'",
        "UPDATE audit_anchors SET hash = zeroblob(32) WHERE tenant_id = 'a'",
        "UPDATE audit_anchors SET hash = x'00' WHERE tenant_id = 'a'",
        "DELETE FROM audit WHERE tenant_id = 'a' AND seq = 4;
         UPDATE audit_anchors SET through_seq = 4, hash = (SELECT prev_hash FROM audit WHERE tenant_id = 'a' AND seq = 5)
         WHERE tenant_id = 'a'",
    ] {
        let kit = filled();
        prune_before(&kit, 4);
        kit.attack(sql);
        let bad = kit.verify(&tenant("a"), &[]).first_bad;
        assert_eq!(bad.map(|bad| bad.what), Some(Fault::AnchorForged), "{sql}");
    }
    let kit = filled();
    prune_before(&kit, 4);
    kit.attack("DELETE FROM audit_anchors WHERE tenant_id = 'a'");
    let bad = kit.verify(&tenant("a"), &[]).first_bad;
    assert_eq!(bad.map(|bad| bad.what), Some(Fault::HeadCut));
}

#[test]
fn records_put_back_below_the_anchor_are_found() {
    let kit = filled();
    let rows = kit.rows(&tenant("a"));
    prune_before(&kit, 4);
    let put_back = kit
        .state
        .write("test", crate::state::Durability::Normal, |writing| {
            crate::state::tables::audit::insert(writing, &rows[2])
        });
    put_back.unwrap();
    found_at(&kit, 3, Fault::AnchorForged);
}

#[track_caller]
fn found_at(kit: &Kit, seq: u64, what: Fault) {
    assert_eq!(
        kit.verify(&tenant("a"), &[]).first_bad,
        Some(Bad { seq, what })
    );
}

#[test]
fn a_long_chain_is_pruned_in_steps_and_stays_sound_between_them() {
    let kit = Kit::new();
    kit.add_many(&tenant("a"), 4_500, 1);
    assert_eq!(prune_before(&kit, 4_401).rows, 4_400);
    assert_eq!(kit.seqs(&tenant("a")).len(), 100);
    let verdict = crate::audit::verify(&kit.state, &tenant("a"), Some(&Keys { newest: 1 }), &[]);
    let verdict = verdict.unwrap();
    assert_eq!(
        (verdict.ok, verdict.first_seq, verdict.rows),
        (true, 4_401, 100)
    );
    assert_eq!(
        kit.seqs(&Chain::System),
        [1, 2, 3],
        "one record for each step"
    );
}

/// What somebody with a SQL prompt and no key can do: anchor, and a record of a pruning with right hashes.
fn cut_like_a_pruning(kit: &Kit, chain: &Chain, through_seq: i64) {
    let rows = kit.rows(chain);
    let last = rows.iter().find(|row| row.seq == through_seq).unwrap();
    let hash = super::super::entry::hex(&last.hash);
    let shape = format!(r#"{{"rows":{through_seq},"through_seq":{through_seq},"hash":"{hash}"}}"#);
    let actor = actor();
    let entry = Entry::done(&actor, action::AUDIT_PRUNED, Some(chain.as_str())).with_shape(&shape);
    kit.add(&Chain::System, &entry, 7);
    let name = chain.as_str();
    kit.attack(&format!(
        "INSERT INTO audit_anchors VALUES ('{name}', {through_seq}, x'{hash}', 7);
         DELETE FROM audit WHERE tenant_id = '{name}' AND seq <= {through_seq}"
    ));
}

#[test]
fn a_cut_that_looks_like_a_pruning_to_the_letter_is_found_by_what_is_known_outside() {
    for through_seq in [2, 6] {
        let kit = filled();
        let mut before = kit.remember();
        before.push(Checkpoint {
            head: Head {
                seq: 1,
                hash: super::super::append::as_hash(&kit.rows(&tenant("a"))[0].hash),
            },
            chain: tenant("a"),
            ..before[0].clone()
        });
        cut_like_a_pruning(&kit, &tenant("a"), through_seq);
        let bad = kit.verify(&tenant("a"), &before).first_bad;
        assert_eq!(bad.map(|bad| bad.what), Some(Fault::AnchorForged));
        // Who never saw what is gone cannot tell.
        assert!(kit.verify(&tenant("a"), &[]).ok);
    }
}

#[test]
fn a_pruning_is_noted_outside_of_the_file_before_it_is_done() {
    let kit = filled();
    let mut known = kit.remember();
    prune_before(&kit, 4);
    let noted = checkpoint::read(kit.state.home()).unwrap();
    assert!(noted.iter().all(|point| point.pruned), "{noted:?}");
    known.extend(noted);
    for (chain, _) in kit.state.read("test", heads).unwrap() {
        assert!(kit.verify(&chain, &known).ok, "{chain:?}");
    }
    // One that was noted and then not done leaves the one before believable.
    let mut further = known.clone();
    let next = kit.rows(&tenant("a"));
    further.push(Checkpoint {
        head: Head {
            seq: next[1].seq.cast_unsigned(),
            hash: [7; 32],
        },
        ..further.last().unwrap().clone()
    });
    further.last_mut().unwrap().chain = tenant("a");
    assert!(kit.verify(&tenant("a"), &further).ok);
    cut_like_a_pruning_further(&kit, &tenant("a"), &known);
}

/// Somebody moves an anchor that a pruning has left, with a record of it.
fn cut_like_a_pruning_further(kit: &Kit, chain: &Chain, known: &[Checkpoint]) {
    kit.attack(&format!(
        "DELETE FROM audit_anchors WHERE tenant_id = '{}'",
        chain.as_str()
    ));
    cut_like_a_pruning(kit, chain, 5);
    let bad = kit.verify(chain, known).first_bad;
    assert_eq!(bad.map(|bad| bad.what), Some(Fault::AnchorForged));
}
