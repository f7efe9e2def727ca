//! Which shops there are: `stores_list` and `stores_use`.

use futures_util::FutureExt as _;
use serde_json::{Value, json};

use super::{Answer, Effect, Shape, Tool, Toolset};
use crate::args::{Args, Argument, Kind};
use crate::context::Context;
use crate::error::ToolError;
use crate::reply::{self, Reply};
use crate::stores::Listed;

pub(super) static STORES_LIST: Tool = Tool {
    name: "stores_list",
    title: "List stores",
    description: "The shops this server can read, and which one is active.",
    arguments: &[],
    answer: &[
        Answer::always("stores", Shape::Objects),
        Answer::sometimes("next", Shape::Text),
    ],
    toolset: Toolset::Stores,
    effect: Effect::Local,
    endpoints: &[],
    most_tokens: 4_000,
    run: |context, _, _| list(context).boxed(),
};

pub(super) static STORES_USE: Tool = Tool {
    name: "stores_use",
    title: "Choose store",
    description: "Makes a shop the active one for this session.",
    arguments: &[Argument::required("store", Kind::Text, "Name or id")],
    answer: &[Answer::always("store", Shape::Object)],
    toolset: Toolset::Stores,
    effect: Effect::Session,
    endpoints: &[],
    most_tokens: 300,
    run: |context, args, _| choose(context, args).boxed(),
};

async fn list(context: &Context) -> Result<Reply, ToolError> {
    let stores = context.stores.list().await?;
    let next = if stores.is_empty() {
        Some("stores_register says how to add one")
    } else if !stores.iter().any(|store| store.active) {
        Some("none is active: name one with `store`, or choose one with stores_use")
    } else {
        None
    };
    let mut rows: Vec<Value> = stores.iter().map(row).collect();
    let fitting = reply::fit(&mut rows);
    let next = if fitting < rows.len() {
        rows.truncate(fitting);
        Some(
            "this is not all: the list is longer than an answer may be; name a store with `store` all the same",
        )
    } else {
        next
    };
    Ok(Reply::ours().with("stores", rows).with_some("next", next))
}

async fn choose(context: &Context, args: &Args) -> Result<Reply, ToolError> {
    let named = args.text("store").unwrap_or_default();
    let store = context.stores.choose(named).await?;
    Ok(Reply::ours().with("store", row(&store)))
}

/// A store as every answer shows it.
pub(super) fn row(store: &Listed) -> Value {
    let mut row = json!({"store_id": store.store_id.as_str()});
    if let Some(name) = &store.name {
        row["name"] = name.as_str().into();
    }
    row["active"] = store.active.into();
    if let Some(default) = store.default {
        row["default"] = default.into();
    }
    row
}
