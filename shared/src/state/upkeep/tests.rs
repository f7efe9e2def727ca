//! The log is emptied when nobody is in the way, nobody waits for long, and free pages are given back when asked.

use std::time::Instant;

use super::*;
use crate::state::tables::testing::{Fresh, fresh, tenant};
use crate::state::tables::{epochs, tenants};

fn bump(file: &Fresh) {
    file.write(|writing| epochs::bump(writing, "shop"));
}

#[test]
fn a_passive_checkpoint_copies_back_and_a_truncating_one_empties_the_log() {
    let file = fresh();
    (0..20).for_each(|_| bump(&file));
    let passive = file.state.checkpoint(Checkpoint::Passive).unwrap();
    assert!(!passive.busy && passive.log_frames >= 20, "{passive:?}");
    assert_eq!(passive.moved_frames, passive.log_frames);
    assert!(file.state.size().wal_bytes > 0);
    let emptied = file.state.checkpoint(Checkpoint::Truncate).unwrap();
    assert!(!emptied.busy, "{emptied:?}");
    assert_eq!(file.state.size().wal_bytes, 0);
    bump(&file);
    assert_eq!(file.read(|reading| epochs::read(reading, "shop")), 21);
}

#[test]
fn who_reads_or_writes_is_not_waited_for() {
    let file = fresh();
    (0..20).for_each(|_| bump(&file));
    let since = Instant::now();
    file.read(|reading| {
        epochs::read(reading, "shop")?;
        bump(&file);
        let partly = file.state.checkpoint(Checkpoint::Truncate).unwrap();
        assert!(
            partly.busy && partly.moved_frames < partly.log_frames,
            "{partly:?}"
        );
        Ok(())
    });
    file.write(|writing| {
        epochs::bump(writing, "shop")?;
        let passive = file.state.checkpoint(Checkpoint::Passive).unwrap();
        assert!(!passive.busy, "{passive:?}");
        assert!(file.state.checkpoint(Checkpoint::Truncate).unwrap().busy);
        Ok(())
    });
    assert!(since.elapsed() < busy::PATIENCE, "{:?}", since.elapsed());
    assert!(!file.state.checkpoint(Checkpoint::Truncate).unwrap().busy);
    assert_eq!(file.state.size().wal_bytes, 0);
}

#[test]
fn free_pages_are_counted_and_given_back() {
    let file = fresh();
    file.write(|writing| {
        (0..50).try_for_each(|number| {
            let large = tenants::Row {
                wrapped_key: vec![7; 9_000],
                ..tenant(&number.to_string())
            };
            tenants::insert(writing, &large)
        })
    });
    let full = file.state.space().unwrap();
    assert_eq!(full.free_pages, 0);
    file.write(|writing| Ok(writing.conn().execute("DELETE FROM tenants", [])?));
    let emptied = file.state.space().unwrap();
    assert_eq!(emptied.pages, full.pages);
    assert!(emptied.free_pages > 100, "{emptied:?}");
    file.state.vacuum().unwrap();
    let small = file.state.space().unwrap();
    assert!(small.pages < full.pages - 100, "{small:?}");
    assert_eq!(small.free_pages, 0);
    let sizes = file.state.size();
    assert_eq!(sizes.wal_bytes, 0);
    assert_eq!(
        sizes.database_bytes,
        u64::from(small.pages) * u64::from(small.page_size)
    );
    file.state.quick_check().unwrap();
}

#[test]
fn statistics_are_taken_and_change_no_row() {
    let file = fresh();
    file.write(|writing| {
        (0..200).try_for_each(|number| epochs::bump(writing, &number.to_string()).map(|_| ()))
    });
    file.state.optimize().unwrap();
    file.state.optimize().unwrap();
    assert_eq!(file.read(|reading| epochs::read(reading, "7")), 1);
}

#[test]
fn a_copy_is_left_as_it_is() {
    let file = fresh();
    let path = file.folder.path().join("copy.db");
    file.state
        .copy_to(&path, &mut |_, _| std::ops::ControlFlow::Continue(()))
        .unwrap();
    let copy = State::open_copy(&path).unwrap();
    assert_eq!(copy.vacuum().unwrap_err().code(), "read_only");
    assert_eq!(copy.optimize().unwrap_err().code(), "read_only");
    assert_eq!(
        copy.checkpoint(Checkpoint::Passive).unwrap_err().code(),
        "read_only"
    );
    assert_eq!(copy.space().unwrap(), file.state.space().unwrap());
}
