//! A home with records in it, backups of it, and hands that reach into its files.

use rusqlite::Connection;

use super::super::*;
use crate::audit::{self, Actor, Chain, Entry, Fault, Outcome, action, checkpoint};
use crate::session::{Kind, Session, SessionId};
use crate::state::{Durability, State, migrate};
use crate::writes::{self, Begun, Deed, turn};

pub(super) struct Kit {
    pub(super) home: Home,
    _folder: tempfile::TempDir,
}

pub(super) fn restore_of(from: &str, force: bool) -> Restore<'_> {
    Restore {
        from,
        reached_ms: 5_000,
        now_ms: 9_000,
        // A connection that was just let go is closed by another thread, in a moment.
        patience: Duration::from_millis(500),
        force,
    }
}

pub(super) fn sql(file: &Path, sql: &str) {
    Connection::open(file).unwrap().execute_batch(sql).unwrap();
}

pub(super) fn to_schema(file: &Path, version: u32) {
    let mut connection = Connection::open(file).unwrap();
    migrate::tests::to(&mut connection, version).unwrap();
}

/// Records of the store from the environment.
pub(super) fn records(state: &State) -> u64 {
    let head = state.read("test", |reading| audit::head(reading, &Chain::Env));
    head.unwrap().seq
}

impl Kit {
    pub(super) fn new() -> Kit {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().join("home"));
        drop(State::open(&home).unwrap());
        Kit {
            home,
            _folder: folder,
        }
    }

    pub(super) fn open(&self) -> State {
        State::open(&self.home).unwrap()
    }

    pub(super) fn record(&self, times: i64) {
        self.record_as(times, "tea");
    }

    pub(super) fn record_as(&self, times: i64, target: &str) {
        let state = self.open();
        for _ in 0..times {
            let at_ms = records(&state).cast_signed() + 1;
            record(&state, target, at_ms);
        }
    }

    pub(super) fn records(&self) -> u64 {
        records(&self.open())
    }

    pub(super) fn records_of(&self, file: &Path) -> u64 {
        let state = State::open_copy(file).unwrap();
        state.inspect().unwrap();
        records(&state)
    }

    /// An exact copy of now, where a restore has its work.
    pub(super) fn backup(&self, name: &str) -> PathBuf {
        let folder = self.home.backup_spool();
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join(format!("{name}.db"));
        let copied = self
            .open()
            .copy_to(&path, &mut |_, _| std::ops::ControlFlow::Continue(()));
        copied.unwrap();
        path
    }

    pub(super) fn copy_of(&self, backup: &Path) -> PathBuf {
        let path = backup.with_extension("again.db");
        fs::copy(backup, &path).unwrap();
        path
    }

    pub(super) fn restore(&self, new: &Path, force: bool) -> Result<Replaced, StateError> {
        replace(&self.home, new, &restore_of("backup 7", force))
    }

    pub(super) fn sql(&self, text: &str) {
        sql(&self.home.state_db(), text);
    }

    /// What stands in the home beside what belongs there.
    pub(super) fn leftovers(&self) -> Vec<String> {
        let belongs = ["state.db", "run", "logs", "backups"];
        let mut names: Vec<String> = [self.home.root().to_owned(), self.home.run_dir()]
            .iter()
            .flat_map(|folder| fs::read_dir(folder).unwrap())
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .filter(|name| !belongs.contains(&name.as_str()) && !name.ends_with(".lock"))
            .collect();
        names.sort();
        names
    }

    /// More records that are in the log alone, as a killed process leaves them: the files are those of a moment when it was open.
    pub(super) fn leave_a_log(&self, times: i64) -> PathBuf {
        let (file, log) = (
            self.home.state_db(),
            presence::companion(&self.home.state_db(), "-wal"),
        );
        let aside = tempfile::tempdir().unwrap();
        {
            let _keeps_it = self.open();
            self.record(times);
            fs::copy(&file, aside.path().join("file")).unwrap();
            fs::copy(&log, aside.path().join("log")).unwrap();
        }
        fs::copy(aside.path().join("file"), &file).unwrap();
        fs::copy(aside.path().join("log"), &log).unwrap();
        log
    }

    pub(super) fn overwrite_header(&self) {
        use std::io::Write;
        let mut file = File::options()
            .write(true)
            .open(self.home.state_db())
            .unwrap();
        file.write_all(&[0xff; 100]).unwrap();
    }

    /// Notes the ends of all chains outside of the file, as servers and the sidecar do.
    pub(super) fn remember(&self) {
        let heads = self.open().read("test", audit::heads).unwrap();
        checkpoint::note(&self.home, &heads, 1).unwrap();
    }

    /// What a hand in the file does: everything from `seq` on is gone.
    pub(super) fn cut(&self, seq: u64) {
        self.sql(&format!(
            "DELETE FROM audit WHERE tenant_id = 'env' AND seq >= {seq}"
        ));
    }

    /// What verifying finds, in any chain.
    pub(super) fn fault(&self) -> Option<Fault> {
        let points = checkpoint::read(&self.home).unwrap();
        let state = self.open();
        let chains = state.read("test", |reading| audit::chains(reading, &points));
        chains.unwrap().iter().find_map(|chain| {
            let verdict = audit::verify(&state, chain, None, &points).unwrap();
            verdict.first_bad.map(|bad| bad.what)
        })
    }

    pub(super) fn begin_a_write(&self) -> Begun {
        let session = Session::begin(&self.home, Kind::McpStdio, "1").unwrap();
        let state = self.open();
        let things = ["order/1".to_owned()];
        let turn = turn::enqueue(&state, session.id(), "shop", &things, 1).unwrap();
        let deed = Deed {
            chain: &Chain::Env,
            actor: &Actor::cli(),
            store_key: "shop",
            action: action::ORDER_UPDATED,
            target: "order 1",
            args_shape: "{}",
            check: "look at order 1",
        };
        writes::begin(&state, &deed, &turn, 1, None).unwrap()
    }

    pub(super) fn end_a_write(&self, begun: &Begun) -> Result<(), StateError> {
        let (state, actor) = (self.open(), Actor::cli());
        writes::end(&state, begun, &actor, Outcome::Done, None, 2, None)
    }
}

pub(super) fn record(state: &State, target: &str, at_ms: i64) {
    let actor = Actor {
        session: SessionId::from_stored("0123456789abcdef0123456789abcdef").unwrap(),
        client: None,
    };
    let entry = Entry::done(&actor, action::STORE_ADDED, Some(target));
    let added = state.write("test", Durability::Full, |writing| {
        audit::append(writing, &Chain::Env, &entry, at_ms, None)
    });
    added.unwrap();
}
