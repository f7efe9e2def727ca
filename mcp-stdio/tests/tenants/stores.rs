//! Adding, choosing and removing stores, as a client sees it.

use serde_json::json;
use shared::audit::{self, Chain};

use crate::kit::{OURS, THEIRS, add, home, records, shops, state, tenant_ids};
use crate::support::{Home, Server};

#[test]
fn a_shop_that_was_added_in_a_terminal_is_there_without_a_restart() {
    let sandbox = shops(1);
    let store = sandbox.store(0);
    let home = home(&sandbox);
    let mut server = home.session();
    let none = server.call("orders_list", json!({})).error();
    assert!(
        none.starts_with("no_store: ") && none.contains("stores_register"),
        "{none}"
    );
    let register = json!({"store_id": store.store_id, "store_name": "Ana's $HOME"});
    let answer = server.call("stores_register", register.clone()).ok();
    assert_eq!(answer["registered"], false);
    let command = answer["command"].as_str().unwrap();
    assert!(
        command.contains(" init && ") && command.contains(" store add "),
        "{command}"
    );

    run_in_a_shell(command, &store.api_key);
    let answer = server.call("stores_register", register).ok();
    assert_eq!(
        answer,
        json!({"registered": true, "store": {"store_id": store.store_id, "name": "Ana's $HOME", "active": true, "default": answer["store"]["default"]}})
    );
    let orders = json!({"store": "ana's $home", "limit": 1});
    server.call("orders_list", orders).ok();
    let status = server.call("server_status", json!({})).ok();
    assert_eq!(
        (&status["status"], &status["stores"]),
        (&json!("ok"), &json!(1))
    );
    assert!(
        status["tenant"]["key_source"]
            .as_str()
            .unwrap()
            .contains("master.key")
    );
}

/// As a person would: a terminal that knows nothing of this server's environment.
fn run_in_a_shell(command: &str, key: &str) {
    use std::io::Write as _;
    let mut shell = std::process::Command::new("sh");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("ORDERDESK_MCP_") {
            shell.env_remove(name);
        }
    }
    let mut child = shell
        .args(["-c", command])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(format!("{key}\n").as_bytes()).unwrap();
    drop(stdin);
    assert!(child.wait().unwrap().success(), "{command}");
}

#[test]
fn removing_takes_a_preview_and_its_token_once() {
    let sandbox = shops(2);
    let home = home(&sandbox).set("TOOLSETS", "all");
    home.run(&["init"]).fine();
    add(&home, &[], &sandbox, 0, OURS);
    add(&home, &[], &sandbox, 1, THEIRS);
    let mut server = home.session();
    let mut other_window = home.session();
    server.call("stores_use", json!({"store": OURS})).ok();

    let preview = server
        .call("stores_remove", json!({"store": "alpha candles"}))
        .ok();
    assert_eq!(preview["outcome"], "preview");
    assert_eq!(preview["diff"][0]["before"]["name"], OURS);
    let token = preview["confirm_token"].as_str().unwrap();
    assert_eq!(
        server.call("stores_list", json!({})).ok()["stores"]
            .as_array()
            .unwrap()
            .len(),
        2
    );

    let another = server.call("stores_remove", json!({"store": THEIRS, "confirm": token}));
    assert!(another.error().starts_with("not_confirmed: "));
    // A token is good in every window of the tenant.
    let done = other_window
        .call("stores_remove", json!({"store": OURS, "confirm": token}))
        .ok();
    assert_eq!(done["outcome"], "done");
    let again = server.call("stores_remove", json!({"store": OURS, "confirm": token}));
    assert!(again.error().starts_with("unknown_store: "));

    // The first window notices, and does not answer from another shop in the place of the chosen one.
    let text = server.call("orders_list", json!({})).error();
    assert!(
        text.starts_with("unknown_store: ") && text.contains("stores_use"),
        "{text}"
    );
    let left = server.call("stores_list", json!({})).ok();
    assert_eq!(left["stores"].as_array().unwrap().len(), 1);
    let our_id = tenant_ids(&home).remove(0);
    let last = records(&home, &Chain::Tenant(our_id)).pop().unwrap();
    assert_eq!(last, ("store.removed".into(), "done".into(), OURS.into()));
}

#[test]
fn the_store_of_the_environment_can_be_neither_removed_nor_added_to() {
    let sandbox = shops(1);
    let store = sandbox.store(0);
    let mut server = Home::with_store(&sandbox).set("TOOLSETS", "all").session();
    for (tool, arguments) in [
        ("stores_remove", json!({"store": store.store_id})),
        (
            "stores_register",
            json!({"store_id": "99", "store_name": "New"}),
        ),
    ] {
        let text = server.call(tool, arguments).error();
        assert!(text.starts_with("store_from_environment: "), "{text}");
        assert!(text.contains("ORDERDESK_MCP_STORE_ID"), "{text}");
    }
    let same = json!({"store_id": store.store_id, "store_name": "New"});
    assert_eq!(
        server.call("stores_register", same).ok()["registered"],
        true
    );
}

