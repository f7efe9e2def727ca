//! What a snapshot shows, by both ways of reading; and that it is one moment, whatever others do to the file meanwhile.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::state::tables::testing::{Fresh, fresh, store, tenant};
use crate::state::tables::{epochs, stores, tenants};
use crate::state::{Checkpoint, Durability};

/// Both ways of reading; the build that runs this has the first one too.
const BOTH: [Source; 2] = [Source::Table, Source::Image];

fn pages(file: &Fresh, source: Source) -> Pages {
    let mut pages = Pages::open(&file.state).unwrap();
    pages.reader.source = source;
    pages
}

fn bump(state: &State) {
    let bumped = state.write("test", Durability::Normal, |writing| {
        epochs::bump(writing, "shop")
    });
    bumped.unwrap();
}

/// More than a screenful of pages.
fn fill(file: &Fresh, tenants: u32) {
    file.write(|writing| {
        for number in 0..tenants {
            let id = format!("t{number}");
            let large = tenants::Row {
                wrapped_key: vec![7; 9_000],
                ..tenant(&id)
            };
            tenants::insert(writing, &large)?;
            stores::insert(writing, &store(&format!("s{number}"), &id, "Tea"))?;
        }
        Ok(())
    });
}

/// The snapshot as one piece, checked against its own numbers.
fn image(snapshot: &Snapshot<'_>) -> Vec<u8> {
    let (mut image, mut last) = (Vec::new(), 0);
    let visited = snapshot.each_page(&mut |number, page| {
        assert_eq!(number, last + 1);
        assert_eq!(page.len(), snapshot.page_size() as usize);
        last = number;
        image.extend_from_slice(page);
        Ok(())
    });
    visited.unwrap();
    assert_eq!(last, snapshot.pages());
    image
}

fn look(pages: &mut Pages) -> Vec<u8> {
    pages
        .snapshot(|snapshot| Ok::<_, StateError>(image(snapshot)))
        .unwrap()
}

/// Opens an image as a database.
fn opened(image: &[u8], folder: &std::path::Path) -> State {
    let path = folder.join(format!("{}.db", fastrand::u64(..)));
    std::fs::write(&path, image).unwrap();
    State::open_copy(&path).unwrap()
}

#[test]
fn this_build_reads_pages_one_by_one() {
    assert!(Pages::open(&fresh().state).unwrap().are_read_singly());
}

#[test]
fn both_ways_show_the_same_pages() {
    let file = fresh();
    fill(&file, 20);
    let [table, memory] = BOTH.map(|source| look(&mut pages(&file, source)));
    assert!(table.len() > 200_000);
    assert!(table == memory);
    for source in BOTH {
        let single = pages(&file, source).snapshot(|snapshot| {
            let (mut whole, mut page) = (Vec::new(), vec![1, 2, 3]);
            for number in 1..=snapshot.pages() {
                snapshot.page(number, &mut page)?;
                whole.extend_from_slice(&page);
            }
            for number in [0, snapshot.pages() + 1, u32::MAX] {
                assert_eq!(
                    snapshot.page(number, &mut page).unwrap_err().code(),
                    "unexpected"
                );
            }
            Ok::<_, StateError>(whole)
        });
        assert!(single.unwrap() == table, "{source:?}");
    }
}

#[test]
fn pages_have_the_size_that_the_file_has() {
    let folder = tempfile::tempdir().unwrap();
    let home = crate::paths::Home::at(folder.path());
    let small = Connection::open(home.state_db()).unwrap();
    small
        .execute_batch("PRAGMA page_size=1024; VACUUM;")
        .unwrap();
    drop(small);
    let state = State::open(&home).unwrap();
    let file = Fresh { state, folder };
    fill(&file, 5);
    for source in BOTH {
        let image = look(&mut pages(&file, source));
        assert_eq!(
            opened(&image, file.folder.path())
                .inspect()
                .unwrap()
                .page_size,
            1024
        );
    }
}

#[test]
fn a_commit_of_anybody_else_is_noticed_once() {
    let file = fresh();
    let mut pages = pages(&file, Source::Table);
    assert!(pages.moved().unwrap(), "nothing was looked at yet");
    look(&mut pages);
    assert!(!pages.moved().unwrap());
    bump(&file.state);
    assert!(pages.moved().unwrap());
    assert!(pages.moved().unwrap(), "asking settles nothing");
    look(&mut pages);
    assert!(!pages.moved().unwrap());
    let other = State::open(file.state.home()).unwrap();
    bump(&other);
    assert!(pages.moved().unwrap());
}

#[test]
fn what_was_rolled_back_read_or_checkpointed_is_no_change() {
    let file = fresh();
    bump(&file.state);
    let mut pages = pages(&file, Source::Table);
    look(&mut pages);
    let failed = file.try_write(|writing| {
        epochs::bump(writing, "shop")?;
        Err::<(), _>(StateError::Locked)
    });
    failed.unwrap_err();
    file.read(|reading| epochs::read(reading, "shop"));
    file.state.checkpoint(Checkpoint::Passive).unwrap();
    assert!(!pages.moved().unwrap());
}

