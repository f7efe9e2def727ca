//! `stores_remove`: a shop's sealed key is destroyed, after a person has seen which one.
//!
//! The first call shows what would go and gives a token; the second, with the token, does it. Nothing happens at Order Desk. Here: the two
//! steps. Not here: the token (`confirm`) and the removal (`vault`).

use futures_util::FutureExt as _;
use serde_json::{Value, json};

use super::{Answer, Effect, Shape, Tool, Toolset};
use crate::args::{Args, Argument, Kind};
use crate::confirm::{Deed, LIFETIME};
use crate::context::Context;
use crate::error::ToolError;
use crate::reply::Reply;
use crate::vault::StoreInfo;

const NAME: &str = "stores_remove";

pub(super) static STORES_REMOVE: Tool = Tool {
    name: NAME,
    title: "Remove store",
    description: "Forgets a shop and its sealed key on this computer; Order Desk keeps it. Shows a preview first; a second call with its confirm_token removes.",
    arguments: &[
        Argument::required("store", Kind::Text, "Name or id"),
        Argument::optional("confirm", Kind::Text, "confirm_token of the preview"),
    ],
    answer: &[
        Answer::always("outcome", Shape::Text),
        Answer::always("diff", Shape::Objects),
        Answer::sometimes("confirm_token", Shape::Text),
        Answer::sometimes("next", Shape::Text),
    ],
    toolset: Toolset::Stores,
    effect: Effect::Destroys,
    endpoints: &[],
    most_tokens: 600,
    run: |context, args, _| run(context, args).boxed(),
};

async fn run(context: &Context, args: &Args) -> Result<Reply, ToolError> {
    let tenant = context.stores.tenant().await?.tenant.id.clone();
    let store = context
        .stores
        .find(args.text("store").unwrap_or_default())
        .await?;
    let key = context.stores.token_key().await?;
    let what = everything_about(&store);
    let deed = Deed {
        tool: NAME,
        tenant: &tenant,
        what: &what,
    };
    let now = context.clock.now();
    let Some(token) = args.text("confirm") else {
        let token = context.confirmations.offer(&key, deed, now);
        return Ok(preview(&store, token.map_err(|_| ToolError::NoChance)?));
    };
    context
        .confirmations
        .redeem(&key, deed, token, now)
        .map_err(ToolError::Confirmation)?;
    context.stores.remove(&store, context.actor()).await?;
    Ok(Reply::ours()
        .with("outcome", "done")
        .with("diff", diff(&store)))
}

/// A store that was removed and added again is another one, even under the same name.
fn everything_about(store: &StoreInfo) -> String {
    format!(
        "{} {} {} {}",
        store.id, store.store_id, store.base_url, store.name
    )
}

fn preview(store: &StoreInfo, token: String) -> Reply {
    let next = format!(
        "Nothing has happened yet. Ask the person; if they agree, call again with confirm=confirm_token within {} minutes.",
        LIFETIME.as_secs() / 60
    );
    Reply::ours()
        .with("outcome", "preview")
        .with("diff", diff(store))
        .with("confirm_token", token)
        .with("next", next)
}

fn diff(store: &StoreInfo) -> Vec<Value> {
    let before = json!({"store_id": store.store_id.as_str(), "name": store.name, "default": store.is_default});
    vec![json!({"path": "stores", "before": before, "after": null})]
}
