//! What a tool says about the endpoints that it reaches, compared with what reaches the simulator.

use std::collections::BTreeSet;

use mcp_stdio::tools::{self, endpoints};

use crate::calls;
use crate::kit::Shop;

/// Tools that work on what this computer keeps; a shop from the environment has nothing for them to work on.
const WITHOUT_A_SHOP: [&str; 1] = ["stores_remove"];

/// `GET /orders/7001001/shipments/3001` is `GET /orders/{order_id}/shipments/{shipment_id}`.
fn endpoint(method: &str, path: &str) -> String {
    let mut within = "";
    let segments: Vec<String> = path
        .split('/')
        .map(|segment| {
            let is_id = !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit());
            if is_id {
                return match within {
                    "orders" => "{order_id}",
                    "order-items" => "{order_item_id}",
                    "shipments" => "{shipment_id}",
                    "inventory-items" => "{inventory_item_id}",
                    other => panic!("an id in {other}"),
                }
                .to_owned();
            }
            within = segment;
            segment.to_owned()
        })
        .collect();
    format!("{method} {}", segments.join("/"))
}

fn reached(tool: &str) -> BTreeSet<String> {
    let mut shop = Shop::open();
    if WITHOUT_A_SHOP.contains(&tool) {
        return BTreeSet::new();
    }
    for arguments in calls::ordinary(&mut shop, tool) {
        let reply = shop.window.call(tool, arguments.clone());
        assert!(
            !reply.is_error || tool == "stores_register",
            "{tool} {arguments}: {}",
            reply.text
        );
    }
    let requests = shop.sandbox.requests();
    requests
        .iter()
        .map(|request| endpoint(&request.method, &request.path))
        .collect()
}

#[test]
fn each_tool_reaches_the_endpoints_that_it_declares_and_no_others() {
    let mut wrong = Vec::new();
    let mut all = BTreeSet::new();
    for tool in tools::ALL {
        let declared: BTreeSet<String> = tool
            .endpoints
            .iter()
            .map(|endpoint| (*endpoint).to_owned())
            .collect();
        let reached = reached(tool.name);
        println!(
            "{:<24} {}",
            tool.name,
            reached.iter().cloned().collect::<Vec<_>>().join(", ")
        );
        if declared != reached {
            wrong.push(format!(
                "{}: declares {declared:?}, reaches {reached:?}",
                tool.name
            ));
        }
        all.extend(reached);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let api: BTreeSet<String> = endpoints::API
        .iter()
        .map(|endpoint| (*endpoint).to_owned())
        .collect();
    assert_eq!(all, api, "every endpoint of the API is reached by a tool");
}
