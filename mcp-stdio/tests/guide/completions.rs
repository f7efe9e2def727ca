//! Completions: what is offered, and that nothing ever fails.

use orderdesk_sandbox::{Fault, Options, Rule, Sandbox};
use serde_json::json;

use crate::kit::{complete, prompt_ref, shop, template_ref};
use crate::support::{Home, sandbox};

#[test]
fn folder_names_are_offered_for_what_was_typed_in_both_eras() {
    let (sandbox, mut server) = shop();
    let hold = prompt_ref("put_on_hold");
    assert_eq!(complete(&mut server, &hold, "folder", "", None).len(), 6);
    assert_eq!(complete(&mut server, &hold, "folder", "HO", None), ["Hold"]);
    assert_eq!(
        complete(&mut server, &hold, "folder", "e", None),
        ["New", "Prepared", "Closed", "Canceled", "Needs Attention"]
    );
    assert_eq!(
        sandbox.requests().len(),
        1,
        "asked once, then from the cache"
    );
    let params = json!({"ref": hold, "argument": {"name": "folder", "value": "ho"}});
    let modern = Home::with_store(&sandbox)
        .server()
        .modern("completion/complete", params);
    assert_eq!(
        modern["result"]["completion"],
        json!({"values": ["Hold"], "total": 1, "hasMore": false})
    );
    assert_eq!(modern["result"]["resultType"], "complete");
}

#[test]
fn store_names_are_offered_for_prompts_and_templates_and_a_named_store_gives_its_own_folders() {
    let sandbox = Sandbox::start_blocking(Options {
        stores: 2,
        ..Options::default()
    })
    .unwrap();
    let mut server = Home::with_sealed_stores(&sandbox).session();
    let hold = prompt_ref("put_on_hold");
    assert_eq!(
        complete(&mut server, &hold, "store", "", None),
        ["Demo Outlet", "Demo Store"]
    );
    let template = template_ref("orderdesk://{store}/folders");
    assert_eq!(
        complete(&mut server, &template, "store", "demo s", None),
        ["Demo Store"]
    );
    sandbox.forget_requests();
    assert_eq!(
        complete(&mut server, &hold, "folder", "", None),
        Vec::<String>::new(),
        "two stores and none is active"
    );
    assert_eq!(
        complete(
            &mut server,
            &hold,
            "folder",
            "hol",
            Some(json!({"store": "Demo Outlet"}))
        ),
        ["Hold"]
    );
    assert_eq!(sandbox.requests()[0].store_id, "4243");
}

#[test]
fn what_cannot_be_completed_is_an_empty_offer_and_never_an_error() {
    let sandbox = sandbox();
    sandbox
        .faults()
        .add(Rule::new(Fault::server_error(500)).always());
    let mut server = Home::with_store(&sandbox)
        .set("HTTP_MAX_RETRIES", "0")
        .session();
    let nothing = Vec::<String>::new();
    for (reference, argument) in [
        (prompt_ref("put_on_hold"), "folder"),
        (prompt_ref("put_on_hold"), "reason"),
        (prompt_ref("stock_check"), "folder"),
        (prompt_ref("no_such_prompt"), "store"),
        (
            template_ref("orderdesk://{store}/orders/{order_id}"),
            "order_id",
        ),
        (template_ref("file:///{path}"), "store"),
        (template_ref("other://{store}"), "store"),
    ] {
        assert_eq!(
            complete(&mut server, &reference, argument, "", None),
            nothing,
            "{reference} {argument}"
        );
    }
    let mut bare = Home::new().session();
    assert_eq!(
        complete(&mut bare, &prompt_ref("stock_check"), "store", "", None),
        nothing
    );
    let mut mistaken = Home::with_store(&sandbox)
        .set("HTTP_TIMEOUT", "soon")
        .session();
    assert_eq!(
        complete(
            &mut mistaken,
            &prompt_ref("put_on_hold"),
            "folder",
            "",
            None
        ),
        nothing
    );
}
