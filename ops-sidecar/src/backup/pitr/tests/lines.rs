//! When a line goes on, and when a new one begins.

use std::time::Duration;

use shared::clock::Clock;

use super::super::name::parse_key;
use super::super::*;
use super::kit::*;
use crate::backup::owner;

const SECOND: Duration = Duration::from_secs(1);

fn lines(desk: &Desk) -> usize {
    window(&desk.target(0)).unwrap().len()
}

#[test]
fn a_line_goes_on_over_a_restart() {
    let mut desk = Desk::new(Where::Disk);
    desk.tick();
    let first = desk.step(SECOND);
    desk.restart();
    let second = desk.step(SECOND);
    desk.write();
    desk.restart();
    let third = desk.step(5 * SECOND);
    assert_eq!(lines(&desk), 1);
    for point in [first, second, third] {
        assert_eq!(desk.assert_rebuilds(point).reached_ms, point);
    }
}

#[test]
fn a_killed_sidecar_goes_on_from_what_it_had_stored() {
    let mut desk = Desk::new(Where::Disk);
    desk.tick();
    let points: Vec<i64> = (0..5).map(|_| desk.step(SECOND)).collect();
    desk.kill();
    desk.write();
    let after = desk.step(3 * SECOND);
    assert_eq!(lines(&desk), 1);
    for point in points.into_iter().chain([after]) {
        assert_eq!(desk.assert_rebuilds(point).reached_ms, point);
    }
}

#[test]
fn what_a_killed_sidecar_had_not_sent_is_sent_by_the_next_or_by_who_restores() {
    let mut desk = Desk::new(Where::Local);
    desk.tick();
    desk.step(SECOND);
    desk.pass(SECOND);
    desk.write();
    assert!(desk.tick());
    let point = desk.status().last_point_ms.unwrap();
    desk.kill();
    assert!(desk.assert_rebuilds(point).reached_ms < point);
    assert_eq!(deliver(&desk.room), [("local".to_owned(), Ok(1))]);
    assert_eq!(desk.assert_rebuilds(point).reached_ms, point);
    assert_eq!(deliver(&desk.room), [("local".to_owned(), Ok(0))]);
}

#[test]
fn a_killed_sidecar_goes_on_from_where_the_last_minute_ended() {
    let mut desk = Desk::new(Where::Local);
    desk.tick();
    for _ in 0..40 {
        desk.step(10 * SECOND);
    }
    desk.kill();
    let point = desk.step(SECOND);
    let names = desk.names(0);
    let names = names.iter().map(|key| parse_key(key).unwrap().1);
    let steps: Vec<_> = names.filter(|name| name.to_ms == point).collect();
    assert!(!steps.is_empty());
    // Two minutes of pages in it at most, and not all that changed since the last base.
    for step in steps {
        assert!(step.from_ms >= Some(point - 121_000), "{step:?}");
    }
}

#[test]
fn lost_or_damaged_tables_begin_a_new_line() {
    for damage in [true, false] {
        let mut desk = Desk::new(Where::Local);
        desk.tick();
        let first = desk.step(SECOND);
        desk.restart();
        let tables = desk.spool().join("tables");
        if damage {
            let mut bytes = std::fs::read(&tables).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            std::fs::write(&tables, bytes).unwrap();
        } else {
            std::fs::remove_dir_all(desk.spool()).unwrap();
        }
        let second = desk.step(SECOND);
        assert_eq!(lines(&desk), 2);
        for point in [first, second] {
            assert_eq!(desk.assert_rebuilds(point).reached_ms, point);
        }
        assert_eq!(desk.assert_rebuilds(second).other_lines.len(), 1);
    }
}

#[test]
fn a_clock_that_goes_back_begins_a_new_line_that_answers_from_then_on() {
    let mut desk = Desk::new(Where::Local);
    desk.tick();
    let wrong = desk.step(3_600 * SECOND);
    let back = desk.clock.now() - Duration::from_secs(1_800);
    desk.clock.jump_to(back);
    let right = desk.step(SECOND);
    assert!(right < wrong);
    assert_eq!(lines(&desk), 2);
    assert_eq!(desk.assert_rebuilds(right).reached_ms, right);
    let later = desk.step(3_600 * SECOND);
    assert!(later > wrong);
    // Both lines have a point by then; the one that started last is the truth.
    assert_eq!(desk.assert_rebuilds(wrong).reached_ms, right);
    assert_eq!(lines(&desk), 2);
}

#[test]
fn a_clock_that_is_corrected_by_less_than_a_second_keeps_the_line_and_the_order() {
    let mut desk = Desk::new(Where::Local);
    desk.tick();
    let mut last = desk.step(SECOND);
    for _ in 0..5 {
        desk.pass(SECOND);
        let back = desk.clock.now() - Duration::from_millis(1_400);
        desk.clock.jump_to(back);
        desk.write();
        assert!(desk.tick());
        let point = desk.status().last_point_ms.unwrap();
        assert_eq!(point, last + 1);
        last = point;
        desk.pass(Duration::from_millis(500));
    }
    desk.ship();
    assert_eq!(lines(&desk), 1);
    desk.assert_rebuilds(last);
}

