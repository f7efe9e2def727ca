//! Questions to a person, through clients of both eras.

use orderdesk_sandbox::Sandbox;
use serde_json::{Value, json};

use crate::kit::{ORDER, home, is_there, modern_call, session_with, shops, writes};
use crate::support::{Reply, Server};

fn can_ask() -> Value {
    json!({"elicitation": {"form": {}}})
}

fn delete() -> Value {
    json!({"name": "orders_delete", "arguments": {"order_id": ORDER}})
}

fn accept(confirm: bool) -> Value {
    json!({"action": "accept", "content": {"confirm": confirm}})
}

/// Calls, answers the question, and gives the question and the call's own answer.
fn asked(server: &mut Server, answer: &Value) -> (Value, Reply) {
    asked_about(server, &delete(), answer)
}

fn asked_about(server: &mut Server, call: &Value, answer: &Value) -> (Value, Reply) {
    let id = server.ask("tools/call", call);
    let question = server.frame();
    assert_eq!(question["method"], "elicitation/create", "{question}");
    let mut response = json!({"jsonrpc": "2.0", "id": question["id"]});
    for (name, value) in answer.as_object().unwrap() {
        response[name] = value.clone();
    }
    server.send(&response);
    let reply = Reply::from(&server.answer(id));
    (question["params"].clone(), reply)
}

fn result(answer: &Value) -> Value {
    json!({"result": answer})
}

#[test]
fn a_person_who_agrees_lets_it_happen() {
    let sandbox = shops();
    let mut server = session_with(&home(&sandbox), &can_ask());
    let (question, reply) = asked(&mut server, &result(&accept(true)));
    assert_eq!(reply.ok()["outcome"], "done");
    assert!(!is_there(&sandbox, ORDER));
    let message = question["message"].as_str().unwrap();
    assert!(
        message.starts_with("Delete order?") && message.contains(ORDER),
        "{message}"
    );
    assert!(message.contains(&sandbox.store(0).store_id), "{message}");
    assert!(message.lines().count() < 25, "{message}");
    assert_eq!(question["mode"], "form");
    assert!(question["requestedSchema"].get("$schema").is_none());
}

#[test]
fn what_a_person_is_asked_hides_addresses_and_numbers_as_well() {
    let sandbox = shops();
    let home = home(&sandbox)
        .set("MASK_PII", "true")
        .set("CONFIRM", "always");
    let mut server = session_with(&home, &can_ask());
    let changes = json!({"email": "new.name@example.com", "shipping": {"phone": "0201 5550 199"}});
    let update =
        json!({"name": "orders_update", "arguments": {"order_id": ORDER, "changes": changes}});
    let (question, reply) = asked_about(&mut server, &update, &result(&accept(true)));
    assert_eq!(reply.ok()["outcome"], "done");
    let message = question["message"].as_str().unwrap();
    assert!(
        message.contains("n•••@example.com") && message.contains("•••0199"),
        "{message}"
    );
    assert!(
        !message.contains("new.name") && !message.contains("5550"),
        "{message}"
    );
    let (question, _) = asked(&mut server, &result(&accept(false)));
    let message = question["message"].as_str().unwrap();
    assert!(message.contains("n•••@example.com"), "{message}");
    assert!(!message.contains("new.name"), "{message}");
}

#[test]
fn a_person_who_does_not_agree_stops_it_and_that_is_recorded() {
    for no in [
        accept(false),
        json!({"action": "decline"}),
        json!({"action": "cancel"}),
    ] {
        let sandbox = shops();
        let home = home(&sandbox);
        let mut server = session_with(&home, &can_ask());
        let (_, reply) = asked(&mut server, &result(&no));
        let answer = reply.ok();
        assert_eq!(answer["outcome"], "not_done", "{no}");
        assert_eq!(answer["diff"], json!([]));
        assert!(is_there(&sandbox, ORDER) && writes(&sandbox).is_empty());
        let audit = home.run(&["audit", "list", "--json"]).fine().stdout;
        assert!(
            audit.contains("write.declined") && audit.contains("orders_delete: order_id (7 chars)"),
            "{audit}"
        );
        assert!(!audit.contains(ORDER), "{audit}");
    }
}

#[test]
fn a_client_that_cannot_do_what_it_said_gets_a_preview_and_is_not_asked_again() {
    for nonsense in [
        json!({"error": {"code": -32601, "message": "unknown"}}),
        result(&json!({})),
        result(&json!({"action": 7})),
    ] {
        let sandbox = shops();
        let mut server = session_with(&home(&sandbox), &can_ask());
        let (_, reply) = asked(&mut server, &nonsense);
        let shown = reply.ok();
        assert_eq!(shown["outcome"], "preview", "{nonsense}");
        let again = server
            .call("orders_delete", json!({"order_id": ORDER}))
            .ok();
        assert_eq!(again["outcome"], "preview");
        let token = shown["confirm_token"].clone();
        let confirmed = json!({"order_id": ORDER, "confirm": token});
        let done = server.call("orders_delete", confirmed).ok();
        assert_eq!(done["outcome"], "done");
    }
}

