//! Words for the model: every tool with its description, arguments, answer and code.
//!
//! Here: the list of tools, and what all of them share. Each file holds one area. A tool is a plain value: its arguments are declared
//! once, published as schema and checked against the same declaration. Not here: counting, deadlines, panics (`call`), and how a
//! shop is asked (`desk`).

pub mod endpoints;
mod folders;
mod instructions;
mod inventory;
mod inventory_write;
mod item_rows;
mod low_stock;
mod order_items;
mod order_items_write;
mod order_rows;
mod orders;
mod orders_list;
mod orders_move;
mod orders_summary;
mod orders_write;
mod outcome;
mod page;
mod reports;
mod rows;
mod shipment_rows;
mod shipments;
mod shipments_write;
mod status;
mod stores;
mod stores_register;
mod stores_remove;
mod whole_list;
mod writing;

pub use instructions::{description, instructions};
pub use page::markdown;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use rmcp::model::ToolAnnotations;
use serde_json::{Map, Value, json};

use crate::args::{self, Args, Argument, Kind};
use crate::context::Context;
use crate::desk::DeskError;
use crate::desk::model::{Object, OrderId};
use crate::error::ToolError;
pub use crate::permit::Toolset;
use crate::person::Person;
use crate::reply::Reply;

/// Every tool, in the order in which clients get them: the same in every process, so that a client's prompt cache holds.
pub static ALL: [&Tool; 34] = [
    &status::SERVER_STATUS,
    &stores::STORES_LIST,
    &stores::STORES_USE,
    &stores_register::STORES_REGISTER,
    &stores_remove::STORES_REMOVE,
    &folders::FOLDERS_LIST,
    &folders::STORE_SETTINGS,
    &orders_list::ORDERS_LIST,
    &orders::ORDERS_FIND,
    &orders::ORDERS_GET,
    &orders::ORDERS_HISTORY,
    &orders_summary::ORDERS_SUMMARY,
    &orders_write::ORDERS_CREATE,
    &orders_write::ORDERS_UPDATE,
    &orders_write::ORDERS_ADD_NOTE,
    &orders_move::ORDERS_MOVE,
    &orders_write::ORDERS_DELETE,
    &order_items::ORDER_ITEMS_LIST,
    &order_items_write::ORDER_ITEMS_ADD,
    &order_items_write::ORDER_ITEMS_UPDATE,
    &order_items_write::ORDER_ITEMS_REMOVE,
    &shipments::SHIPMENTS_LIST,
    &shipments_write::SHIPMENTS_ADD,
    &shipments_write::SHIPMENTS_UPDATE,
    &shipments_write::SHIPMENTS_REMOVE,
    &shipments_write::SHIPMENTS_BATCH_ADD,
    &inventory::INVENTORY_LIST,
    &inventory::INVENTORY_GET,
    &inventory_write::INVENTORY_CREATE,
    &inventory_write::INVENTORY_UPDATE,
    &inventory_write::INVENTORY_ADJUST,
    &inventory_write::INVENTORY_REMOVE,
    &inventory_write::INVENTORY_BATCH_UPDATE,
    &low_stock::INVENTORY_LOW_STOCK,
];

/// A tool.
#[derive(Debug)]
pub struct Tool {
    /// Its name; once shipped, it stays.
    pub name: &'static str,
    /// For people.
    pub title: &'static str,
    /// For the model. Each word costs every user of every conversation.
    pub description: &'static str,
    /// What it takes.
    pub arguments: &'static [Argument],
    /// What its answer holds.
    pub answer: &'static [Answer],
    /// The group it belongs to.
    pub toolset: Toolset,
    /// What a call may do.
    pub effect: Effect,
    /// The endpoints of the Order Desk API that it reaches, like `GET /orders/{order_id}`.
    pub endpoints: &'static [&'static str],
    /// Most tokens of an answer, as one widespread tokenizer (o200k) counts them; what is larger is cut into pages or left out and said so.
    pub most_tokens: u32,
    /// The code.
    pub run: Run,
}

/// The code of a tool.
pub type Run =
    for<'a> fn(&'a Context, &'a Args, &'a dyn Person) -> BoxFuture<'a, Result<Reply, ToolError>>;

/// What a call may do; published as annotations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Tells what this server knows; reaches nobody.
    Local,
    /// Changes only this session.
    Session,
    /// Reads from Order Desk.
    Reads,
    /// Destroys something that this server keeps.
    Destroys,
    /// Changes a shop.
    Writes(Writes),
}

