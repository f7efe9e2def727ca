//! Records are chained, signed and listed; and the bytes that are hashed never change.

use super::kit::{Keys, Kit, actor, filled, tenant};
use crate::audit::entry::hex;
use crate::audit::{
    Actor, Chain, Entry, Filter, Head, Outcome, Record, action, append, chains, heads, list,
};
use crate::state::{Durability, StateError};

/// Three records that use every field, absent, empty and filled.
fn known_chain(chain: &Chain) -> Kit {
    let kit = Kit::new();
    let nobody = Actor {
        client: None,
        ..actor()
    };
    let cli = Actor {
        client: Some("cli".into()),
        ..actor()
    };
    let empty = Actor {
        client: Some(String::new()),
        ..actor()
    };
    kit.add(
        chain,
        &Entry::done(&nobody, action::TENANT_CREATED, None),
        1_767_225_600_000,
    );
    kit.add(
        chain,
        &Entry::new(
            &cli,
            action::STORE_ADDED,
            Some("Käse & Tee"),
            Outcome::Intent,
        )
        .with_shape(""),
        1_767_225_600_001,
    );
    kit.add_with(
        chain,
        &Entry::done(&empty, action::STORE_ADDED, Some(""))
            .with_shape("{name: str(4)}")
            .of_intent(2),
        -1,
        2,
    );
    kit
}

/// Computed by another program from the format's description.
#[test]
fn a_known_chain_has_the_known_hashes_and_signatures() {
    let hashes = |chain: &Chain| -> Vec<String> {
        let rows = known_chain(chain).rows(chain);
        rows.iter().map(|row| hex(&row.hash)).collect()
    };
    assert_eq!(
        hashes(&tenant("5eed")),
        [
            "0120eecc4a3c6a75480e3cf1ef35b26fd1e94ddaf09826ab4cabf89b5a660026",
            "ddd3f6db215ddf15e7b08961275ccc2ec81ae288cac3cef58bb73035a3508ab0",
            "755a6f5cfc19d598f9b66cef1c02a31290842dfa6c400daa26823cb68fc96eb5",
        ]
    );
    assert_eq!(
        hashes(&Chain::Env),
        [
            "3e8dbe17c8d919b1de38856ba76f579461c605a229f43dc385af89ee7b94d81b",
            "d8e488f157344b847e57982d724fc55d217fbf418f6b1e7baac97e656796cfaf",
            "d03c7ccf623aed27fe24e5aa3bc16a9977ca4a896b0a39b681a36b0332b768ab",
        ]
    );
    let rows = known_chain(&tenant("5eed")).rows(&tenant("5eed"));
    let signature = |at: usize| hex(rows[at].mac.as_deref().unwrap());
    assert_eq!(
        (signature(0), signature(2)),
        (MAC_OF_FIRST.to_owned(), MAC_OF_THIRD.to_owned())
    );
}

const MAC_OF_FIRST: &str = "93ebc097409a0716e1bc0c114fe94e62bdd35ed75ea8823de26a3e420133a813";
const MAC_OF_THIRD: &str = "c7f88464d04569da37f9a7fcd8a66c867f03df67346cd8373ab14dbfe46f6166";

#[test]
fn records_are_numbered_without_gaps_and_each_continues_the_one_before() {
    let kit = filled();
    for chain in [tenant("a"), tenant("b"), Chain::System, Chain::Env] {
        let rows = kit.rows(&chain);
        let mut before = Head::NONE;
        for row in &rows {
            assert_eq!(row.seq.cast_unsigned(), before.seq + 1);
            assert_eq!(row.prev_hash, before.hash);
            assert_eq!(row.mac.is_some(), chain.is_signed());
            before = Head {
                seq: row.seq.cast_unsigned(),
                hash: row.hash.clone().try_into().unwrap(),
            };
        }
        assert_eq!(kit.head(&chain), before);
        let verdict = kit.verify(&chain, &kit.remember());
        assert!(verdict.ok, "{chain:?}: {verdict:?}");
        assert_eq!(
            (
                verdict.rows,
                verdict.first_seq,
                verdict.head,
                verdict.checkpoints
            ),
            (rows.len() as u64, 1, Some(before), 1)
        );
    }
}

#[test]
fn what_was_checked_is_said() {
    let kit = filled();
    let with_key = kit.verify(&tenant("a"), &[]);
    assert_eq!((with_key.signed, with_key.signatures_checked), (6, 6));
    let without = kit.verify_without_key(&tenant("a"), &[]);
    assert_eq!(
        (without.ok, without.signed, without.signatures_checked),
        (true, 6, 0)
    );
    let empty = kit.verify(&tenant("nobody"), &[]);
    assert_eq!(
        (empty.ok, empty.rows, empty.first_seq, empty.head),
        (true, 0, 1, None)
    );
}

#[test]
fn a_record_is_there_with_the_change_it_describes_or_not_at_all() {
    let kit = Kit::new();
    let actor = actor();
    let entry = Entry::done(&actor, action::STORE_ADDED, None);
    let failed: Result<(), _> = kit.state.write("test", Durability::Full, |writing| {
        append(writing, &Chain::Env, &entry, 1, None)?;
        Err(StateError::Locked)
    });
    failed.unwrap_err();
    assert_eq!(kit.head(&Chain::Env), Head::NONE);
    let both = kit.state.write("test", Durability::Full, |writing| {
        append(writing, &Chain::Env, &entry, 1, None)?;
        append(writing, &Chain::Env, &entry, 1, None)
    });
    assert_eq!(both.unwrap().seq, 2);
}

