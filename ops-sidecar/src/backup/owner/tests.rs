//! Two homes never share a target, and a restored one is known where the lost one was.

use std::path::Path;

use shared::clock::SystemClock;
use shared::state::{Restore, Slot, replace};
use std::time::Duration;

use super::*;
use crate::backup::Quiet;
use crate::backup::make::make;
use crate::backup::prune::prune;
use crate::backup::settings::Settings;
use crate::backup::targets::TargetSpec;

struct Town {
    folder: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
}

impl Town {
    fn new() -> Town {
        let town = Town {
            folder: tempfile::tempdir().unwrap(),
            runtime: tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .build()
                .unwrap(),
        };
        fs::create_dir(town.shared()).unwrap();
        town
    }

    fn shared(&self) -> std::path::PathBuf {
        self.folder.path().join("shared")
    }

    /// A home with a state file, whose only target all homes of the town have.
    fn home(&self, name: &str) -> Room {
        let room = self.home_without_state(name);
        drop(room.slot.open_now().unwrap());
        room
    }

    fn home_without_state(&self, name: &str) -> Room {
        let home = Home::at(self.folder.path().join(name));
        home.create().unwrap();
        let url = format!("file://{}", self.shared().display());
        let spec = TargetSpec::parse(&url, &home).unwrap();
        let defaults = shared::env::Settings::defaults(&home);
        Room {
            slot: Slot::new(home.clone()),
            settings: Settings::read(&defaults, &home).0,
            targets: vec![Target::open(&spec, self.runtime.handle().clone()).unwrap()],
            clock: SystemClock::shared(),
            home,
        }
    }

    fn things(&self) -> usize {
        let count = |folder: &Path| fs::read_dir(folder).map_or(0, Iterator::count);
        count(&self.shared()) + count(&self.shared().join("snapshots"))
    }
}

#[test]
fn nothing_is_stored_or_removed_at_the_target_of_another_home() {
    let town = Town::new();
    let (one, other) = (town.home("one"), town.home("other"));
    make(&one, &Quiet).unwrap();
    let before = town.things();
    let refused = make(&other, &Quiet).unwrap_err().to_string();
    assert!(
        refused.contains("the backups of another home") && refused.contains("hint: "),
        "{refused}"
    );
    let pruned = prune(&other, false).unwrap();
    assert!(pruned[0].error.as_ref().unwrap().contains("another home"));
    assert_eq!(town.things(), before);
    make(&one, &Quiet).unwrap();
    assert_eq!(prune(&one, false).unwrap()[0].error, None);
}

#[test]
fn a_home_that_was_set_up_anew_cannot_put_its_empty_state_before_what_was_lost() {
    let town = Town::new();
    make(&town.home("shop"), &Quiet).unwrap();
    fs::remove_dir_all(town.folder.path().join("shop")).unwrap();
    make(&town.home("shop"), &Quiet).unwrap_err();
}

#[test]
fn a_restored_home_goes_on_where_the_lost_one_stopped() {
    let town = Town::new();
    let lost = town.home("lost");
    make(&lost, &Quiet).unwrap();
    let image = town.folder.path().join("image.db");
    lost.slot
        .open_now()
        .unwrap()
        .copy_to(&image, &mut |_, _| std::ops::ControlFlow::Continue(()))
        .unwrap();
    let new = town.home_without_state("new");
    let restore = Restore {
        from: "a backup",
        reached_ms: 0,
        now_ms: 1,
        patience: Duration::ZERO,
        force: false,
    };
    replace(&new.home, &image, &restore).unwrap();
    make(&new, &Quiet).unwrap();
}

#[test]
fn a_backup_from_before_there_was_such_a_target_comes_back_as_no_stranger() {
    let town = Town::new();
    let mut room = town.home("one");
    let shared = std::mem::take(&mut room.targets);
    let local = TargetSpec::parse("local", &room.home).unwrap();
    room.targets = vec![Target::open(&local, town.runtime.handle().clone()).unwrap()];
    make(&room, &Quiet).unwrap();
    let state = room.slot.get().unwrap();
    let in_the_backup = state.read("test", meta::state_id).unwrap().unwrap();
    room.targets = shared;
    claim(&room, &room.targets[0]).unwrap();
    assert_eq!(owner(&room.targets[0]).unwrap(), Some(in_the_backup));
}

#[test]
fn what_waits_in_a_spool_goes_to_its_own_target_only_also_without_the_state_file() {
    let town = Town::new();
    let (one, other) = (town.home("one"), town.home("other"));
    claim(&one, &one.targets[0]).unwrap();
    claim(&other, &other.targets[0]).unwrap_err();
    for room in [&one, &other] {
        fs::remove_file(room.home.state_db()).unwrap();
    }
    may_deliver(&one.home, &one.targets[0]).unwrap();
    let refused = may_deliver(&other.home, &other.targets[0]).unwrap_err();
    assert!(matches!(refused, OwnerError::Another { .. }), "{refused}");
}

#[test]
fn who_only_asks_what_would_be_removed_takes_no_target() {
    let town = Town::new();
    let room = town.home("one");
    assert_eq!(prune(&room, true).unwrap()[0].error, None);
    assert_eq!(owner(&room.targets[0]).unwrap(), None);
    make(&town.home("other"), &Quiet).unwrap();
}

#[test]
fn without_a_state_file_asking_makes_none_and_takes_no_target() {
    let town = Town::new();
    let room = town.home_without_state("new");
    claim(&room, &room.targets[0]).unwrap();
    assert!(!room.home.state_db().exists());
    assert_eq!(owner(&room.targets[0]).unwrap(), None);
}

#[test]
fn a_target_that_does_not_say_whose_it_is_is_left_alone() {
    let town = Town::new();
    let room = town.home("one");
    room.targets[0].put(KEY, b"<html>".to_vec()).unwrap();
    let refused = claim(&room, &room.targets[0]).unwrap_err();
    assert!(matches!(refused, OwnerError::Odd { .. }), "{refused}");
}

#[test]
fn the_first_of_many_has_it() {
    let town = Town::new();
    let rooms: Vec<Room> = (0..8)
        .map(|number| town.home(&format!("{number}")))
        .collect();
    let winners = std::thread::scope(|scope| {
        let asked: Vec<_> = rooms
            .iter()
            .map(|room| scope.spawn(|| claim(room, &room.targets[0]).is_ok()))
            .collect();
        asked
            .into_iter()
            .map(|asked| usize::from(asked.join().unwrap()))
            .sum::<usize>()
    });
    assert_eq!(winners, 1);
}
