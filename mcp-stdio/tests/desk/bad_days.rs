//! What the tests of parts, moves and stock share: shops that answer badly, and looks behind the desk.

use std::time::Duration;

use mcp_stdio::desk::{Change, DeskError, Outcome};
use orderdesk_sandbox::{Fault, Rule};
use serde_json::Value;

use crate::kit::Kit;

/// A shop in which `fault` strikes the next `times` writes, and answers that do not come are not waited for long.
pub(crate) async fn kit_with(fault: Fault, times: u32) -> Kit {
    let mut kit = Kit::new().await;
    kit.config.http_timeout = Duration::from_millis(400);
    for method in ["PUT", "POST", "DELETE"] {
        let rule = Rule::new(fault.clone()).on(method, "/**").times(times);
        kit.sandbox.faults().add(rule);
    }
    kit
}

/// Carries `change` out and makes sure that the fault struck.
pub(crate) async fn told(kit: &Kit, change: impl Change + 'static) -> Result<Outcome, DeskError> {
    let outcome = kit.carry_out(change).await;
    assert!(kit.sandbox.faults().fired() > 0, "the fault never struck");
    outcome
}

/// How many requests arrived that are no reads.
pub(crate) fn writes(kit: &Kit) -> usize {
    let is_write = |line: &&String| !line.starts_with("GET");
    kit.lines().iter().filter(is_write).count()
}

/// Faults after which the work is done although no good answer comes.
pub(crate) fn done_but_unanswered() -> [Fault; 6] {
    [
        Fault::HangAfter,
        Fault::CutAfter,
        Fault::CutBody,
        Fault::TruncatedJson,
        Fault::ServerErrorAfter { status: 500 },
        Fault::ErrorOn200After {
            message: "Not Done".to_owned(),
        },
    ]
}

/// Faults after which nothing is done, and that pass.
pub(crate) fn not_done_and_over() -> [Fault; 3] {
    [
        Fault::server_error(500),
        Fault::server_error(503),
        Fault::too_many_requests(0),
    ]
}

/// Order `id` as the simulator holds it.
pub(crate) fn order(kit: &Kit, id: &str) -> Value {
    let store = kit.sandbox.store(0).store_id;
    kit.sandbox.order(&store, id.parse().unwrap()).unwrap()
}

/// Inventory item `id` as the simulator holds it.
pub(crate) fn stock(kit: &Kit, id: u64) -> Value {
    let store = kit.sandbox.store(0).store_id;
    kit.sandbox.inventory_item(&store, id).unwrap()
}

/// Somebody edits order `id` in Order Desk's own app.
pub(crate) fn edit(kit: &Kit, id: &str, name: &str, value: Value) {
    let store = kit.sandbox.store(0).store_id;
    let edited = kit
        .sandbox
        .edit_order(&store, id.parse().unwrap(), |order| {
            order.insert(name.to_owned(), value);
        });
    assert!(edited, "there is an order {id}");
}

/// The fact called `name`.
pub(crate) fn fact<'a>(outcome: &'a Outcome, name: &str) -> &'a Value {
    outcome
        .facts
        .iter()
        .find(|(known, _)| *known == name)
        .map_or(&Value::Null, |(_, value)| value)
}

/// The fields of a literal.
pub(crate) fn object(value: Value) -> serde_json::Map<String, Value> {
    let Value::Object(object) = value else {
        unreachable!("the literal is an object")
    };
    object
}

/// The verdict of each row, in order.
pub(crate) fn verdicts(outcome: &Outcome) -> Vec<&'static str> {
    outcome
        .rows
        .iter()
        .map(|row| row.verdict.as_str())
        .collect()
}
