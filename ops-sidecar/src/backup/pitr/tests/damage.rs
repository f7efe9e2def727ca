//! Objects that are not what they should be: refused, gone round, never applied.

use std::path::PathBuf;
use std::time::Duration;

use super::super::*;
use super::kit::*;

const SECOND: Duration = Duration::from_secs(1);

/// A line of some minutes, a point each second.
fn busy() -> (Desk, Vec<i64>) {
    let mut desk = Desk::new(Where::Local);
    desk.tick();
    desk.ship();
    let points = (0..150).map(|_| desk.step(SECOND)).collect();
    (desk, points)
}

fn file(desk: &Desk, key: &str) -> PathBuf {
    desk.room.home.backups_dir().join(key)
}

/// The keys of one series, oldest first.
fn keys(desk: &Desk, level: char) -> Vec<String> {
    let of_level = format!("-{level}.inc.");
    let names = desk.names(0);
    names
        .into_iter()
        .filter(|key| key.contains(&of_level))
        .collect()
}

#[test]
fn a_flipped_byte_anywhere_is_never_applied() {
    let mut desk = Desk::new(Where::Local);
    desk.tick();
    let point = desk.step(SECOND);
    let key = keys(&desk, 's').pop().unwrap();
    let sound = std::fs::read(file(&desk, &key)).unwrap();
    for place in (0..sound.len()).step_by(7) {
        let mut changed = sound.clone();
        changed[place] ^= 0x10;
        std::fs::write(file(&desk, &key), changed).unwrap();
        let rebuilt = desk.assert_rebuilds(point);
        // Some bits of a zstd frame mean nothing; then what comes out is what went in.
        if rebuilt.reached_ms != point {
            assert_eq!(rebuilt.passed_by.len(), 1, "{place}");
        }
    }
    for length in (0..sound.len()).step_by(5) {
        std::fs::write(file(&desk, &key), &sound[..length]).unwrap();
        assert!(desk.assert_rebuilds(point).reached_ms < point, "{length}");
    }
}

#[test]
fn a_damaged_coarse_step_is_gone_round_through_the_fine_ones() {
    let (mut desk, points) = busy();
    let last = *points.last().unwrap();
    let key = keys(&desk, 'm').remove(0);
    std::fs::write(file(&desk, &key), b"noise").unwrap();
    let rebuilt = desk.assert_rebuilds(last);
    assert_eq!(rebuilt.reached_ms, last);
    assert!(rebuilt.objects > 60, "{rebuilt:?}");
    assert!(rebuilt.passed_by[0].contains("damaged"), "{rebuilt:?}");
}

#[test]
fn a_missing_fine_step_costs_its_moments_up_to_the_next_minute_only() {
    let (mut desk, points) = busy();
    let gone = keys(&desk, 's').remove(20);
    std::fs::remove_file(file(&desk, &gone)).unwrap();
    let last = *points.last().unwrap();
    assert_eq!(desk.assert_rebuilds(last).reached_ms, last);
    let cut_off = desk.assert_rebuilds(points[30]);
    assert!(cut_off.reached_ms < points[30] && cut_off.reached_ms >= points[18]);
    desk.pass(3_600 * SECOND);
    let gaps = survey(&desk.target(0), desk.now_ms(), &Context::default()).unwrap();
    assert_eq!((gaps.lost, gaps.covered), (1, 0), "{gaps:?}");
}

#[test]
fn steps_that_were_swapped_are_found_out() {
    let (mut desk, points) = busy();
    let fine = keys(&desk, 's');
    let (one, other) = (file(&desk, &fine[70]), file(&desk, &fine[75]));
    let bytes = (std::fs::read(&one).unwrap(), std::fs::read(&other).unwrap());
    std::fs::write(&one, bytes.1).unwrap();
    std::fs::write(&other, bytes.0).unwrap();
    for point in &points[60..90] {
        desk.assert_rebuilds(*point);
    }
}

#[test]
fn a_step_of_another_home_is_refused_under_any_name() {
    let (mut desk, points) = busy();
    let (other, _) = busy();
    let (ours, theirs) = (keys(&desk, 's'), keys(&other, 's'));
    for place in [100, 120] {
        let foreign = std::fs::read(file(&other, &theirs[place])).unwrap();
        std::fs::write(file(&desk, &ours[place]), foreign).unwrap();
    }
    for point in &points[90..130] {
        desk.assert_rebuilds(*point);
    }
    // A base of theirs in place of ours: nothing at all is left to build on.
    let (base, foreign) = (keys(&desk, 'd').remove(0), keys(&other, 'd').remove(0));
    std::fs::copy(file(&other, &foreign), file(&desk, &base)).unwrap();
    let refused = desk.rebuild_from(0, points[5]).unwrap_err();
    assert!(refused.is_damage(), "{refused}");
}

#[test]
fn a_state_that_is_not_the_one_before_is_not_built_on() {
    // The same line, forged further from an older state: names fit, roots do not.
    let mut desk = Desk::new(Where::Local);
    desk.tick();
    let first = desk.step(SECOND);
    let second = desk.step(SECOND);
    let third = desk.step(SECOND);
    let fine = keys(&desk, 's');
    let name = |place: usize| fine[place].rsplit('/').next().unwrap().to_owned();
    // The third step claims to start from the first point.
    let forged = name(2).replacen(&format!("{second}"), &format!("{first}"), 1);
    let place = file(&desk, &fine[2]);
    std::fs::rename(&place, place.with_file_name(forged)).unwrap();
    let rebuilt = desk.assert_rebuilds(third);
    assert_eq!(rebuilt.reached_ms, second);
    assert_eq!(rebuilt.passed_by.len(), 1);
}

#[test]
fn foreign_files_in_the_folder_disturb_nothing() {
    let (mut desk, points) = busy();
    let line = desk.status().line.unwrap();
    let folder = desk.room.home.backups_dir().join("pitr").join(line);
    std::fs::write(folder.join("README.txt"), "mine").unwrap();
    std::fs::write(folder.join("1-2-s.inc.zst"), "mine").unwrap();
    desk.assert_rebuilds(points[7]);
}

#[test]
fn nothing_before_the_first_point_can_be_had_and_nothing_is_left_behind() {
    let (mut desk, _) = busy();
    let out = desk.scratch();
    let refused = rebuild(
        &desk.target(0),
        1_000,
        None,
        None,
        &out,
        &crate::backup::Quiet,
    );
    let refused = refused.unwrap_err();
    assert!(matches!(
        refused,
        PitrError::NothingReaches { damaged: None, .. }
    ));
    assert!(
        refused.to_string().contains("1970-01-01T00:00:01Z"),
        "{refused}"
    );
    assert!(!out.exists());
    let place = out.parent().unwrap();
    assert_eq!(
        std::fs::read_dir(place)
            .unwrap()
            .filter(|entry| {
                entry
                    .as_ref()
                    .unwrap()
                    .file_name()
                    .to_string_lossy()
                    .starts_with('.')
            })
            .count(),
        0
    );
}
