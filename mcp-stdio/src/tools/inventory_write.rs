//! Changing stock: `inventory_create`, `inventory_update`, `inventory_adjust`, `inventory_remove`, `inventory_batch_update`.

use super::outcome::{self, MOST_ROWS, ROWS_LEFT_OUT};
use super::writing::{CONFIRM, COUNTS, DRY_RUN, ROWS, written};
use super::{Answer, Effect, STORE, Shape, Tool, Toolset, Writes};
use crate::args::{Args, Argument, Kind};
use crate::desk::DeskError;
use crate::desk::model::InventoryItemId;
use crate::desk::write::{
    Adjust, AdjustStock, BatchUpdateInventory, CreateInventoryItem, RemoveInventoryItem,
    UpdateInventoryItem, Which,
};
use crate::error::ToolError;

/// More of anything nobody has on a shelf; it keeps a misplaced id from becoming a stock.
const MOST_STOCK: i64 = 1_000_000_000;

const ID: Argument = Argument::optional("inventory_item_id", Kind::Text, "This or code");
const CODE: Argument = Argument::optional("code", Kind::Text, "SKU");
const ITEM: Answer = Answer::sometimes("inventory_item", Shape::Object);

pub(super) static INVENTORY_CREATE: Tool = Tool {
    name: "inventory_create",
    title: "Create inventory item",
    description: "Adds an inventory item. Needed: name and a code (SKU) that no other item has.",
    arguments: &[
        Argument::required(
            "item",
            Kind::Object,
            "name, code, stock, price, cost, weight, location, manufacturer_sku, metadata {}, variation_list {}",
        ),
        DRY_RUN,
        CONFIRM,
        STORE,
    ],
    answer: written![ITEM],
    toolset: Toolset::Inventory,
    effect: Effect::Writes(Writes::Adds),
    endpoints: &["GET /inventory-items", "POST /inventory-items"],
    most_tokens: 8_000,
    run: |context, args, person| {
        outcome::run(context, args, person, "inventory_create", create(args))
    },
};

pub(super) static INVENTORY_UPDATE: Tool = Tool {
    name: "inventory_update",
    title: "Update inventory item",
    description: "Changes only the fields named in `changes` of one inventory item (name, price, cost, location, metadata …). For stock use inventory_adjust.",
    arguments: &[
        ID,
        CODE,
        Argument::required("changes", Kind::Object, "Merged deeply; null empties"),
        DRY_RUN,
        CONFIRM,
        STORE,
    ],
    answer: written![ITEM],
    toolset: Toolset::Inventory,
    effect: Effect::Writes(Writes::Changes),
    endpoints: &[
        "GET /inventory-items",
        "GET /inventory-items/{inventory_item_id}",
        "PUT /inventory-items/{inventory_item_id}",
    ],
    most_tokens: 8_000,
    run: |context, args, person| {
        outcome::run(context, args, person, "inventory_update", update(args))
    },
};

pub(super) static INVENTORY_ADJUST: Tool = Tool {
    name: "inventory_adjust",
    title: "Adjust stock",
    description: "Changes the stock of one SKU by `delta`, or sets it to `set_to` after a count. Order Desk keeps absolute counts only: it is read, computed, \
        written and verified; an order in that second may be lost from the count.",
    arguments: &[
        ID,
        CODE,
        Argument::optional(
            "delta",
            Kind::Integer(-MOST_STOCK, MOST_STOCK),
            "This or set_to",
        ),
        Argument::optional("set_to", Kind::Integer(-MOST_STOCK, MOST_STOCK), ""),
        DRY_RUN,
        CONFIRM,
        STORE,
    ],
    answer: written![ITEM],
    toolset: Toolset::Inventory,
    effect: Effect::Writes(Writes::Shifts),
    endpoints: &[
        "GET /inventory-items",
        "GET /inventory-items/{inventory_item_id}",
        "PUT /inventory-items/{inventory_item_id}",
    ],
    most_tokens: 8_000,
    run: |context, args, person| {
        outcome::run(context, args, person, "inventory_adjust", adjust(args))
    },
};

