//! `install`: what is written into another program's file, and what never is.

use std::fs;

use serde_json::Value;

use crate::kit::{golden_json, json, refused, run_as};
use crate::support::{Home, sandbox};

fn person(home: &Home) -> std::path::PathBuf {
    let person = home.path().with_file_name("person");
    fs::create_dir_all(&person).unwrap();
    person
}

#[test]
fn a_client_gets_an_entry_that_starts_this_program_on_this_home() {
    let home = Home::new();
    home.run(&["init"]).fine();
    let person = person(&home);
    let install = ["install", "--client", "claude-code", "--json"];
    let done = run_as(&home, &person, &install).fine();
    golden_json("install", &home, &done.stdout);
    let written = fs::read_to_string(person.join(".claude.json")).unwrap();
    let written: Value = serde_json::from_str(&written).unwrap();
    let entry = &written["mcpServers"]["orderdesk"];
    assert_eq!(entry["command"], env!("CARGO_BIN_EXE_mcp-stdio"));
    assert_eq!(
        entry["env"]["ORDERDESK_MCP_HOME"],
        home.path().to_str().unwrap()
    );
    assert_eq!(json(run_as(&home, &person, &install))["changed"], false);
    let records = json(home.run(&["audit", "list", "--json"]));
    let records = records["records"].as_array().unwrap();
    assert_eq!(records.len(), 2, "the second one changed nothing");
    assert_eq!(records[1]["action"], "client.installed");
    assert_eq!(records[1]["target"], "claude-code");
}

#[test]
fn an_entry_is_taken_out_again_and_the_rest_stays() {
    let home = Home::new();
    let person = person(&home);
    let file = person.join(".claude.json");
    fs::write(&file, "{\n  // mine\n  \"theme\": \"dark\"\n}\n").unwrap();
    run_as(&home, &person, &["install", "--client", "claude-code"]).fine();
    let removed = run_as(
        &home,
        &person,
        &["install", "--client", "claude-code", "--uninstall"],
    )
    .fine();
    assert!(
        removed.stdout.contains("removed from Claude Code"),
        "{}",
        removed.stdout
    );
    let left = fs::read_to_string(&file).unwrap();
    assert!(
        left.contains("// mine") && !left.contains("orderdesk"),
        "{left}"
    );
    let again = run_as(
        &home,
        &person,
        &["install", "--client", "claude-code", "--uninstall"],
    )
    .fine();
    assert!(
        again.stdout.contains("not installed in"),
        "{}",
        again.stdout
    );
}

#[test]
fn without_a_tenant_the_system_keeps_the_record() {
    let home = Home::new();
    run_as(
        &home,
        &person(&home),
        &["install", "--client", "claude-code"],
    )
    .fine();
    let records = json(home.run(&["audit", "list", "--json"]));
    assert_eq!(records["records"][0]["chain"], "system");
    assert_eq!(records["records"][0]["action"], "client.installed");
}

#[test]
fn no_key_of_the_environment_reaches_the_file() {
    let sandbox = sandbox();
    let home = Home::with_store(&sandbox);
    let person = person(&home);
    let done = run_as(&home, &person, &["install", "--client", "claude-code"]).fine();
    assert!(done.stderr.contains("was not copied"), "{}", done.stderr);
    let written = fs::read_to_string(person.join(".claude.json")).unwrap();
    for secret in [&sandbox.store(0).api_key, "API_KEY", "STORE_ID"] {
        assert!(!written.contains(secret), "{written}");
    }
}

#[test]
fn a_snippet_is_printed_and_nothing_is_written() {
    let home = Home::new();
    let person = person(&home);
    let printed = run_as(&home, &person, &["install", "--client", "zed", "--print"]).fine();
    assert!(
        printed.stdout.contains("context_servers"),
        "{}",
        printed.stdout
    );
    let printed = run_as(
        &home,
        &person,
        &["install", "--client", "windsurf", "--print", "--json"],
    )
    .fine();
    golden_json("install-print", &home, &printed.stdout);
    assert_eq!(fs::read_dir(&person).unwrap().count(), 0);
}

#[test]
fn clients_are_listed_with_where_they_keep_it() {
    let home = Home::new();
    let person = person(&home);
    run_as(&home, &person, &["install", "--client", "claude-code"]).fine();
    let listed = run_as(&home, &person, &["install", "--list", "--json"]).fine();
    #[cfg(target_os = "linux")]
    golden_json("install-list", &home, &listed.stdout);
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    assert!(listed["clients"].as_array().unwrap().len() > 8);
    let text = run_as(&home, &person, &["install", "--list"]).fine().stdout;
    assert!(
        text.contains("claude-code") && text.contains("installed"),
        "{text}"
    );
}

#[test]
fn a_client_that_is_not_there_or_not_known_is_refused() {
    let home = Home::new();
    let person = person(&home);
    let told = run_as(&home, &person, &["install", "--client", "zed"]);
    refused(&told, 1, "does not seem to be installed");
    run_as(&home, &person, &["install", "--client", "zed", "--force"]).fine();
    let told = run_as(&home, &person, &["install", "--client", "claud-code"]);
    assert_eq!(told.code, Some(2));
    assert!(told.stderr.contains("claude-code"), "{}", told.stderr);
    assert_eq!(run_as(&home, &person, &["install"]).code, Some(2));
    let named = ["install", "--client", "claude-code", "--name", "no good"];
    refused(&run_as(&home, &person, &named), 2, "cannot be the name");
    let by_hand = ["install", "--client", "windsurf"];
    refused(&run_as(&home, &person, &by_hand), 2, "by hand");
}

#[test]
fn a_file_that_cannot_be_understood_stays_as_it_is() {
    let home = Home::new();
    let person = person(&home);
    let file = person.join(".claude.json");
    fs::write(&file, "{ broken").unwrap();
    let told = run_as(&home, &person, &["install", "--client", "claude-code"]);
    refused(&told, 1, "cannot be parsed");
    assert_eq!(fs::read(&file).unwrap(), b"{ broken");
}

#[test]
fn a_key_file_from_the_command_line_is_named_in_the_entry() {
    let home = Home::new();
    let person = person(&home);
    let file = home.path().with_file_name("second.key");
    let file = file.to_str().unwrap();
    home.run(&["init", "--master-key-file", file]).fine();
    let install = [
        "install",
        "--client",
        "claude-code",
        "--master-key-file",
        file,
    ];
    run_as(&home, &person, &install).fine();
    let written = fs::read_to_string(person.join(".claude.json")).unwrap();
    let written: Value = serde_json::from_str(&written).unwrap();
    let entry = &written["mcpServers"]["orderdesk"];
    assert_eq!(
        entry["args"],
        serde_json::json!(["--master-key-file", file, "serve"])
    );
    assert!(!written.to_string().contains("odmk1"));
}
