//! A shop that can be written to, and clients that can ask their person.

use orderdesk_sandbox::{Options, Sandbox};
use serde_json::{Value, json};

use crate::support::{Home, Server};

/// An order that every fresh shop has.
pub(crate) const ORDER: &str = "7001001";

/// Two shops with some orders.
pub(crate) fn shops() -> Sandbox {
    Sandbox::start_blocking(Options {
        stores: 2,
        ..Options::default()
    })
    .unwrap()
}

/// A home with the first shop and every tool.
pub(crate) fn home(sandbox: &Sandbox) -> Home {
    Home::with_store(sandbox).set("TOOLSETS", "all")
}

/// Whether the order is still in the first shop.
pub(crate) fn is_there(sandbox: &Sandbox, order: &str) -> bool {
    let store = sandbox.store(0);
    sandbox
        .order(&store.store_id, order.parse().unwrap())
        .is_some()
}

/// Somebody else changes the order in Order Desk's own app.
pub(crate) fn edit(sandbox: &Sandbox, order: &str, field: &str, value: Value) {
    let store = sandbox.store(0);
    sandbox.edit_order(&store.store_id, order.parse().unwrap(), |fields| {
        fields[field] = value;
    });
}

/// Methods and paths of everything that was sent but to read.
pub(crate) fn writes(sandbox: &Sandbox) -> Vec<String> {
    let requests = sandbox.requests();
    requests
        .iter()
        .filter(|request| request.method != "GET")
        .map(|request| format!("{} {}", request.method, request.path))
        .collect()
}

/// A session whose client says that it can do these things.
pub(crate) fn session_with(home: &Home, capabilities: &Value) -> Server {
    let mut server = home.server();
    let client = json!({"name": "test", "version": "1"});
    let hello = json!({"protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": client});
    server.request("initialize", &hello);
    server.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
    server
}

/// A call of the modern era by a client that can do these things.
pub(crate) fn modern_call(server: &mut Server, capabilities: &Value, mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": capabilities,
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    });
    server.request("tools/call", &params)
}
