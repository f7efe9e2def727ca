//! A home with processes that live in it without being processes: each holds the lock of a run file until it is dropped.

use crate::audit::{self, Actor, Chain, Filter, Outcome, Record, Signer, action};
use crate::paths::Home;
use crate::session::{Kind, Session};
use crate::state::tables::epochs;
use crate::state::{State, StateError};
use crate::writes::{
    BeginError, Begun, Deed, Standing, Turn, Unsettled, begin, end, turn, unsettled,
};

/// When everything begins; any moment far from 1970 would do.
pub(super) const START_MS: i64 = 1_700_000_000_000;

/// The shop of these tests.
pub(super) const SHOP: &str = "shop";

pub(super) struct House {
    pub(super) state: State,
    pub(super) home: Home,
    _folder: tempfile::TempDir,
}

impl House {
    pub(super) fn new() -> House {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path());
        House {
            state: State::open(&home).unwrap(),
            home,
            _folder: folder,
        }
    }

    pub(super) fn process(&self) -> Process<'_> {
        Process {
            house: self,
            session: Session::begin(&self.home, Kind::McpStdio, "1.0").unwrap(),
        }
    }

    pub(super) fn standing_at(&self, turn: &Turn, now_ms: i64) -> Standing {
        turn::standing(&self.state, turn, now_ms).unwrap()
    }

    pub(super) fn standing(&self, turn: &Turn) -> Standing {
        self.standing_at(turn, START_MS)
    }

    /// The epoch of the shop, if nothing is under way.
    pub(super) fn settled_at(&self, now_ms: i64) -> Option<u64> {
        self.state
            .read("test", |reading| epochs::settled(reading, SHOP, now_ms))
            .unwrap()
    }

    pub(super) fn records(&self, chain: &Chain) -> Vec<Record> {
        self.state
            .read("test", |reading| {
                audit::list(reading, chain, &Filter::default())
            })
            .unwrap()
    }

    /// What each record says: action, outcome, and the intent that it is the outcome of.
    pub(super) fn story(&self, chain: &Chain) -> Vec<(String, String, Option<u64>)> {
        let told = |record: Record| (record.action, record.outcome, record.intent_seq);
        self.records(chain).into_iter().map(told).collect()
    }

    pub(super) fn unsettled(&self) -> Vec<Unsettled> {
        unsettled(&self.state, None).unwrap()
    }

    pub(super) fn is_sound(&self, chain: &Chain, signer: Option<&dyn Signer>) -> bool {
        audit::verify(&self.state, chain, signer, &[]).unwrap().ok
    }
}

/// Dropped, it is dead.
pub(super) struct Process<'h> {
    house: &'h House,
    pub(super) session: Session,
}

impl Process<'_> {
    pub(super) fn actor(&self) -> Actor {
        Actor {
            session: self.session.id().clone(),
            client: Some("inspector".to_owned()),
        }
    }

    pub(super) fn enqueue_at(&self, things: &[&str], now_ms: i64) -> Turn {
        let things: Vec<String> = things.iter().map(ToString::to_string).collect();
        turn::enqueue(&self.house.state, self.session.id(), SHOP, &things, now_ms).unwrap()
    }

    pub(super) fn enqueue(&self, things: &[&str]) -> Turn {
        self.enqueue_at(things, START_MS)
    }

    pub(super) fn try_begin(
        &self,
        chain: &Chain,
        turn: &Turn,
        at_ms: i64,
        signer: Option<&dyn Signer>,
    ) -> Result<Begun, BeginError> {
        let actor = self.actor();
        let deed = Deed {
            chain,
            actor: &actor,
            store_key: SHOP,
            action: action::ORDER_UPDATED,
            target: "order 7001001",
            args_shape: "changes: shipping.city",
            check: "look at order 7001001",
        };
        begin(&self.house.state, &deed, turn, at_ms, signer)
    }

    /// An intent under a turn of its own.
    pub(super) fn begin_at(&self, thing: &str, at_ms: i64) -> (Begun, Turn) {
        let turn = self.enqueue_at(&[thing], at_ms);
        let begun = self.try_begin(&Chain::Env, &turn, at_ms, None).unwrap();
        (begun, turn)
    }

    pub(super) fn try_end(
        &self,
        begun: &Begun,
        outcome: Outcome,
        turn: Option<&Turn>,
        at_ms: i64,
    ) -> Result<(), StateError> {
        let actor = self.actor();
        end(&self.house.state, begun, &actor, outcome, turn, at_ms, None)
    }

    pub(super) fn end(&self, begun: &Begun, outcome: Outcome, turn: Option<&Turn>) {
        self.try_end(begun, outcome, turn, START_MS).unwrap();
    }
}
