//! First come, first served, across everything that a turn is for; and nobody waits for the dead.

use proptest::prelude::*;

use super::kit::{House, Process, SHOP, START_MS};
use crate::session;
use crate::writes::turn::{self, MAX_HOLD};
use crate::writes::{Standing, Turn};

const HOLD_MS: i64 = MAX_HOLD.as_millis() as i64;

#[test]
fn turns_at_one_thing_come_in_the_order_of_asking() {
    let house = House::new();
    let processes = [house.process(), house.process(), house.process()];
    let turns: Vec<Turn> = processes
        .iter()
        .map(|process| process.enqueue(&["order/1"]))
        .collect();
    for first in 0..turns.len() {
        for (ahead, turn) in turns[first..].iter().enumerate() {
            let expected = match u32::try_from(ahead).unwrap() {
                0 => Standing::Ours,
                ahead => Standing::Waiting { ahead },
            };
            assert_eq!(house.standing(turn), expected);
        }
        turn::leave(&house.state, &turns[first]).unwrap();
        assert_eq!(house.standing(&turns[first]), Standing::Lost);
    }
}

#[test]
fn calls_of_one_process_wait_for_each_other_as_well() {
    let house = House::new();
    let process = house.process();
    let (first, second) = (process.enqueue(&["order/1"]), process.enqueue(&["order/1"]));
    assert_eq!(house.standing(&second), Standing::Waiting { ahead: 1 });
    turn::leave(&house.state, &first).unwrap();
    assert_eq!(house.standing(&second), Standing::Ours);
}

#[test]
fn other_things_and_other_shops_do_not_wait() {
    let house = House::new();
    let process = house.process();
    process.enqueue(&["order/1"]);
    assert_eq!(
        house.standing(&process.enqueue(&["order/2"])),
        Standing::Ours
    );
    let things = ["order/1".to_owned()];
    let elsewhere = turn::enqueue(
        &house.state,
        process.session.id(),
        "other shop",
        &things,
        START_MS,
    );
    assert_eq!(house.standing(&elsewhere.unwrap()), Standing::Ours);
}

#[test]
fn a_turn_at_many_things_waits_for_all_of_them_and_never_in_a_circle() {
    let house = House::new();
    let (one, two, three) = (house.process(), house.process(), house.process());
    let first = one.enqueue(&["order/1", "order/2"]);
    let second = two.enqueue(&["order/2", "order/1", "order/3", "order/2"]);
    let third = three.enqueue(&["order/3"]);
    assert_eq!(house.standing(&first), Standing::Ours);
    assert_eq!(house.standing(&second), Standing::Waiting { ahead: 1 });
    assert_eq!(house.standing(&third), Standing::Waiting { ahead: 1 });
    turn::leave(&house.state, &first).unwrap();
    assert_eq!(house.standing(&second), Standing::Ours);
    turn::leave(&house.state, &second).unwrap();
    assert_eq!(house.standing(&third), Standing::Ours);
}

#[test]
fn a_turn_at_nothing_is_there_at_once() {
    let house = House::new();
    let turn = house.process().enqueue(&[]);
    assert_eq!(house.standing(&turn), Standing::Ours);
    turn::leave(&house.state, &turn).unwrap();
}

#[test]
fn the_dead_are_skipped() {
    let house = House::new();
    let (one, two, three) = (house.process(), house.process(), house.process());
    one.enqueue(&["order/1"]);
    two.enqueue(&["order/1"]);
    let turn = three.enqueue(&["order/1"]);
    drop(two);
    assert_eq!(
        house.standing(&turn),
        Standing::Waiting { ahead: 2 },
        "the first lives: nobody else is asked for yet"
    );
    drop(one);
    assert_eq!(house.standing(&turn), Standing::Ours);
}

#[test]
fn who_gives_up_waiting_lets_the_others_move_up() {
    let house = House::new();
    let (one, two, three) = (house.process(), house.process(), house.process());
    let first = one.enqueue(&["order/1"]);
    let second = two.enqueue(&["order/1"]);
    let third = three.enqueue(&["order/1"]);
    turn::leave(&house.state, &second).unwrap();
    turn::leave(&house.state, &second).unwrap();
    assert_eq!(house.standing(&third), Standing::Waiting { ahead: 1 });
    turn::leave(&house.state, &first).unwrap();
    assert_eq!(house.standing(&third), Standing::Ours);
}

