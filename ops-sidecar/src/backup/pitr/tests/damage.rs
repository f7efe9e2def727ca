//! Objects that are not what they should be: refused, gone round, never applied.

use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::time::Duration;

use super::super::increment::{Decoder, Encoder};
use super::super::*;
use super::kit::*;
use crate::backup::Progress;
use crate::backup::make::tests::faulty::Fault;
use crate::backup::seal::{self, Recipients};

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

/// The same increment with other bytes in its last page: well-formed, and not what the page hashes were taken from.
fn with_another_page(sound: &[u8]) -> Vec<u8> {
    let mut decoder = Decoder::open(seal::reader(sound, false, None).unwrap(), false).unwrap();
    let header = decoder.header().clone();
    let (mut pages, mut page) = (Vec::new(), Vec::new());
    while let Some(number) = decoder.next_page(&mut page).unwrap() {
        pages.push((number, page.clone()));
    }
    pages.last_mut().unwrap().1[2_000] ^= 1;
    let sealed = seal::writer(Vec::new(), &Recipients::none()).unwrap();
    let mut encoder = Encoder::begin(sealed, &header).unwrap();
    for (number, page) in pages {
        encoder.page(number, &page).unwrap();
    }
    encoder.finish().unwrap().finish().unwrap()
}

#[test]
fn a_step_whose_pages_are_not_those_that_were_hashed_leads_nowhere() {
    let mut desk = Desk::new(Where::Local);
    desk.tick();
    let first = desk.step(SECOND);
    let second = desk.step(SECOND);
    let place = file(&desk, &keys(&desk, 's')[1]);
    let changed = with_another_page(&std::fs::read(&place).unwrap());
    std::fs::write(&place, changed).unwrap();
    let rebuilt = desk.assert_rebuilds(second);
    assert_eq!(rebuilt.reached_ms, first);
    assert!(
        rebuilt.passed_by[0].contains("do not make the state"),
        "{rebuilt:?}"
    );
}

/// A disk that changes a byte after everything was written.
struct Rotting(PathBuf);

impl Progress for Rotting {
    fn stage(&self, name: &'static str, _total: u64) {
        if name == "checking" {
            let mut file = std::fs::File::options().write(true).open(&self.0).unwrap();
            file.seek(SeekFrom::Start(5_000)).unwrap();
            file.write_all(b"rot").unwrap();
        }
    }
    fn advance(&self, _by: u64) {}
    fn done(&self) {}
}

#[test]
fn a_file_that_is_not_what_was_written_into_it_is_not_given_out() {
    let mut desk = Desk::new(Where::Local);
    desk.tick();
    let point = desk.step(SECOND);
    let out = desk.scratch();
    let rotting = Rotting(out.clone());
    let refused = rebuild(&desk.target(0), point, None, None, &out, &rotting).unwrap_err();
    assert!(refused.is_ours() && !refused.is_damage(), "{refused}");
    assert!(!out.exists());
}

#[test]
fn an_increment_that_comes_back_changed_is_sent_again_and_stays_here_until_then() {
    let mut desk = Desk::new(Where::Cloud);
    desk.tick();
    desk.ship();
    desk.cloud.has(Fault::Changed(".inc.zst"));
    desk.pass(10 * SECOND);
    desk.write();
    assert!(desk.tick());
    let point = desk.status().last_point_ms.unwrap();
    let told = desk.shippers[1].step().unwrap_err().to_string();
    assert!(told.contains("other bytes than were sent"), "{told}");
    assert_eq!(desk.names(1).len(), 1, "only the base is left there");
    desk.cloud.heal();
    desk.pass(SECOND);
    desk.ship();
    assert_eq!(desk.assert_rebuilds(point).reached_ms, point);
}

#[test]
fn another_object_under_the_name_of_a_step_holds_up_nothing_that_follows() {
    let mut desk = Desk::new(Where::Disk);
    desk.tick();
    desk.ship();
    desk.pass(SECOND);
    desk.write();
    assert!(desk.tick());
    desk.shippers[0].step().unwrap();
    let key = keys(&desk, 's').pop().unwrap();
    desk.target(1).put(&key, b"noise".to_vec()).unwrap();
    desk.ship();
    let last = (0..70).map(|_| desk.step(SECOND)).last().unwrap();
    assert_eq!(desk.assert_rebuilds(last).reached_ms, last);
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
