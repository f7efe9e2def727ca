//! Many stores and many tenants in one state file, as a client of the real binary meets them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use mcp_stdio::tools;
use mcp_stdio::vault::MasterKey;
use orderdesk_sandbox::{Options, Sandbox};
use serde_json::{Value, json};
use shared::audit::{self, Chain, Filter};
use shared::state::State;
use shared::state::tables::tenants;
use support::{Home, Server};

const OURS: &str = "Alpha Candles";
const THEIRS: &str = "Beta Bookshop";

fn shops(count: usize) -> Sandbox {
    Sandbox::start_blocking(Options {
        stores: count,
        ..Options::default()
    })
    .unwrap()
}

/// A home where new stores are in this sandbox.
fn home(sandbox: &Sandbox) -> Home {
    Home::new().set("API_BASE_URL", &sandbox.base_url())
}

/// Seals the sandbox's shop of that number under a name, with the key that `flags` lead to.
fn add(home: &Home, flags: &[&str], sandbox: &Sandbox, number: usize, name: &str) {
    let store = sandbox.store(number);
    let mut words = flags.to_vec();
    words.extend(["store", "add", "--name", name, "--id", &store.store_id]);
    home.run_with(&words, &store.api_key).fine();
}

/// A server that looks for its key where `flags` say.
fn serve(home: &Home, flags: &[&str]) -> Server {
    let mut server = Server::spawn(home.command().args(flags).arg("serve"));
    server.initialize();
    server
}

fn state(home: &Home) -> State {
    State::open(&shared::paths::Home::at(home.path())).unwrap()
}

fn tenant_ids(home: &Home) -> Vec<String> {
    let rows = state(home).read("test", tenants::all).unwrap();
    rows.into_iter().map(|row| row.id).collect()
}

