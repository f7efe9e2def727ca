//! `audit unsettled` and `audit settle`: a server that is killed in the middle of a change leaves somebody to look, and one who has
//! looked says so.

use orderdesk_sandbox::{Fault, Rule, Sandbox, seed};
use serde_json::{Value, json};
use shared::audit::{Actor, Chain, Outcome, action};
use shared::session::{Kind, Session};
use shared::state::State;
use shared::writes::{self, Deed, turn};

use crate::kit::{add, golden_json, json, ready, refused};
use crate::support::{Home, sandbox, wait_for};

/// A home whose server was killed when it had sent a note, and before it heard that the note is there.
fn killed_over_a_note(sandbox: &Sandbox) -> Home {
    let home = ready(sandbox);
    add(&home, sandbox, 0, "My Shop").fine();
    sandbox
        .faults()
        .add(Rule::new(Fault::HangAfter).on("PUT", "/orders/*").always());
    let mut server = home.session();
    let note = json!({"order_id": seed::FIRST_ORDER, "note": "called back"});
    server.ask(
        "tools/call",
        &json!({"name": "orders_add_note", "arguments": note}),
    );
    wait_for("the note to be sent", || {
        let requests = sandbox.requests();
        requests
            .iter()
            .any(|request| request.method == "PUT")
            .then_some(())
    });
    server.signal("KILL");
    server.exit();
    sandbox.faults().clear();
    home
}

/// What is left to look at.
fn unsettled(home: &Home) -> Vec<Value> {
    let listed = json(home.run(&["audit", "unsettled", "--json"]));
    listed["unsettled"].as_array().unwrap().clone()
}

fn settle(home: &Home, seq: &Value, found: &str, more: &[&str]) -> crate::support::Output {
    let seq = seq.to_string();
    let settle = ["audit", "settle", "--seq", &seq, "--as", found];
    home.run(&[&settle[..], more].concat())
}

/// Changes in the record of the store from the environment, the first with the number 1: each died or was of unknown outcome.
fn leave_in_env(home: &Home, outcomes: &[Option<Outcome>]) {
    let home = shared::paths::Home::at(home.path());
    let state = State::open(&home).unwrap();
    let session = Session::begin(&home, Kind::McpStdio, "1.0").unwrap();
    let actor = Actor {
        session: session.id().clone(),
        client: Some("a client\u{1b}[31m".to_owned()),
    };
    for outcome in outcomes {
        let deed = Deed {
            chain: &Chain::Env,
            actor: &actor,
            store_key: "a shop",
            action: action::ORDERS_MOVED,
            target: "100 orders",
            args_shape: "",
            check: "look in which folder the orders are",
        };
        let things = ["order/1".to_owned()];
        let turn = turn::enqueue(&state, session.id(), "a shop", &things, 1).unwrap();
        let begun = writes::begin(&state, &deed, &turn, 1, None).unwrap();
        match outcome {
            Some(outcome) => {
                writes::end(&state, &begun, &actor, *outcome, Some(&turn), 2, None).unwrap();
            }
            None => turn::leave(&state, &turn).unwrap(),
        }
    }
}

#[test]
fn a_change_that_its_server_died_over_is_listed_until_somebody_has_looked() {
    let sandbox = sandbox();
    let home = killed_over_a_note(&sandbox);
    let listed = home.run(&["audit", "unsettled", "--json"]).fine();
    golden_json("audit-unsettled", &home, &listed.stdout);
    let text = home.run(&["audit", "unsettled"]).fine().stdout;
    let order = format!("order {}", seed::FIRST_ORDER);
    for said in ["order.noted", &order, "My Shop", "its process ended"] {
        assert!(text.contains(said), "no `{said}` in: {text}");
    }
    assert!(!text.contains("called back"), "{text}");
    home.run(&["audit", "verify"]).fine();

    let seq = unsettled(&home)[0]["seq"].clone();
    let settled = settle(&home, &seq, "done", &[]).fine();
    assert!(settled.stdout.contains(" was done\n"), "{}", settled.stdout);
    assert_eq!(unsettled(&home), Vec::<Value>::new());
    let records = json(home.run(&["audit", "list", "--json"]));
    let newest = records["records"].as_array().unwrap().last().unwrap();
    assert_eq!(newest["action"], "write.settled");
    assert_eq!(
        (&newest["outcome"], &newest["intent_seq"]),
        (&"done".into(), &seq)
    );
    let verified = json(home.run(&["audit", "verify", "--json"]));
    let tenant = &verified["chains"][0];
    assert_eq!(
        (tenant["ok"].clone(), tenant["signed"].clone()),
        (true.into(), tenant["rows"].clone())
    );
}