#[test]
fn a_turn_that_is_held_too_long_is_lost_and_others_go_on() {
    let house = House::new();
    let (one, two) = (house.process(), house.process());
    let stuck = one.enqueue(&["order/1"]);
    let next = two.enqueue_at(&["order/1"], START_MS + 1_000);
    let at = |after_ms| START_MS + after_ms;
    assert_eq!(
        house.standing_at(&next, at(HOLD_MS)),
        Standing::Waiting { ahead: 1 }
    );
    assert_eq!(house.standing_at(&next, at(HOLD_MS + 1)), Standing::Ours);
    assert_eq!(house.standing_at(&stuck, at(HOLD_MS)), Standing::Lost);
}

#[test]
fn a_turn_that_nobody_waits_behind_is_lost_by_age_too_and_swept_away() {
    let house = House::new();
    let process = house.process();
    let old = process.enqueue(&["order/1"]);
    assert_eq!(
        house.standing_at(&old, START_MS + HOLD_MS + 1),
        Standing::Lost
    );
    process.enqueue_at(&["order/2"], START_MS + HOLD_MS + 1);
    assert_eq!(house.standing(&old), Standing::Lost, "its row is gone");
}

#[test]
fn a_clock_that_was_set_back_leaves_nobody_waiting_for_yesterday_to_come_again() {
    let house = House::new();
    let (one, two) = (house.process(), house.process());
    one.enqueue_at(&["order/1"], START_MS + 86_400_000);
    let turn = two.enqueue(&["order/1"]);
    assert_eq!(house.standing(&turn), Standing::Ours);
}

#[test]
fn a_ticket_under_an_id_that_is_none_is_nobodys() {
    let house = House::new();
    let process = house.process();
    process.enqueue(&["order/1"]);
    let turn = process.enqueue(&["order/1"]);
    let connection = rusqlite::Connection::open(house.home.state_db()).unwrap();
    let first = "ticket = (SELECT min(ticket) FROM turns)";
    connection
        .execute(
            &format!("UPDATE turns SET session_id = '../x' WHERE {first}"),
            [],
        )
        .unwrap();
    assert_eq!(house.standing(&turn), Standing::Ours);
}

/// One step of a random day.
#[derive(Debug, Clone)]
enum Step {
    Join { process: usize, things: Vec<usize> },
    Leave { turn: usize },
    Die { process: usize },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..4_usize, prop::collection::vec(0..3_usize, 1..4))
            .prop_map(|(process, things)| Step::Join { process, things }),
        2 => (0..12_usize).prop_map(|turn| Step::Leave { turn }),
        1 => (0..4_usize).prop_map(|process| Step::Die { process }),
    ]
}

/// A turn, whose it is, and what it is for.
type Asked = (Turn, session::SessionId, Vec<usize>);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Against a model that is a plain list: a turn is ours exactly when no living one before it shares a thing.
    #[test]
    fn a_turn_is_ours_exactly_when_nobody_living_is_before_it(steps in prop::collection::vec(step(), 1..25)) {
        const THINGS: [&str; 3] = ["order/1", "order/2", "inventory/1"];
        let house = House::new();
        let mut processes: Vec<Process<'_>> = (0..4).map(|_| house.process()).collect();
        let mut waiting: Vec<Asked> = Vec::new();
        for step in steps {
            match step {
                Step::Join { process, things } => {
                    let names: Vec<&str> = things.iter().map(|thing| THINGS[*thing]).collect();
                    let process = &processes[process];
                    waiting.push((process.enqueue(&names), process.session.id().clone(), things));
                }
                Step::Leave { turn } if turn < waiting.len() => {
                    turn::leave(&house.state, &waiting.remove(turn).0).unwrap();
                }
                Step::Leave { .. } => {}
                Step::Die { process } => {
                    let dead = std::mem::replace(&mut processes[process], house.process());
                    waiting.retain(|(_, owner, _)| owner != dead.session.id());
                }
            }
            for (place, (turn, _, things)) in waiting.iter().enumerate() {
                let is_before = |(_, _, others): &&Asked| others.iter().any(|other| things.contains(other));
                let is_ours = waiting[..place].iter().find(is_before).is_none();
                prop_assert_eq!(house.standing(turn) == Standing::Ours, is_ours, "{} {}", SHOP, place);
            }
        }
    }
}
