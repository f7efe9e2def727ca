//! Keys that were pasted into the conversation.

use mcp_stdio::tools;
use serde_json::json;
use shared::audit::Chain;

use crate::kit::{OURS, add, home, records, shops, tenant_ids};
use crate::support::{self, Home};

#[test]
fn a_key_in_any_argument_of_any_tool_is_refused_and_left_nowhere() {
    let pasted = "tB7xK2mQ9vLr4WzN8cYp3HsD6fGj1ZaE5uXq";
    let in_words = "my key: tB7xK2mQ9vLr4WzN8cYp3HsD6fGj1ZaE5uXq";
    let sandbox = shops(1);
    let home = home(&sandbox).set("LOG", "trace").set("TOOLSETS", "all");
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
        // Not alone, and under any name.
        (
            "stores_register",
            json!({"store_id": "4711", "store_name": in_words}),
        ),
        ("stores_use", json!({"store": in_words})),
        ("stores_remove", json!({"stroe": pasted})),
        ("stores_list", json!({"note": {"for": ["you", in_words]}})),
        (
            "orders_find",
            json!({"query": "odmk1qqqqqqqqqqqqqqqqqqqqqq"}),
        ),
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
        ("orders_get", json!({"order_id": pasted})),
        ("inventory_get", json!({"inventory_item_id": pasted})),
        ("orders_list", json!({"limit": pasted, "cursor": pasted})),
        ("orders_list", json!({"fields": [pasted], "limit": 1})),
        ("orders_list", json!({"fields": [in_words], "limit": 1})),
        ("orders_list", json!({"search_start_date": in_words})),
        ("orders_get", json!({"order_id": in_words})),
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
    assert_eq!(count, tools::ALL.len() * 8 + 12);
    support::sweep::sweep(&home.path(), &[pasted], &[]);
}

#[test]
fn a_model_that_pastes_a_key_for_ever_does_not_fill_the_disk_with_records() {
    let sandbox = shops(1);
    let home = home(&sandbox);
    let mut server = home.session();
    for _ in 0..510 {
        server.call("stores_list", json!({"token": "x"})).error();
    }
    let refused = records(&home, &Chain::System);
    let count = refused
        .iter()
        .filter(|(action, ..)| action == "key.refused")
        .count();
    assert!((500..=502).contains(&count), "{count}");
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
