//! Anything may happen in any order, and every moment is still what it was.

use std::time::Duration;

use proptest::prelude::*;
use shared::clock::Clock;
use shared::state::Checkpoint;

use super::super::*;
use super::kit::*;
use crate::backup::seal::Recipients;

#[derive(Clone, Debug)]
enum Event {
    Write(u8),
    Hum,
    Grow,
    Shrink,
    Checkpoint(bool),
    Pass(u32),
    Tick,
    Ship,
    Restart,
    Kill,
    Unplug,
    PlugIn,
    ClockBack(u32),
    ClockAhead(u32),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        8 => (0u8..4).prop_map(Event::Write),
        2 => Just(Event::Hum),
        2 => Just(Event::Grow),
        1 => Just(Event::Shrink),
        1 => any::<bool>().prop_map(Event::Checkpoint),
        8 => (1u32..5_000).prop_map(Event::Pass),
        1 => (60_000u32..4_000_000).prop_map(Event::Pass),
        14 => Just(Event::Tick),
        6 => Just(Event::Ship),
        1 => Just(Event::Restart),
        2 => Just(Event::Kill),
        1 => Just(Event::Unplug),
        2 => Just(Event::PlugIn),
        1 => (1u32..5_000).prop_map(Event::ClockBack),
        1 => (1u32..100_000_000).prop_map(Event::ClockAhead),
    ]
}

fn play(desk: &mut Desk, event: &Event) {
    let (disk, away) = (
        desk.folder.path().join("disk"),
        desk.folder.path().join("away"),
    );
    let ms = |ms: u32| Duration::from_millis(u64::from(ms));
    match event {
        Event::Write(shop) => desk.write_to(&format!("shop {shop}")),
        Event::Hum => desk.hum(),
        Event::Grow => desk.grow(),
        Event::Shrink => desk.shrink(),
        Event::Checkpoint(all) => {
            let how = if *all {
                Checkpoint::Truncate
            } else {
                Checkpoint::Passive
            };
            desk.state().checkpoint(how).unwrap();
        }
        Event::Pass(span) => desk.pass(ms(*span)),
        Event::Tick => {
            desk.tick();
        }
        Event::Ship => send(desk),
        Event::Restart => {
            desk.engine.finish().unwrap();
            desk.remember();
            send(desk);
            desk.kill();
        }
        Event::Kill => desk.kill(),
        Event::Unplug => drop(std::fs::rename(disk, away)),
        Event::PlugIn => drop(std::fs::rename(away, disk)),
        Event::ClockBack(span) => {
            let back = desk.clock.now() - ms(*span);
            desk.clock.jump_to(back);
        }
        Event::ClockAhead(span) => {
            let ahead = desk.clock.now() + ms(*span);
            desk.clock.jump_to(ahead);
        }
    }
}

fn send(desk: &mut Desk) {
    for shipper in &mut desk.shippers {
        let _ = shipper.step();
    }
}

/// Everything is back and has had its time.
fn settle(desk: &mut Desk) {
    play(desk, &Event::PlugIn);
    for _ in 0..3 {
        desk.pass(Duration::from_secs(20));
        desk.tick();
        desk.ship();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_point_that_was_ever_made_is_given_back_as_it_was(events in proptest::collection::vec(event(), 1..160)) {
        // Nothing grows old here: what may go is another test's question.
        let keep = Settings {
            keep_seconds: 1_000 * DAY,
            keep_minutes: 1_000 * DAY,
            keep_hours: 1_000 * DAY,
            ..pitr_settings()
        };
        let mut desk = Desk::with(Where::Disk, Recipients::none(), keep);
        for event in &events {
            play(&mut desk, event);
        }
        desk.write();
        settle(&mut desk);
        let points: Vec<(String, i64)> = desk.images.keys().cloned().collect();
        for (line, at_ms) in points {
            for slot in 0..2 {
                let out = desk.scratch();
                let rebuilt = rebuild(&desk.target(slot), at_ms, Some(&line), None, &out, &crate::backup::Quiet).unwrap();
                prop_assert_eq!(rebuilt.reached_ms, at_ms, "{} from {}", line, slot);
                let image = std::fs::read(&out).unwrap();
                prop_assert!(image == desk.images[&(line.clone(), at_ms)], "{} at {} from {}", line, at_ms, slot);
            }
        }
        // And what is now is the newest of all, at every target.
        let now = desk.image();
        for slot in 0..2 {
            let (_, image) = desk.rebuild_from(slot, i64::MAX).unwrap();
            prop_assert!(image == now, "now from {}", slot);
            let gaps = survey(&desk.target(slot), desk.now_ms() + 3_600_000, &Context::default()).unwrap();
            prop_assert_eq!(gaps.lost, 0);
        }
    }
}
