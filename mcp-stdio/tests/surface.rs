//! What others rely on, held to golden files: each tool's definition, its cost in tokens, the commands and their exit codes.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use mcp_stdio::permit::USUAL;
use mcp_stdio::tools::{self, Effect, Tool, Writes};
use serde_json::{Value, json};
use support::{Home, golden};

/// Tokens of the tools that are there without any setting, as one widespread tokenizer counts them. Every conversation pays this.
const TOKEN_BUDGET: usize = 6000;

#[test]
fn each_tool_is_defined_as_its_golden_file_says() {
    for tool in tools::ALL {
        golden(
            &format!("tools/{}.json", tool.name),
            &format!("{:#}\n", json!(tool.definition())),
        );
    }
}

#[test]
fn no_golden_file_is_left_of_a_tool_that_is_gone() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/tools");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            tools::find(name.trim_end_matches(".json")).is_some(),
            "{name}"
        );
    }
}

#[test]
fn the_list_of_tools_stays_within_its_token_budget() {
    let bpe = tiktoken_rs::o200k_base().unwrap();
    let (mut usual, mut all) = (0, 0);
    for tool in tools::ALL {
        let tokens = bpe
            .encode_ordinary(&json!(tool.definition()).to_string())
            .len();
        let is_usual = USUAL.contains(&tool.name);
        let mark = if is_usual { "" } else { "  on request" };
        println!("{:<24} {tokens:>5} tokens{mark}", tool.name);
        let estimate = tool.tokens();
        assert!(
            estimate.abs_diff(tokens) * 8 <= tokens,
            "{}: {estimate} is printed for {tokens}",
            tool.name
        );
        all += tokens;
        usual += if is_usual { tokens } else { 0 };
    }
    println!(
        "{:<24} {usual:>5} tokens of {TOKEN_BUDGET}",
        "without any setting"
    );
    println!("{:<24} {all:>5} tokens", "all");
    assert!(usual <= TOKEN_BUDGET, "{usual} tokens");
}

#[test]
fn schemas_hold_nothing_that_a_client_stumbles_over() {
    fn walk(value: &Value, path: &str) {
        match value {
            Value::Object(object) => {
                for (key, value) in object {
                    assert!(
                        ![
                            "format", "$schema", "$ref", "anyOf", "oneOf", "allOf", "nullable"
                        ]
                        .contains(&key.as_str()),
                        "{path}/{key}"
                    );
                    assert!(
                        key != "type" || value.is_string(),
                        "{path}: a list of types"
                    );
                    walk(value, &format!("{path}/{key}"));
                }
            }
            Value::Array(values) => values.iter().for_each(|value| walk(value, path)),
            _ => {}
        }
    }
    for tool in tools::ALL {
        let definition = json!(tool.definition());
        assert_eq!(definition["inputSchema"]["additionalProperties"], false);
        assert_eq!(definition["outputSchema"]["type"], "object");
        walk(&definition["inputSchema"], tool.name);
        walk(&definition["outputSchema"], tool.name);
    }
}

#[test]
fn every_tool_says_what_it_does_to_the_world() {
    for tool in tools::ALL {
        let hints = json!(tool.definition())["annotations"].clone();
        for hint in [
            "readOnlyHint",
            "destructiveHint",
            "idempotentHint",
            "openWorldHint",
        ] {
            assert!(hints[hint].is_boolean(), "{} {hint}", tool.name);
        }
        let reads = matches!(tool.effect, Effect::Local | Effect::Reads);
        let takes_away = matches!(
            tool.effect,
            Effect::Destroys | Effect::Writes(Writes::Destroys)
        );
        assert_eq!(hints["readOnlyHint"], reads, "{}", tool.name);
        assert!(
            !takes_away || hints["destructiveHint"] == true,
            "{}",
            tool.name
        );
        assert!(!reads || hints["destructiveHint"] == false, "{}", tool.name);
        let says_so = ["_delete", "_remove"]
            .iter()
            .any(|ending| tool.name.ends_with(ending));
        assert_eq!(takes_away, says_so, "{}", tool.name);
    }
}

