//! Every endpoint of the Order Desk API, and which tools reach it.
//!
//! Here: the list that the table in `docs/TOOLS.md` is made from. What a tool declares is compared with what it really sends by a test
//! against the simulator. Not here: how an endpoint is asked (`desk`).

use super::{ALL, Tool};

/// Route and method of every endpoint of API v2. There is none for folders, rules, users or webhooks: those are only in Order Desk's own app.
pub const API: [&str; 26] = [
    "GET /test",
    "GET /store",
    "GET /orders",
    "POST /orders",
    "GET /orders/{order_id}",
    "PUT /orders/{order_id}",
    "DELETE /orders/{order_id}",
    "POST /orders/{order_id}/order-history",
    "GET /orders/{order_id}/order-items",
    "POST /orders/{order_id}/order-items",
    "GET /orders/{order_id}/order-items/{order_item_id}",
    "PUT /orders/{order_id}/order-items/{order_item_id}",
    "DELETE /orders/{order_id}/order-items/{order_item_id}",
    "GET /orders/{order_id}/shipments",
    "POST /orders/{order_id}/shipments",
    "GET /orders/{order_id}/shipments/{shipment_id}",
    "PUT /orders/{order_id}/shipments/{shipment_id}",
    "DELETE /orders/{order_id}/shipments/{shipment_id}",
    "POST /batch-shipments",
    "GET /inventory-items",
    "POST /inventory-items",
    "GET /inventory-items/{inventory_item_id}",
    "PUT /inventory-items/{inventory_item_id}",
    "DELETE /inventory-items/{inventory_item_id}",
    "PUT /batch-inventory-items",
    "POST /move-orders",
];

/// The tools that reach an endpoint.
pub fn reached_by(endpoint: &str) -> impl Iterator<Item = &'static Tool> {
    ALL.into_iter()
        .filter(move |tool| tool.endpoints.contains(&endpoint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_tool_declares_is_an_endpoint_of_the_api() {
        for tool in ALL {
            for endpoint in tool.endpoints {
                assert!(API.contains(endpoint), "{}: {endpoint}", tool.name);
            }
        }
    }

    #[test]
    fn every_endpoint_is_reached_by_some_tool() {
        let missed: Vec<&str> = API
            .into_iter()
            .filter(|endpoint| reached_by(endpoint).next().is_none())
            .collect();
        assert_eq!(missed, [""; 0]);
    }
}
