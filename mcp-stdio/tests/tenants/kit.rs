//! Shops, homes, tenants in them, and what they leave behind.

use orderdesk_sandbox::{Options, Sandbox};
use serde_json::json;
use shared::audit::{self, Chain, Filter};
use shared::state::State;
use shared::state::tables::tenants;

use crate::support::{Home, Server};

pub(crate) const OURS: &str = "Alpha Candles";
pub(crate) const THEIRS: &str = "Beta Bookshop";

pub(crate) fn shops(count: usize) -> Sandbox {
    Sandbox::start_blocking(Options {
        stores: count,
        ..Options::default()
    })
    .unwrap()
}

/// A home where new stores are in this sandbox.
pub(crate) fn home(sandbox: &Sandbox) -> Home {
    Home::new().set("API_BASE_URL", &sandbox.base_url())
}

/// Seals the sandbox's shop of that number under a name, with the key that `flags` lead to.
pub(crate) fn add(home: &Home, flags: &[&str], sandbox: &Sandbox, number: usize, name: &str) {
    let store = sandbox.store(number);
    let mut words = flags.to_vec();
    words.extend(["store", "add", "--name", name, "--id", &store.store_id]);
    home.run_with(&words, &store.api_key).fine();
}

/// A server that looks for its key where `flags` say.
pub(crate) fn serve(home: &Home, flags: &[&str]) -> Server {
    let mut server = Server::spawn(home.command().args(flags).arg("serve"));
    server.initialize();
    server
}

pub(crate) fn state(home: &Home) -> State {
    State::open(&shared::paths::Home::at(home.path())).unwrap()
}

pub(crate) fn tenant_ids(home: &Home) -> Vec<String> {
    let rows = state(home).read("test", tenants::all).unwrap();
    rows.into_iter().map(|row| row.id).collect()
}

/// `(action, outcome, target)` of a chain's records.
pub(crate) fn records(home: &Home, chain: &Chain) -> Vec<(String, String, String)> {
    let list =
        |reading: &shared::state::Reading<'_>| audit::list(reading, chain, &Filter::default());
    let records = state(home).read("test", list).unwrap();
    let rows = records.into_iter().map(|record| {
        let record = json!(record);
        let text = |name: &str| record[name].as_str().unwrap_or_default().to_owned();
        (text("action"), text("outcome"), text("target"))
    });
    rows.collect()
}
