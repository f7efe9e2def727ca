//! What is captured, when, and for whom.

use std::time::Duration;

use shared::state::Checkpoint;

use super::super::level::Level;
use super::super::name::parse_key;
use super::super::*;
use super::kit::*;
use crate::backup::seal::{Identities, Recipients};

const SECOND: Duration = Duration::from_secs(1);

fn levels(names: &[String]) -> String {
    let names = names.iter().map(|key| parse_key(key).unwrap().1);
    names.map(|name| name.level.letter()).collect()
}

#[test]
fn the_first_look_makes_a_base_and_a_commit_makes_a_step() {
    let mut desk = Desk::new(Where::Local);
    assert!(desk.tick());
    desk.ship();
    assert_eq!(levels(&desk.names(0)), "d");
    let point = desk.step(SECOND);
    assert_eq!(levels(&desk.names(0)), "ds");
    let rebuilt = desk.assert_rebuilds(point);
    assert_eq!((rebuilt.reached_ms, rebuilt.objects), (point, 2));
    let before = desk.assert_rebuilds(point - 1);
    assert_eq!(before.objects, 1);
}

#[test]
fn nothing_is_looked_at_and_nothing_shipped_while_nothing_moves() {
    let mut desk = Desk::new(Where::Cloud);
    desk.step(SECOND);
    // The coarser series catch up with the last point, each once; then there is nothing left to say.
    for _ in 0..5 {
        desk.pass(DAY);
        desk.tick();
        desk.ship();
    }
    let shipped = desk.names(1);
    for _ in 0..50 {
        desk.pass(DAY / 7);
        assert!(!desk.tick());
        desk.ship();
    }
    assert_eq!(desk.names(1), shipped);
}

#[test]
fn what_matters_is_cut_at_once_and_then_at_its_pace() {
    let mut desk = Desk::new(Where::Cloud);
    desk.tick();
    desk.pass(60 * SECOND);
    desk.tick();
    desk.write();
    desk.pass(Duration::from_millis(200));
    assert!(desk.tick(), "the first one after a rest is cut at once");
    let mut cuts = 0;
    for _ in 0..50 {
        desk.write();
        desk.pass(Duration::from_millis(200));
        let lag = desk.status().lag_seconds(desk.now_ms());
        assert!(lag <= 0.8, "{lag}");
        cuts += u32::from(desk.tick());
    }
    assert!((16..=17).contains(&cuts), "{cuts}");
}

#[test]
fn a_target_elsewhere_gets_what_matters_within_its_interval_and_no_seconds() {
    let mut desk = Desk::new(Where::Cloud);
    desk.tick();
    desk.ship();
    for _ in 0..300 {
        desk.write();
        desk.pass(Duration::from_millis(200));
        desk.tick();
        desk.ship();
        let lag = desk.status().targets[1].lag_seconds(desk.now_ms());
        assert!(lag < 9.0, "{lag}");
    }
    let there = levels(&desk.names(1));
    assert!(!there.contains('s') && there.contains('t'), "{there}");
    assert!(there.matches('t').count() <= 9, "{there}");
    let here = levels(&desk.names(0));
    assert!(
        !here.contains('t') && here.matches('s').count() > 50,
        "{here}"
    );
    let now = desk.now_ms();
    desk.assert_rebuilds(now);
}

#[test]
fn telemetry_alone_is_cut_once_a_minute_and_never_waits_for_anybody() {
    let mut desk = Desk::new(Where::Local);
    desk.tick();
    let mut cuts = 0;
    for _ in 0..1_200 {
        desk.pass(Duration::from_millis(500));
        desk.hum();
        cuts += u32::from(desk.tick());
        assert!(desk.status().lag_seconds(desk.now_ms()).abs() < f64::EPSILON);
    }
    assert!((9..=11).contains(&cuts), "{cuts} in ten minutes");
    desk.ship();
    let now = desk.now_ms();
    desk.assert_rebuilds(now);
}

#[test]
fn the_coarse_series_lead_over_the_fine_ones() {
    let mut desk = Desk::new(Where::Local);
    desk.tick();
    for _ in 0..100 {
        desk.step(Duration::from_secs(119));
    }
    let now = desk.now_ms();
    let rebuilt = desk.assert_rebuilds(now);
    assert!(
        rebuilt.objects < 45,
        "{} of {}",
        rebuilt.objects,
        desk.names(0).len()
    );
    let (base, first) = (now - 100 * 119_000, now - 50 * 119_000);
    desk.assert_rebuilds(base);
    desk.assert_rebuilds(first);
}

