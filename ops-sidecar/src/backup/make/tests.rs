//! Each step fails once: old backups stay good, nothing new is claimed, and the journal says which step it was.

pub(in crate::backup) mod desk;
pub(in crate::backup) mod faulty;
mod steps;
mod targets;

use std::fs;
use std::io::Read;

use desk::Desk;
use shared::clock::{Clock, SystemClock};

use super::*;
use crate::backup::Quiet;
use crate::backup::check::check_copy;
use crate::backup::seal;

#[test]
fn a_backup_is_the_state_at_every_target_and_the_journal_says_good() {
    let desk = Desk::new();
    let made = make(&desk.room, &Quiet).unwrap();
    assert_eq!(made.outcome, Outcome::Good);
    let id = made.manifest.backup_id();
    for target in &desk.room.targets {
        let manifest = Manifest::parse(&id, &target.get(&id.manifest_key()).unwrap()).unwrap();
        assert_eq!(manifest, made.manifest);
        let file = target.get(&manifest.file_key()).unwrap();
        assert_eq!(file.len() as u64, manifest.file.bytes);
        let image = desk.folder.path().join("image.db");
        let mut bytes = Vec::new();
        seal::reader(file.as_slice(), false, None)
            .unwrap()
            .read_to_end(&mut bytes)
            .unwrap();
        fs::write(&image, &bytes).unwrap();
        let checked = check_copy(&image, &[]).unwrap();
        assert_eq!(checked.inspected.rows, manifest.database.rows);
        assert_eq!(checked.chains, manifest.chains);
        assert_eq!(bytes.len() as u64, manifest.database.bytes);
    }
    let journal = Journal::read(&desk.room.home);
    assert_eq!(journal.totals.good, 1);
    assert_eq!(journal.last_good.unwrap().id, Some(id.to_string()));
    assert_eq!(desk.left_in_the_spool(), Vec::<String>::new());
}

#[test]
fn an_encrypted_backup_opens_with_the_key_of_its_recipient_only() {
    let desk = Desk::encrypted();
    let made = make(&desk.room, &Quiet).unwrap();
    assert!(made.manifest.encrypted);
    assert_eq!(
        made.manifest.recipients,
        desk.room.settings.recipients.names()
    );
    let file = desk.room.targets[0].get(&made.manifest.file_key()).unwrap();
    let bytes = opened(&desk, &file);
    assert_eq!(bytes.len() as u64, made.manifest.database.bytes);
    assert!(bytes.starts_with(b"SQLite format 3\0"));
    // Nothing of the state can be read by who has no key.
    assert!(!file.windows(15).any(|window| window == b"SQLite format 3"));
    let wrong = seal::reader(file.as_slice(), true, None).err().unwrap();
    assert!(matches!(wrong, SealError::NoIdentity));
}

/// What is in an encrypted file, for who has the key of the desk.
fn opened(desk: &Desk, file: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    seal::reader(file, true, desk.identities.as_ref())
        .unwrap()
        .read_to_end(&mut bytes)
        .unwrap();
    bytes
}

#[test]
fn whoever_of_several_recipients_is_left_opens_the_backup_alone() {
    for place in [0, 1] {
        let mut desk = Desk::encrypted();
        let other = age::x25519::Identity::generate().to_public().to_string();
        let mut keys = desk.room.settings.recipients.names();
        keys.insert(place, other);
        desk.room.settings.recipients = seal::Recipients::parse(&keys).unwrap();
        let made = make(&desk.room, &Quiet).unwrap();
        assert_eq!(made.manifest.recipients, keys);
        let file = desk.room.targets[0].get(&made.manifest.file_key()).unwrap();
        let bytes = opened(&desk, &file);
        assert_eq!(bytes.len() as u64, made.manifest.database.bytes);
    }
}

#[test]
fn a_missing_state_file_is_an_error_and_is_not_made() {
    let desk = Desk::without_state();
    let error = make(&desk.room, &Quiet).unwrap_err();
    assert!(matches!(error, MakeError::NoState { .. }), "{error}");
    assert!(!desk.room.home.state_db().exists());
    desk.nothing_new(&[]);
    assert_eq!(desk.noted_step(), Some(Step::Begin));
}

#[test]
fn a_home_that_does_not_exist_is_not_made_either() {
    let desk = Desk::without_state();
    fs::remove_dir_all(desk.room.home.root()).unwrap();
    make(&desk.room, &Quiet).unwrap_err();
    assert!(!desk.room.home.root().exists());
}