#[test]
fn a_hundred_stores_are_told_apart_by_name_and_by_id() {
    let sandbox = shops(1);
    let home = home(&sandbox);
    home.run(&["init"]).fine();
    let base_url = sandbox.base_url();
    seal_a_hundred(&home, &base_url);
    add(&home, &[], &sandbox, 0, "Real One");
    let mut server = home.session();
    let listed = server.call("stores_list", json!({})).ok();
    assert_eq!(listed["stores"].as_array().unwrap().len(), 101);
    assert!(listed["next"].as_str().unwrap().contains("stores_use"));
    let several = server.call("orders_list", json!({})).error();
    assert!(
        several.starts_with("no_active_store: ") && several.contains("and 81 more"),
        "{several}"
    );
    for named in ["sHOP 042", "5042"] {
        let chosen = server.call("stores_use", json!({"store": named})).ok();
        assert_eq!(chosen["store"]["name"], "Shop 042");
    }
    let near = server
        .call("stores_use", json!({"store": "Reel One"}))
        .error();
    assert!(near.contains("did you mean `Real One`?"), "{near}");
    server
        .call("orders_list", json!({"store": "REAL ONE", "limit": 1}))
        .ok();
}

/// `Shop 000` to `Shop 099`, without asking anybody whether they exist.
fn seal_a_hundred(home: &Home, base_url: &str) {
    use mcp_stdio::vault::{NewStore, Sources, Vault};
    let place = shared::paths::Home::at(home.path());
    let keys = Sources::new(&shared::env::Settings::defaults(&place), &place, None);
    let slot = shared::state::Slot::new(place);
    let vault = Vault::new(slot, keys, shared::clock::SystemClock::shared());
    for number in 0..100 {
        let id = (5000 + number).to_string();
        let new = NewStore {
            name: format!("Shop {number:03}"),
            store_id: mcp_stdio::desk::StoreId::parse(&id).unwrap(),
            base_url: base_url.parse().unwrap(),
            api_key: shared::secret::Secret::new("nobody's key".to_owned()),
            replace: false,
        };
        vault.add(new, &audit::Actor::cli()).unwrap();
    }
}

#[test]
fn the_setting_and_the_default_choose_the_store_to_begin_with() {
    let sandbox = shops(2);
    let home = home(&sandbox);
    home.run(&["init"]).fine();
    add(&home, &[], &sandbox, 0, OURS);
    add(&home, &[], &sandbox, 1, THEIRS);
    home.run(&["store", "use", THEIRS]).fine();
    let active = |mut server: Server| {
        let status = server.call("server_status", json!({})).ok();
        status["store"]["name"].as_str().map(str::to_owned)
    };
    assert_eq!(active(home.session()).as_deref(), Some(THEIRS));
    let home = home.set("STORE", "alpha candles");
    assert_eq!(active(home.session()).as_deref(), Some(OURS));
    let mut lost = home.set("STORE", "Alfa Candles").session();
    let text = lost.call("orders_list", json!({})).error();
    assert!(
        text.contains("ORDERDESK_MCP_STORE") && text.contains("did you mean `Alpha Candles`?"),
        "{text}"
    );
    lost.call("orders_list", json!({"store": THEIRS, "limit": 1}))
        .ok();
}

#[test]
fn another_default_than_was_chosen_is_said_in_the_status() {
    use shared::state::Durability;
    use shared::state::tables::{meta, stores, tenants};
    let sandbox = shops(2);
    let home = home(&sandbox);
    home.run(&["init"]).fine();
    add(&home, &[], &sandbox, 0, OURS);
    add(&home, &[], &sandbox, 1, THEIRS);
    home.run(&["store", "use", OURS]).fine();
    let mut server = home.session();
    let status = server.call("server_status", json!({})).ok();
    assert_eq!(status["degraded"], json!([]));
    let tenant = tenant_ids(&home).remove(0);
    let swapped = state(&home).write("test", Durability::Full, |writing| {
        let rows = stores::of_tenant(writing, &tenant)?;
        let other = rows.into_iter().find(|row| row.name == THEIRS);
        tenants::set_default_store(writing, &tenant, other.as_ref().map(|row| row.id.as_str()))?;
        meta::bump_vault_revision(writing)
    });
    swapped.unwrap();
    let status = server.call("server_status", json!({})).ok();
    assert_eq!(status["status"], "degraded");
    let line = status["degraded"][0].as_str().unwrap();
    assert!(
        line.contains("behind this program") && line.contains("hint: "),
        "{line}"
    );
}
