//! Shops, requests in both eras, and what comes back, in a few words.

use orderdesk_sandbox::Sandbox;
use serde_json::{Value, json};

use crate::support::{Home, Server, sandbox};

pub(crate) fn shop() -> (Sandbox, Server) {
    let sandbox = sandbox();
    let server = Home::with_store(&sandbox).session();
    (sandbox, server)
}

/// The same request in the legacy and in the modern era, each to a server of its own.
pub(crate) fn in_both(home: &Home, method: &str, params: Value) -> [Value; 2] {
    [
        home.session().request(method, &params),
        home.server().modern(method, params),
    ]
}

pub(crate) fn names(list: &Value) -> Vec<&str> {
    let names = list.as_array().unwrap().iter();
    names.map(|entry| entry["name"].as_str().unwrap()).collect()
}

pub(crate) fn uris(list: &Value) -> Vec<&str> {
    let uris = list.as_array().unwrap().iter();
    uris.map(|entry| entry["uri"].as_str().unwrap()).collect()
}

pub(crate) fn prompt(server: &mut Server, name: &str, arguments: Value) -> Value {
    server.request(
        "prompts/get",
        &json!({"name": name, "arguments": arguments}),
    )
}

pub(crate) fn words(answer: &Value) -> &str {
    answer["result"]["messages"][0]["content"]["text"]
        .as_str()
        .unwrap_or_else(|| panic!("no prompt: {answer}"))
}

/// Reads a resource: its JSON.
pub(crate) fn read(server: &mut Server, uri: &str) -> Value {
    let answer = server.request("resources/read", &json!({ "uri": uri }));
    let contents = &answer["result"]["contents"][0];
    assert_eq!(
        (&contents["uri"], &contents["mimeType"]),
        (&json!(uri), &json!("application/json")),
        "{answer}"
    );
    serde_json::from_str(contents["text"].as_str().unwrap()).unwrap()
}

pub(crate) fn complete(
    server: &mut Server,
    reference: &Value,
    argument: &str,
    typed: &str,
    context: Option<Value>,
) -> Vec<String> {
    let mut params = json!({"ref": reference, "argument": {"name": argument, "value": typed}});
    if let Some(arguments) = context {
        params["context"] = json!({ "arguments": arguments });
    }
    let answer = server.request("completion/complete", &params);
    let values = answer["result"]["completion"]["values"].as_array();
    let values = values.unwrap_or_else(|| panic!("no completion: {answer}"));
    values
        .iter()
        .map(|value| value.as_str().unwrap().to_owned())
        .collect()
}

pub(crate) fn prompt_ref(name: &str) -> Value {
    json!({"type": "ref/prompt", "name": name})
}

pub(crate) fn template_ref(uri: &str) -> Value {
    json!({"type": "ref/resource", "uri": uri})
}