/// `(action, outcome, target)` of a chain's records.
fn records(home: &Home, chain: &Chain) -> Vec<(String, String, String)> {
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

/// Two tenants in one home: ours with the first shop, theirs with the second.
fn two_tenants(sandbox: &Sandbox) -> (Home, [String; 2]) {
    let home = home(sandbox);
    let key_file = |name: &str| {
        let file = home.path().with_file_name(name);
        file.to_str().unwrap().to_owned()
    };
    let files = [key_file("ours.key"), key_file("theirs.key")];
    for (number, name) in [OURS, THEIRS].into_iter().enumerate() {
        let flags = ["--master-key-file", &files[number]];
        home.run(&[&flags[..], &["init", "--name", name]].concat())
            .fine();
        add(&home, &flags, sandbox, number, name);
    }
    (home, files)
}

/// Every tool with every way to name a store, well and badly; gives all that was answered.
fn ask_everything(server: &mut Server, named: &str) -> Vec<String> {
    let mut answers = Vec::new();
    for tool in tools::ALL {
        let takes = |name: &str| tool.arguments.iter().any(|argument| argument.name == name);
        let mut arguments = json!({});
        for argument in tool.arguments.iter().filter(|argument| argument.required) {
            arguments[argument.name] = match argument.name {
                "store_id" => json!("4711"),
                "query" => json!("nobody@example.com"),
                "store" | "store_name" => json!(named),
                _ => json!("7001001"),
            };
        }
        answers.push(server.call(tool.name, arguments.clone()).text);
        if takes("store") {
            arguments["store"] = json!(named);
            answers.push(server.call(tool.name, arguments.clone()).text);
        }
        arguments["no_such_argument"] = json!(1);
        answers.push(server.call(tool.name, arguments).text);
    }
    answers
}

#[test]
fn two_tenants_in_one_state_file_see_nothing_of_each_other() {
    let sandbox = shops(2);
    let (home, files) = two_tenants(&sandbox);
    let ids = tenant_ids(&home);
    assert_eq!(ids.len(), 2);
    let mut ours = serve(&home, &["--master-key-file", &files[0]]);
    let mut theirs = serve(&home, &["--master-key-file", &files[1]]);
    // Something for the other side to leave behind.
    ask_everything(&mut theirs, THEIRS);
    let status = ours.call("server_status", json!({})).ok();
    let our_id = status["tenant"]["id"].as_str().unwrap().to_owned();
    let their_id = ids.iter().find(|id| **id != our_id).unwrap();
    assert_eq!(status["stores"], 1);
    assert_eq!(
        ours.call("stores_list", json!({})).ok()["stores"],
        json!([{"store_id": sandbox.store(0).store_id, "name": OURS, "active": true, "default": false}])
    );

    let second = sandbox.store(1);
    let their_key_file = files[1].as_str();
    let foreign = [
        "Beta",
        "Bookshop",
        their_id.as_str(),
        second.name.as_str(),
        second.api_key.as_str(),
        their_key_file,
        "theirs",
    ];
    for answer in ask_everything(&mut ours, OURS) {
        for word in foreign {
            assert!(!answer.contains(word), "`{word}` in {answer}");
        }
    }
    // What exists next door and what exists nowhere are answered alike, to the letter.
    let next_door = ask_everything(&mut ours, THEIRS);
    let nowhere = ask_everything(&mut ours, "Zeta Bookshop");
    for (theirs, nobodys) in next_door.iter().zip(&nowhere) {
        let told = |answer: &str, name: &str| {
            let answer: Value = serde_json::from_str(answer).unwrap_or_else(|_| answer.into());
            let mut answer = answer;
            // What passes with time.
            for passing in ["uptime_seconds", "quota", "fetched_at", "cache"] {
                if let Some(object) = answer.as_object_mut() {
                    object.remove(passing);
                }
            }
            answer.to_string().replace(name, "NAME")
        };
        assert_eq!(told(theirs, THEIRS), told(nobodys, "Zeta Bookshop"));
        for word in [their_id.as_str(), &second.store_id, &second.api_key] {
            assert!(!theirs.contains(word), "`{word}` in {theirs}");
        }
    }
    // Their shop's id leads nowhere either, and can be registered by us.
    let by_id = ours.call("orders_list", json!({"store": second.store_id}));
    assert!(by_id.error().starts_with("unknown_store: "));
    let register = json!({"store_id": second.store_id, "store_name": THEIRS});
    assert_eq!(
        ours.call("stores_register", register).ok()["registered"],
        false
    );
}

#[test]
fn what_one_tenant_does_stands_in_its_own_chain() {
    let sandbox = shops(2);
    let (home, files) = two_tenants(&sandbox);
    let mut ours = serve(&home, &["--master-key-file", &files[0]]);
    let status = ours.call("server_status", json!({})).ok();
    let our_id = status["tenant"]["id"].as_str().unwrap().to_owned();
    ours.call("orders_list", json!({"api_key": "x"})).error();
    let asked = json!({"store_id": "99", "store_name": "Gamma"});
    ours.call("stores_register", asked).ok();
    let mine = records(&home, &Chain::Tenant(our_id.clone()));
    assert_eq!(
        mine[mine.len() - 2..],
        [
            ("key.refused".into(), "refused".into(), "orders_list".into()),
            (
                "store.register_asked".into(),
                "done".into(),
                "99 Gamma".into()
            ),
        ]
    );
    for id in tenant_ids(&home).iter().filter(|id| **id != our_id) {
        let theirs = records(&home, &Chain::Tenant(id.clone()));
        assert!(
            theirs
                .iter()
                .all(|(_, _, target)| !target.contains("Gamma"))
        );
        assert_eq!(theirs.len(), 2, "{theirs:?}");
    }
}

#[test]
fn a_key_that_nobody_was_set_up_with_opens_nothing_and_makes_no_tenant() {
    let sandbox = shops(1);
    let home = home(&sandbox);
    home.run(&["init"]).fine();
    add(&home, &[], &sandbox, 0, OURS);
    let key = MasterKey::generate().to_text();
    let mut stranger = Server::spawn(home.command().env("ORDERDESK_MCP_MASTER_KEY", key.expose()));
    stranger.initialize();
    for tool in ["orders_list", "stores_list", "store_settings"] {
        let text = stranger.call(tool, json!({})).error();
        assert!(
            text.starts_with("no_tenant: no tenant for this key"),
            "{text}"
        );
        assert!(
            !text.contains(OURS) && !text.contains(key.expose()),
            "{text}"
        );
    }
    let status = stranger.call("server_status", json!({})).ok();
    assert_eq!(status["status"], "degraded");
    assert!(
        status["degraded"]
            .to_string()
            .contains("no tenant for this key")
    );
    assert!(
        status["tenant"].is_null() && status["stores"].is_null(),
        "{status}"
    );
    assert_eq!(tenant_ids(&home).len(), 1);
    assert!(
        sandbox
            .requests()
            .iter()
            .all(|request| request.path.ends_with("/store"))
    );
}

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
fn a_server_with_a_key_file_goes_on_after_a_rotation() {
    let sandbox = shops(1);
    let home = home(&sandbox);
    home.run(&["init"]).fine();
    add(&home, &[], &sandbox, 0, OURS);
    let mut server = home.session();
    server.call("orders_list", json!({"limit": 1})).ok();
    home.run(&["key", "rotate", "--yes"]).fine();
    let fresh = json!({"limit": 1, "fresh": true});
    server.call("orders_list", fresh).ok();
    let status = server.call("server_status", json!({})).ok();
    assert_eq!(status["tenant"]["key_version"], 2);
}

#[test]
fn a_server_with_an_old_key_in_its_environment_says_that_the_key_was_rotated() {
    let sandbox = shops(1);
    let home = home(&sandbox);
    home.run(&["init"]).fine();
    add(&home, &[], &sandbox, 0, OURS);
    let old = std::fs::read_to_string(home.path().join("master.key")).unwrap();
    let mut server = Server::spawn(home.command().env("ORDERDESK_MCP_MASTER_KEY", old.trim()));
    server.initialize();
    server.call("orders_list", json!({"limit": 1})).ok();
    home.run(&["key", "rotate", "--yes"]).fine();
    let before = sandbox.requests().len();
    for tool in ["orders_list", "stores_list", "stores_use"] {
        let text = server.call(tool, json!({"store": OURS})).text;
        if tool != "stores_list" {
            assert!(
                text.starts_with("key_rotated: the master key was rotated"),
                "{text}"
            );
            assert!(text.contains("ORDERDESK_MCP_MASTER_KEY"), "{text}");
        }
        assert!(!text.contains(old.trim()), "{text}");
    }
    assert_eq!(sandbox.requests().len(), before, "nothing is sent");
}

#[test]
fn a_key_in_any_argument_of_any_tool_is_refused_and_left_nowhere() {
    let pasted = "tB7xK2mQ9vLr4WzN8cYp3HsD6fGj1ZaE5uXq";
    let sandbox = shops(1);
    let home = home(&sandbox).set("LOG", "trace");
    home.run(&["init"]).fine();
    add(&home, &[], &sandbox, 0, OURS);
    let mut server = home.session();
    let mut texts = Vec::new();
    for tool in tools::ALL {
        for name in [
            "api_key",
            "apiKey",
            "API-KEY",
            "key",
            "token",
            "password",
            "secret",
            "Authorization",
        ] {
            let mut arguments = json!({"store_id": "4711", "store_name": "New"});
            arguments[name] = json!(pasted);
            texts.push(server.call(tool.name, arguments).error());
        }
    }
    for (tool, arguments) in [
        (
            "stores_register",
            json!({"store_id": pasted, "store_name": "New"}),
        ),
        (
            "stores_register",
            json!({"store_id": "4711", "store_name": pasted}),
        ),
        ("stores_use", json!({"store": pasted})),
        ("stores_remove", json!({"store": pasted})),
        ("orders_list", json!({"store": pasted})),
        ("stores_use", json!({"store": {"api_key": pasted}})),
        ("stores_list", json!({pasted: "x"})),
    ] {
        texts.push(server.call(tool, arguments).error());
    }
    for text in &texts {
        assert!(
            text.starts_with("key_refused: ") && text.contains("rotate"),
            "{text}"
        );
    }
    for (tool, arguments) in [
        ("stores_remove", json!({"store": OURS, "confirm": pasted})),
        (
            "stores_remove",
            json!({"store": OURS, "limit": pasted, "stroe": pasted}),
        ),
        ("orders_get", json!({"order_id": pasted})),
        ("inventory_get", json!({"inventory_item_id": pasted})),
        ("orders_list", json!({"limit": pasted, "cursor": pasted})),
        ("orders_list", json!({"fields": [pasted], "limit": 1})),
    ] {
        texts.push(server.call(tool, arguments).error());
    }
    texts.push(
        server
            .request("tools/call", &json!({"name": pasted}))
            .to_string(),
    );
    texts.push(server.request(pasted, &json!({})).to_string());
    server.close_stdin();
    server.exit();
    texts.push(server.stderr());
    for text in texts {
        assert!(!text.contains(pasted), "{text}");
    }
    let our_id = tenant_ids(&home).remove(0);
    let refused = records(&home, &Chain::Tenant(our_id));
    let count = refused
        .iter()
        .filter(|(action, ..)| action == "key.refused")
        .count();
    assert_eq!(count, tools::ALL.len() * 8 + 7);
    support::sweep::sweep(&home.path(), &[pasted], &[]);
}

#[test]
fn a_refused_key_is_noted_before_there_is_a_tenant_and_for_the_environments_store() {
    let sandbox = shops(1);
    let bare = home(&sandbox);
    bare.session()
        .call("stores_list", json!({"token": "x"}))
        .error();
    let expected = vec![("key.refused".into(), "refused".into(), "stores_list".into())];
    assert_eq!(records(&bare, &Chain::System), expected);
    let env = Home::with_store(&sandbox);
    env.session()
        .call("stores_list", json!({"token": "x"}))
        .error();
    assert_eq!(records(&env, &Chain::Env), expected);
}

#[test]
fn removing_takes_a_preview_and_its_token_once() {
    let sandbox = shops(2);
    let home = home(&sandbox);
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
    let mut server = Home::with_store(&sandbox).session();
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
        several.starts_with("no_active_store: ") && several.contains("Shop 099"),
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
fn a_session_belongs_to_its_tenant_and_its_metrics_carry_the_opaque_id() {
    let sandbox = shops(1);
    let home = home(&sandbox);
    home.run(&["init"]).fine();
    add(&home, &[], &sandbox, 0, OURS);
    let mut server = home.session();
    server.call("orders_list", json!({"limit": 1})).ok();
    let id = tenant_ids(&home).remove(0);
    let state = state(&home);
    support::wait_for("the session's row", || {
        let rows = state
            .read("test", shared::state::tables::sessions::all)
            .unwrap();
        rows.iter()
            .any(|row| row.tenant_id.as_deref() == Some(&id))
            .then_some(())
    });
}
