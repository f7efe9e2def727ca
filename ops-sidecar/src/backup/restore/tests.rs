//! Which way is taken: from what targets list, without opening anything.

use std::collections::BTreeMap;
use std::sync::Arc;

use shared::paths::Home;
use tokio::runtime::Runtime;

use super::bring::nothing;
use super::*;
use crate::backup::find::{self, Shelf};
use crate::backup::id::BackupId;
use crate::backup::make::tests::desk::Desk;
use crate::backup::manifest::{DatabasePart, FORMAT, FilePart, Manifest};
use crate::backup::pitr;
use crate::backup::targets::{self, Target, TargetSpec};
use crate::backup::words;

const OLD_LINE: &str = "20261121T080000Z-00000a";
const NEW_LINE: &str = "20261121T110000Z-00000b";

/// A folder as a target, and names in it.
struct Place {
    folder: tempfile::TempDir,
    runtime: Runtime,
}

impl Place {
    fn new() -> Place {
        Place {
            folder: tempfile::tempdir().expect("a folder"),
            runtime: tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .build()
                .expect("a runtime"),
        }
    }

    fn target(&self) -> Target {
        let url = format!("file://{}", self.folder.path().display());
        let spec = TargetSpec::parse(&url, &Home::at(self.folder.path().join("home")));
        Target::open(&spec.expect("a target"), self.runtime.handle().clone()).expect("a target")
    }

    /// A point that the listing shows; what is inside does not matter here.
    fn with_point(self, line: &str, to_ms: i64, from: &str, level: &str) -> Place {
        let folder = self.folder.path().join("pitr").join(line);
        std::fs::create_dir_all(&folder).expect("a folder");
        let name = format!("{to_ms:013}-{from}-{level}.inc.zst");
        std::fs::write(folder.join(name), "x").expect("a file");
        self
    }

    fn window(&self) -> Window {
        let target = self.target();
        let lines = pitr::window(&target).expect("a listing");
        Window {
            target,
            away: None,
            lines,
        }
    }

    fn shelf(&self, moments: &[i64]) -> Shelf {
        let backups: BTreeMap<BackupId, Manifest> = moments
            .iter()
            .map(|at_ms| {
                let id = BackupId::new(*at_ms);
                (id.clone(), manifest(&id, *at_ms))
            })
            .collect();
        Shelf {
            target: self.target(),
            away: None,
            backups,
            unusable: Vec::new(),
        }
    }
}

fn manifest(id: &BackupId, at_ms: i64) -> Manifest {
    Manifest {
        format: FORMAT,
        id: id.to_string(),
        at: words::moment(at_ms),
        version: "0.1.0".to_owned(),
        file: FilePart {
            name: id.file_name(true),
            bytes: 1,
            sha256: "a1".repeat(32),
        },
        database: DatabasePart {
            bytes: 4096,
            sha256: "b2".repeat(32),
            page_size: 4096,
            pages: 1,
            schema: 3,
            compatible_from: 3,
            restore_epoch: 0,
            rows: BTreeMap::new(),
        },
        chains: Vec::new(),
        encrypted: true,
        recipients: Vec::new(),
        took_ms: 1,
    }
}

const LATEST: What = What::Latest { now_ms: 10_000 };

/// What each way reaches, and whether it is a whole backup.
fn ways(what: &What, shelves: &[Shelf], windows: &[Window]) -> Vec<(i64, bool)> {
    candidates(what, shelves, windows)
        .iter()
        .map(|way| (way.reaches_ms, matches!(way.origin, Origin::Backup(_))))
        .collect()
}

fn from(ms: i64) -> String {
    format!("{ms:013}")
}

#[test]
fn what_a_clock_far_ahead_has_named_comes_after_what_has_a_sane_moment() {
    let day = 24 * 60 * 60 * 1000;
    let shelves = [Place::new().shelf(&[2_000, day + 10_000, day + 10_001, 400 * day])];
    let moments = |what: &What| -> Vec<i64> {
        let ways = ways(what, &shelves, &[]);
        ways.into_iter().map(|(reaches_ms, _)| reaches_ms).collect()
    };
    let expected = [day + 10_000, 2_000, 400 * day, day + 10_001];
    assert_eq!(moments(&LATEST), expected);
    let found = find::merge(&shelves);
    let drilled = find::newest(&found, 10_000).unwrap();
    assert_eq!(drilled.manifest.at_ms(), day + 10_000);
    // A machine whose own clock is wrong gets the newest all the same.
    let behind = What::Latest { now_ms: -10 * day };
    assert_eq!(moments(&behind)[0], 400 * day);
}

