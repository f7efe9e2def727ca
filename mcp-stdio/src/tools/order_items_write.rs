//! Changing the items of an order: `order_items_add`, `order_items_update`, `order_items_remove`.

use super::writing::{CONFIRM, DRY_RUN, written};
use super::{Answer, Effect, ORDER_ID, STORE, Shape, Tool, Toolset, Writes, outcome};
use crate::args::{Args, Argument, Kind};
use crate::desk::model::{OrderId, OrderItemId};
use crate::desk::write::{AddItem, RemoveItem, UpdateItem};
use crate::error::ToolError;

const ITEM_ID: Argument = Argument::required("order_item_id", Kind::Text, "");
const ITEM: Answer = Answer::sometimes("order_item", Shape::Object);

pub(super) static ORDER_ITEMS_ADD: Tool = Tool {
    name: "order_items_add",
    title: "Add order item",
    description: "Adds one item to an order; the order's totals follow. A second call adds a second one: after outcome unknown look first (order_items_list).",
    arguments: &[
        ORDER_ID,
        Argument::required(
            "item",
            Kind::Object,
            "name, code, quantity, price, weight, variation_list {}, metadata {}, delivery_type (ship, noship, download, future)",
        ),
        DRY_RUN,
        CONFIRM,
        STORE,
    ],
    answer: written![ITEM],
    toolset: Toolset::Items,
    effect: Effect::Writes(Writes::Adds),
    endpoints: &[
        "GET /orders/{order_id}/order-items",
        "POST /orders/{order_id}/order-items",
    ],
    most_tokens: 8_000,
    run: |context, args, person| outcome::run(context, args, person, "order_items_add", add(args)),
};

pub(super) static ORDER_ITEMS_UPDATE: Tool = Tool {
    name: "order_items_update",
    title: "Update order item",
    description: "Changes only the fields named in `changes` of one item: quantity, price, variation_list (size, personalisation), metadata (print_url) … Totals follow.",
    arguments: &[
        ORDER_ID,
        ITEM_ID,
        Argument::required(
            "changes",
            Kind::Object,
            "Merged deeply; null removes an entry of a map",
        ),
        DRY_RUN,
        CONFIRM,
        STORE,
    ],
    answer: written![ITEM],
    toolset: Toolset::Items,
    effect: Effect::Writes(Writes::Changes),
    endpoints: &[
        "GET /orders/{order_id}/order-items/{order_item_id}",
        "PUT /orders/{order_id}/order-items/{order_item_id}",
    ],
    most_tokens: 8_000,
    run: |context, args, person| {
        outcome::run(context, args, person, "order_items_update", update(args))
    },
};

pub(super) static ORDER_ITEMS_REMOVE: Tool = Tool {
    name: "order_items_remove",
    title: "Remove order item",
    description: "Removes one item from an order; the other items stay and totals follow. The diff keeps what was removed.",
    arguments: &[ORDER_ID, ITEM_ID, DRY_RUN, CONFIRM, STORE],
    answer: written![ITEM],
    toolset: Toolset::Items,
    effect: Effect::Writes(Writes::Destroys),
    endpoints: &[
        "GET /orders/{order_id}/order-items/{order_item_id}",
        "DELETE /orders/{order_id}/order-items/{order_item_id}",
    ],
    most_tokens: 8_000,
    run: |context, args, person| {
        outcome::run(context, args, person, "order_items_remove", remove(args))
    },
};

fn add(args: &Args) -> Result<AddItem, ToolError> {
    Ok(AddItem {
        order: super::order_id(args)?,
        item: super::object(args, "item"),
    })
}

fn update(args: &Args) -> Result<UpdateItem, ToolError> {
    let (order, item) = ids(args)?;
    Ok(UpdateItem {
        order,
        item,
        changes: super::object(args, "changes"),
    })
}

fn remove(args: &Args) -> Result<RemoveItem, ToolError> {
    let (order, item) = ids(args)?;
    Ok(RemoveItem { order, item })
}

fn ids(args: &Args) -> Result<(OrderId, OrderItemId), ToolError> {
    let text = |name| args.text(name).unwrap_or_default();
    outcome::both(
        OrderId::parse(text("order_id")),
        OrderItemId::parse(text("order_item_id")),
    )
}
