//! Targets that are away, spools that are full, and what is told of it.

use std::time::Duration;

use shared::clock::Clock;

use super::super::*;
use super::kit::*;
use crate::backup::make::tests::faulty::Fault;
use crate::backup::seal::Recipients;

const SECOND: Duration = Duration::from_secs(1);

/// The disk is pulled, or put back.
fn unplug(desk: &Desk) {
    std::fs::rename(
        desk.folder.path().join("disk"),
        desk.folder.path().join("away"),
    )
    .unwrap();
}

fn plug_in(desk: &Desk) {
    std::fs::rename(
        desk.folder.path().join("away"),
        desk.folder.path().join("disk"),
    )
    .unwrap();
}

/// As [`Desk::step`], where targets may fail.
fn step(desk: &mut Desk, by: Duration) -> i64 {
    desk.pass(by);
    desk.write();
    assert!(desk.tick());
    for shipper in &mut desk.shippers {
        let _ = shipper.step();
    }
    desk.status().last_point_ms.unwrap()
}

#[test]
fn a_target_that_was_away_gets_everything_in_order() {
    let mut desk = Desk::new(Where::Disk);
    desk.tick();
    step(&mut desk, SECOND);
    unplug(&desk);
    let missed: Vec<i64> = (0..70).map(|_| step(&mut desk, SECOND)).collect();
    let away = desk.status().targets[1].clone();
    assert!(away.problem.is_some() && away.pending >= 70, "{away:?}");
    assert!(away.lag_seconds(desk.now_ms()) > 60.0);
    assert!(desk.status().targets[0].lag_seconds(desk.now_ms()).abs() < f64::EPSILON);
    plug_in(&desk);
    desk.pass(16 * SECOND);
    desk.ship();
    let back = desk.status().targets[1].clone();
    assert!(back.problem.is_none() && back.pending == 0, "{back:?}");
    for point in missed {
        assert_eq!(desk.assert_rebuilds_from(1, point).reached_ms, point);
    }
}

#[test]
fn a_pause_between_two_tries_is_no_success() {
    let mut desk = Desk::new(Where::Disk);
    desk.tick();
    step(&mut desk, SECOND);
    unplug(&desk);
    step(&mut desk, SECOND);
    // The clock stands still: the next try is not due yet.
    let told = desk.shippers[1].step().unwrap_err().to_string();
    assert!(told.contains("hint: "), "{told}");
    plug_in(&desk);
    desk.pass(16 * SECOND);
    assert!(desk.shippers[1].step().unwrap());
}

#[test]
fn a_listing_that_fails_after_minutes_is_not_all_that_a_target_is_asked_for() {
    let minute = 60 * SECOND;
    let mut desk = Desk::new(Where::OnlyCloud);
    desk.tick();
    desk.ship();
    desk.cloud.has(Fault::List);
    desk.cloud.lists_in(2 * minute, &desk.clock);
    let takes_no_time = |desk: &Desk, before: i64| desk.now_ms() - before < 60_000;

    let before = step(&mut desk, 31 * minute);
    assert!(!takes_no_time(&desk, before), "it was looked at");
    let mut sent = desk.status().targets[0].shipped;
    for _ in 0..15 {
        let before = step(&mut desk, minute);
        assert!(takes_no_time(&desk, before), "no look in between");
        let target = desk.status().targets[0].clone();
        assert!(target.shipped > sent, "what changes is sent all the same");
        assert!(target.problem.is_some(), "and the trouble is told of");
        sent = target.shipped;
    }

    desk.cloud.heal();
    step(&mut desk, 10 * minute);
    assert_eq!(desk.status().targets[0].problem, None);
}

#[test]
fn an_outage_over_a_restart_loses_nothing() {
    let mut desk = Desk::new(Where::Disk);
    desk.tick();
    step(&mut desk, SECOND);
    unplug(&desk);
    let before = step(&mut desk, SECOND);
    desk.kill();
    let after = step(&mut desk, SECOND);
    plug_in(&desk);
    desk.pass(16 * SECOND);
    desk.ship();
    for point in [before, after] {
        assert_eq!(desk.assert_rebuilds_from(1, point).reached_ms, point);
    }
    assert_eq!(window(&desk.target(1)).unwrap().len(), 1);
}

#[test]
fn a_full_spool_drops_the_finest_and_the_target_can_follow_again() {
    let small = Settings {
        spool_max_bytes: 20_000,
        ..pitr_settings()
    };
    let mut desk = Desk::with(Where::Disk, Recipients::none(), small);
    desk.tick();
    step(&mut desk, SECOND);
    unplug(&desk);
    for _ in 0..150 {
        step(&mut desk, 20 * SECOND);
    }
    let status = desk.status();
    assert!(status.targets[1].dropped > 0 && status.targets[0].dropped == 0);
    assert!(status.spool_bytes <= 20_000, "{}", status.spool_bytes);
    plug_in(&desk);
    desk.pass(16 * SECOND);
    desk.ship();
    // Whatever was dropped, within a look the newest moment is there again.
    desk.tick();
    desk.ship();
    let now = desk.now_ms();
    let last = desk.status().last_point_ms.unwrap();
    assert_eq!(desk.assert_rebuilds_from(1, now).reached_ms, last);
    let first = desk.now_ms() - 1_500_000;
    desk.assert_rebuilds_from(1, first);
}