#[test]
fn what_reaches_further_comes_first_and_a_whole_backup_before_increments_of_the_same_moment() {
    let place = Place::new()
        .with_point(OLD_LINE, 1_000, "base", "d")
        .with_point(OLD_LINE, 5_000, &from(1_000), "s");
    let shelves = [place.shelf(&[1_000, 2_000, 5_000])];
    let windows = [place.window()];
    let latest = ways(&LATEST, &shelves, &windows);
    assert_eq!(
        latest,
        [(5_000, true), (5_000, false), (2_000, true), (1_000, true)]
    );
    let before = ways(&What::At(4_999), &shelves, &windows);
    assert_eq!(before, [(2_000, true), (1_000, true), (1_000, false)]);
    assert_eq!(ways(&What::At(999), &shelves, &windows), []);
    assert_eq!(
        ways(&What::LatestPoint, &shelves, &windows),
        [(5_000, false)]
    );
}

#[test]
fn what_lies_on_this_machine_comes_before_the_same_moment_from_elsewhere() {
    let (near, far) = (
        Place::new().with_point(NEW_LINE, 5_000, "base", "d"),
        Place::new(),
    );
    let store = Arc::new(object_store::memory::InMemory::new());
    let shelf = Shelf {
        target: targets::tests::named("s3://far", store, "", far.runtime.handle()),
        ..far.shelf(&[5_000])
    };
    let found = candidates(&LATEST, &[shelf], &[near.window()]);
    let is_remote: Vec<_> = found.iter().map(|way| way.target.is_remote()).collect();
    assert_eq!(is_remote, [false, true]);
}

#[test]
fn a_backup_whose_file_is_gone_or_cut_is_not_offered_and_why_is_said() {
    for (left, told) in [(None, "missing"), (Some("half"), "4 bytes instead of")] {
        let desk = Desk::new();
        let id = desk.good();
        let target = &desk.room.targets[0];
        target.delete(&id.file_key(false)).expect("a target");
        if let Some(left) = left {
            let put = target.put(&id.file_key(false), left.into());
            put.expect("a target");
        }
        let shelf = find::shelf(target);
        let why = &shelf.unusable.first().expect("it is named").why;
        assert!(why.contains(told), "{why}");
        assert_eq!(ways(&What::Id(id), &[shelf], &[]), []);
    }
}

#[test]
fn a_backup_by_its_name_is_that_backup_from_every_target_that_has_it() {
    let (one, two) = (Place::new(), Place::new());
    let shelf = one.shelf(&[1_000, 2_000]);
    let id = shelf.backups.keys().next().expect("a backup").clone();
    let mut other = two.shelf(&[]);
    other.backups.insert(id.clone(), shelf.backups[&id].clone());
    let found = candidates(&What::Id(id.clone()), &[shelf, other], &[]);
    let names: Vec<_> = found
        .iter()
        .map(|way| way.target.name().to_owned())
        .collect();
    assert_eq!(names, [one.target().name(), two.target().name()]);
    assert!(found.iter().all(|way| way.source() == id.to_string()));
}

#[test]
fn where_a_clock_was_set_back_the_later_line_answers_from_its_beginning() {
    let place = Place::new()
        .with_point(OLD_LINE, 1_000, "base", "d")
        .with_point(OLD_LINE, 9_000, &from(1_000), "s")
        .with_point(NEW_LINE, 5_000, "base", "d")
        .with_point(NEW_LINE, 6_000, &from(5_000), "s");
    let windows = [place.window()];
    let first = |at_ms| {
        let ways = candidates(&What::At(at_ms), &[], &windows);
        (ways[0].source(), ways[0].reaches_ms)
    };
    assert_eq!(first(9_500), (format!("line {NEW_LINE}"), 6_000));
    assert_eq!(first(5_500), (format!("line {NEW_LINE}"), 5_000));
    assert_eq!(first(4_999), (format!("line {OLD_LINE}"), 1_000));
    // Moments that only the wrong clock named can be had by naming the line as well.
    let line = OLD_LINE.to_owned();
    let found = ways(&What::InLine { line, at_ms: 9_500 }, &[], &windows);
    assert_eq!(found, [(9_000, false)]);
}

#[test]
fn nothing_there_is_told_apart_from_nobody_there_and_from_too_early() {
    let place = Place::new();
    let away = Shelf {
        away: Some("gone".to_owned()),
        ..place.shelf(&[])
    };
    let told = |what: &What, shelf: Shelf| nothing(what, &[shelf], &[]);
    assert!(matches!(told(&LATEST, away), RestoreError::NobodyAnswers));
    let empty = place.shelf(&[]);
    assert!(matches!(told(&LATEST, empty), RestoreError::NoBackups));
    let early = told(&What::At(500), place.shelf(&[2_000, 1_000]));
    let expected = "the earliest moment that can be restored is 1970-01-01T00:00:01Z";
    assert!(early.to_string().contains(expected), "{early}");
    let id = BackupId::new(3_000);
    let missing = told(&What::Id(id.clone()), place.shelf(&[1_000]));
    assert!(missing.to_string().contains(&id.to_string()), "{missing}");
}
