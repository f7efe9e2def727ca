//! `store`: nothing is kept that Order Desk does not accept, and no key is ever an argument.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use orderdesk_sandbox::{Fault, Rule};
use serde_json::json;
use shared::state::tables::{meta, stores, tenants};
use shared::state::{Durability, State};

use crate::kit::{add, golden_json, json, ready, refused, two_shops};
use crate::support::{Home, sandbox};

#[test]
fn a_shop_is_added_after_order_desk_has_accepted_its_key() {
    let sandbox = two_shops();
    let home = ready(&sandbox);
    let store = sandbox.store(0);
    let added = home
        .run_with(
            &[
                "store",
                "add",
                "--name",
                "My Shop",
                "--id",
                &store.store_id,
                "--json",
            ],
            &store.api_key,
        )
        .fine();
    golden_json("store-add", &home, &added.stdout);
    assert_eq!(sandbox.requests().len(), 1);
    assert!(!added.said().contains(&store.api_key));

    let said = add(&home, &sandbox, 1, "Outlet").fine().stdout;
    assert!(
        said.contains("which calls itself \"Demo Outlet\"\nfolders: New, "),
        "{said}"
    );
}

#[test]
fn a_wrong_key_saves_nothing_and_is_not_repeated() {
    let sandbox = sandbox();
    let home = ready(&sandbox);
    let store = sandbox.store(0);
    let add = ["store", "add", "--name", "My Shop", "--id", &store.store_id];
    let told = home.run_with(&add, "hunter2hunter2hunter2\n");
    refused(&told, 1, "nothing was saved");
    assert!(!told.said().contains("hunter2"));
    let listed = json(home.run(&["store", "list", "--json"]));
    assert_eq!(listed["stores"], json!([]));
    let records = json(home.run(&["audit", "list", "--json"]));
    let tried = &records["records"][1];
    assert_eq!(tried["action"], "store.added");
    assert_eq!(tried["outcome"], "failed");
    crate::support::sweep::sweep(&home.path(), &["hunter2"], &[]);
}

#[test]
fn an_api_that_cannot_be_reached_saves_nothing_and_offers_to_save_unchecked() {
    let home = Home::new().set("API_BASE_URL", "http://127.0.0.1:9/api/v2");
    home.run(&["init"]).fine();
    let add = ["store", "add", "--name", "My Shop", "--id", "4242"];
    let told = home
        .set("HTTP_MAX_RETRIES", "0")
        .run_with(&add, "some-api-key\n");
    refused(&told, 1, "nothing was saved");
    assert!(told.stderr.contains("--no-verify"), "{}", told.stderr);
}

#[test]
fn an_unchecked_key_is_saved_only_on_demand_and_a_test_finds_it_out() {
    let sandbox = sandbox();
    let home = ready(&sandbox);
    let add = [
        "store",
        "add",
        "--name",
        "My Shop",
        "--id",
        "4242",
        "--no-verify",
        "--json",
    ];
    let added = home.run_with(&add, "hunter2hunter2\n").fine();
    golden_json("store-add-unverified", &home, &added.stdout);
    assert_eq!(sandbox.requests().len(), 0);

    let tested = home.run(&["store", "test", "--json"]);
    assert_eq!(tested.code, Some(1));
    golden_json("store-test-refused", &home, &tested.stdout);
}

#[test]
fn a_key_as_an_argument_is_refused_in_every_spelling_and_never_repeated() {
    let home = Home::new();
    home.run(&["init"]).fine();
    let add = ["store", "add", "--name", "My Shop", "--id", "4242"];
    for wrong in [
        &["--key", "hunter2"][..],
        &["--key=hunter2"],
        &["--key"],
        &["--api-key", "hunter2"],
        &["--api-key=hunter2"],
        &["--token", "-hunter2"],
        &["hunter2"],
        &["--", "-hunter2"],
    ] {
        let told = home.run_with(&[&add[..], wrong].concat(), "unused\n");
        refused(&told, 2, "never an argument");
        assert!(
            !told.said().contains("hunter2"),
            "{wrong:?}: {}",
            told.stderr
        );
    }
    crate::support::sweep::sweep(&home.path(), &["hunter2"], &[]);
}