pub(super) static INVENTORY_REMOVE: Tool = Tool {
    name: "inventory_remove",
    title: "Remove inventory item",
    description: "Deletes one inventory item for good. Orders keep their items.",
    arguments: &[ID, CODE, DRY_RUN, CONFIRM, STORE],
    answer: written![ITEM],
    toolset: Toolset::Inventory,
    effect: Effect::Writes(Writes::Destroys),
    endpoints: &[
        "GET /inventory-items",
        "GET /inventory-items/{inventory_item_id}",
        "DELETE /inventory-items/{inventory_item_id}",
    ],
    most_tokens: 8_000,
    run: |context, args, person| {
        outcome::run(context, args, person, "inventory_remove", remove(args))
    },
};

pub(super) static INVENTORY_BATCH_UPDATE: Tool = Tool {
    name: "inventory_batch_update",
    title: "Update many inventory items",
    description: "Changes many inventory items, e.g. after a count: only the fields that a row names. Each row has its own outcome. Safe to send again.",
    arguments: &[
        Argument::required(
            "items",
            Kind::Objects(MOST_ROWS),
            "[{code or id, and what changes: stock, price, location …}]",
        ),
        DRY_RUN,
        CONFIRM,
        STORE,
    ],
    answer: written![COUNTS, ROWS, ROWS_LEFT_OUT],
    toolset: Toolset::Inventory,
    effect: Effect::Writes(Writes::Changes),
    endpoints: &[
        "GET /inventory-items",
        "GET /inventory-items/{inventory_item_id}",
        "PUT /batch-inventory-items",
    ],
    most_tokens: 24_000,
    run: |context, args, person| {
        outcome::run(context, args, person, "inventory_batch_update", batch(args))
    },
};

fn create(args: &Args) -> Result<CreateInventoryItem, ToolError> {
    Ok(CreateInventoryItem {
        item: super::object(args, "item"),
    })
}

fn update(args: &Args) -> Result<UpdateInventoryItem, ToolError> {
    Ok(UpdateInventoryItem {
        which: which(args)?,
        changes: super::object(args, "changes"),
    })
}

/// Both choices are checked before either mistake is told.
fn adjust(args: &Args) -> Result<AdjustStock, ToolError> {
    let by = match (args.integer("delta"), args.integer("set_to")) {
        (Some(delta), None) => Ok(Adjust::Delta(delta)),
        (None, Some(count)) => Ok(Adjust::SetTo(count)),
        (Some(_), Some(_)) => Err("`delta` and `set_to` were both given; only one can be meant"),
        (None, None) => Err("`delta` or `set_to` is missing"),
    };
    match (which(args), by) {
        (Ok(which), Ok(by)) => Ok(AdjustStock { which, by }),
        (Err(error), Ok(_)) => Err(error),
        (Ok(_), Err(mistake)) => Err(ToolError::Arguments(vec![mistake.to_owned()])),
        (Err(error), Err(mistake)) => Err(ToolError::Arguments(vec![
            error.to_string(),
            mistake.to_owned(),
        ])),
    }
}

fn remove(args: &Args) -> Result<RemoveInventoryItem, ToolError> {
    Ok(RemoveInventoryItem {
        which: which(args)?,
    })
}

fn batch(args: &Args) -> Result<BatchUpdateInventory, ToolError> {
    Ok(BatchUpdateInventory {
        rows: args.objects("items"),
    })
}

/// One item, named in one way.
fn which(args: &Args) -> Result<Which, ToolError> {
    let wrong = |mistake: &str| Err(ToolError::Arguments(vec![mistake.to_owned()]));
    match (args.text("inventory_item_id"), args.text("code")) {
        (Some(id), None) => Ok(Which::Id(
            InventoryItemId::parse(id).map_err(DeskError::from)?,
        )),
        (None, Some(code)) => Ok(Which::Code(code.to_owned())),
        (Some(_), Some(_)) => {
            wrong("`inventory_item_id` and `code` were both given; only one can be meant")
        }
        (None, None) => wrong("`inventory_item_id` or `code` is missing"),
    }
}
