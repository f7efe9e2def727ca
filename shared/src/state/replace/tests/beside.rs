//! Others who come while the file is replaced: they find the old file or the new one, and it stays for as long as they do.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Instant;

use super::*;
use crate::state::presence::Presence;

const RESTORES: u32 = 30;

/// How long a guest stays, and stays away. Longer than a restore needs for its last steps, so that it is not missed.
const VISIT: Duration = Duration::from_millis(1);

/// Comes in as soon as it can, until it did so once after the last restore. Fails when the file it came to is replaced under it.
fn visit(home: &Home, restores: &AtomicU32, visits: &AtomicU32) {
    loop {
        let is_last = restores.load(Ordering::SeqCst) == RESTORES;
        match gate::enter(&home.gate_lock()) {
            Ok(_inside) => {
                let came_to = Presence::of(&home.state_db()).expect("there is always a file");
                spend(VISIT);
                came_to
                    .check()
                    .expect("it stays while somebody has it open");
                visits.fetch_add(1, Ordering::SeqCst);
            }
            Err(StateError::BeingRestored) => continue,
            Err(error) => panic!("{error}"),
        }
        if is_last {
            return;
        }
        spend(VISIT);
    }
}

/// Never asleep: the moment at which a restore might let somebody in too early is short.
fn spend(span: Duration) {
    let since = Instant::now();
    while since.elapsed() < span {
        thread::yield_now();
    }
}

#[test]
fn the_file_is_never_replaced_under_somebody_who_came_meanwhile() {
    let kit = Kit::new();
    kit.record(1);
    let backup = kit.backup("b");
    let restore = Restore {
        patience: Duration::from_secs(30),
        ..kit::restore_of("b", true)
    };
    let (restores, visits) = (AtomicU32::new(0), AtomicU32::new(0));
    let restored = thread::scope(|scope| {
        let guest = scope.spawn(|| visit(&kit.home, &restores, &visits));
        let mut restored = Vec::new();
        for _ in 0..RESTORES {
            let before = visits.load(Ordering::SeqCst);
            while visits.load(Ordering::SeqCst) == before && !guest.is_finished() {
                thread::yield_now();
            }
            restored.push(replace(&kit.home, &kit.copy_of(&backup), &restore));
            restores.fetch_add(1, Ordering::SeqCst);
        }
        guest.join().expect("the guest was not disturbed");
        restored
    });
    let restored: Result<Vec<_>, _> = restored.into_iter().collect();
    assert_eq!(restored.unwrap().len(), RESTORES as usize);
}
