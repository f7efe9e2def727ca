//! What is on the disk before a request leaves and after it is answered: all of it, or nothing.

use super::kit::{House, START_MS};
use crate::audit::tests::kit::{Keys, tenant};
use crate::audit::{Chain, Outcome, Signer, action};
use crate::state::StateError;
use crate::state::tables::{epochs::MAX_BUSY_MS, open_writes};
use crate::writes::turn::{self, MAX_HOLD};
use crate::writes::{BeginError, Begun, Standing, Why, end};

const ENV: Chain = Chain::Env;
const UPDATED: &str = action::ORDER_UPDATED;

/// Everything that a write may change, for comparing.
fn everything(house: &House) -> String {
    let open = house.state.read("test", open_writes::all).unwrap();
    let records = house.records(&ENV);
    format!("{open:?} {records:?} {:?}", house.settled_at(START_MS))
}

#[test]
fn an_intent_is_recorded_before_and_its_outcome_after() {
    let house = House::new();
    let process = house.process();
    let (begun, turn) = process.begin_at("order/1", START_MS);
    let record = house.records(&ENV).remove(0);
    assert_eq!((begun.seq, record.seq), (1, 1));
    assert_eq!(record.session, process.session.id().as_str());
    assert_eq!(
        (record.action.as_str(), record.outcome.as_str()),
        (UPDATED, "intent")
    );
    assert_eq!(record.target.as_deref(), Some("order 7001001"));
    assert_eq!(record.args_shape.as_deref(), Some("changes: shipping.city"));
    assert_eq!(house.settled_at(START_MS), None, "a write is under way");

    process.end(&begun, Outcome::Done, Some(&turn));
    assert_eq!(
        house.story(&ENV)[1],
        (UPDATED.into(), "done".into(), Some(1))
    );
    assert_eq!(house.state.read("test", open_writes::all).unwrap(), []);
    assert_eq!(
        house.settled_at(START_MS),
        Some(2),
        "news twice: before and after"
    );
    assert_eq!(house.standing(&turn), Standing::Lost, "given back");
    assert!(house.is_sound(&ENV, None));
}

#[test]
fn a_tenants_writes_are_signed() {
    let house = House::new();
    let (process, chain, keys) = (house.process(), tenant("a"), Keys { newest: 1 });
    let turn = process.enqueue(&["order/1"]);
    let signer: Option<&dyn Signer> = Some(&keys);
    let begun = process.try_begin(&chain, &turn, START_MS, signer).unwrap();
    let actor = process.actor();
    end(
        &house.state,
        &begun,
        &actor,
        Outcome::Failed,
        Some(&turn),
        START_MS,
        signer,
    )
    .unwrap();
    assert!(house.records(&chain).iter().all(|record| record.signed));
    assert!(house.is_sound(&chain, signer));
}

#[test]
fn nothing_is_written_for_a_turn_that_is_lost() {
    let house = House::new();
    let process = house.process();
    let turn = process.enqueue(&["order/1", "order/2"]);
    turn::leave(&house.state, &turn).unwrap();
    let before = everything(&house);
    let refused = process.try_begin(&ENV, &turn, START_MS, None);
    assert!(matches!(refused, Err(BeginError::TurnLost)), "{refused:?}");
    assert_eq!(everything(&house), before);
}

#[test]
fn nothing_is_written_out_of_turn_or_for_one_that_is_too_old() {
    let house = House::new();
    let (one, two) = (house.process(), house.process());
    let first = one.enqueue(&["order/1"]);
    let second = two.enqueue(&["order/1"]);
    let before = everything(&house);
    let late_ms = START_MS + i64::try_from(MAX_HOLD.as_millis()).unwrap() + 1;
    for (process, turn, at_ms) in [(&two, &second, START_MS), (&one, &first, late_ms)] {
        let refused = process.try_begin(&ENV, turn, at_ms, None);
        assert!(matches!(refused, Err(BeginError::TurnLost)), "{refused:?}");
    }
    assert_eq!(everything(&house), before);
}

#[test]
fn who_was_taken_for_dead_while_it_read_the_shop_sends_nothing() {
    let house = House::new();
    let (one, two) = (house.process(), house.process());
    let first = one.enqueue(&["order/1"]);
    assert_eq!(house.standing(&first), Standing::Ours);
    crate::session::remove_run_file(&house.home, one.session.id());
    let second = two.enqueue(&["order/1"]);
    assert_eq!(house.standing(&second), Standing::Ours);
    let refused = one.try_begin(&ENV, &first, START_MS, None);
    assert!(matches!(refused, Err(BeginError::TurnLost)), "{refused:?}");
    two.try_begin(&ENV, &second, START_MS, None).unwrap();
}

#[test]
fn an_intent_that_cannot_be_signed_is_no_intent_and_the_turn_stays() {
    let house = House::new();
    let process = house.process();
    let turn = process.enqueue(&["order/1"]);
    let before = everything(&house);
    let refused = process.try_begin(&tenant("a"), &turn, START_MS, None);
    let code = match refused {
        Err(BeginError::State(error)) => error.code(),
        other => panic!("{other:?}"),
    };
    assert_eq!(code, "audit_refused");
    assert_eq!(everything(&house), before);
    assert_eq!(house.standing(&turn), Standing::Ours);
}

