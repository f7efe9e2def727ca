//! Resources: what is listed, what reading gives, and what a wrong address is told.

use orderdesk_sandbox::{Fault, Options, Rule, Sandbox, seed};
use serde_json::json;

use crate::kit::{complete, in_both, names, prompt_ref, read, shop, uris};
use crate::support::{Home, golden, sandbox};

#[test]
fn the_templates_are_as_their_golden_file_says_in_both_eras() {
    let [legacy, modern] = in_both(&Home::new(), "resources/templates/list", json!({}));
    golden(
        "resource_templates.json",
        &format!("{:#}\n", legacy["result"]["resourceTemplates"]),
    );
    assert_eq!(
        legacy["result"]["resourceTemplates"],
        modern["result"]["resourceTemplates"]
    );
    assert!(modern["result"]["ttlMs"].as_u64().unwrap() > 0);
    assert_eq!(modern["result"]["cacheScope"], "private");
}

#[test]
fn every_store_is_listed_with_what_can_be_read_of_it_without_asking_the_shop() {
    let sandbox = Sandbox::start_blocking(Options {
        stores: 2,
        ..Options::default()
    })
    .unwrap();
    let home = Home::with_sealed_stores(&sandbox);
    sandbox.forget_requests();
    for answer in in_both(&home, "resources/list", json!({})) {
        assert_eq!(
            uris(&answer["result"]["resources"]),
            [
                "orderdesk://stores",
                "orderdesk://4243/folders",
                "orderdesk://4243/settings",
                "orderdesk://4242/folders",
                "orderdesk://4242/settings"
            ]
        );
        assert!(
            answer["result"]["resources"][1]["title"]
                .as_str()
                .unwrap()
                .contains("Demo Outlet"),
            "{answer}"
        );
    }
    assert_eq!(sandbox.requests().len(), 0);
}

#[test]
fn every_listed_resource_can_be_read() {
    let (_sandbox, mut server) = shop();
    let listed = server.request("resources/list", &json!({}));
    let uris: Vec<String> = uris(&listed["result"]["resources"])
        .into_iter()
        .map(str::to_owned)
        .collect();
    assert_eq!(uris.len(), 3);
    for uri in uris {
        assert!(read(&mut server, &uri).is_object(), "{uri}");
    }
}

#[test]
fn a_resource_is_what_its_tool_answers() {
    let (_sandbox, mut server) = shop();
    let order = read(&mut server, "orderdesk://4242/orders/7001001");
    assert_eq!(
        order["order"],
        server
            .call("orders_get", json!({"order_id": "7001001"}))
            .ok()["order"]
    );
    assert!(
        order["untrusted_data"].is_string(),
        "text from the shop comes with its notice"
    );
    let folders = read(&mut server, "orderdesk://4242/folders");
    assert_eq!(
        folders["folders"][0],
        json!({"id": seed::FOLDER_NEW.to_string(), "name": "New"})
    );
    let settings = read(&mut server, "orderdesk://4242/settings").to_string();
    assert!(settings.contains("timezone") && !settings.contains(seed::SMTP_PASSWORD));
    assert_eq!(
        read(&mut server, "orderdesk://stores")["stores"][0]["store_id"],
        "4242"
    );
}

#[test]
fn a_store_may_be_named_with_its_name_percent_encoded() {
    let sandbox = sandbox();
    let mut server = Home::with_sealed_stores(&sandbox).session();
    assert!(read(&mut server, "orderdesk://Demo%20Store/folders")["folders"].is_array());
    assert!(read(&mut server, "orderdesk://4242/folders")["folders"].is_array());
}

#[test]
fn a_resource_of_the_modern_era_says_how_long_it_may_be_kept() {
    let sandbox = sandbox();
    let params = json!({"uri": "orderdesk://4242/orders/7001001"});
    let answer = Home::with_store(&sandbox)
        .server()
        .modern("resources/read", params);
    assert_eq!(answer["result"]["resultType"], "complete");
    assert_eq!(
        (&answer["result"]["ttlMs"], &answer["result"]["cacheScope"]),
        (&json!(0), &json!("private"))
    );
}

#[test]
fn a_wrong_address_is_not_found_and_names_itself_with_each_eras_code() {
    let sandbox = sandbox();
    let home = Home::with_store(&sandbox);
    for uri in [
        "orderdesk://4242/orders",
        "orderdesk://4242/orders/999",
        "orderdesk://4242/orders/..%2Fstore",
        "orderdesk://4242/orders/7001001%2Fshipments",
        "orderdesk://9999/folders",
        "orderdesk://4242/folders?x=1",
        "file:///etc/passwd",
        "",
    ] {
        let [legacy, modern] = in_both(&home, "resources/read", json!({ "uri": uri }));
        assert_eq!(
            (&legacy["error"]["code"], &modern["error"]["code"]),
            (&json!(-32002), &json!(-32602)),
            "{uri}: {legacy}"
        );
        for answer in [legacy, modern] {
            assert_eq!(answer["error"]["data"]["uri"], uri);
            assert!(
                answer["error"]["message"]
                    .as_str()
                    .unwrap()
                    .contains("hint: "),
                "{answer}"
            );
        }
    }
    assert!(
        sandbox
            .requests()
            .iter()
            .all(|request| ["/orders/999", "/store"].contains(&request.path.as_str())),
        "{:?}",
        sandbox.requests()
    );
}

#[test]
fn what_is_switched_off_is_neither_listed_nor_read() {
    let sandbox = sandbox();
    let mut server = Home::with_store(&sandbox)
        .set("EXCLUDE_TOOLS", "orders_get,folders_list")
        .session();
    let templates = server.request("resources/templates/list", &json!({}));
    assert_eq!(
        names(&templates["result"]["resourceTemplates"]),
        ["settings"]
    );
    let listed = server.request("resources/list", &json!({}));
    assert_eq!(
        uris(&listed["result"]["resources"]),
        ["orderdesk://stores", "orderdesk://4242/settings"]
    );
    let refused = server.request(
        "resources/read",
        &json!({"uri": "orderdesk://4242/orders/7001001"}),
    );
    assert_eq!(refused["error"]["code"], -32002);
    assert!(
        refused["error"]["message"]
            .as_str()
            .unwrap()
            .starts_with("tool_disabled: "),
        "{refused}"
    );
    assert_eq!(sandbox.requests().len(), 0);
    let folder = complete(&mut server, &prompt_ref("put_on_hold"), "folder", "", None);
    assert_eq!(folder, Vec::<String>::new());
}

#[test]
fn what_is_masked_in_a_tool_is_masked_in_a_resource() {
    let sandbox = sandbox();
    let mut server = Home::with_store(&sandbox).set("MASK_PII", "true").session();
    let order = read(&mut server, "orderdesk://4242/orders/7001001");
    let email = order["order"]["email"].as_str().unwrap();
    assert!(email.contains("•••"), "{email}");
}

#[test]
fn a_shop_that_fails_is_an_internal_error_that_says_what_a_tool_would_say() {
    let sandbox = sandbox();
    let mut server = Home::with_store(&sandbox)
        .set("HTTP_MAX_RETRIES", "0")
        .session();
    sandbox
        .faults()
        .add(Rule::new(Fault::server_error(500)).always());
    let answer = server.request(
        "resources/read",
        &json!({"uri": "orderdesk://4242/folders"}),
    );
    assert_eq!(answer["error"]["code"], -32603);
    assert!(
        answer["error"]["message"]
            .as_str()
            .unwrap()
            .starts_with("upstream: "),
        "{answer}"
    );
    assert_eq!(answer["error"]["data"]["uri"], "orderdesk://4242/folders");
}