#[test]
fn a_target_that_is_new_gets_a_base_and_the_others_none() {
    let mut desk = Desk::new(Where::Disk);
    let disk = desk.room.targets.pop().unwrap();
    desk.kill();
    desk.tick();
    step(&mut desk, SECOND);
    desk.restart();
    desk.room.targets.push(disk);
    desk.kill();
    // Looks at the new one, finds nothing there, cuts a base, sends it.
    desk.tick();
    desk.ship();
    desk.tick();
    desk.ship();
    let bases = |slot| {
        desk.names(slot)
            .iter()
            .filter(|key| key.contains("-base-"))
            .count()
    };
    assert_eq!((bases(0), bases(1)), (1, 1));
    let point = step(&mut desk, SECOND);
    desk.ship();
    assert_eq!(desk.assert_rebuilds(point).reached_ms, point);
}

#[test]
fn a_target_that_somebody_emptied_gets_a_base() {
    let mut desk = Desk::new(Where::Disk);
    desk.tick();
    step(&mut desk, SECOND);
    let disk = desk.folder.path().join("disk/pitr");
    std::fs::remove_dir_all(&disk).unwrap();
    // The next regular look notices.
    desk.pass(3_600 * SECOND);
    desk.ship();
    desk.tick();
    desk.ship();
    let point = step(&mut desk, SECOND);
    desk.ship();
    assert_eq!(desk.assert_rebuilds(point).reached_ms, point);
}

#[test]
fn an_increment_that_was_taken_out_of_the_spool_is_made_up_for() {
    let mut desk = Desk::new(Where::Disk);
    desk.tick();
    step(&mut desk, SECOND);
    desk.pass(SECOND);
    desk.write();
    assert!(desk.tick());
    for entry in std::fs::read_dir(desk.spool()).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name().to_string_lossy().contains(".inc.") {
            std::fs::remove_file(entry.path()).unwrap();
        }
    }
    for _ in 0..2 {
        desk.ship();
        desk.tick();
    }
    desk.ship();
    let now = desk.now_ms();
    let last = desk.status().last_point_ms.unwrap();
    assert_eq!(desk.assert_rebuilds(now).reached_ms, last);
}

#[test]
fn with_only_a_target_elsewhere_it_works_at_that_pace() {
    let mut desk = Desk::new(Where::OnlyCloud);
    desk.tick();
    desk.ship();
    desk.pass(60 * SECOND);
    desk.tick();
    for _ in 0..100 {
        desk.write();
        desk.pass(Duration::from_millis(200));
        desk.tick();
    }
    desk.ship();
    let now = desk.now_ms();
    desk.assert_rebuilds(now);
    assert!(desk.names(0).iter().all(|key| !key.contains("-s.inc")));
}

#[test]
fn old_moments_go_after_their_time_and_an_hour_of_grace() {
    let mut desk = Desk::new(Where::Local);
    desk.tick();
    for _ in 0..60 {
        desk.step(Duration::from_secs(40));
    }
    let fine = |desk: &Desk| {
        desk.names(0)
            .iter()
            .filter(|key| key.contains("-s.inc"))
            .count()
    };
    let before = fine(&desk);
    let pruned = |desk: &Desk| desk.status().targets[0].pruned;
    // A clock that is far ahead for hours proves nothing.
    let right = desk.clock.now();
    desk.clock.jump_to(right + 400 * DAY);
    for _ in 0..4 {
        desk.step(Duration::from_secs(3_601));
        assert_eq!(pruned(&desk), 0);
    }
    desk.clock.jump_to(right + Duration::from_secs(4 * 3_601));
    // The longest steps do not count, as the clock might have been set; one was that to the wrong time, and three were made then.
    let hours = 24 + (elapsed::LEAPS - 1) - 3 + 1;
    for _ in 0..hours {
        desk.step(Duration::from_secs(3_600));
    }
    assert!(fine(&desk) >= before, "doomed, and still there");
    assert_eq!(pruned(&desk), 0);
    desk.step(Duration::from_secs(3_601));
    assert!(pruned(&desk) > 0);
    let now = desk.now_ms();
    let last = desk.status().last_point_ms.unwrap();
    assert_eq!(desk.assert_rebuilds(now).reached_ms, last);
    // Of the time when they were, minutes are still there.
    let minutes = right.as_millisecond() - 1_200_000;
    let reached = desk.assert_rebuilds(minutes).reached_ms;
    assert!((minutes - 80_000..=minutes).contains(&reached), "{reached}");
    let gaps = desk.status().targets[0].gaps.clone().unwrap();
    assert_eq!((gaps.lost, gaps.late), (0, 0), "{gaps:?}");
}

#[test]
fn a_spool_that_cannot_be_written_is_tried_again_at_growing_intervals_and_nothing_is_lost() {
    let mut desk = Desk::new(Where::Local);
    desk.tick();
    desk.step(SECOND);
    // Root may write anywhere, so a folder that is gone stands for a disk that is full.
    let away = desk.folder.path().join("away");
    std::fs::rename(desk.spool(), &away).unwrap();
    desk.write();
    let mut failures = 0;
    for _ in 0..100 {
        desk.pass(Duration::from_millis(200));
        failures += u32::from(desk.engine.tick().is_err());
    }
    assert!((3..=8).contains(&failures), "{failures}");
    let status = desk.status();
    assert!(
        status.problem.is_some() && status.lag_seconds(desk.now_ms()) > 15.0,
        "{status:?}"
    );
    std::fs::rename(&away, desk.spool()).unwrap();
    desk.pass(10 * SECOND);
    assert!(desk.tick());
    desk.ship();
    assert!(desk.status().lag_seconds(desk.now_ms()).abs() < f64::EPSILON);
    let now = desk.now_ms();
    let last = desk.status().last_point_ms.unwrap();
    assert_eq!(desk.assert_rebuilds(now).reached_ms, last);
}
