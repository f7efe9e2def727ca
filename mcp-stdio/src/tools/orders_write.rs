//! Writing one order: `orders_create`, `orders_update`, `orders_add_note`, `orders_delete`.

use super::writing::{CONFIRM, DRY_RUN, written};
use super::{Answer, Effect, ORDER_ID, STORE, Shape, Tool, Toolset, Writes, outcome};
use crate::args::{Args, Argument, Kind};
use crate::context::Context;
use crate::desk::write::{AddNote, CreateOrder, DeleteOrder, NoteKind, UpdateOrder};
use crate::error::ToolError;

/// The order as it is afterwards, in short.
const ORDER: Answer = Answer::sometimes("order", Shape::Object);

/// A note longer than Order Desk keeps is refused with its length; what is longer than this was not meant as a note.
const NOTE_MOST: usize = 4000;

pub(super) static ORDERS_CREATE: Tool = Tool {
    name: "orders_create",
    title: "Create order",
    description: "Creates one order. Give a source_id of your own: it is what keeps a repeat from making a second order. \
        Needed: order_items and a name or company in shipping or customer. Import rules may run.",
    arguments: &[
        Argument::required(
            "order",
            Kind::Object,
            "The API's fields: source_id, source_name, email, shipping {first_name, last_name, address1, city, state, postal_code, country}, \
             order_items [{name, code, quantity, price}], shipping_method, shipping_total …",
        ),
        DRY_RUN,
        CONFIRM,
        STORE,
    ],
    answer: written![ORDER],
    toolset: Toolset::Orders,
    effect: Effect::Writes(Writes::Adds),
    endpoints: &["GET /orders", "POST /orders"],
    most_tokens: 8_000,
    run: |context, args, person| outcome::run(context, args, person, "orders_create", create(args)),
};

pub(super) static ORDERS_UPDATE: Tool = Tool {
    name: "orders_update",
    title: "Update order",
    description: "Changes only the fields named in `changes`; everything else of the order stays. Also edits existing items (order_items with id). \
        Not for notes (orders_add_note), folder (orders_move), shipments or new items (order_items_add). \
        tag_name is the tag's colour: error red, success green, info blue, warning yellow, orange, purple. \
        Rules may run; a new address may resubmit the order.",
    arguments: &[
        ORDER_ID,
        Argument::required(
            "changes",
            Kind::Object,
            "Merged deeply, e.g. {\"shipping\":{\"city\":\"Bonn\"}}; null empties; discount_list is replaced whole",
        ),
        Argument::optional(
            "expected",
            Kind::Object,
            "Old values; if they differ nothing is sent",
        ),
        DRY_RUN,
        CONFIRM,
        STORE,
    ],
    answer: written![ORDER],
    toolset: Toolset::Orders,
    effect: Effect::Writes(Writes::Changes),
    endpoints: &["GET /orders/{order_id}", "PUT /orders/{order_id}"],
    most_tokens: 12_000,
    run: |context, args, person| outcome::run(context, args, person, "orders_update", update(args)),
};

pub(super) static ORDERS_ADD_NOTE: Tool = Tool {
    name: "orders_add_note",
    title: "Add note",
    description: "Adds a note to an order; the same text is never added twice. staff (default): shown to staff, all notes of an order together ≤ 1,800 characters; \
        history: the order's log, ≤ 1,800 each, cannot be removed.",
    arguments: &[
        ORDER_ID,
        Argument::required("note", Kind::LongText(NOTE_MOST), ""),
        Argument::optional("kind", Kind::Word(&["staff", "history"]), ""),
        DRY_RUN,
        CONFIRM,
        STORE,
    ],
    answer: written![ORDER],
    toolset: Toolset::Orders,
    effect: Effect::Writes(Writes::Adds),
    endpoints: &[
        "GET /orders/{order_id}",
        "PUT /orders/{order_id}",
        "POST /orders/{order_id}/order-history",
    ],
    most_tokens: 8_000,
    run: |context, args, person| {
        outcome::run(
            context,
            args,
            person,
            "orders_add_note",
            add_note(context, args),
        )
    },
};

pub(super) static ORDERS_DELETE: Tool = Tool {
    name: "orders_delete",
    title: "Delete order",
    description: "Deletes one order for good: there is no undo. To cancel an order, move it to the folder Canceled (orders_move) instead.",
    arguments: &[ORDER_ID, DRY_RUN, CONFIRM, STORE],
    answer: written![ORDER],
    toolset: Toolset::Orders,
    effect: Effect::Writes(Writes::Destroys),
    endpoints: &["GET /orders/{order_id}", "DELETE /orders/{order_id}"],
    most_tokens: 8_000,
    run: |context, args, person| outcome::run(context, args, person, "orders_delete", delete(args)),
};

fn create(args: &Args) -> Result<CreateOrder, ToolError> {
    Ok(CreateOrder {
        order: super::object(args, "order"),
    })
}

fn update(args: &Args) -> Result<UpdateOrder, ToolError> {
    Ok(UpdateOrder {
        id: super::order_id(args)?,
        changes: super::object(args, "changes"),
        expected: args.object("expected").cloned(),
    })
}

fn add_note(context: &Context, args: &Args) -> Result<AddNote, ToolError> {
    Ok(AddNote {
        id: super::order_id(args)?,
        text: args.text("note").unwrap_or_default().to_owned(),
        kind: match args.text("kind") {
            Some("history") => NoteKind::History,
            _ => NoteKind::Staff,
        },
        author: author(context),
    })
}

/// Whose note it is, as staff will read it.
fn author(context: &Context) -> String {
    match context.actor().client {
        Some(client) => format!("Assistant ({client})"),
        None => "Assistant".to_owned(),
    }
}

fn delete(args: &Args) -> Result<DeleteOrder, ToolError> {
    Ok(DeleteOrder {
        id: super::order_id(args)?,
    })
}
