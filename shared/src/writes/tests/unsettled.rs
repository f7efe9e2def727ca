//! Writes that a person has to look at, and how that ends.

use super::kit::{House, START_MS};
use crate::audit::tests::kit::{Keys, tenant};
use crate::audit::{Actor, Chain, Held, Outcome, Signer, action, prune};
use crate::writes::{Unsettled, Why, settle, unsettled};

const ENV: Chain = Chain::Env;

fn settle_in(house: &House, seq: u64, as_done: bool) -> bool {
    settle(
        &house.state,
        &ENV,
        seq,
        as_done,
        &Actor::cli(),
        START_MS,
        None,
    )
    .unwrap()
}

fn told(unsettled: &[Unsettled]) -> Vec<(u64, Why)> {
    unsettled.iter().map(|one| (one.seq, one.why)).collect()
}

#[test]
fn a_write_under_way_is_nobodys_business_and_one_whose_process_died_is() {
    let house = House::new();
    let process = house.process();
    process.begin_at("order/1", START_MS);
    let session = process.session.id().as_str().to_owned();
    assert_eq!(house.unsettled(), []);
    drop(process);
    let expected = Unsettled {
        chain: ENV,
        seq: 1,
        at: jiff::Timestamp::from_millisecond(START_MS).unwrap(),
        session,
        client: Some("inspector".into()),
        store_key: "shop".into(),
        action: action::ORDER_UPDATED.into(),
        target: "order 7001001".into(),
        check: "look at order 7001001".into(),
        why: Why::Died,
    };
    assert_eq!(house.unsettled(), [expected]);
}

#[test]
fn they_come_oldest_first_and_by_chain() {
    let house = House::new();
    let (one, two) = (house.process(), house.process());
    one.begin_at("order/1", START_MS + 5);
    let (unknown, turn) = two.begin_at("order/2", START_MS);
    two.end(&unknown, Outcome::Unknown, Some(&turn));
    let (chain, keys) = (tenant("a"), Keys { newest: 1 });
    let turn = one.enqueue(&["order/3"]);
    one.try_begin(&chain, &turn, START_MS + 9, Some(&keys))
        .unwrap();
    drop(one);
    let all = house.unsettled();
    assert_eq!(
        told(&all),
        [(2, Why::Unknown), (1, Why::Died), (1, Why::Died)]
    );
    assert_eq!(all[2].chain, chain);
    let of = |chain| told(&unsettled(&house.state, Some(chain)).unwrap());
    assert_eq!(of(&ENV), [(2, Why::Unknown), (1, Why::Died)]);
    assert_eq!(of(&chain), [(1, Why::Died)]);
    assert_eq!(of(&Chain::System), []);
}

#[test]
fn a_person_who_has_looked_ends_it_once() {
    let house = House::new();
    let process = house.process();
    process.begin_at("order/1", START_MS);
    process.begin_at("order/2", START_MS);
    drop(process);
    assert!(settle_in(&house, 1, true));
    assert!(!settle_in(&house, 1, true), "it is settled");
    assert!(settle_in(&house, 2, false));
    assert!(!settle_in(&house, 99, false), "no such write");
    assert_eq!(house.unsettled(), []);
    let settled = |outcome: &str, of| (action::WRITE_SETTLED.into(), outcome.into(), Some(of));
    assert_eq!(
        house.story(&ENV)[2..],
        [settled("done", 1), settled("failed", 2)]
    );
    let record = house.records(&ENV).remove(2);
    assert_eq!(record.target.as_deref(), Some("order 7001001"));
    assert_eq!(record.args_shape.as_deref(), Some(action::ORDER_UPDATED));
    assert!(house.is_sound(&ENV, None));
    assert_eq!(house.settled_at(START_MS), Some(2), "nothing is under way");
}

#[test]
fn a_write_that_is_under_way_cannot_be_settled_by_hand() {
    let house = House::new();
    let process = house.process();
    let (begun, turn) = process.begin_at("order/1", START_MS);
    assert!(!settle_in(&house, begun.seq, true));
    process.end(&begun, Outcome::Unknown, Some(&turn));
    assert!(settle_in(&house, begun.seq, true));
}

#[test]
fn settling_a_tenants_write_needs_its_key() {
    let house = House::new();
    let process = house.process();
    let (chain, keys) = (tenant("a"), Keys { newest: 1 });
    let turn = process.enqueue(&["order/1"]);
    process
        .try_begin(&chain, &turn, START_MS, Some(&keys))
        .unwrap();
    drop(process);
    let settle = |signer: Option<&dyn Signer>| {
        settle(
            &house.state,
            &chain,
            1,
            true,
            &Actor::cli(),
            START_MS,
            signer,
        )
    };
    assert_eq!(settle(None).unwrap_err().code(), "audit_refused");
    assert_eq!(house.unsettled().len(), 1);
    assert!(settle(Some(&keys)).unwrap());
    assert!(house.is_sound(&chain, Some(&keys)));
}

#[test]
fn a_slow_process_that_was_settled_by_hand_still_records_its_own_outcome() {
    let house = House::new();
    let process = house.process();
    let (begun, turn) = process.begin_at("order/1", START_MS);
    crate::session::remove_run_file(&house.home, process.session.id());
    assert!(settle_in(&house, begun.seq, false));
    process.end(&begun, Outcome::Done, Some(&turn));
    let outcomes: Vec<String> = house.story(&ENV).into_iter().map(|told| told.1).collect();
    assert_eq!(outcomes, ["intent", "failed", "done"]);
    assert_eq!(house.unsettled(), []);
}

#[test]
fn no_unsettled_intent_is_pruned_and_a_settled_one_is() {
    let house = House::new();
    let process = house.process();
    let (unknown, turn) = process.begin_at("order/1", START_MS);
    process.end(&unknown, Outcome::Unknown, Some(&turn));
    process.begin_at("order/2", START_MS);
    drop(process);
    let prune = || prune(&house.state, START_MS + 1, &Actor::cli(), START_MS).unwrap();
    for open in [1, 3] {
        assert_eq!(prune().held, [(ENV, Held::OpenIntent(open))]);
        assert_eq!(house.records(&ENV)[0].seq, 1, "they overlap");
        assert!(settle_in(&house, open, true));
    }
    assert_eq!(prune().held, []);
    assert_eq!(house.records(&ENV), []);
    assert!(house.is_sound(&ENV, None));
}
