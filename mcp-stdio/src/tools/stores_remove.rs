//! `stores_remove`: a shop's sealed key is destroyed, after a person has seen which one.
//!
//! Nothing happens at Order Desk. Here: what is shown and asked before. Not here: the asking (`writing::consent`) and the removal (`vault`).

use futures_util::FutureExt as _;
use serde_json::{Value, json};

use super::writing::consent::{self, Consent, Matter};
use super::writing::{self, Writing};
use super::{Answer, Effect, Shape, Tool, Toolset};
use crate::args::{Args, Argument, Kind};
use crate::context::Context;
use crate::desk::write::Weight;
use crate::error::{ToolError, quoted};
use crate::person::{Person, Question};
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
        writing::REMARKS,
    ],
    toolset: Toolset::Stores,
    effect: Effect::Destroys,
    endpoints: &[],
    most_tokens: 600,
    run: |context, args, person| run(context, args, person).boxed(),
};

async fn run(context: &Context, args: &Args, person: &dyn Person) -> Result<Reply, ToolError> {
    let tenant = context.stores.tenant().await?.tenant.id.clone();
    let store = context
        .stores
        .find(args.text("store").unwrap_or_default())
        .await?;
    let call = Writing {
        context,
        args,
        person,
        tool: NAME,
    };
    let must_ask = call.must_ask(Weight::Destroys);
    if must_ask || call.brings_consent() {
        let matter = Matter {
            key: context.stores.token_key().await?,
            tenant: tenant.to_string(),
            what: consent::all_of("", args, &everything_about(&store)),
            question: question(&store),
        };
        match matter.consent(call, must_ask).await? {
            Consent::Given => {}
            Consent::Withheld => return Ok(writing::declined(Reply::ours())),
            Consent::Open(token) => return Ok(preview(&store, token)),
        }
    }
    context.stores.remove(&store, context.actor()).await?;
    Ok(Reply::ours()
        .with("outcome", "done")
        .with("diff", diff(&store)))
}

fn question(store: &StoreInfo) -> Question {
    Question {
        title: "Remove this store from this computer?".to_owned(),
        text: format!(
            "{} ({}). Its sealed key is destroyed. Order Desk keeps the store and everything in it.",
            quoted(&store.name),
            store.store_id
        ),
    }
}

/// A store that was removed and added again is another one, even under the same name.
fn everything_about(store: &StoreInfo) -> String {
    format!(
        "{} {} {} {}",
        store.id, store.store_id, store.base_url, store.name
    )
}

fn preview(store: &StoreInfo, token: String) -> Reply {
    Reply::ours()
        .with("outcome", "preview")
        .with("diff", diff(store))
        .with("confirm_token", token)
        .with("next", consent::AFTER_A_PREVIEW)
}

fn diff(store: &StoreInfo) -> Vec<Value> {
    let before = json!({"store_id": store.store_id.as_str(), "name": store.name, "default": store.is_default});
    vec![json!({"path": "stores", "before": before, "after": null})]
}