#[test]
fn what_is_known_and_what_is_under_way_is_not_listed() {
    let sandbox = sandbox();
    let home = ready(&sandbox);
    assert_eq!(unsettled(&home), Vec::<Value>::new());
    assert_eq!(home.run(&["audit", "unsettled"]).fine().stdout, "");
    add(&home, &sandbox, 0, "My Shop").fine();
    let mut server = home.session();
    let note = json!({"order_id": seed::FIRST_ORDER, "note": "called back"});
    server.call("orders_add_note", note).ok();
    sandbox
        .faults()
        .add(Rule::new(Fault::HangAfter).on("PUT", "/orders/*").always());
    let again = json!({"order_id": seed::FIRST_ORDER, "note": "called again"});
    server.ask(
        "tools/call",
        &json!({"name": "orders_add_note", "arguments": again}),
    );
    let intents = || {
        let records = json(home.run(&["audit", "list", "--json"]));
        let records = records["records"].as_array().unwrap().clone();
        let intents = records
            .into_iter()
            .filter(|record| record["outcome"] == "intent");
        intents.collect::<Vec<_>>()
    };
    let open = wait_for("the second intent", || intents().get(1).cloned());
    assert_eq!(unsettled(&home), Vec::<Value>::new());
    refused(
        &settle(&home, &open["seq"], "done", &[]),
        2,
        "still under way",
    );
}

#[test]
fn somebody_who_found_nothing_says_so_and_says_it_once() {
    let sandbox = sandbox();
    let home = ready(&sandbox);
    leave_in_env(&home, &[Some(Outcome::Unknown), None, Some(Outcome::Done)]);
    let left = unsettled(&home);
    let whys: Vec<&Value> = left.iter().map(|one| &one["why"]).collect();
    assert_eq!(whys, ["unknown", "died"]);
    assert_eq!(left[0]["client"], "a client[31m", "fit for a terminal");
    let text = home.run(&["audit", "unsettled"]).fine().stdout;
    assert!(text.contains("store from the environment"), "{text}");
    assert!(text.contains("nobody could tell"), "{text}");

    settle(&home, &left[0]["seq"], "not-done", &[]).fine();
    refused(
        &settle(&home, &left[0]["seq"], "done", &[]),
        2,
        "has the number 1",
    );
    assert_eq!(unsettled(&home), [left[1].clone()]);
    refused(
        &settle(&home, &json!(99), "done", &[]),
        2,
        "has the number 99",
    );
    let misspelt = settle(&home, &left[1]["seq"], "maybe", &[]);
    assert_eq!(misspelt.code, Some(2), "{}", misspelt.stderr);
    assert_eq!(unsettled(&home).len(), 1);
}

#[test]
fn a_number_that_is_in_two_records_asks_which_is_meant() {
    let sandbox = sandbox();
    let home = killed_over_a_note(&sandbox);
    let seq = unsettled(&home)[0]["seq"].clone();
    let before = usize::try_from(seq.as_u64().unwrap()).unwrap();
    leave_in_env(&home, &vec![None; before]);
    refused(
        &settle(&home, &seq, "done", &[]),
        2,
        "of two unsettled changes",
    );
    settle(&home, &seq, "done", &["--chain", "env"]).fine();
    settle(&home, &seq, "done", &["--chain", "tenant"]).fine();
    assert_eq!(unsettled(&home).len(), before - 1);
}

#[test]
fn without_the_key_a_tenants_changes_are_neither_shown_nor_settled() {
    let sandbox = sandbox();
    let home = killed_over_a_note(&sandbox);
    let seq = unsettled(&home)[0]["seq"].clone();
    std::fs::remove_file(home.path().join("master.key")).unwrap();
    assert_eq!(unsettled(&home), Vec::<Value>::new());
    refused(&settle(&home, &seq, "done", &[]), 2, "no unsettled change");
}
