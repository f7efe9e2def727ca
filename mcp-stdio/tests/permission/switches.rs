//! Which tools there are: hidden from the list, and refused at the call.

use mcp_stdio::permit::USUAL;
use mcp_stdio::tools::{self, Effect};
use serde_json::{Value, json};

use crate::kit::{ORDER, home, shops, writes};
use crate::support::{Home, Server};

fn listed(server: &mut Server) -> Vec<String> {
    let tools = server.request("tools/list", &json!({}))["result"]["tools"].clone();
    let names = tools.as_array().unwrap().iter();
    names
        .map(|tool| tool["name"].as_str().unwrap().to_owned())
        .collect()
}

/// Something for every argument that a tool cannot do without.
fn arguments(tool: &tools::Tool) -> Value {
    let mut arguments = json!({});
    for argument in tool.arguments.iter().filter(|argument| argument.required) {
        arguments[argument.name] = match argument.name {
            "store" | "store_id" => json!("4711"),
            "changes" | "order" | "item" => json!({"email": "new@example.com"}),
            "shipments" | "items" => json!([{"order_id": ORDER}]),
            "note" | "folder" => json!("Shipped"),
            _ => json!(ORDER),
        };
    }
    arguments
}

#[test]
fn without_settings_there_are_the_usual_tools_in_the_order_of_all() {
    let mut server = Home::new().session();
    let names = listed(&mut server);
    let expected: Vec<&str> = tools::ALL
        .iter()
        .map(|tool| tool.name)
        .filter(|name| USUAL.contains(name))
        .collect();
    assert_eq!(names, expected);
}

#[test]
fn in_read_only_mode_no_tool_changes_anything_whatever_else_is_set() {
    let sandbox = shops();
    let home = home(&sandbox)
        .set("READ_ONLY", "true")
        .set("TOOLS", "stores_remove")
        .set("CONFIRM", "never");
    let mut server = home.session();
    let names = listed(&mut server);
    for tool in tools::ALL {
        let changes = matches!(tool.effect, Effect::Writes(_) | Effect::Destroys);
        assert_eq!(
            !names.contains(&tool.name.to_owned()),
            changes,
            "{}",
            tool.name
        );
        let reply = server.call(tool.name, arguments(tool));
        if changes {
            let text = reply.error();
            assert!(text.starts_with("tool_disabled: "), "{text}");
            assert!(
                text.contains("ORDERDESK_MCP_READ_ONLY") && text.contains("\noutcome: not_done\n"),
                "{text}"
            );
        } else {
            assert!(!reply.text.starts_with("tool_disabled"), "{}", reply.text);
        }
    }
    assert_eq!(writes(&sandbox), [""; 0]);
    let status = server.call("server_status", json!({})).ok();
    assert_eq!(status["mode"], "read-only");
}

#[test]
fn a_tool_that_is_switched_off_says_who_can_switch_it_on() {
    let sandbox = shops();
    let mut server = Home::with_store(&sandbox)
        .set("EXCLUDE_TOOLS", "orders_move")
        .session();
    let text = server
        .call("orders_delete", json!({"order_id": ORDER}))
        .error();
    assert!(
        text.starts_with("tool_disabled: orders_delete is switched off"),
        "{text}"
    );
    assert!(
        text.contains("ORDERDESK_MCP_TOOLS") && text.contains("do not change settings yourself"),
        "{text}"
    );
    let text = server.call("orders_move", json!({})).error();
    assert!(text.contains("ORDERDESK_MCP_EXCLUDE_TOOLS"), "{text}");
    assert!(sandbox.requests().is_empty());
    let unknown = server.request(
        "tools/call",
        &json!({"name": "orders_burn", "arguments": {}}),
    );
    assert_eq!(unknown["error"]["code"], -32602, "{unknown}");
}

#[test]
fn toolsets_and_single_tools_make_the_list() {
    let home = Home::new()
        .set("TOOLSETS", "inventory")
        .set("TOOLS", "server_status,orders_get")
        .set("EXCLUDE_TOOLS", "inventory_get");
    let names = listed(&mut home.session());
    assert!(names.contains(&"inventory_list".to_owned()), "{names:?}");
    assert!(names.contains(&"orders_get".to_owned()), "{names:?}");
    for name in ["inventory_get", "orders_list", "stores_list"] {
        assert!(!names.contains(&name.to_owned()), "{name}: {names:?}");
    }
}

#[test]
fn a_misspelt_name_in_the_settings_is_told_by_every_command_and_call() {
    let home = Home::new()
        .set("TOOLSETS", "order")
        .set("EXCLUDE_TOOLS", "orders_lst");
    for command in [&["tools"][..], &["config"], &["call", "server_status"]] {
        let output = home.run(command);
        assert_eq!(output.code, Some(2), "{command:?}: {}", output.said());
        assert!(
            output.stderr.contains(
                "`ORDERDESK_MCP_TOOLSETS`: `order` is no toolset; hint: did you mean `orders`?"
            ) && output.stderr.contains("did you mean `orders_list`?"),
            "{}",
            output.stderr
        );
        assert_eq!(output.stderr.matches("`order` is no toolset").count(), 1);
    }
    let text = home.session().call("server_status", json!({})).error();
    assert!(
        text.starts_with("bad_settings: ") && text.contains("did you mean `orders`?"),
        "{text}"
    );
}

#[test]
fn the_command_line_obeys_the_same_switches() {
    let sandbox = shops();
    let home = Home::with_store(&sandbox).set("READ_ONLY", "1");
    let arguments = json!({"order_id": ORDER, "changes": {"email": "a@example.com"}});
    let output = home.run(&["call", "orders_update", &arguments.to_string()]);
    assert_eq!(output.code, Some(1));
    assert!(
        output.stderr.contains("tool_disabled: "),
        "{}",
        output.stderr
    );
    assert_eq!(writes(&sandbox), [""; 0]);
}

#[test]
fn the_owner_sees_what_the_model_sees_and_what_it_costs() {
    let usual = Home::new().run(&["tools"]).fine().stdout;
    assert_eq!(usual.lines().count(), USUAL.len() + 1, "{usual}");
    assert!(usual.contains("The model sees 20 tools: ~"), "{usual}");
    let all = Home::new().run(&["tools", "--all"]).fine().stdout;
    assert_eq!(all.lines().count(), tools::ALL.len() + 1);
    assert!(
        all.lines().any(|line| line.starts_with("- orders_delete")),
        "{all}"
    );
    let read_only = Home::new().set("READ_ONLY", "on");
    let json = read_only.run(&["tools", "--json"]).fine().stdout;
    assert!(json.contains("orders_get") && !json.contains("orders_update"));
}

#[test]
fn the_instructions_speak_of_what_is_there() {
    let told = |home: Home| {
        let answer = home.server().initialize();
        answer["result"]["instructions"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let bpe = tiktoken_rs::o200k_base().unwrap();
    let usual = told(Home::new());
    assert!(
        usual.contains("outcome") && usual.contains("confirm_token"),
        "{usual}"
    );
    for confirm in ["auto", "always", "never"] {
        let text = told(Home::new().set("CONFIRM", confirm));
        let tokens = bpe.encode_ordinary(&text).len();
        assert!(tokens <= 300, "{tokens} tokens: {text}");
    }
    let read_only = told(Home::new().set("READ_ONLY", "true"));
    assert!(
        read_only.contains("read-only") && !read_only.contains("confirm_token"),
        "{read_only}"
    );
    let narrow = told(Home::new().set("TOOLSETS", "inventory"));
    assert!(
        !narrow.contains("orders_find") && !narrow.contains("stores_register"),
        "{narrow}"
    );
}
