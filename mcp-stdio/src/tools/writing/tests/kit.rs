//! A change that changes nothing, a person who says what they are told to, and a server whose shop is never reached.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use parking_lot::Mutex;
use shared::clock::ManualClock;
use shared::env::Settings;
use shared::paths::Home;
use shared::secret::Secret;
use shared::session::Kind as SessionKind;
use shared::state::Slot;
use shared::telemetry::Telemetry;

use super::super::*;
use crate::config::{Config, Confirm};
use crate::desk::merge::Difference;
use crate::desk::{Access, DeskError, Shop, StoreId};
use crate::person::{Decision, Question};

pub(super) const TOOL: &str = "stores_remove";
pub(super) const DECLARED: &[Argument] = &[
    Argument::optional("order_id", Kind::Text, ""),
    Argument::optional("changes", Kind::Object, ""),
    Argument::optional("store", Kind::Text, ""),
    DRY_RUN,
    CONFIRM,
];

#[derive(Debug)]
pub(super) struct Fake {
    pub(super) weight: Weight,
    /// What the preview sees; somebody else may change it.
    pub(super) city: Mutex<&'static str>,
    pub(super) done: AtomicUsize,
    pub(super) agreed: Mutex<Option<Preview>>,
}

impl Change for Fake {
    fn weight(&self) -> Weight {
        self.weight
    }

    fn preview<'a>(&'a self, _: &'a Shop) -> BoxFuture<'a, Result<Preview, DeskError>> {
        let city = *self.city.lock();
        let line = Difference {
            path: "shipping.city".to_owned(),
            before: city.into(),
            after: "Maribor".into(),
        };
        ready(Ok(Preview {
            diff: vec![line],
            basis: city.to_owned(),
            ..Preview::default()
        }))
        .boxed()
    }

    fn carry_out<'a>(
        &'a self,
        _: &'a Writer,
        agreed: Option<&'a Preview>,
    ) -> BoxFuture<'a, Result<Outcome, DeskError>> {
        self.done.fetch_add(1, Ordering::Relaxed);
        *self.agreed.lock() = agreed.cloned();
        ready(Ok(Outcome::new(Verdict::Done))).boxed()
    }
}

pub(super) fn fake(weight: Weight) -> Arc<Fake> {
    Arc::new(Fake {
        weight,
        city: Mutex::new("Ljubljana"),
        done: AtomicUsize::new(0),
        agreed: Mutex::default(),
    })
}

impl Fake {
    pub(super) fn times_done(&self) -> usize {
        self.done.load(Ordering::Relaxed)
    }
}

/// Says what it is told to, and remembers what it was asked.
pub(super) struct Says {
    pub(super) decision: Decision,
    pub(super) brought: Option<(String, Decision)>,
    pub(super) asked: Mutex<Vec<(Question, String)>>,
}

impl Says {
    pub(super) fn that(decision: Decision) -> Says {
        Says {
            decision,
            brought: None,
            asked: Mutex::default(),
        }
    }

    pub(super) fn brings(token: &str, decision: Decision) -> Says {
        Says {
            brought: Some((token.to_owned(), decision)),
            ..Says::that(Decision::Later)
        }
    }
}

impl Person for Says {
    fn ask<'a>(&'a self, question: &'a Question, token: &'a str) -> BoxFuture<'a, Decision> {
        let asked = (question.clone(), token.to_owned());
        self.asked.lock().push(asked);
        ready(self.decision).boxed()
    }

    fn can_be_asked(&self) -> bool {
        true
    }

    fn brought(&self) -> Option<(&str, Decision)> {
        let (token, decision) = self.brought.as_ref()?;
        Some((token, *decision))
    }
}

/// A server over the one store of the environment; nothing of it is ever reached.
pub(super) struct Bench {
    pub(super) context: Context,
    pub(super) clock: Arc<ManualClock>,
    pub(super) folder: Arc<tempfile::TempDir>,
}

pub(super) fn bench(confirm: Confirm) -> Bench {
    bench_of("4242", confirm)
}

pub(super) fn bench_of(store_id: &str, confirm: Confirm) -> Bench {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let clock = Arc::new(ManualClock::default());
    Bench {
        context: context(&folder, &clock, store_id, confirm),
        clock,
        folder,
    }
}

pub(super) fn context(
    folder: &tempfile::TempDir,
    clock: &Arc<ManualClock>,
    store_id: &str,
    confirm: Confirm,
) -> Context {
    let home = Home::at(folder.path().join("home"));
    let slot = Slot::new(home.clone());
    let telemetry = Telemetry::start(slot.clone(), SessionKind::McpStdio, "0");
    let mut config = Config::new(home.clone(), &Settings::defaults(&home), None, Vec::new());
    config.confirm = confirm;
    config.store = Some(Access {
        tenant: Arc::from(crate::config::ENV_TENANT),
        base_url: "https://app.orderdesk.me/api/v2".parse().unwrap(),
        store_id: StoreId::parse(store_id).unwrap(),
        api_key: Secret::new("a key".to_owned()),
    });
    Context::new(config, slot, telemetry.handle(), Arc::clone(clock) as _)
}

impl Bench {
    /// What another process on the same home has.
    pub(super) fn another(&self) -> Context {
        let context = context(
            &self.folder,
            &self.clock,
            "4242",
            self.context.config.confirm,
        );
        context.slot.open_now().unwrap();
        context
    }

    pub(super) async fn call(
        &self,
        change: &Arc<Fake>,
        arguments: Value,
        person: &dyn Person,
    ) -> Result<Value, ToolError> {
        let args = Args::check(DECLARED, arguments.as_object()).unwrap();
        let call = Writing {
            context: &self.context,
            args: &args,
            person,
            tool: TOOL,
        };
        let change = Arc::clone(change) as Arc<dyn Change>;
        run(call, change, |_, reply| reply)
            .await
            .map(Reply::into_value)
    }
}

pub(super) fn token_of(preview: &Value) -> String {
    assert_eq!(preview["outcome"], "preview", "{preview}");
    preview["confirm_token"].as_str().unwrap().to_owned()
}

pub(super) fn with_token(arguments: &Value, token: &str) -> Value {
    let mut arguments = arguments.clone();
    arguments["confirm"] = token.into();
    arguments
}