#[test]
fn a_key_comes_from_a_file_from_stdin_or_not_at_all() {
    let sandbox = sandbox();
    let home = ready(&sandbox);
    let store = sandbox.store(0);
    let file = home.path().with_file_name("key.txt");
    fs::write(&file, format!("  {}\r\n", store.api_key)).unwrap();
    let add = |name: &'static str, from: &str, stdin: &str| {
        let id = store.store_id.as_str();
        home.run_with(
            &[
                "store",
                "add",
                "--replace",
                "--name",
                name,
                "--id",
                id,
                "--key-file",
                from,
            ],
            stdin,
        )
    };
    add("From a file", file.to_str().unwrap(), "").fine();
    add("From stdin", "-", &store.api_key).fine();
    refused(&add("Nobody", "-", ""), 2, "the API key is empty");
    refused(&add("Nobody", "/no/such/file", ""), 1, "/no/such/file");
    fs::write(&file, "hunter2\nhunter2\n").unwrap();
    let told = add("Nobody", file.to_str().unwrap(), "");
    refused(&told, 2, "line break");
    assert!(!told.said().contains("hunter2"));
    refused(
        &add("Nobody", "-", "hunter2\u{7}x\n"),
        2,
        "control character",
    );
    let torn = home.run_with(
        &["store", "add", "--name", "Nobody", "--id", "1"],
        "hun\nter2\n",
    );
    refused(&torn, 2, "line break");
}

#[test]
fn a_name_is_unique_whatever_its_case_and_replaced_only_on_demand() {
    let sandbox = two_shops();
    let home = ready(&sandbox);
    add(&home, &sandbox, 0, "My Shop").fine();
    refused(
        &add(&home, &sandbox, 1, "MY SHOP"),
        2,
        "there is a store `My Shop`",
    );
    refused(
        &add(&home, &sandbox, 0, "Another"),
        2,
        "there is a store `My Shop`",
    );
    let second = sandbox.store(1);
    let replaced = home.run_with(
        &[
            "store",
            "add",
            "--replace",
            "--json",
            "--name",
            "My Shop",
            "--id",
            &second.store_id,
        ],
        &second.api_key,
    );
    let replaced = json(replaced);
    assert_eq!(replaced["replaced"], true);
    assert_eq!(replaced["store"]["store_id"], second.store_id.as_str());
    let listed = json(home.run(&["store", "list", "--json"]));
    assert_eq!(listed["stores"].as_array().unwrap().len(), 1);
}

#[test]
fn what_can_be_refused_without_the_key_is_refused_before_it_is_read() {
    let home = Home::new();
    let add = |name: &str, id: &str| {
        // No key on stdin: were it asked for, the complaint would be about that.
        home.run(&["store", "add", "--name", name, "--id", id])
    };
    refused(&add("My Shop", "4242"), 2, "nothing is set up");
    // A server that a client started before anybody ran `init` leaves a state file and no key.
    home.run(&["call", "server_status"]).fine();
    refused(&add("My Shop", "4242"), 2, "there is no master key");
    home.run(&["init"]).fine();
    refused(&add("My Shop", "shop"), 2, "no store id");
    refused(&add("12345", "4242"), 2, "no store can be called so");
    refused(
        &add(&"x".repeat(61), "4242"),
        2,
        "no store can be called so",
    );
    refused(&add("My Shop", "4242"), 2, "the API key is empty");
}

#[test]
fn a_shop_may_have_an_api_of_its_own() {
    let (sandbox, home) = (sandbox(), Home::new());
    home.run(&["init"]).fine();
    let store = sandbox.store(0);
    let address = sandbox.base_url();
    let add = |address: &str| {
        home.run_with(
            &[
                "store",
                "add",
                "--name",
                "A",
                "--id",
                &store.store_id,
                "--api-base-url",
                address,
            ],
            &store.api_key,
        )
    };
    let told = add("http://shop.example/api");
    assert_eq!(told.code, Some(2), "{}", told.stderr);
    add(&address).fine();
    // The address stays with the shop: nothing has to be set any more.
    home.run(&["store", "test", "A"]).fine();
}

#[test]
fn shops_are_listed_chosen_and_removed() {
    let sandbox = two_shops();
    let home = ready(&sandbox);
    assert_eq!(home.run(&["store", "list"]).fine().stdout, "");
    add(&home, &sandbox, 0, "My Shop").fine();
    add(&home, &sandbox, 1, "Outlet").fine();
    home.run(&["store", "use", "outlet"]).fine();
    let listed = home.run(&["store", "list", "--json"]).fine();
    golden_json("store-list", &home, &listed.stdout);
    assert_eq!(
        home.run(&["store", "list"]).fine().stdout,
        "My Shop  4242\nOutlet   4243  default\n"
    );

    refused(
        &home.run(&["store", "use", "outlt"]),
        2,
        "did you mean `Outlet`?",
    );
    refused(
        &home.run(&["store", "remove", "4243"]),
        2,
        "Nobody is there to be asked",
    );
    home.run(&["store", "remove", "4243", "--yes"]).fine();
    refused(
        &home.run(&["store", "remove", "4243", "--yes"]),
        2,
        "no store is called",
    );
    assert_eq!(
        home.run(&["store", "list"]).fine().stdout,
        "My Shop  4242\n"
    );
}