#[test]
fn every_tool_that_writes_can_be_tried_dry_and_confirmed() {
    let takes = |tool: &Tool, name: &str| {
        let schema = json!(tool.definition())["inputSchema"].clone();
        schema["properties"][name].is_object()
    };
    for tool in tools::ALL {
        let writes = matches!(tool.effect, Effect::Writes(_));
        assert_eq!(takes(tool, "dry_run"), writes, "{}", tool.name);
        assert!(!writes || takes(tool, "confirm"), "{}", tool.name);
        assert!(!writes || takes(tool, "store"), "{}", tool.name);
        let fresh = tool.effect == Effect::Reads && tool.name != "server_status";
        assert_eq!(takes(tool, "fresh"), fresh, "{}", tool.name);
    }
}

#[test]
fn the_list_over_the_wire_is_the_list_of_definitions_in_the_same_order() {
    let listed = |home: Home| {
        let list = home.session().request("tools/list", &json!({}));
        list["result"]["tools"].clone()
    };
    let definitions = |chosen: fn(&Tool) -> bool| {
        let chosen = tools::ALL.into_iter().filter(|tool| chosen(tool));
        let list: Vec<Value> = chosen.map(|tool| json!(tool.definition())).collect();
        json!(list)
    };
    let usual = definitions(|tool| USUAL.contains(&tool.name));
    assert_eq!(usual.as_array().unwrap().len(), USUAL.len());
    assert_eq!(listed(Home::new()), usual);
    assert_eq!(
        listed(Home::new().set("TOOLSETS", "all")),
        definitions(|_| true)
    );
}

#[test]
fn help_and_version_end_with_success_and_bad_usage_with_two() {
    let home = Home::new();
    let help = home.run(&["--help"]);
    assert_eq!(help.code, Some(0));
    golden("help.txt", &help.stdout);
    let version = home.run(&["--version"]);
    assert_eq!(
        (version.code, version.stdout.as_str()),
        (
            Some(0),
            concat!("mcp-stdio ", env!("CARGO_PKG_VERSION"), "\n")
        )
    );
    for arguments in [
        &["--no-such"][..],
        &["serv"],
        &["tools", "--json", "--markdown"],
    ] {
        let wrong = home.run(arguments);
        assert_eq!(
            (wrong.code, wrong.stdout.as_str()),
            (Some(2), ""),
            "{arguments:?}"
        );
        assert!(!wrong.stderr.is_empty());
    }
    assert!(home.run(&["serv"]).stderr.contains("serve"));
}

#[test]
fn config_shows_values_with_sources_and_ends_with_two_on_a_mistake() {
    let good = Home::new().set("HTTP_TIMEOUT", "5s").run(&["config"]);
    assert_eq!(good.code, Some(0), "{}", good.stderr);
    assert!(good.stdout.contains("http_timeout") && good.stdout.contains("5s"));
    let bad = Home::new()
        .set("HTTP_TIMEOUT", "soon")
        .set("HTTP_TIMOUT", "5s")
        .run(&["config"]);
    assert_eq!(bad.code, Some(2));
    assert_eq!(bad.stderr.lines().count(), 2, "{}", bad.stderr);
}

#[test]
fn config_and_tools_print_json_that_programs_can_read() {
    let config: Value =
        serde_json::from_str(&Home::new().run(&["config", "--json"]).stdout).unwrap();
    assert!(config["settings"].as_array().unwrap().len() > 10);
    assert_eq!(config["mistakes"], json!([]));
    for (arguments, count) in [
        (&["tools", "--json"][..], USUAL.len()),
        (&["tools", "--json", "--all"], tools::ALL.len()),
    ] {
        let tools: Value = serde_json::from_str(&Home::new().run(arguments).stdout).unwrap();
        assert_eq!(tools["tools"].as_array().unwrap().len(), count);
    }
}

#[test]
fn the_reference_page_names_every_tool_and_argument() {
    let page = Home::new().run(&["tools", "--markdown"]).stdout;
    for tool in tools::ALL {
        assert!(page.contains(&format!("## {}\n", tool.name)));
        for argument in tool.arguments {
            assert!(page.contains(&format!("| `{}` |", argument.name)));
        }
    }
}
