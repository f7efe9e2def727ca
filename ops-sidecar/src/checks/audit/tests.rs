//! Chains of a real state file, looked at round by round on a clock that the test moves.

use std::ops::ControlFlow;

use shared::audit::{Actor, Entry, action};
use shared::clock::ManualClock;
use shared::paths::Home;
use shared::state::tables::audit as rows;
use shared::state::{Durability, Restore, StateError, replace};

use super::*;

struct House {
    slot: Slot,
    clock: Arc<ManualClock>,
    auditor: Auditor,
    _folder: tempfile::TempDir,
}

impl House {
    fn new() -> House {
        let folder = tempfile::tempdir().expect("a folder");
        let slot = Slot::new(Home::at(folder.path()));
        slot.open_now().expect("a fresh state file");
        let clock = Arc::new(ManualClock::default());
        let auditor = Auditor::new(slot.clone(), Arc::clone(&clock) as Arc<dyn Clock>);
        House {
            slot,
            clock,
            auditor,
            _folder: folder,
        }
    }

    fn state(&self) -> State {
        self.slot.get().expect("open")
    }

    fn record(&self, chain: &Chain, times: usize) {
        let actor = Actor::cli();
        let entry = Entry::done(&actor, action::CLIENT_INSTALLED, Some("zed"));
        for _ in 0..times {
            self.state()
                .write("test", Durability::Full, |writing| {
                    audit::append(writing, chain, &entry, self.clock.now_ms(), None)
                })
                .expect("a record");
        }
    }

    /// Takes records from the end, as somebody with a hand in the file would.
    fn cut(&self, chain: &Chain, keep: i64) {
        self.state()
            .write("test", Durability::Normal, |writing| {
                let all = rows::page(writing, chain.as_str(), 0, 1_000)?;
                rows::delete_through(writing, chain.as_str(), i64::MAX)?;
                for row in all.iter().filter(|row| row.seq <= keep) {
                    rows::insert(writing, row)?;
                }
                Ok(())
            })
            .expect("a cut");
    }

    /// Puts something else into the middle.
    fn forge(&self, chain: &Chain, seq: i64) {
        self.state()
            .write("test", Durability::Normal, |writing| {
                let all = rows::page(writing, chain.as_str(), 0, 1_000)?;
                rows::delete_through(writing, chain.as_str(), i64::MAX)?;
                for mut row in all {
                    if row.seq == seq {
                        row.target = Some("cursor".to_owned());
                    }
                    rows::insert(writing, &row)?;
                }
                Ok(())
            })
            .expect("a forgery");
    }

    fn look(&mut self) -> Vec<ChainFacts> {
        self.auditor.look().expect("a look");
        let seen = self.auditor.latest().lock().clone();
        seen.facts.expect("facts").chains
    }

    /// The finding's id, if there is one.
    fn finding(&mut self) -> Option<&'static str> {
        self.look();
        let drafts = judge(&self.auditor.latest().lock());
        assert!(drafts.len() < 2, "{drafts:?}");
        drafts.first().map(|draft| draft.id)
    }

    fn rest(&self, span: Duration) {
        self.clock.advance(span);
    }
}

const ENV: Chain = Chain::Env;

#[test]
fn a_home_without_records_has_no_chains_and_no_finding() {
    let mut house = House::new();
    assert_eq!(house.look(), []);
    assert_eq!(house.finding(), None);
}

#[test]
fn every_chain_is_shown_with_its_number_and_its_end() {
    let mut house = House::new();
    house.record(&ENV, 3);
    house.record(&Chain::System, 1);
    let chains = house.look();
    let shown: Vec<_> = chains
        .iter()
        .map(|chain| (chain.chain.as_str(), chain.rows, &chain.problem))
        .collect();
    assert_eq!(shown, [("system", 1, &None), ("env", 3, &None)]);
    let [env] = &chains[1..] else {
        unreachable!("two chains")
    };
    assert_eq!(env.head.len(), 64);
    assert_eq!(format!("{:012x}", env.head_start()), env.head[..12]);
    house.record(&ENV, 2);
    assert_eq!(house.look()[1].rows, 5);
}

#[test]
fn a_cut_tail_is_found_in_the_next_round() {
    let mut house = House::new();
    house.record(&ENV, 5);
    assert_eq!(house.finding(), None);
    house.cut(&ENV, 3);
    assert_eq!(house.finding(), Some("audit.chain_broken"));
    let seen = house.auditor.latest().lock().clone();
    assert!(judge(&seen)[0].summary.contains("`env`"), "{seen:?}");
}

#[test]
fn a_tail_that_was_cut_while_nobody_looked_is_found_by_the_checkpoints() {
    let mut house = House::new();
    house.record(&ENV, 5);
    house.look();
    house.cut(&ENV, 3);
    house.auditor = Auditor::new(
        house.slot.clone(),
        Arc::clone(&house.clock) as Arc<dyn Clock>,
    );
    assert_eq!(house.finding(), Some("audit.chain_broken"));
    house.cut(&ENV, 0);
    house.auditor = Auditor::new(
        house.slot.clone(),
        Arc::clone(&house.clock) as Arc<dyn Clock>,
    );
    assert_eq!(
        house.finding(),
        Some("audit.chain_broken"),
        "the whole chain is gone"
    );
}

