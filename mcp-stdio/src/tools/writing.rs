//! What all tools that change a shop have in common.
//!
//! | file | hides |
//! |---|---|
//! | `consent` | whether this change may be made now: a token brought back, a person asked, or a preview in place of it |
//! | `show` | a diff as it is shown to a model, and in a question to a person |
//!
//! Here: their shared arguments and answer fields, and their one way: shown, agreed to, carried out, told. Not here: what is changed and
//! how (`desk`), and what a single tool tells beside it.

pub(super) mod consent;
mod show;

use std::sync::Arc;

use serde_json::{Value, json};

use self::consent::{Consent, Matter};
use super::{Answer, Shape};
use crate::args::{Args, Argument, Kind};
use crate::context::Context;
use crate::desk::write::{Change, Outcome, Preview, Verdict, Weight, Writer};
use crate::error::ToolError;
use crate::person::Person;
use crate::reply::Reply;

/// Shows what would be done and does nothing.
pub(super) const DRY_RUN: Argument =
    Argument::optional("dry_run", Kind::Flag, "Only show what would change");

/// Brings back the token of a preview that a person has agreed to.
pub(super) const CONFIRM: Argument = Argument::optional(
    "confirm",
    Kind::Text,
    "confirm_token of the preview, once the person agreed",
);

/// `done`, `not_done`, `unknown` or `preview`.
pub(super) const OUTCOME: Answer = Answer::always("outcome", Shape::Text);

/// What changed or would change: a `path`, `before` and `after` each.
pub(super) const DIFF: Answer = Answer::always("diff", Shape::Objects);

/// With a preview: what the confirming call has to carry.
pub(super) const CONFIRM_TOKEN: Answer = Answer::sometimes("confirm_token", Shape::Text);

/// What to do now.
pub(super) const NEXT: Answer = Answer::sometimes("next", Shape::Text);

/// What else is worth knowing.
pub(super) const REMARKS: Answer = Answer::sometimes("remarks", Shape::Texts);

/// With an unknown outcome: what to look at.
pub(super) const CHECK: Answer = Answer::sometimes("check", Shape::Text);

/// Of a batch: each row's ids, `outcome` and, where it is not done, `why`.
pub(super) const ROWS: Answer = Answer::sometimes("rows", Shape::Objects);

/// Of a batch: how many rows had which outcome.
pub(super) const COUNTS: Answer = Answer::sometimes("counts", Shape::Object);

/// The answer of a tool that changes a shop: what they all say, and what this one says beside it.
macro_rules! written {
    ($($own:expr),* $(,)?) => {
        &[
            super::UNTRUSTED,
            super::writing::OUTCOME,
            super::writing::DIFF,
            super::writing::CONFIRM_TOKEN,
            super::writing::NEXT,
            super::writing::REMARKS,
            super::writing::CHECK,
            $($own),*
        ]
    };
}
pub(super) use written;

/// One call of a tool that changes a shop.
#[derive(Clone, Copy)]
pub(super) struct Writing<'a> {
    pub(super) context: &'a Context,
    pub(super) args: &'a Args,
    pub(super) person: &'a dyn Person,
    /// The tool's name.
    pub(super) tool: &'static str,
}

/// Shows, asks, carries out and tells. `view` adds what this tool tells beside what all do.
///
/// # Errors
/// Whatever kept the change from being made: then nothing was changed.
pub(super) async fn run(
    call: Writing<'_>,
    change: Arc<dyn Change>,
    view: fn(&Outcome, Reply) -> Reply,
) -> Result<Reply, ToolError> {
    let writer = call.context.writer(call.args.text("store")).await?;
    let dry_run = call.args.flag("dry_run");
    let must_ask = call.must_ask(change.weight());
    if !dry_run && !must_ask && !call.brings_consent() {
        return Ok(told(&writer.carry_out(change, None).await?, view));
    }
    let preview = change.preview(writer.shop()).await?;
    let matter = call.matter(&writer, &preview).await?;
    if dry_run {
        let token = matter.token(call)?;
        return Ok(previewed(&preview, token, consent::AFTER_A_DRY_RUN));
    }
    match matter.consent(call, must_ask).await? {
        Consent::Given => Ok(told(&writer.carry_out(change, Some(preview)).await?, view)),
        Consent::Withheld => Ok(declined(Reply::from_shop())),
        Consent::Open(token) => Ok(previewed(&preview, token, consent::AFTER_A_PREVIEW)),
    }
}

impl Writing<'_> {
    /// Whether the owner of this server wants this call to be agreed to.
    pub(super) fn must_ask(&self, weight: Weight) -> bool {
        consent::is_asked_for(self.context.config.confirm, weight)
    }

    /// Whether this call says that it was agreed to, which is then held against what it was given for.
    pub(super) fn brings_consent(&self) -> bool {
        self.args.text("confirm").is_some() || self.person.brought().is_some()
    }

    async fn matter(&self, writer: &Writer, preview: &Preview) -> Result<Matter, ToolError> {
        let shop = writer.shop();
        Ok(Matter {
            key: self.context.stores.token_key().await?,
            tenant: shop.tenant().to_owned(),
            what: consent::all_of(shop.store_key(), self.args, &preview.basis),
            question: show::question(
                *self,
                &self.shop_name(shop.store_id().as_str()).await,
                &preview.diff,
                &preview.remarks,
            ),
        })
    }

    /// What a person calls the shop.
    async fn shop_name(&self, store_id: &str) -> String {
        let listed = self.context.stores.list().await.unwrap_or_default();
        let named = listed
            .into_iter()
            .find(|store| store.store_id.as_str() == store_id)
            .and_then(|store| store.name);
        match named {
            Some(name) => format!("{} ({store_id})", show::quoted(&name)),
            None => store_id.to_owned(),
        }
    }
}

/// How it ended.
fn told(outcome: &Outcome, view: fn(&Outcome, Reply) -> Reply) -> Reply {
    let (diff, left_out) = show::diff(&outcome.diff);
    let reply = Reply::from_shop()
        .with("outcome", outcome.verdict.as_str())
        .with("diff", diff);
    let next = match outcome.verdict {
        Verdict::Unknown => Some(
            "Nobody can tell whether this was done. Look (see `check`) before you do it again, and tell the person.",
        ),
        Verdict::Done | Verdict::NotDone => None,
    };
    view(outcome, reply)
        .with_some("remarks", show::remarks(&outcome.remarks, left_out))
        .with_some("check", outcome.check.as_deref().map(show::text))
        .with_some("next", next)
}

/// What would be done.
fn previewed(preview: &Preview, token: String, next: &str) -> Reply {
    let (diff, left_out) = show::diff(&preview.diff);
    Reply::from_shop()
        .with("outcome", "preview")
        .with("diff", diff)
        .with("confirm_token", token)
        .with_some("remarks", show::remarks(&preview.remarks, left_out))
        .with("next", next)
}

/// A person said no.
pub(super) fn declined(reply: Reply) -> Reply {
    reply
        .with("outcome", "not_done")
        .with("diff", json!([]))
        .with(
            "remarks",
            Value::from(vec![
                "the person was asked and did not agree; nothing was changed",
            ]),
        )
        .with(
            "next",
            "Do not try this again or by other means unless the person asks for it.",
        )
}

#[cfg(test)]
mod tests;