#[test]
fn a_clock_that_jumps_ahead_is_harmless() {
    let mut desk = Desk::new(Where::Local);
    desk.tick();
    let first = desk.step(SECOND);
    let ahead = desk.clock.now() + 400 * DAY;
    desk.clock.jump_to(ahead);
    let second = desk.step(SECOND);
    assert_eq!(lines(&desk), 1);
    for point in [first, second] {
        assert_eq!(desk.assert_rebuilds(point).reached_ms, point);
    }
}

#[test]
fn a_clock_that_was_set_back_while_nobody_looked_begins_a_new_line_too() {
    let mut desk = Desk::new(Where::Local);
    desk.tick();
    desk.step(SECOND);
    // Later than what the tables say: only the spool knows of these.
    let last = desk.step(30 * SECOND);
    desk.kill();
    let back = desk.clock.now() - Duration::from_secs(10);
    desk.clock.jump_to(back);
    desk.write();
    assert!(desk.tick());
    desk.ship();
    assert_eq!(lines(&desk), 2);
    assert!(desk.status().last_point_ms.unwrap() < last);
}

#[test]
fn a_line_that_a_later_one_has_followed_never_goes_on() {
    let mut desk = Desk::new(Where::Local);
    desk.tick();
    desk.step(3_600 * SECOND);
    let tables = desk.spool().join("tables");
    let of_the_first = std::fs::read(&tables).unwrap();
    let back = desk.clock.now() - Duration::from_secs(1_800);
    desk.clock.jump_to(back);
    desk.step(SECOND);
    assert_eq!(lines(&desk), 2);
    // Killed after the first point of the second line, and before it was stored where its series stand.
    desk.kill();
    std::fs::write(&tables, of_the_first).unwrap();
    // By now the clock shows again what the first line has seen.
    let point = desk.step(2 * 3_600 * SECOND);
    assert_eq!(desk.assert_rebuilds(point).reached_ms, point);
}

#[test]
fn an_old_line_still_gives_its_moments_by_name() {
    let mut desk = Desk::new(Where::Local);
    desk.tick();
    let first = desk.step(SECOND);
    let line = desk.status().line.unwrap();
    std::fs::remove_file(desk.spool().join("tables")).unwrap();
    desk.kill();
    let second = desk.step(SECOND);
    let out = desk.scratch();
    let rebuilt = rebuild(
        &desk.target(0),
        second,
        Some(&line),
        None,
        &out,
        &crate::backup::Quiet,
    );
    assert_eq!(rebuilt.unwrap().reached_ms, first);
    let out = desk.scratch();
    let none = rebuild(
        &desk.target(0),
        second,
        Some("nope"),
        None,
        &out,
        &crate::backup::Quiet,
    );
    assert!(matches!(none, Err(PitrError::NoLine { .. })));
    assert!(!out.exists());
}

#[test]
fn a_state_file_that_was_made_anew_is_another_line() {
    let mut desk = Desk::new(Where::Local);
    desk.tick();
    let first = desk.step(SECOND);
    let (home, old) = (desk.room.home.clone(), desk.state());
    desk.slot
        .mark_broken(&old, shared::state::StateError::Moved);
    drop(old);
    desk.kill();
    for name in ["state.db", "state.db-wal", "state.db-shm"] {
        let _ = std::fs::remove_file(home.root().join(name));
    }
    desk.slot.open_now().unwrap();
    let second = desk.step(SECOND);
    assert_eq!(lines(&desk), 2);
    for point in [first, second] {
        assert_eq!(desk.assert_rebuilds(point).reached_ms, point);
    }
}

#[test]
fn what_a_killed_sidecar_had_not_sent_is_not_delivered_to_the_target_of_another_home() {
    let mut desk = Desk::new(Where::Disk);
    desk.tick();
    desk.step(SECOND);
    desk.pass(SECOND);
    desk.write();
    assert!(desk.tick());
    desk.kill();
    let disk = desk.target(1);
    disk.delete(owner::KEY).unwrap();
    disk.put(owner::KEY, br#"{"home":"another"}"#.to_vec())
        .unwrap();
    let before = desk.names(1);
    let delivered = deliver(&desk.room);
    assert_eq!(delivered[0], ("local".to_owned(), Ok(1)));
    let refused = delivered[1].1.as_ref().unwrap_err();
    assert!(refused.contains("another home"), "{refused}");
    assert_eq!(desk.names(1), before);
}

#[test]
fn a_state_that_was_made_anew_is_not_sent_where_the_lost_one_was() {
    let mut desk = Desk::new(Where::Disk);
    desk.tick();
    let lost = desk.step(SECOND);
    let (home, old) = (desk.room.home.clone(), desk.state());
    desk.slot
        .mark_broken(&old, shared::state::StateError::Moved);
    drop(old);
    for name in ["state.db", "state.db-wal", "state.db-shm"] {
        let _ = std::fs::remove_file(home.root().join(name));
    }
    desk.slot.open_now().unwrap();
    desk.pass(SECOND);
    desk.write();
    assert!(desk.tick());
    let refused = desk.shippers[1].step().unwrap_err().to_string();
    assert!(refused.contains("another home"), "{refused}");
    let there = window(&desk.target(1)).unwrap();
    assert_eq!(there.len(), 1);
    assert_eq!(there[0].newest_at_or_before(i64::MAX), Some(lost));
}