/// How a call changes a shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writes {
    /// Adds something beside what is there; a second call adds a second one.
    Adds,
    /// Changes what is there; the same call again changes nothing more.
    Changes,
    /// Changes what is there by an amount; the same call again changes it again.
    Shifts,
    /// Deletes what is there.
    Destroys,
}

/// One field of an answer.
#[derive(Debug)]
pub struct Answer {
    name: &'static str,
    shape: Shape,
    always: bool,
}

/// What a field of an answer is. Schemas stay two levels deep: a whole typed order would cost hundreds of tokens per tool.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Text.
    Text,
    /// A number.
    Count,
    /// true or false.
    Flag,
    /// An object.
    Object,
    /// A list of objects.
    Objects,
    /// A list of texts.
    Texts,
}

impl Answer {
    /// A field that every answer of the tool has.
    #[must_use]
    pub const fn always(name: &'static str, shape: Shape) -> Answer {
        Answer {
            name,
            shape,
            always: true,
        }
    }

    /// A field that some answers have.
    #[must_use]
    pub const fn sometimes(name: &'static str, shape: Shape) -> Answer {
        Answer {
            name,
            shape,
            always: false,
        }
    }

    fn schema(&self) -> Value {
        match self.shape {
            Shape::Text => json!({ "type": "string" }),
            Shape::Count => json!({ "type": "number" }),
            Shape::Flag => json!({ "type": "boolean" }),
            Shape::Object => json!({ "type": "object" }),
            Shape::Objects => json!({ "type": "array", "items": { "type": "object" } }),
            Shape::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        }
    }
}

/// The argument that picks a shop.
const STORE: Argument = Argument::optional(
    "store",
    Kind::Text,
    "Store name or id; default: the active store",
);

/// The argument that picks an order.
const ORDER_ID: Argument = Argument::required("order_id", Kind::Text, "");

/// The argument that goes past the cache.
const FRESH: Argument = Argument::optional("fresh", Kind::Flag, "Skip the cache");

/// The answer's notice about text from strangers.
const UNTRUSTED: Answer = Answer::always(crate::clean::NOTICE_KEY, Shape::Text);

/// When Order Desk said so.
const FETCHED_AT: Answer = Answer::always("fetched_at", Shape::Text);

impl Tool {
    /// The form in which clients get the tool.
    #[must_use]
    pub fn definition(&self) -> rmcp::model::Tool {
        rmcp::model::Tool::new(
            self.name,
            self.description,
            Arc::new(args::input_schema(self.arguments)),
        )
        .with_title(self.title)
        .with_raw_output_schema(Arc::new(output_schema(self.answer)))
        .with_annotations(self.annotations())
    }

    fn annotations(&self) -> ToolAnnotations {
        ToolAnnotations::new()
            .read_only(matches!(self.effect, Effect::Local | Effect::Reads))
            // By the protocol's words only what adds, and leaves all else alone, is not destructive.
            .destructive(match self.effect {
                Effect::Local | Effect::Session | Effect::Reads => false,
                Effect::Writes(how) => how != Writes::Adds,
                Effect::Destroys => true,
            })
            .idempotent(!matches!(
                self.effect,
                Effect::Writes(Writes::Adds | Writes::Shifts)
            ))
            .open_world(matches!(self.effect, Effect::Reads | Effect::Writes(_)))
    }
}

fn output_schema(answer: &[Answer]) -> Map<String, Value> {
    let properties: Map<String, Value> = answer
        .iter()
        .map(|field| (field.name.to_owned(), field.schema()))
        .collect();
    let required: Vec<&str> = answer
        .iter()
        .filter(|field| field.always)
        .map(|field| field.name)
        .collect();
    let mut schema = Map::new();
    schema.insert("type".to_owned(), "object".into());
    schema.insert("properties".to_owned(), properties.into());
    schema.insert("required".to_owned(), required.into());
    schema
}

/// The order that a call is about.
fn order_id(args: &Args) -> Result<OrderId, ToolError> {
    Ok(OrderId::parse(args.text("order_id").unwrap_or_default()).map_err(DeskError::from)?)
}

/// The fields in an argument that takes an object.
fn object(args: &Args, name: &str) -> Object {
    args.object(name).cloned().unwrap_or_default()
}

/// The tool of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Tool> {
    ALL.into_iter().find(|tool| tool.name == name)
}
