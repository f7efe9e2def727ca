//! What a tenant writes to its shops is written down in its own chain and signed with its own key, whatever becomes of that key meanwhile.

use orderdesk_sandbox::{Fault, Rule};
use serde_json::{Value, json};
use shared::audit::Chain;

use crate::kit::{OURS, THEIRS, add, home, records, serve, shops, tenant_ids};
use crate::support::{Home, wait_for};

fn change(email: &str) -> Value {
    json!({"order_id": "7001001", "changes": {"email": email}})
}

/// The outcomes of the changes of orders in a chain, oldest first.
fn outcomes(home: &Home, chain: &Chain) -> Vec<String> {
    let records = records(home, chain).into_iter();
    let of_orders = records.filter(|(action, ..)| action == "order.updated");
    of_orders.map(|(_, outcome, _)| outcome).collect()
}

#[test]
fn each_tenants_writes_are_in_its_own_signed_chain() {
    let sandbox = shops(2);
    let home = home(&sandbox);
    let (ours, theirs) = (home.path().join("ours.key"), home.path().join("theirs.key"));
    let flags =
        |path: &std::path::Path| ["--master-key-file".to_owned(), path.display().to_string()];
    let (ours, theirs) = (flags(&ours), flags(&theirs));
    let ours: Vec<&str> = ours.iter().map(String::as_str).collect();
    let theirs: Vec<&str> = theirs.iter().map(String::as_str).collect();
    for (flags, number, name) in [(&ours, 0, OURS), (&theirs, 1, THEIRS)] {
        let mut words = (*flags).clone();
        words.push("init");
        home.run(&words).fine();
        add(&home, flags, &sandbox, number, name);
    }
    let told = serve(&home, &ours)
        .call("orders_update", change("new@example.com"))
        .ok();
    assert_eq!(told["outcome"], "done");
    let by_tenant: Vec<Vec<String>> = tenant_ids(&home)
        .into_iter()
        .map(|id| outcomes(&home, &Chain::Tenant(id)))
        .collect();
    assert!(
        by_tenant.contains(&vec!["intent".to_owned(), "done".to_owned()]),
        "{by_tenant:?}"
    );
    assert!(by_tenant.contains(&Vec::new()), "{by_tenant:?}");
    assert!(outcomes(&home, &Chain::Env).is_empty());
    for flags in [&ours, &theirs] {
        let mut words = (*flags).clone();
        words.extend(["audit", "verify"]);
        home.run(&words).fine();
    }
}

#[test]
fn a_key_that_is_rotated_while_a_write_is_open_signs_its_outcome() {
    let sandbox = shops(1);
    let home = home(&sandbox);
    home.run(&["init"]).fine();
    add(&home, &[], &sandbox, 0, OURS);
    let mut server = home.session();
    sandbox
        .faults()
        .add(Rule::new(Fault::Delay { ms: 1500 }).on("PUT", "/orders/*"));
    let params = json!({"name": "orders_update", "arguments": change("new@example.com")});
    let id = server.ask("tools/call", &params);
    wait_for("the change to be sent", || {
        let requests = sandbox.requests();
        requests
            .iter()
            .any(|request| request.method == "PUT")
            .then_some(())
    });
    home.run(&["key", "rotate", "--yes"]).fine();
    let answer = server.answer(id);
    assert_eq!(
        answer["result"]["structuredContent"]["outcome"], "done",
        "{answer}"
    );
    let chain = Chain::Tenant(tenant_ids(&home).remove(0));
    assert_eq!(outcomes(&home, &chain), ["intent", "done"]);
    home.run(&["audit", "verify"]).fine();
}

#[test]
fn without_its_state_file_a_server_reads_on_and_writes_nothing() {
    let sandbox = shops(1);
    let home = Home::with_store(&sandbox);
    std::fs::create_dir_all(home.state_db()).unwrap();
    let mut server = home.session();
    server
        .call("orders_get", json!({"order_id": "7001001"}))
        .ok();
    let text = server
        .call("orders_update", change("new@example.com"))
        .error();
    assert!(text.starts_with("no_record: "), "{text}");
    assert!(text.contains("outcome: not_done"), "{text}");
    assert!(
        sandbox
            .requests()
            .iter()
            .all(|request| request.method == "GET")
    );
}
