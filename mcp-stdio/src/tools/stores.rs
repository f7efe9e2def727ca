//! Which shops there are: `stores_list` and `stores_use`.

use futures_util::FutureExt as _;
use serde_json::{Value, json};

use super::{Answer, Effect, Shape, Tool};
use crate::args::{Args, Argument, Kind};
use crate::context::Context;
use crate::error::ToolError;
use crate::reply::Reply;

pub(super) static STORES_LIST: Tool = Tool {
    name: "stores_list",
    title: "List stores",
    description: "The shops this server can read, and which one is active.",
    arguments: &[],
    answer: &[Answer::always("stores", Shape::Objects)],
    effect: Effect::Local,
    run: |context, _| list(context).boxed(),
};

pub(super) static STORES_USE: Tool = Tool {
    name: "stores_use",
    title: "Choose store",
    description: "Makes a shop the active one for this session.",
    arguments: &[Argument::required("store", Kind::Text, "Name or id")],
    answer: &[Answer::always("store", Shape::Object)],
    effect: Effect::Session,
    run: |context, args| choose(context, args).boxed(),
};

async fn list(context: &Context) -> Result<Reply, ToolError> {
    let stores: Vec<Value> = context
        .config
        .store
        .iter()
        .map(|store| row(context, store.store_id.as_str()))
        .collect();
    if stores.is_empty() {
        return Err(ToolError::NoStore);
    }
    Ok(Reply::ours().with("stores", stores))
}

/// With the one store from the environment there is nothing to remember: it is always the active one.
async fn choose(context: &Context, args: &Args) -> Result<Reply, ToolError> {
    let store = context.store(args.text("store")).await?;
    Ok(Reply::ours().with("store", row(context, store.store_id.as_str())))
}

fn row(context: &Context, id: &str) -> Value {
    match context.store_name() {
        Some(name) => json!({"store_id": id, "name": name, "active": true}),
        None => json!({"store_id": id, "active": true}),
    }
}