#[test]
fn a_record_that_would_make_the_chain_unsound_is_refused_with_advice() {
    let kit = filled();
    let actor = actor();
    let entry = Entry::done(&actor, action::STORE_ADDED, None);
    let old_key = Keys { newest: 1 };
    for (chain, signer, word) in [
        (tenant("a"), None, "signed"),
        (Chain::System, Some(&old_key), "no tenant"),
        (tenant("a"), Some(&old_key), "rotated"),
    ] {
        let signer = signer.map(|keys| keys as &dyn crate::audit::Signer);
        let before = kit.head(&chain);
        let error = kit.try_add(&chain, &entry, 9, signer).unwrap_err();
        assert_eq!(error.code(), "audit_refused");
        assert!(error.to_string().contains(word), "{error}");
        assert_eq!(kit.head(&chain), before);
    }
}

#[test]
fn a_field_is_never_taken_for_a_part_of_its_neighbour() {
    let head = |target: Option<&str>, shape: Option<&str>| {
        let actor = actor();
        let entry = Entry {
            args_shape: shape,
            ..Entry::done(&actor, action::STORE_ADDED, target)
        };
        Kit::new().add(&Chain::Env, &entry, 1).hash
    };
    let variants = [
        (Some("ab"), Some("c")),
        (Some("a"), Some("bc")),
        (Some("abc"), Some("")),
        (Some("abc"), None),
        (None, Some("abc")),
        (Some(""), Some("abc")),
        (None, None),
        (Some(""), None),
    ];
    let hashes: std::collections::BTreeSet<_> = variants
        .into_iter()
        .map(|(target, shape)| head(target, shape))
        .collect();
    assert_eq!(hashes.len(), variants.len());
}

#[test]
fn a_client_that_introduces_itself_with_a_novel_is_cut_short() {
    let kit = Kit::new();
    let talker = Actor {
        client: Some("é".repeat(5_000)),
        ..actor()
    };
    kit.add(
        &Chain::Env,
        &Entry::done(&talker, action::STORE_ADDED, None),
        1,
    );
    assert_eq!(
        kit.rows(&Chain::Env)[0].client_name.as_deref(),
        Some("é".repeat(1_000).as_str())
    );
    assert!(kit.verify(&Chain::Env, &[]).ok);
}

#[test]
fn records_are_listed_by_time_and_page_of_their_own_chain_only() {
    let kit = filled();
    let of = |chain: &Chain, filter: Filter| -> Vec<u64> {
        let records = kit
            .state
            .read("test", |reading| list(reading, chain, &filter));
        records.unwrap().iter().map(|record| record.seq).collect()
    };
    let all = Filter::default();
    let a = tenant("a");
    assert_eq!(of(&a, all), [1, 2, 3, 4, 5, 6]);
    assert_eq!(of(&tenant("b"), all), [1, 2, 3]);
    assert_eq!(of(&tenant("c"), all), Vec::<u64>::new());
    let between = Filter {
        since_ms: Some(2),
        until_ms: Some(5),
        ..all
    };
    assert_eq!(of(&a, between), [2, 3, 4]);
    let second_page = Filter {
        after_seq: 2,
        limit: 2,
        ..all
    };
    assert_eq!(of(&a, second_page), [3, 4]);
    let newest = Filter {
        limit: 2,
        newest: true,
        ..all
    };
    assert_eq!(of(&a, newest), [5, 6]);
}

#[test]
fn a_listed_record_says_who_did_what_when_and_how_it_ended() {
    let kit = filled();
    let records = kit
        .state
        .read("test", |reading| {
            list(reading, &tenant("a"), &Filter::default())
        })
        .unwrap();
    let rows = kit.rows(&tenant("a"));
    assert_eq!(
        records[2],
        Record {
            seq: 3,
            at: "1970-01-01T00:00:00.003Z".parse().unwrap(),
            session: "0123456789abcdef0123456789abcdef".into(),
            client: Some("inspector".into()),
            action: "store.removed".into(),
            target: Some("tea".into()),
            args_shape: None,
            outcome: "done".into(),
            intent_seq: Some(2),
            key_version: Some(1),
            prev_hash: hex(&rows[1].hash),
            hash: hex(&rows[2].hash),
            signed: true,
        }
    );
}

#[test]
fn the_ends_of_all_chains_are_known_and_none_is_forgotten_that_a_checkpoint_knows() {
    let kit = filled();
    let ends = kit.state.read("test", heads).unwrap();
    let names: Vec<_> = ends
        .iter()
        .map(|(chain, head)| (chain.as_str(), head.seq))
        .collect();
    assert_eq!(names, [("a", 6), ("b", 3), ("env", 2), ("system", 2)]);
    let remembered = kit.remember();
    kit.attack("DELETE FROM audit WHERE tenant_id = 'b'");
    let known = kit
        .state
        .read("test", |reading| chains(reading, &remembered))
        .unwrap();
    assert!(known.contains(&tenant("b")));
}

#[test]
fn a_person_at_the_command_line_has_a_session_of_their_own() {
    let (one, two) = (Actor::cli(), Actor::cli());
    assert_eq!(one.client.as_deref(), Some("cli"));
    assert_ne!(one.session, two.session);
}