#[test]
fn each_day_has_a_base_of_its_own() {
    let mut desk = Desk::new(Where::Local);
    desk.tick();
    for _ in 0..8 {
        desk.step(DAY / 2);
    }
    let bases = levels(&desk.names(0)).matches('d').count();
    assert_eq!(bases, 5);
    let now = desk.now_ms();
    assert_eq!(desk.assert_rebuilds(now).objects, 1);
}

#[test]
fn a_file_that_grows_shrinks_and_is_checkpointed_by_others_is_followed() {
    let mut desk = Desk::new(Where::Local);
    desk.tick();
    let mut points = Vec::new();
    for round in 0..12 {
        for _ in 0..round {
            desk.grow();
        }
        points.push(desk.step(SECOND));
        desk.state().checkpoint(Checkpoint::Truncate).unwrap();
        if round % 3 == 2 {
            while desk.image().len() > 200_000 {
                desk.shrink();
            }
            points.push(desk.step(SECOND));
            desk.state().checkpoint(Checkpoint::Passive).unwrap();
        }
    }
    let sizes: std::collections::BTreeSet<usize> = desk.images.values().map(Vec::len).collect();
    assert!(sizes.len() > 5, "{sizes:?}");
    for point in points {
        assert_eq!(desk.assert_rebuilds(point).reached_ms, point);
    }
}

#[test]
fn a_rebuilt_file_is_a_sound_database() {
    let mut desk = Desk::new(Where::Local);
    desk.tick();
    desk.grow();
    let point = desk.step(SECOND);
    let out = desk.scratch();
    rebuild(
        &desk.target(0),
        point,
        None,
        None,
        &out,
        &crate::backup::Quiet,
    )
    .unwrap();
    let copy = shared::state::State::open_copy(&out).unwrap();
    copy.inspect().unwrap();
    let epoch = copy.read("test", |reading| {
        shared::state::tables::epochs::read(reading, "shop")
    });
    assert_eq!(epoch.unwrap(), 1);
}

#[test]
fn increments_are_encrypted_to_the_recipients_and_opened_with_the_key_of_any() {
    use age::secrecy::ExposeSecret;
    let secret = age::x25519::Identity::generate();
    let other = age::x25519::Identity::generate();
    let keys = [&other, &secret].map(|identity| identity.to_public().to_string());
    let recipients = Recipients::parse(&keys).unwrap();
    let mut desk = Desk::with(Where::Local, recipients, pitr_settings());
    desk.tick();
    let point = desk.step(SECOND);
    assert!(
        desk.names(0)
            .iter()
            .all(|key| key.ends_with(".inc.zst.age"))
    );
    let refused = desk.rebuild_from(0, point).unwrap_err();
    assert!(matches!(refused, PitrError::Locked { .. }), "{refused}");
    assert!(refused.is_ours() && !refused.is_damage());

    let path = desk.folder.path().join("identity");
    shared::fsx::write_atomic(
        &path,
        secret.to_string().expose_secret().as_bytes(),
        shared::fsx::Mode::Private,
    )
    .unwrap();
    desk.identities = Some(Identities::from_file(&path).unwrap());
    desk.assert_rebuilds(point);
}

#[test]
fn only_one_sidecar_of_a_home_captures() {
    let mut desk = Desk::new(Where::Local);
    desk.tick();
    let settings = pitr_settings();
    let mut second = Engine::new(&desk.room, &settings);
    desk.write();
    assert!(!second.tick().unwrap());
    assert_eq!(second.latest().lock().doing, Doing::Elsewhere);
    assert!(deliver(&desk.room).is_empty());
    desk.pass(SECOND);
    assert!(desk.tick());
}

#[test]
fn without_a_state_file_it_waits_and_holds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk::new(Where::Local);
    desk.room.slot = shared::state::Slot::new(shared::paths::Home::at(folder.path()));
    desk.kill();
    assert!(!desk.engine.tick().unwrap());
    assert_eq!(desk.status().doing, Doing::NoState);
}

#[test]
fn every_series_has_its_letter_in_what_a_window_shows() {
    let mut desk = Desk::new(Where::Local);
    desk.tick();
    for _ in 0..70 {
        desk.step(Duration::from_secs(61));
    }
    let lines = window(&desk.target(0)).unwrap();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].points, 71);
    assert_eq!(lines[0].newest_at_or_before(i64::MAX), Some(desk.now_ms()));
    assert!(levels(&desk.names(0)).contains(Level::Hour.letter()));
}