#[test]
fn a_test_asks_order_desk_about_every_shop_or_the_one_that_is_named() {
    let sandbox = two_shops();
    let home = ready(&sandbox).set("HTTP_MAX_RETRIES", "0");
    refused(&home.run(&["store", "test"]), 2, "there is no shop to test");
    add(&home, &sandbox, 0, "My Shop").fine();
    add(&home, &sandbox, 1, "Outlet").fine();
    let tested = home.run(&["store", "test", "--json"]).fine();
    golden_json("store-test", &home, &tested.stdout);

    let failing = sandbox
        .faults()
        .add(Rule::new(Fault::server_error(502)).times(1));
    let tested = home.run(&["store", "test", "Outlet"]);
    assert_eq!((tested.code, failing.fired()), (Some(1), 1));
    assert!(tested.stdout.contains("Outlet: ") && tested.stdout.contains("hint: "));
    assert!(!tested.stdout.contains("My Shop"));
}

#[test]
fn a_shop_whose_row_was_edited_is_named_and_the_others_are_still_tested() {
    let sandbox = two_shops();
    let home = ready(&sandbox);
    add(&home, &sandbox, 0, "My Shop").fine();
    add(&home, &sandbox, 1, "Outlet").fine();
    spoil_seal(&home, "My Shop");
    sandbox.forget_requests();
    let tested = home.run(&["store", "test", "--json"]);
    assert_eq!((tested.code, sandbox.requests().len()), (Some(1), 1));
    golden_json("store-test-broken", &home, &tested.stdout);
}

/// Flips a bit of a sealed key, as somebody with the file and without the key could.
fn spoil_seal(home: &Home, name: &str) {
    let state = State::open(&shared::paths::Home::at(home.path())).unwrap();
    let spoilt = state.write("test", Durability::Full, |writing| {
        for tenant in tenants::all(writing)? {
            for mut row in stores::of_tenant(writing, &tenant.id)? {
                if row.name == name {
                    row.sealed_key[3] ^= 1;
                    assert!(stores::reseal(writing, &row)?);
                }
            }
        }
        meta::bump_vault_revision(writing)
    });
    spoilt.unwrap();
}

#[test]
fn shops_added_at_the_same_time_are_all_kept() {
    let home = Home::new();
    home.run(&["init"]).fine();
    let running: Vec<_> = (1..=6)
        .map(|number| {
            let (name, id) = (format!("Shop {number}"), number.to_string());
            let mut child = home
                .command()
                .args(["store", "add", "--no-verify", "--name", &name, "--id", &id])
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            child
                .stdin
                .take()
                .unwrap()
                .write_all(b"some-key\n")
                .unwrap();
            child
        })
        .collect();
    for mut child in running {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(
        home.run(&["store", "list"]).fine().stdout.lines().count(),
        6
    );
    home.run(&["audit", "verify"]).fine();
}

#[test]
fn whoever_has_a_store_in_the_environment_is_told_that_it_goes_first() {
    let sandbox = sandbox();
    let home = Home::with_store(&sandbox);
    home.run(&["init"]).fine();
    let listed = home.run(&["store", "list"]).fine();
    assert!(
        listed.stderr.contains("ORDERDESK_MCP_STORE_ID"),
        "{}",
        listed.stderr
    );
}

#[test]
fn each_key_opens_its_own_tenant_only() {
    let sandbox = sandbox();
    let home = ready(&sandbox);
    add(&home, &sandbox, 0, "My Shop").fine();
    let path = home.path().join("master.key");
    let key = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    home.run(&["init", "--new-tenant"]).fine();
    let other = json(home.run(&["store", "list", "--json"]));
    assert_eq!(other["stores"], json!([]));
    refused(
        &home.run(&["store", "use", "My Shop"]),
        2,
        "no store is called",
    );
    fs::write(&path, key).unwrap();
    home.run(&["store", "test", "My Shop"]).fine();
}
