//! When the daemon makes a backup, and what it does after one that failed.

use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;

use super::*;
use crate::backup::Quiet;
use crate::backup::make::tests::desk::Desk;
use crate::backup::make::tests::faulty::Fault;
use crate::backup::turn::Turn;

const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);

fn rounds(desk: &Desk) -> Rounds {
    Rounds::new(desk.room.clone(), Arc::new(|| false))
}

/// Steps once a minute for a while; how many of them made something.
fn steps(rounds: &mut Rounds, desk: &Desk, span: Duration) -> usize {
    let minutes = span.as_secs() / 60;
    (0..minutes)
        .filter(|_| {
            desk.clock.advance(MINUTE);
            rounds.step().unwrap()
        })
        .count()
}

#[test]
fn the_first_backup_is_made_at_once_and_the_next_after_the_interval() {
    let desk = Desk::new();
    let mut rounds = rounds(&desk);
    assert!(rounds.step().unwrap());
    assert!(!rounds.step().unwrap());
    let made = steps(&mut rounds, &desk, 10 * HOUR);
    assert!((9..=10).contains(&made), "{made} in ten hours");
    let runs = Journal::read(&desk.room.home).runs;
    assert!(runs.iter().all(|run| run.outcome == Outcome::Good));
}

#[test]
fn a_restart_and_a_backup_by_hand_do_not_double_what_was_made() {
    let desk = Desk::new();
    assert!(rounds(&desk).step().unwrap());
    assert!(!rounds(&desk).step().unwrap());
    desk.clock.advance(HOUR);
    make_within(&desk.room, Duration::ZERO, &Quiet).unwrap();
    assert_eq!(steps(&mut rounds(&desk), &desk, 50 * MINUTE), 0);
}

#[test]
fn off_means_off() {
    let mut desk = Desk::new();
    desk.room.settings.schedule = Schedule::Off;
    assert_eq!(steps(&mut rounds(&desk), &desk, 5 * HOUR), 0);
}

#[test]
fn a_failure_is_tried_again_soon_then_less_often() {
    let desk = Desk::new();
    let mut rounds = rounds(&desk);
    rounds.step().unwrap();
    desk.stores[1].has(Fault::Put(".zst"));
    desk.clock.advance(HOUR + 6 * MINUTE);
    assert!(rounds.step().unwrap());
    // After 1, 2, 4, 8, 16 and 32 minutes.
    assert_eq!(steps(&mut rounds, &desk, 63 * MINUTE), 6);
    desk.stores[1].heal();
    assert_eq!(steps(&mut rounds, &desk, 61 * MINUTE), 1);
    let journal = Journal::read(&desk.room.home);
    assert_eq!((journal.totals.good, journal.totals.partial), (2, 7));
    assert_eq!(journal.failures_in_a_row(), 0);
}

#[test]
fn a_journal_that_cannot_be_written_makes_no_storm() {
    let desk = Desk::new();
    let mut rounds = rounds(&desk);
    // In the way of the journal's lock, and of nothing else.
    let lock = desk.room.home.backup_spool().join("journal.lock");
    std::fs::create_dir_all(lock).unwrap();
    assert!(rounds.step().unwrap());
    let made = steps(&mut rounds, &desk, 5 * HOUR);
    assert!((4..=5).contains(&made), "{made} in five hours");
}

#[test]
fn while_somebody_else_makes_one_nothing_is_made_and_nothing_noted() {
    let desk = Desk::new();
    let mut rounds = rounds(&desk);
    let turn = Turn::take(&desk.room.home, Duration::ZERO).unwrap();
    assert!(rounds.step().unwrap());
    assert!(!rounds.step().unwrap(), "it waits a little");
    assert_eq!(Journal::read(&desk.room.home).runs, []);
    drop(turn);
    desk.clock.advance(MINUTE);
    assert!(rounds.step().unwrap());
    assert_eq!(Journal::read(&desk.room.home).totals.good, 1);
}

#[test]
fn a_state_file_that_is_not_open_yet_is_no_failure_and_later_it_is() {
    let desk = Desk::without_state();
    let mut rounds = rounds(&desk);
    assert!(!rounds.step().unwrap());
    desk.clock.advance(OPENING);
    assert!(rounds.step().unwrap());
    assert_eq!(Journal::read(&desk.room.home).totals.failed, 1);
    assert!(!desk.room.home.state_db().exists());
}

#[test]
fn a_process_that_is_to_end_gives_up_what_it_makes() {
    let desk = Desk::new();
    let asked = Arc::new(AtomicBool::new(true));
    let flag = Arc::clone(&asked);
    let stopped: IsStopped = Arc::new(move || flag.load(Ordering::Relaxed));
    let mut rounds = Rounds::new(desk.room.clone(), stopped);
    rounds.step().unwrap();
    desk.nothing_new(&[]);
    assert_eq!(Journal::read(&desk.room.home).runs, []);
}

#[test]
fn a_clock_that_is_set_back_a_day_costs_one_backup_more_at_most() {
    let desk = Desk::new();
    let mut rounds = rounds(&desk);
    steps(&mut rounds, &desk, 3 * HOUR);
    let before = Journal::read(&desk.room.home).runs.len();
    let back = desk.room.clock.now() - jiff::SignedDuration::from_hours(24);
    desk.clock.jump_to(back);
    let made = steps(&mut rounds, &desk, 3 * HOUR);
    assert!((2..=4).contains(&made), "{made} in three hours");
    assert_eq!(Journal::read(&desk.room.home).runs.len(), before + made);
}

proptest! {
    #[test]
    fn waiting_after_failures_grows_and_is_bounded(failures in 1..u32::MAX) {
        let (this, next) = (retry_ms(failures), retry_ms(failures.saturating_add(1)));
        prop_assert!((RETRY_FIRST_MS..=RETRY_MOST_MS).contains(&this));
        prop_assert!(next >= this);
    }
}