#[test]
fn an_intent_begins_the_time_of_its_turn_anew() {
    let house = House::new();
    let (one, two) = (house.process(), house.process());
    let hold_ms = i64::try_from(MAX_HOLD.as_millis()).unwrap();
    let turn = one.enqueue(&["order/1"]);
    one.try_begin(&ENV, &turn, START_MS + hold_ms, None)
        .unwrap();
    let at_ms = START_MS + 2 * hold_ms;
    let other = two.enqueue_at(&["order/1"], at_ms);
    assert_eq!(
        house.standing_at(&other, at_ms),
        Standing::Waiting { ahead: 1 }
    );
    let second = one.try_begin(&ENV, &turn, at_ms, None).unwrap();
    assert_eq!(second.seq, 2, "a turn is good for several intents");
}

#[test]
fn the_next_in_the_queue_goes_on_with_the_commit_of_the_outcome() {
    let house = House::new();
    let (one, two) = (house.process(), house.process());
    let (begun, turn) = one.begin_at("order/1", START_MS);
    let next = two.enqueue(&["order/1"]);
    assert_eq!(house.standing(&next), Standing::Waiting { ahead: 1 });
    one.end(&begun, Outcome::Done, Some(&turn));
    assert_eq!(house.standing(&next), Standing::Ours);
}

#[test]
fn a_shop_is_busy_until_its_last_write_has_ended() {
    let house = House::new();
    let process = house.process();
    let (first, _) = process.begin_at("order/1", START_MS);
    let (second, _) = process.begin_at("order/2", START_MS + 5);
    process.end(&second, Outcome::Done, None);
    assert_eq!(house.settled_at(START_MS), None);
    assert_eq!(
        house.settled_at(START_MS + MAX_BUSY_MS),
        Some(3),
        "the first one's two minutes are over, the second one's do not count any more"
    );
    process.end(&first, Outcome::Failed, None);
    assert_eq!(house.settled_at(START_MS), Some(4));
}

#[test]
fn an_outcome_that_nobody_can_tell_stays_until_a_person_looks_but_keeps_nobody_waiting() {
    let house = House::new();
    let process = house.process();
    let (begun, turn) = process.begin_at("order/1", START_MS);
    process.end(&begun, Outcome::Unknown, Some(&turn));
    assert_eq!(house.settled_at(START_MS), Some(2));
    assert_eq!(
        house.standing(&process.enqueue(&["order/1"])),
        Standing::Ours
    );
    let unsettled = house.unsettled();
    assert_eq!(
        (unsettled.len(), unsettled[0].why, unsettled[0].seq),
        (1, Why::Unknown, 1)
    );
    assert_eq!(
        house.story(&ENV)[1],
        (UPDATED.into(), "unknown".into(), Some(1))
    );
}

#[test]
fn an_outcome_is_refused_by_a_file_that_does_not_hold_its_intent() {
    let (house, restored) = (House::new(), House::new());
    let (begun, _) = house.process().begin_at("order/1", START_MS);
    let process = restored.process();
    let refused = process.try_end(&begun, Outcome::Done, None, START_MS);
    assert_eq!(refused.unwrap_err().code(), "audit_refused");
    // The number is taken, but by something else.
    process.begin_at("order/1", START_MS);
    let other = Begun {
        action: action::ORDER_DELETED,
        ..begun
    };
    let refused = process.try_end(&other, Outcome::Done, None, START_MS);
    assert_eq!(refused.unwrap_err().code(), "audit_refused");
    assert_eq!(restored.records(&ENV).len(), 1);
}

/// What a power cut may take back: commits that did not wait for the disk. The intent did.
#[test]
fn an_outcome_is_recorded_though_a_power_cut_took_the_turn() {
    let house = House::new();
    let process = house.process();
    let (begun, turn) = process.begin_at("order/1", START_MS);
    turn::leave(&house.state, &turn).unwrap();
    process.end(&begun, Outcome::Done, Some(&turn));
    assert_eq!(house.unsettled(), []);
}

#[test]
fn what_fails_in_the_middle_of_an_outcome_leaves_the_write_open() {
    let house = House::new();
    let process = house.process();
    let (begun, turn) = process.begin_at("order/1", START_MS);
    let before = everything(&house);
    let connection = rusqlite::Connection::open(house.home.state_db()).unwrap();
    let refuse =
        "CREATE TRIGGER refuse BEFORE DELETE ON turns BEGIN SELECT RAISE(ABORT, 'no'); END";
    connection.execute_batch(refuse).unwrap();
    process
        .try_end(&begun, Outcome::Done, Some(&turn), START_MS)
        .unwrap_err();
    assert_eq!(everything(&house), before);
    connection.execute_batch("DROP TRIGGER refuse").unwrap();
    process.end(&begun, Outcome::Done, Some(&turn));
    assert_eq!(house.story(&ENV).len(), 2);
}

#[test]
fn errors_say_what_to_do() {
    for error in [BeginError::TurnLost, StateError::Full.into()] {
        assert!(error.to_string().contains("hint: "), "{error}");
    }
}
