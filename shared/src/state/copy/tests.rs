//! A copy is exact, whole or not there; and what is not sound is found when it is opened or inspected.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use sha2::{Digest, Sha256};

use super::*;
use crate::state::tables::testing::{Fresh, fresh, store, tenant};
use crate::state::tables::{epochs, stores, tenants};
use crate::state::{Durability, Pages};

mod damage;

fn on(_done: u32, _of: u32) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// A file of some hundred pages, and a folder for copies.
fn filled() -> (Fresh, PathBuf) {
    let file = fresh();
    file.write(|writing| {
        for number in 0..100 {
            let id = format!("t{number}");
            let large = tenants::Row {
                wrapped_key: vec![7; 30_000],
                ..tenant(&id)
            };
            tenants::insert(writing, &large)?;
            stores::insert(writing, &store(&format!("s{number}"), &id, "Tea"))?;
            epochs::bump(writing, &id)?;
        }
        Ok(())
    });
    let folder = file.folder.path().join("copies");
    fs::create_dir(&folder).unwrap();
    (file, folder)
}

/// A copy of a filled file; the folder goes with the variable.
fn copied() -> (Fresh, PathBuf) {
    let (file, folder) = filled();
    let path = folder.join("a.db");
    file.state.copy_to(&path, &mut on).unwrap();
    (file, path)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn digest(path: &Path) -> Vec<u8> {
    Sha256::digest(fs::read(path).unwrap()).to_vec()
}

fn refused(path: &Path) -> StateError {
    State::open_copy(path).unwrap_err()
}

#[test]
fn a_copy_is_the_image_of_the_file_byte_for_byte() {
    let (file, path) = copied();
    let image = Pages::open(&file.state).unwrap().snapshot(|snapshot| {
        let mut image = Vec::new();
        snapshot.each_page(&mut |_, page| {
            image.extend_from_slice(page);
            Ok(())
        })?;
        Ok::<_, StateError>(image)
    });
    assert!(fs::read(&path).unwrap() == image.unwrap());
    // Once its log is empty, the live file itself is that image. Nobody has it open while it is read.
    let live = file.state.path().to_owned();
    let Fresh {
        state,
        folder: _folder,
    } = file;
    drop(state);
    assert!(!live.with_extension("db-wal").exists());
    assert_eq!(digest(&live), digest(&path));
}

#[test]
fn a_copy_for_now_is_the_same_to_the_byte() {
    let (file, path) = copied();
    let for_now = path.with_file_name("b.db");
    file.state.copy_for_now(&for_now, &mut on).unwrap();
    assert_eq!(digest(&for_now), digest(&path));
    let taken = file.state.copy_for_now(&for_now, &mut on);
    assert!(taken.is_err(), "nothing is replaced");
}

#[test]
fn a_copy_says_what_it_is() {
    let (file, folder) = filled();
    let before_ms = crate::clock::Clock::now_ms(&crate::clock::SystemClock);
    let path = folder.join("a.db");
    let (mut last, mut calls) = (0, 0);
    let copied = file.state.copy_to(&path, &mut |done, of| {
        assert!(done >= last && done <= of);
        (last, calls) = (done, calls + 1);
        ControlFlow::Continue(())
    });
    let copied = copied.unwrap();
    assert!(copied.at_ms >= before_ms);
    assert_eq!(last, copied.pages);
    assert!(calls > 1, "a caller hears of it on the way");
    let bytes = fs::metadata(&path).unwrap().len();
    assert_eq!(bytes, u64::from(copied.pages) * u64::from(copied.page_size));
}

#[test]
fn a_copy_is_for_its_owner_and_stands_alone_and_still() {
    let (_file, path) = copied();
    let before = digest(&path);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
    let copy = State::open_copy(&path).unwrap();
    copy.inspect().unwrap();
    copy.quick_check().unwrap();
    assert_eq!(
        copy.read("test", |reading| epochs::read(reading, "t7"))
            .unwrap(),
        1
    );
    assert_eq!(names(path.parent().unwrap()), ["a.db"], "while it is open");
    drop(copy);
    assert_eq!(names(path.parent().unwrap()), ["a.db"]);
    assert_eq!(digest(&path), before);
}

#[test]
fn a_copy_cannot_be_written() {
    let (_file, path) = copied();
    let before = digest(&path);
    let copy = State::open_copy(&path).unwrap();
    let written = copy.write("test", Durability::Full, |writing| {
        epochs::bump(writing, "t7")
    });
    assert_eq!(written.unwrap_err().code(), "read_only");
    assert_eq!(copy.write_probe().unwrap_err().code(), "read_only");
    let past_us = copy.read("test", |reading| {
        Ok(reading.conn().execute("DELETE FROM epochs", [])?)
    });
    assert_eq!(past_us.unwrap_err().code(), "read_only");
    assert_eq!(digest(&path), before);
}

#[test]
fn inspecting_counts_what_is_there() {
    let (_file, path) = copied();
    let found = State::open_copy(&path).unwrap().inspect().unwrap();
    assert_eq!(found.schema, migrate::NEWEST);
    assert_eq!(found.compatible_from, 1);
    assert_eq!(found.restore_epoch, 0);
    assert_eq!(found.page_size, 4096);
    assert_eq!(
        u64::from(found.pages) * 4096,
        fs::metadata(&path).unwrap().len()
    );
    assert_eq!(found.rows["tenants"], 100);
    assert_eq!(found.rows["stores"], 100);
    assert_eq!(found.rows["audit"], 0);
    let text = serde_json::to_string(&found).unwrap();
    assert_eq!(serde_json::from_str::<Inspected>(&text).unwrap(), found);
}

#[test]
fn the_live_file_can_be_inspected_too() {
    let (file, _folder) = filled();
    assert_eq!(file.state.inspect().unwrap().rows["stores"], 100);
    file.state.quick_check().unwrap();
}

#[test]
fn a_copy_that_is_stopped_or_fails_leaves_nothing() {
    let (file, folder) = filled();
    let path = folder.join("a.db");
    for stop_at in [512, u32::MAX] {
        let stopped = file
            .state
            .copy_to(&path, &mut |done, of| match done == stop_at.min(of) {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            });
        assert_eq!(stopped.unwrap_err().code(), "stopped");
        assert_eq!(names(&folder), [""; 0]);
    }
    let nowhere = file.state.copy_to(&folder.join("missing/a.db"), &mut on);
    assert_eq!(nowhere.unwrap_err().code(), "io");
    file.state.copy_to(&path, &mut on).unwrap();
}

#[test]
fn a_copy_replaces_nothing() {
    let (file, folder) = filled();
    let path = folder.join("a.db");
    fs::write(&path, "precious").unwrap();
    let mut calls = 0;
    let taken = file.state.copy_to(&path, &mut |_, _| {
        calls += 1;
        ControlFlow::Continue(())
    });
    assert!(taken.unwrap_err().to_string().contains("exists"));
    assert_eq!(calls, 0, "found before the work");
    assert_eq!(fs::read(&path).unwrap(), b"precious");
    assert_eq!(names(&folder), ["a.db"]);
}

#[test]
fn a_copy_does_not_take_the_last_space() {
    let folder = tempfile::tempdir().unwrap();
    leave_space(folder.path(), 1).unwrap();
    #[cfg(unix)]
    assert_eq!(
        leave_space(folder.path(), u64::MAX).unwrap_err().code(),
        "full"
    );
}

#[test]
fn a_file_that_was_replaced_is_not_copied() {
    let (file, folder) = filled();
    fs::rename(file.state.path(), folder.join("aside")).unwrap();
    let moved = file.state.copy_to(&folder.join("a.db"), &mut on);
    assert_eq!(moved.unwrap_err().code(), "moved");
    assert_eq!(names(&folder), ["aside"]);
}

#[test]
fn names_that_mean_something_in_a_url_are_names() {
    let (file, folder) = filled();
    for name in ["a b?immutable=0#x.db", "100%25.db", "ü&c.db", "file:x.db"] {
        let path = folder.join(name);
        file.state.copy_to(&path, &mut on).unwrap();
        assert_eq!(
            State::open_copy(&path).unwrap().inspect().unwrap().rows["stores"],
            100,
            "{name}"
        );
        fs::remove_file(&path).unwrap();
    }
    assert_eq!(names(&folder), [""; 0]);
}

/// Writers of this and of other connections commit all the while; the copy is of one moment and everything acknowledged before is in it.
#[test]
fn copies_amid_writers_are_whole_and_current() {
    let (file, folder) = filled();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let state = State::open(file.state.home()).unwrap();
                while !is_over.load(Ordering::Relaxed) {
                    let both = state.write("test", Durability::Normal, |writing| {
                        epochs::bump(writing, "a").and(epochs::bump(writing, "b"))
                    });
                    both.unwrap();
                }
            });
        }
        for round in 0..20 {
            let path = folder.join(format!("{round}.db"));
            let acknowledged = file.read(|reading| epochs::read(reading, "b"));
            file.state.copy_to(&path, &mut on).unwrap();
            let copy = State::open_copy(&path).unwrap();
            copy.inspect().unwrap();
            let epoch = |shop| {
                copy.read("test", |reading| epochs::read(reading, shop))
                    .unwrap()
            };
            assert_eq!(epoch("a"), epoch("b"), "a torn transaction");
            assert!(epoch("a") >= acknowledged);
        }
        is_over.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_file_without_a_state_is_copied_as_well() {
    let (file, folder) = filled();
    let path = folder.join("a.db");
    copy_file(file.state.path(), &path, &mut on).unwrap();
    assert_eq!(
        State::open_copy(&path).unwrap().inspect().unwrap().rows["stores"],
        100
    );
    let missing = copy_file(&folder.join("none.db"), &folder.join("b.db"), &mut on);
    assert_eq!(missing.unwrap_err().code(), "io");
    assert_eq!(names(&folder), ["a.db"]);
}
