//! Previews and their tokens, where the client cannot ask.

use std::ops::ControlFlow;
use std::time::Duration;

use serde_json::{Value, json};
use shared::clock::{Clock, SystemClock};
use shared::paths;
use shared::state::{Restore, State, replace};

use crate::kit::{ORDER, edit, home, is_there, shops, writes};
use crate::support::{Home, Server};

const OTHER: &str = "7001002";

/// Shows the deletion of an order; gives the token.
fn preview(server: &mut Server, order: &str) -> String {
    let shown = server
        .call("orders_delete", json!({"order_id": order}))
        .ok();
    assert_eq!(shown["outcome"], "preview", "{shown}");
    assert!(
        shown["diff"]
            .as_array()
            .is_some_and(|diff| !diff.is_empty())
    );
    shown["confirm_token"].as_str().unwrap().to_owned()
}

fn confirm(server: &mut Server, order: &str, token: &str) -> crate::support::Reply {
    server.call(
        "orders_delete",
        json!({"order_id": order, "confirm": token}),
    )
}

#[test]
fn a_deletion_takes_a_preview_and_its_token_once() {
    let sandbox = shops();
    let mut server = home(&sandbox).session();
    let token = preview(&mut server, ORDER);
    assert!(is_there(&sandbox, ORDER));
    assert_eq!(writes(&sandbox), [""; 0], "a preview only reads");

    let another = confirm(&mut server, OTHER, &token).error();
    assert!(
        another.starts_with("not_confirmed: ") && another.contains("\noutcome: not_done\n"),
        "{another}"
    );
    let done = confirm(&mut server, ORDER, &token).ok();
    assert_eq!(done["outcome"], "done", "{done}");
    assert!(!is_there(&sandbox, ORDER) && is_there(&sandbox, OTHER));
    assert!(confirm(&mut server, ORDER, &token).is_error);
    assert_eq!(writes(&sandbox).len(), 1, "{:?}", writes(&sandbox));
}

#[test]
fn what_has_changed_since_the_preview_is_not_deleted() {
    let sandbox = shops();
    let mut server = home(&sandbox).session();
    let token = preview(&mut server, ORDER);
    edit(&sandbox, ORDER, "email", json!("somebody.else@example.com"));
    let text = confirm(&mut server, ORDER, &token).error();
    assert!(
        text.starts_with("not_confirmed: ") && text.contains("has changed since"),
        "{text}"
    );
    assert!(is_there(&sandbox, ORDER) && writes(&sandbox).is_empty());
}

#[test]
fn a_token_is_good_in_every_window_of_the_same_shop_and_nowhere_else() {
    let sandbox = shops();
    let home = home(&sandbox);
    let token = preview(&mut home.session(), ORDER);
    let store = sandbox.store(1);
    let elsewhere = Home::new()
        .set("API_BASE_URL", &sandbox.base_url())
        .set("STORE_ID", &store.store_id)
        .set("API_KEY", &store.api_key)
        .set("TOOLSETS", "all");
    let text = confirm(&mut elsewhere.session(), ORDER, &token).error();
    assert!(text.contains("outcome: not_done"), "{text}");
    assert_eq!(writes(&sandbox), [""; 0]);
    let done = confirm(&mut home.session(), ORDER, &token).ok();
    assert_eq!(done["outcome"], "done");
}

/// The restored file does not know which tokens were used since it was copied.
#[test]
fn a_token_from_before_a_restore_counts_no_more() {
    let sandbox = shops();
    let home = home(&sandbox);
    let token = preview(&mut home.session(), ORDER);
    let place = paths::Home::at(home.path());
    let backup = place.backups_dir().join("b.db");
    State::open(&place)
        .unwrap()
        .copy_to(&backup, &mut |_, _| ControlFlow::Continue(()))
        .unwrap();
    let restore = Restore {
        from: "b",
        reached_ms: 0,
        now_ms: SystemClock.now_ms(),
        patience: Duration::from_secs(10),
        force: true,
    };
    replace(&place, &backup, &restore).unwrap();
    let mut server = home.session();
    let text = confirm(&mut server, ORDER, &token).error();
    assert!(text.starts_with("not_confirmed: "), "{text}");
    assert!(is_there(&sandbox, ORDER) && writes(&sandbox).is_empty());
    let token = preview(&mut server, ORDER);
    assert_eq!(confirm(&mut server, ORDER, &token).ok()["outcome"], "done");
}

#[test]
fn tenants_do_not_share_tokens() {
    let sandbox = shops();
    let home = Home::with_sealed_stores(&sandbox).set("TOOLSETS", "all");
    let names: Vec<String> = sandbox
        .stores()
        .into_iter()
        .map(|store| store.name)
        .collect();
    let mut server = home.session();
    let call = |server: &mut Server, store: &str, token: Value| {
        server.call(
            "orders_delete",
            json!({"order_id": ORDER, "store": store, "confirm": token}),
        )
    };
    let shown = call(&mut server, &names[0], json!(null)).ok();
    let token = shown["confirm_token"].clone();
    assert!(call(&mut server, &names[1], token.clone()).is_error);
    assert!(writes(&sandbox).is_empty());
    // The same store under another name is the same store.
    let id = sandbox.store(0).store_id;
    assert_eq!(call(&mut server, &id, token).ok()["outcome"], "done");
}

#[test]
fn a_dry_run_changes_nothing_and_its_token_changes_exactly_that() {
    let sandbox = shops();
    let mut server = home(&sandbox).session();
    let call = |more: Value| {
        let mut arguments = json!({"order_id": ORDER, "changes": {"email": "new@example.com"}});
        for (name, value) in more.as_object().unwrap() {
            arguments[name] = value.clone();
        }
        arguments
    };
    let shown = server
        .call("orders_update", call(json!({"dry_run": true})))
        .ok();
    assert_eq!(shown["outcome"], "preview", "{shown}");
    assert_eq!(shown["diff"][0]["path"], "email", "{shown}");
    assert_eq!(writes(&sandbox), [""; 0]);
    let token = shown["confirm_token"].clone();
    let done = server
        .call("orders_update", call(json!({"confirm": token})))
        .ok();
    assert_eq!(done["outcome"], "done", "{done}");
    assert_eq!(done["diff"][0]["after"], "new@example.com");
}

#[test]
fn always_asks_and_never_does_not() {
    let sandbox = shops();
    let arguments = json!({"order_id": ORDER, "changes": {"email": "new@example.com"}});
    let mut careful = home(&sandbox).set("CONFIRM", "always").session();
    let shown = careful.call("orders_update", arguments).ok();
    assert_eq!(shown["outcome"], "preview", "{shown}");
    assert_eq!(writes(&sandbox), [""; 0]);
    let mut careless = home(&sandbox).set("CONFIRM", "never").session();
    let done = careless
        .call("orders_delete", json!({"order_id": ORDER}))
        .ok();
    assert_eq!(done["outcome"], "done", "{done}");
}
