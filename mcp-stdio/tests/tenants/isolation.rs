//! Tenants that share a state file see nothing of each other.

use mcp_stdio::tools;
use mcp_stdio::vault::MasterKey;
use orderdesk_sandbox::Sandbox;
use serde_json::{Value, json};
use shared::audit::Chain;

use crate::kit::{OURS, THEIRS, add, home, records, serve, shops, state, tenant_ids};
use crate::support::{Home, Server, wait_for};

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
fn a_record_says_which_client_asked_and_in_which_session() {
    let sandbox = shops(1);
    let home = home(&sandbox);
    home.run(&["init"]).fine();
    let asked = json!({"store_id": "99", "store_name": "Gamma"});
    // Once introduced by the handshake, once by what each request of the newer protocol carries.
    let mut introduced = serve(&home, &[]);
    introduced.call("stores_register", asked.clone()).ok();
    let mut carried = Server::spawn(home.command().arg("serve"));
    let params = json!({"name": "stores_register", "arguments": asked});
    assert_eq!(
        carried.modern("tools/call", params)["result"]["isError"],
        false
    );
    let listed = home.run(&["audit", "list", "--json"]).fine().stdout;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let records = listed["records"].as_array().unwrap();
    let [made, first, second] = &records[..] else {
        panic!("{listed:#}")
    };
    assert_eq!(
        (&made["client"], &made["action"]),
        (&json!("cli"), &json!("tenant.created"))
    );
    for record in [first, second] {
        assert_eq!(record["action"], "store.register_asked");
        assert_eq!(record["client"], "test");
    }
    let sessions = [made, first, second].map(|record| record["session"].as_str().unwrap());
    let all: std::collections::BTreeSet<&str> = sessions.into_iter().collect();
    assert_eq!(all.len(), 3, "each process has a session of its own");
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
fn a_session_belongs_to_its_tenant_and_its_metrics_carry_the_opaque_id() {
    let sandbox = shops(1);
    let home = home(&sandbox);
    home.run(&["init"]).fine();
    add(&home, &[], &sandbox, 0, OURS);
    let mut server = home.session();
    server.call("orders_list", json!({"limit": 1})).ok();
    let id = tenant_ids(&home).remove(0);
    let state = state(&home);
    wait_for("the session's row", || {
        let rows = state
            .read("test", shared::state::tables::sessions::all)
            .unwrap();
        rows.iter()
            .any(|row| row.tenant_id.as_deref() == Some(&id))
            .then_some(())
    });
}