/// A sidecar that had lost the file lives on while another is put in its place.
#[test]
fn a_restored_file_is_no_cut_one_and_a_later_cut_is_found() {
    let mut house = House::new();
    house.record(&ENV, 5);
    let backup = house.slot.home().backups_dir().join("b.db");
    let copied = house
        .state()
        .copy_to(&backup, &mut |_, _| ControlFlow::Continue(()))
        .expect("a copy");
    house.record(&ENV, 3);
    assert_eq!(house.finding(), None);
    house.slot.mark_broken(&house.state(), StateError::Moved);
    let restore = Restore {
        from: "b",
        reached_ms: copied.at_ms,
        now_ms: copied.at_ms,
        patience: Duration::from_secs(10),
        force: true,
    };
    replace(house.slot.home(), &backup, &restore).expect("restored");
    house.slot.open_now().expect("the restored file");
    assert_eq!(house.finding(), None);
    let facts = house.auditor.latest().lock().clone().facts;
    let facts = facts.expect("facts");
    assert_eq!(facts.restored.map(|restored| restored.epoch), Some(1));
    let env = facts.chains.iter().find(|chain| chain.chain == "env");
    assert_eq!(env.map(|chain| chain.rows), Some(5));
    house.cut(&ENV, 4);
    assert_eq!(house.finding(), Some("audit.chain_broken"));
}

#[test]
fn a_change_in_the_middle_is_found_by_the_full_check_within_the_hour() {
    let mut house = House::new();
    house.record(&ENV, 5);
    assert_eq!(house.finding(), None);
    house.forge(&ENV, 2);
    assert_eq!(
        house.finding(),
        None,
        "what was found sound is not read again"
    );
    house.rest(IN_FULL_EVERY);
    assert_eq!(house.finding(), Some("audit.chain_broken"));
    let problem = house.auditor.latest().lock().clone().facts.expect("facts");
    assert!(
        problem.chains[0]
            .problem
            .as_deref()
            .is_some_and(|problem| problem.starts_with("record 2 was changed")),
        "{problem:?}"
    );
}

#[test]
fn a_changed_end_is_found_as_soon_as_the_chain_grows() {
    let mut house = House::new();
    house.record(&ENV, 5);
    house.look();
    house.forge(&ENV, 5);
    house.record(&ENV, 1);
    assert_eq!(house.finding(), Some("audit.chain_broken"));
}

#[test]
fn a_chain_that_is_whole_again_is_noticed_within_a_minute() {
    let mut house = House::new();
    house.record(&ENV, 5);
    house.look();
    let whole: Vec<rows::Row> = house
        .state()
        .read("test", |reading| rows::page(reading, "env", 0, 100))
        .expect("rows");
    house.cut(&ENV, 3);
    assert_eq!(house.finding(), Some("audit.chain_broken"));
    house
        .state()
        .write("test", Durability::Normal, |writing| {
            whole[3..]
                .iter()
                .try_for_each(|row| rows::insert(writing, row))
        })
        .expect("what was cut comes back");
    house.rest(EVERY_MINUTE);
    assert_eq!(house.finding(), None);
}

#[test]
fn pruning_under_the_eyes_of_the_check_is_no_finding() {
    let mut house = House::new();
    house.record(&ENV, 5);
    assert_eq!(house.finding(), None);
    house.rest(Duration::from_secs(10));
    house.record(&ENV, 2);
    let now_ms = house.clock.now_ms();
    let pruned = audit::prune(&house.state(), now_ms - 1, &Actor::cli(), now_ms);
    assert_eq!(pruned.expect("a pruning").rows, 5);
    assert_eq!(house.finding(), None);
    house.rest(IN_FULL_EVERY);
    assert_eq!(house.finding(), None);
    let all = audit::prune(&house.state(), i64::MAX, &Actor::cli(), now_ms);
    assert!(all.expect("a pruning").rows > 0);
    house.record(&ENV, 1);
    assert_eq!(house.finding(), None);
    house.rest(IN_FULL_EVERY);
    assert_eq!(house.finding(), None);
}

#[test]
fn ends_are_remembered_every_minute_and_only_when_they_moved() {
    let mut house = House::new();
    let lines = |house: &House| {
        let points = checkpoint::read(house.slot.home()).expect("checkpoints");
        points
            .iter()
            .map(|point| point.head.seq)
            .collect::<Vec<_>>()
    };
    house.record(&ENV, 2);
    house.look();
    assert_eq!(lines(&house), [2]);
    house.record(&ENV, 2);
    house.look();
    assert_eq!(lines(&house), [2], "not before the minute is over");
    house.rest(EVERY_MINUTE);
    house.look();
    house.rest(EVERY_MINUTE);
    house.look();
    assert_eq!(lines(&house), [2, 4]);
}

#[test]
fn checkpoints_that_were_taken_away_are_written_again_within_the_hour() {
    let mut house = House::new();
    house.record(&ENV, 2);
    house.look();
    let file = house.slot.home().audit_checkpoints();
    std::fs::remove_file(&file).expect("it was there");
    house.rest(IN_FULL_EVERY);
    house.look();
    assert!(file.exists());
}

#[test]
fn what_cannot_be_remembered_is_a_warning_until_it_works() {
    let mut house = House::new();
    house.record(&ENV, 1);
    let logs = house.slot.home().logs_dir();
    std::fs::remove_dir_all(&logs).expect("the folder goes");
    std::fs::write(&logs, "in the way").expect("a file");
    house.auditor.look().expect_err("the folder is a file");
    assert_eq!(
        judge(&house.auditor.latest().lock())[0].id,
        "audit.unchecked"
    );
    std::fs::remove_file(&logs).expect("the file goes");
    assert_eq!(house.finding(), None);
}

#[test]
fn without_a_state_file_nothing_is_claimed() {
    let folder = tempfile::tempdir().expect("a folder");
    let slot = Slot::new(Home::at(folder.path()));
    let mut auditor = Auditor::new(slot, Arc::new(ManualClock::default()));
    assert!(!auditor.look().expect("nothing to complain about"));
    assert_eq!(*auditor.latest().lock(), Seen::default());
    assert_eq!(judge(&Seen::default()), []);
}