#[test]
fn a_call_that_is_cancelled_while_a_person_thinks_does_nothing() {
    let sandbox = shops();
    let mut server = session_with(&home(&sandbox), &can_ask());
    let id = server.ask("tools/call", &delete());
    let question = server.frame();
    assert_eq!(question["method"], "elicitation/create");
    server.send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}}));
    let taken_back = server.frame();
    assert_eq!(
        (&taken_back["method"], &taken_back["params"]["requestId"]),
        (&json!("notifications/cancelled"), &question["id"])
    );
    // Too late: the person has clicked all the same.
    server.send(&json!({"jsonrpc": "2.0", "id": question["id"], "result": accept(true)}));
    let pong = server.request("ping", &json!({}));
    assert_eq!(pong["result"], json!({}));
    assert!(is_there(&sandbox, ORDER) && writes(&sandbox).is_empty());
}

/// Calls in the modern era; gives the question and the state to bring back.
fn modern_question(server: &mut Server) -> (Value, Value) {
    let answer = modern_call(server, &can_ask(), delete());
    let result = &answer["result"];
    assert_eq!(result["resultType"], "input_required", "{answer}");
    let question = result["inputRequests"]["confirm"].clone();
    assert_eq!(question["method"], "elicitation/create");
    (question, result["requestState"].clone())
}

fn modern_retry(server: &mut Server, state: &Value, answer: &Value) -> Reply {
    let mut call = delete();
    call["requestState"] = state.clone();
    call["inputResponses"] = json!({"confirm": answer});
    Reply::from(&modern_call(server, &can_ask(), call))
}

fn modern(sandbox: &Sandbox) -> Server {
    home(sandbox).server()
}

#[test]
fn in_the_modern_era_the_call_is_repeated_with_the_answer() {
    let sandbox = shops();
    let mut server = modern(&sandbox);
    let (question, state) = modern_question(&mut server);
    assert!(
        question["params"]["message"]
            .as_str()
            .unwrap()
            .starts_with("Delete order?"),
        "{question}"
    );
    assert_eq!(writes(&sandbox), [""; 0]);
    let done = modern_retry(&mut server, &state, &accept(true)).ok();
    assert_eq!(done["outcome"], "done", "{done}");
    let replayed = modern_retry(&mut server, &state, &accept(true));
    assert!(replayed.is_error, "{}", replayed.text);
    assert_eq!(writes(&sandbox).len(), 1);
}

#[test]
fn in_the_modern_era_a_forged_state_and_a_no_do_nothing() {
    let sandbox = shops();
    let mut server = modern(&sandbox);
    let (_, state) = modern_question(&mut server);
    for forged in [json!("00"), json!("0".repeat(64)), json!("")] {
        let text = modern_retry(&mut server, &forged, &accept(true)).error();
        assert!(text.starts_with("not_confirmed: "), "{text}");
    }
    let no = modern_retry(&mut server, &state, &json!({"action": "decline"})).ok();
    assert_eq!(no["outcome"], "not_done");
    let nonsense = modern_retry(&mut server, &state, &json!([])).ok();
    assert_eq!(nonsense["outcome"], "preview");
    assert!(is_there(&sandbox, ORDER) && writes(&sandbox).is_empty());
}

#[test]
fn in_the_modern_era_a_client_that_cannot_ask_gets_a_preview() {
    let sandbox = shops();
    let mut server = modern(&sandbox);
    let shown = Reply::from(&modern_call(&mut server, &json!({}), delete())).ok();
    assert_eq!(shown["outcome"], "preview");
}

#[test]
fn a_token_from_a_dry_run_does_not_get_around_a_person_who_can_be_asked() {
    let sandbox = shops();
    let home = home(&sandbox);
    let dry = json!({"order_id": ORDER, "dry_run": true});
    let mut server = session_with(&home, &can_ask());
    let shown = server.call("orders_delete", dry.clone()).ok();
    let confirmed = json!({"order_id": ORDER, "confirm": shown["confirm_token"]});
    let id = server.ask(
        "tools/call",
        &json!({"name": "orders_delete", "arguments": confirmed}),
    );
    let question = server.frame();
    assert_eq!(question["method"], "elicitation/create", "{question}");
    server.send(&json!({"jsonrpc": "2.0", "id": question["id"], "result": accept(false)}));
    assert_eq!(Reply::from(&server.answer(id)).ok()["outcome"], "not_done");

    let mut server = home.server();
    let call = |arguments: &Value| json!({"name": "orders_delete", "arguments": arguments});
    let shown = Reply::from(&modern_call(&mut server, &can_ask(), call(&dry))).ok();
    let confirmed = json!({"order_id": ORDER, "confirm": shown["confirm_token"]});
    let asked = modern_call(&mut server, &can_ask(), call(&confirmed));
    assert_eq!(asked["result"]["resultType"], "input_required", "{asked}");
    assert!(is_there(&sandbox, ORDER) && writes(&sandbox).is_empty());
    let mut retry = call(&confirmed);
    retry["requestState"] = asked["result"]["requestState"].clone();
    retry["inputResponses"] = json!({"confirm": accept(true)});
    let done = Reply::from(&modern_call(&mut server, &can_ask(), retry)).ok();
    assert_eq!(done["outcome"], "done", "{done}");
}
