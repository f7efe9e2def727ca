//! A simulated shop, a state file, and desks that use both.

use std::sync::Arc;
use std::time::Duration;

use mcp_stdio::desk::model::{OrderId, StoreId};
use mcp_stdio::desk::{Access, Change, Config, Desk, DeskError, Journal, Outcome, Shop, Writer};
use mcp_stdio::stores::journal::Records;
use orderdesk_sandbox::{Bucket, Options, Request, Sandbox};
use serde_json::Value;
use shared::audit::{self, Actor, Chain, Filter, Record};
use shared::clock::{Clock, SystemClock};
use shared::paths::Home;
use shared::quota::Limits;
use shared::secret::Secret;
use shared::session::{Kind, Session};
use shared::state::tables::epochs;
use shared::state::{Durability, Slot};
use tempfile::TempDir;

/// The first seeded order.
pub(crate) const ORDER: &str = "7001001";

pub(crate) struct Kit {
    pub(crate) sandbox: Sandbox,
    pub(crate) config: Config,
    pub(crate) slot: Slot,
    pub(crate) clock: Arc<dyn Clock>,
    /// The life of this process, which its turns belong to.
    pub(crate) session: Session,
    pub(crate) home: TempDir,
}

/// Nothing slows a request down: neither the simulator's bucket nor ours.
pub(crate) fn wide_open() -> Options {
    Options {
        bucket: Bucket::wide_open(),
        ..Options::default()
    }
}

impl Kit {
    pub(crate) async fn new() -> Kit {
        Kit::with(wide_open()).await
    }

    pub(crate) async fn with(options: Options) -> Kit {
        let sandbox = Sandbox::start(options).await.unwrap();
        let home = tempfile::tempdir().unwrap();
        let slot = Slot::new(Home::at(home.path().join("home")));
        slot.open_now().unwrap();
        let config = Config {
            http_timeout: Duration::from_secs(5),
            http_connect_timeout: Duration::from_secs(5),
            total_deadline: Duration::from_secs(20),
            max_retries: 3,
            mutation_max_retries: 5,
            ttl_orders: Duration::from_secs(15),
            ttl_products: Duration::from_secs(60),
            ttl_store_settings: Duration::from_secs(300),
            cache_max_entries: 2000,
            cache_max_bytes: 16 << 20,
            limits: Limits {
                burst: 100_000,
                per_second: 100_000.0,
            },
            tenant_limits: None,
        };
        Kit {
            sandbox,
            config,
            clock: SystemClock::shared(),
            session: Session::begin(slot.home(), Kind::McpStdio, "0").unwrap(),
            slot,
            home,
        }
    }

    /// Another desk on the same state file, as another process would have.
    pub(crate) fn desk(&self) -> Desk {
        Desk::new(
            self.config.clone(),
            self.slot.clone(),
            Arc::clone(&self.clock),
        )
    }

    pub(crate) fn access(&self) -> Access {
        let store = self.sandbox.store(0);
        Access {
            tenant: "env".into(),
            base_url: self.sandbox.base_url().parse().unwrap(),
            store_id: StoreId::parse(&store.store_id).unwrap(),
            api_key: Secret::new(store.api_key),
        }
    }

    pub(crate) fn shop(&self) -> Shop {
        self.desk().shop(self.access())
    }

    /// A writer of a desk of its own, as another process would have.
    pub(crate) fn writer(&self) -> Writer {
        self.writer_of(&self.desk())
    }

    pub(crate) fn writer_of(&self, desk: &Desk) -> Writer {
        desk.writer(self.access(), self.journal())
    }

    /// Where this process's writes are written down.
    pub(crate) fn journal(&self) -> Arc<dyn Journal> {
        let actor = Actor {
            session: self.session.id().clone(),
            client: Some("test".to_owned()),
        };
        Arc::new(Records::of_env(
            self.slot.clone(),
            Arc::clone(&self.clock),
            actor,
        ))
    }

    /// Carries a change out as a process of its own.
    pub(crate) async fn carry_out(
        &self,
        change: impl Change + 'static,
    ) -> Result<Outcome, DeskError> {
        self.writer().carry_out(Arc::new(change), None).await
    }

    /// The first seeded order as the simulator holds it, its history included.
    pub(crate) fn stored(&self) -> Value {
        let id = ORDER.parse().unwrap();
        self.sandbox
            .order(&self.sandbox.store(0).store_id, id)
            .unwrap()
    }

    /// Somebody edits the first seeded order in Order Desk's own app.
    pub(crate) fn edit(&self, name: &str, value: impl Into<Value>) {
        let id = ORDER.parse().unwrap();
        let store = self.sandbox.store(0).store_id;
        self.sandbox.edit_order(&store, id, |order| {
            order.insert(name.to_owned(), value.into());
        });
    }

    /// Everything that arrived, as `GET /orders/7001001`.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |request: &Request| format!("{} {}", request.method, request.path);
        self.requests().iter().map(line).collect()
    }

    /// The audit records, oldest first.
    pub(crate) fn records(&self) -> Vec<Record> {
        let state = self.slot.get().unwrap();
        state
            .read("test", |reading| {
                audit::list(reading, &Chain::Env, &Filter::default())
            })
            .unwrap()
    }

    /// The outcomes in the audit, oldest first: `intent`, `done` …
    pub(crate) fn outcomes(&self) -> Vec<String> {
        self.records()
            .into_iter()
            .map(|record| record.outcome)
            .collect()
    }

    /// What another process does when it writes to the shop.
    pub(crate) fn bump_epoch(&self) {
        let key = self.access().store_key();
        let state = self.slot.get().unwrap();
        state
            .write("epoch_bump", Durability::Full, |writing| {
                epochs::bump(writing, &key)
            })
            .unwrap();
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.sandbox.requests()
    }

    /// How many requests have arrived.
    pub(crate) fn sent(&self) -> usize {
        self.requests().len()
    }

    pub(crate) fn statuses(&self) -> Vec<u16> {
        self.requests()
            .iter()
            .map(|request| request.status)
            .collect()
    }

    pub(crate) async fn until_sent(&self, count: usize) {
        let arrived = async {
            while self.sent() < count {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), arrived)
            .await
            .expect("the request arrives");
    }
}

pub(crate) fn order_id(text: &str) -> OrderId {
    OrderId::parse(text).unwrap()
}