#[test]
fn who_comes_second_is_told_of_the_first_and_notes_nothing() {
    let desk = Desk::new();
    let _turn = Turn::take(&desk.room.home, Duration::ZERO).unwrap();
    let error = make_within(&desk.room, Duration::ZERO, &Quiet).unwrap_err();
    let expected = format!("pid {}", std::process::id());
    assert!(error.to_string().contains(&expected), "{error}");
    assert_eq!(Journal::read(&desk.room.home).runs, []);
}

#[test]
fn what_a_killed_run_left_is_removed_by_the_next() {
    let desk = Desk::new();
    let left = desk.room.home.backup_spool().join(".work-leftover");
    fs::create_dir_all(&left).unwrap();
    fs::write(left.join("lock"), b"").unwrap();
    fs::write(left.join("state.db"), b"half").unwrap();
    make(&desk.room, &Quiet).unwrap();
    assert_eq!(desk.left_in_the_spool(), Vec::<String>::new());
}

/// When the copy had begun to be read, by the clock of the system.
#[derive(Default)]
struct BeganCopying(std::sync::OnceLock<i64>);

impl Progress for BeganCopying {
    fn stage(&self, name: &'static str, _total: u64) {
        if name == "copy" {
            self.0.get_or_init(|| SystemClock.now_ms());
        }
    }
    fn advance(&self, _by: u64) {}
    fn done(&self) {}
}

#[test]
fn a_backup_claims_nothing_that_was_written_after_its_copy_began() {
    let desk = Desk::new();
    let began = BeganCopying::default();
    let before_ms = SystemClock.now_ms();
    let made = make(&desk.room, &began).unwrap();
    let began_ms = began.0.into_inner().unwrap();
    let claimed_ms = made.manifest.at_ms();
    assert!(
        (before_ms..=began_ms).contains(&claimed_ms),
        "{before_ms} {claimed_ms} {began_ms}"
    );
}

#[test]
fn what_was_just_made_stays_whatever_the_rules_and_the_clock_say() {
    let mut desk = Desk::new();
    desk.room.settings.keep = crate::backup::retention::Keep {
        last: 1,
        ..crate::backup::retention::Keep::EVERYTHING
    };
    let back = desk.room.clock.now() - jiff::SignedDuration::from_hours(300);
    for _ in 0..2 {
        let id = make(&desk.room, &Quiet).unwrap().manifest.backup_id();
        assert!(desk.claimed(&desk.room.targets[0]).contains(&id));
        desk.clock.jump_to(back);
    }
}

#[test]
fn two_backups_in_one_second_are_two() {
    let mut desk = Desk::new();
    desk.room.settings.keep = crate::backup::retention::Keep::EVERYTHING;
    let ids: Vec<String> = (0..3)
        .map(|_| make(&desk.room, &Quiet).unwrap().manifest.id)
        .collect();
    for target in &desk.room.targets {
        assert_eq!(desk.claimed(target).len(), 3, "{ids:?}");
    }
}

#[test]
fn a_broken_audit_chain_is_backed_up_and_takes_no_good_ones_place() {
    let mut desk = Desk::new();
    desk.room.settings.keep = crate::backup::retention::Keep {
        last: 1,
        ..crate::backup::retention::Keep::EVERYTHING
    };
    let good = desk.good();
    let checkpoint = format!(
        "{{\"at\":\"2026-11-21T00:00:00Z\",\"chain\":\"system\",\"seq\":99,\"head\":\"{}\"}}\n",
        "ab".repeat(32)
    );
    fs::create_dir_all(desk.room.home.logs_dir()).unwrap();
    fs::write(desk.room.home.audit_checkpoints(), checkpoint).unwrap();
    desk.clock.advance(Duration::from_secs(60));
    let made = make(&desk.room, &Quiet).unwrap();
    assert_eq!(made.outcome, Outcome::Partial);
    let broken = made.broken_chains().unwrap();
    assert!(broken.contains("`system` is not whole"), "{broken}");
    let note = Journal::read(&desk.room.home).runs.pop().unwrap();
    assert_eq!((note.step, note.error), (Some(Step::Check), Some(broken)));
    let id = made.manifest.backup_id();
    for target in &desk.room.targets {
        target.get(&good.manifest_key()).unwrap();
        let manifest = Manifest::parse(&id, &target.get(&id.manifest_key()).unwrap()).unwrap();
        assert!(!manifest.is_whole());
    }
}