#[test]
fn work_that_failed_is_to_be_done_again() {
    let file = fresh();
    let mut pages = pages(&file, Source::Table);
    let failed = pages.snapshot(|_| Err::<(), _>(StateError::Full));
    assert_eq!(failed.unwrap_err().code(), "full");
    assert!(pages.moved().unwrap());
    look(&mut pages);
    assert!(!pages.moved().unwrap());
}

#[test]
fn a_snapshot_stays_as_it_is_while_the_file_changes() {
    let file = fresh();
    fill(&file, 10);
    for source in BOTH {
        let mut pages = pages(&file, source);
        let looked = pages.snapshot(|snapshot| {
            let mark = snapshot.ledger()?;
            let before = match source {
                Source::Table => image(snapshot),
                // Taken into memory only after the change.
                Source::Image => Vec::new(),
            };
            file.write(|writing| Ok(writing.conn().execute("DELETE FROM stores", [])?));
            for how in [Checkpoint::Passive, Checkpoint::Truncate] {
                file.state.checkpoint(how).unwrap();
                bump(&file.state);
            }
            let after = image(snapshot);
            assert!(before.is_empty() || before == after);
            assert!(mark == snapshot.ledger()?);
            Ok::<_, StateError>(after)
        });
        let seen = opened(&looked.unwrap(), file.folder.path());
        assert_eq!(seen.inspect().unwrap().rows["stores"], 10, "{source:?}");
        assert!(pages.moved().unwrap());
        file.write(|writing| {
            (0..10).try_for_each(|number| {
                let (id, tenant) = (format!("s{number}"), format!("t{number}"));
                stores::insert(writing, &store(&id, &tenant, "Tea")).map(|_| ())
            })
        });
    }
}

#[test]
fn a_file_that_shrinks_or_grows_is_seen_as_it_is() {
    let file = fresh();
    let mut pages = pages(&file, Source::Table);
    let few = look(&mut pages).len();
    fill(&file, 50);
    let many = look(&mut pages).len();
    assert!(many > few + 400_000);
    file.write(|writing| {
        Ok(writing
            .conn()
            .execute_batch("DELETE FROM stores; DELETE FROM tenants")?)
    });
    assert_eq!(look(&mut pages).len(), many, "free pages stay");
    file.state.vacuum().unwrap();
    assert!(pages.moved().unwrap());
    assert!(look(&mut pages).len() < few + 100_000);
}

#[test]
fn a_file_that_is_gone_or_another_is_no_snapshot() {
    let file = fresh();
    let mut pages = pages(&file, Source::Table);
    std::fs::rename(file.state.path(), file.folder.path().join("aside.db")).unwrap();
    assert_eq!(pages.moved().unwrap_err().code(), "moved");
    let looked = pages.snapshot(|_| Ok::<_, StateError>(()));
    assert_eq!(looked.unwrap_err().code(), "moved");
    assert_eq!(Pages::open(&file.state).unwrap_err().code(), "moved");
}

#[test]
fn everything_that_was_committed_before_is_inside() {
    let file = fresh();
    let mut pages = pages(&file, Source::Table);
    let committed_ms = SystemClock.now_ms();
    bump(&file.state);
    let seen = pages.snapshot(|snapshot| Ok::<_, StateError>((snapshot.at_ms(), image(snapshot))));
    let (at_ms, image) = seen.unwrap();
    assert!((committed_ms..=SystemClock.now_ms()).contains(&at_ms));
    let copy = opened(&image, file.folder.path());
    assert_eq!(
        copy.read("test", |reading| epochs::read(reading, "shop"))
            .unwrap(),
        1
    );
}

/// Each transaction bumps two shops together; a torn one would show two numbers.
#[test]
fn a_snapshot_amid_writers_and_checkpoints_is_whole() {
    let file = fresh();
    fill(&file, 20);
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let state = State::open(file.state.home()).unwrap();
                while !is_over.load(Ordering::Relaxed) {
                    let both = state.write("test", Durability::Normal, |writing| {
                        epochs::bump(writing, "a")?;
                        let fresh = tenants::Row {
                            wrapped_key: vec![1; 9_000],
                            ..tenant(&fastrand::u64(..).to_string())
                        };
                        tenants::insert(writing, &fresh)?;
                        writing
                            .conn()
                            .execute("DELETE FROM tenants WHERE id = ?1", [&fresh.id])?;
                        epochs::bump(writing, "b")
                    });
                    both.unwrap();
                }
            });
        }
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                file.state.checkpoint(Checkpoint::Truncate).unwrap();
            }
        });
        let mut last = 0;
        for round in 0..40 {
            let mut pages = pages(&file, BOTH[round % 2]);
            let copy = opened(&look(&mut pages), file.folder.path());
            copy.inspect().unwrap();
            let epochs = ["a", "b"].map(|shop| {
                copy.read("test", |reading| epochs::read(reading, shop))
                    .unwrap()
            });
            assert_eq!(epochs[0], epochs[1], "a torn transaction");
            assert!(epochs[0] >= last, "a snapshot of the past");
            last = epochs[0];
        }
        is_over.store(true, Ordering::Relaxed);
        assert!(last > 0, "nobody wrote");
    });
}

#[test]
fn the_page_that_holds_nothing_is_the_one_at_a_gibibyte() {
    assert_eq!(lock_page(4096), 262_145);
    assert_eq!(lock_page(65_536), 16_385);
    assert_eq!(lock_page(512), 2_097_153);
}
