//! What a shop is set up like: `folders_list` and `store_settings`.

use futures_util::FutureExt as _;
use serde_json::{Value, json};

use super::{Answer, Effect, FETCHED_AT, FRESH, STORE, Shape, Tool, Toolset, UNTRUSTED};
use crate::args::Args;
use crate::clean;
use crate::context::Context;
use crate::desk::Fetched;
use crate::desk::model::StoreSettings;
use crate::error::ToolError;
use crate::reply::{self, Reply};

/// Where people look for what the API does not have.
const NOT_HERE: &str = "Webhooks, rules, templates and users cannot be read or changed here: Order Desk's API has no endpoint for them. \
    A webhook is a rule with the action Post Order JSON, made in Order Desk's own app.";

pub(super) static FOLDERS_LIST: Tool = Tool {
    name: "folders_list",
    title: "List folders",
    description: "The folders of a shop with their ids. The folder of an order is its status.",
    arguments: &[FRESH, STORE],
    answer: &[
        UNTRUSTED,
        Answer::always("folders", Shape::Objects),
        FETCHED_AT,
    ],
    toolset: Toolset::Stores,
    effect: Effect::Reads,
    endpoints: &["GET /store"],
    most_tokens: 8_000,
    run: |context, args, _| folders(context, args).boxed(),
};

pub(super) static STORE_SETTINGS: Tool = Tool {
    name: "store_settings",
    title: "Show store settings",
    description: "Name, time zone, country and the other settings of a shop, without its secrets. Webhooks and rules are not in the API.",
    arguments: &[FRESH, STORE],
    answer: &[
        UNTRUSTED,
        Answer::always("settings", Shape::Object),
        Answer::always("note", Shape::Text),
        FETCHED_AT,
    ],
    toolset: Toolset::Stores,
    effect: Effect::Reads,
    endpoints: &["GET /store"],
    most_tokens: 24_000,
    run: |context, args, _| settings(context, args).boxed(),
};

async fn folders(context: &Context, args: &Args) -> Result<Reply, ToolError> {
    let store = read(context, args).await?;
    let folders: Vec<Value> = store
        .value
        .folders()
        .iter()
        .map(|folder| json!({"id": clean::text(&folder.id), "name": clean::text(&folder.name)}))
        .collect();
    Ok(Reply::from_shop()
        .with("folders", folders)
        .fetched_at(store.fetched_at))
}

async fn settings(context: &Context, args: &Args) -> Result<Reply, ToolError> {
    let store = read(context, args).await?;
    let mut shown = Value::Object(clean::object(store.value.object().clone()));
    reply::shrink(&mut shown);
    Ok(Reply::from_shop()
        .with("settings", shown)
        .with("note", NOT_HERE)
        .fetched_at(store.fetched_at))
}

async fn read(context: &Context, args: &Args) -> Result<Fetched<StoreSettings>, ToolError> {
    let store = context
        .shop(args.text("store"))
        .await?
        .settings(args.flag("fresh"))
        .await?;
    context.stores.learn_name(&clean::text(&store.value.name()));
    Ok(store)
}
