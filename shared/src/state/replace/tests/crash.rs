//! Killed at any moment: what stands under the name is the old file or the new one, whole, and the next restore works.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::kit::{Kit, records};
use super::*;

/// Set for the process that is killed.
const HOME_TO_DIE_IN: &str = "STATE_TEST_RESTORE_IN";

/// Two states that are told apart by the number of their records.
const STATES: [(&str, u64); 2] = [("three", 3), ("eight", 8)];

fn spool(home: &Home, name: &str) -> PathBuf {
    home.backup_spool().join(name)
}

#[test]
#[allow(
    clippy::disallowed_methods,
    reason = "how a test hands a folder to the process it starts"
)]
fn a_process_that_restores_until_it_dies() {
    let Ok(folder) = std::env::var(HOME_TO_DIE_IN) else {
        return;
    };
    let home = Home::at(folder);
    loop {
        for (name, _) in STATES {
            let next = spool(&home, "next.db");
            fs::copy(spool(&home, &format!("{name}.db")), &next).unwrap();
            let restore = kit::restore_of(name, true);
            replace(&home, &next, &restore).unwrap();
            // Something to be in a log: servers come and go between restores.
            let state = State::open(&home).unwrap();
            state
                .write("test", Durability::Normal, |writing| {
                    epochs::bump(writing, "shop")
                })
                .unwrap();
        }
    }
}

#[test]
fn a_restore_that_is_killed_leaves_the_old_file_or_the_new_one() {
    let kit = Kit::new();
    kit.record(3);
    kit.backup("three");
    kit.record(5);
    kit.backup("eight");
    let known: BTreeSet<u64> = STATES.iter().map(|(_, records)| *records).collect();
    let mut seen = BTreeSet::new();
    for round in 0..60 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "state::replace::tests::crash::a_process_that_restores_until_it_dies",
            ])
            .env(HOME_TO_DIE_IN, kit.home.root())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let life = Duration::from_micros(fastrand::u64(5_000..60_000));
        let until = Instant::now() + life;
        while Instant::now() < until {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(kit.home.state_db().exists(), "round {round}: there is none");
        let state = kit.open();
        state.inspect().unwrap();
        let found = records(&state);
        assert!(known.contains(&found), "round {round}: {found} records");
        seen.insert(found);
        drop(state);
        assert_eq!(kit.fault(), None, "round {round}");
    }
    assert_eq!(seen, known, "both were there at some time");
    let restored = kit.restore(&kit.copy_of(&spool(&kit.home, "three.db")), true);
    assert!(restored.unwrap().kept.is_some());
}

#[test]
fn a_second_name_of_the_live_file_that_a_dead_restore_has_left_goes() {
    let kit = Kit::new();
    kit.record(2);
    let backup = kit.backup("b");
    let alias = kept::place(&kit.home, Before::Restore, 1_000).unwrap();
    fs::hard_link(kit.home.state_db(), &alias).unwrap();
    kit.record(1);
    let kept = kit.restore(&backup, true).unwrap().kept.unwrap();
    assert!(!alias.exists());
    assert_eq!(kit.records_of(&kept), 3);
}
