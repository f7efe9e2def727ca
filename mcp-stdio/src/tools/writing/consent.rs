//! Whether a change may be made now.
//!
//! A person is asked, if their client can ask. Where it cannot, the answer is a preview and a token: whoever brings that back has seen what
//! is about to happen. A token stands for one deed: the tool, the tenant, the store, the
//! arguments, and all that the preview saw. When any of it has changed, the token is nothing. Here: these three ways, for every tool
//! that needs an agreement. Not here: the tokens themselves (`confirm`), and how a client is asked (`elicit`).

use std::fmt::Write as _;

use serde_json::{Map, Value};
use shared::audit::{Outcome, action};
use shared::state::Durability;
use shared::state::tables::agreements;

use super::Writing;
use crate::args::Args;
use crate::config::Confirm;
use crate::confirm::{Agreement, BadToken, Deed, TokenKey};
use crate::desk::write::Weight;
use crate::error::ToolError;
use crate::person::{Decision, Question};

/// What to do with a preview. The lifetime is that of a token.
pub(in crate::tools) const AFTER_A_PREVIEW: &str = "Nothing has happened yet. Show this to the person; only if they agree, call again with the same arguments and confirm=confirm_token within 5 minutes.";

/// What to do with a preview that was asked for.
pub(in crate::tools) const AFTER_A_DRY_RUN: &str = "Nothing has happened. To do exactly this, call again with the same arguments, without dry_run, with confirm=confirm_token, within 5 minutes.";

/// Arguments that are about the asking, not about the deed.
const OF_THE_ASKING: [&str; 2] = ["confirm", "dry_run"];

/// What is to be agreed to.
pub(in crate::tools) struct Matter {
    pub(in crate::tools) key: TokenKey,
    pub(in crate::tools) tenant: String,
    /// Everything that an agreement is bound to.
    pub(in crate::tools) what: String,
    pub(in crate::tools) question: Question,
}

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::tools) enum Consent {
    /// It may be done.
    Given,
    /// It may not: a person said so.
    Withheld,
    /// Nobody could be asked; this token stands for their agreement.
    Open(String),
}

/// Whether the owner of this server wants a change of this weight to be agreed to.
pub(in crate::tools) fn is_asked_for(setting: Confirm, weight: Weight) -> bool {
    match (setting, weight) {
        (Confirm::Never, _) | (Confirm::Auto, Weight::Light) => false,
        (Confirm::Always, _) | (Confirm::Auto, Weight::Bulk(_) | Weight::Destroys) => true,
    }
}

impl Matter {
    /// A token for this deed.
    pub(in crate::tools) fn token(&self, call: Writing<'_>) -> Result<String, ToolError> {
        let confirmations = &call.context.confirmations;
        confirmations
            .offer(&self.key, self.deed(call.tool), call.context.clock.now())
            .map_err(|_no_chance| ToolError::NoChance)
    }

    /// Finds out whether the deed may be done: by what the call brings along, else by asking.
    ///
    /// A model can make itself a token, with a dry run. So where a person has to agree (`must_ask`) and can be asked, a token is no
    /// substitute for them; it is where they cannot.
    pub(in crate::tools) async fn consent(
        &self,
        call: Writing<'_>,
        must_ask: bool,
    ) -> Result<Consent, ToolError> {
        match call.person.brought() {
            Some((token, Decision::Yes)) => {
                return self.redeem(call, token).await.map(|()| Consent::Given);
            }
            Some((token, Decision::No)) => {
                // Whoever said no to it has used it up.
                let _no_more = self.redeem(call, token).await;
                return Ok(withheld(call).await);
            }
            // Was asked once and has nothing to say: is not asked a second time.
            Some((_, Decision::Silent | Decision::Later)) => {
                return self.token(call).map(Consent::Open);
            }
            None => {}
        }
        if let Some(token) = call.args.text("confirm") {
            self.redeem(call, token).await?;
            if !(must_ask && call.person.can_be_asked()) {
                return Ok(Consent::Given);
            }
        }
        let token = self.token(call)?;
        match call.person.ask(&self.question, &token).await {
            Decision::Yes => Ok(Consent::Given),
            Decision::No => Ok(withheld(call).await),
            Decision::Silent | Decision::Later => Ok(Consent::Open(token)),
        }
    }

    async fn redeem(&self, call: Writing<'_>, token: &str) -> Result<(), ToolError> {
        let now = call.context.clock.now();
        let confirmations = &call.context.confirmations;
        let agreement = confirmations
            .redeem(&self.key, self.deed(call.tool), token, now)
            .map_err(ToolError::Confirmation)?;
        match used_before(call, agreement, now.as_millisecond()).await {
            true => Err(ToolError::Confirmation(BadToken::Used)),
            false => Ok(()),
        }
    }

    fn deed(&self, tool: &'static str) -> Deed<'_> {
        Deed {
            tool,
            tenant: &self.tenant,
            what: &self.what,
        }
    }
}

/// Whether another process has acted on this agreement, or may have, because the state file was restored since. Where the state file cannot say so, it cannot take the record of a change either,
/// without which nothing is changed.
async fn used_before(call: Writing<'_>, agreement: Agreement, now_ms: i64) -> bool {
    let Ok(state) = call.context.slot.get() else {
        return false;
    };
    let note = move || {
        state.write("agreement", Durability::Normal, |writing| {
            let span_ms = (agreement.made_ms, agreement.expires_ms);
            agreements::use_once(writing, &agreement.name, span_ms, now_ms)
        })
    };
    let noted = tokio::task::spawn_blocking(note).await;
    matches!(noted, Ok(Ok(false)))
}

/// Store, arguments and what the preview saw, in a form that is the same for the same deed. Which store is meant is said by its key, however
/// a call names it.
pub(in crate::tools) fn all_of(store_key: &str, args: &Args, basis: &str) -> String {
    let mut arguments = args.given().clone();
    arguments.retain(|name, _| name != "store" && !OF_THE_ASKING.contains(&name.as_str()));
    let arguments = sorted(Value::Object(arguments));
    // A list of texts as JSON: no two of them run together into the same bytes.
    Value::from(vec![store_key, &arguments.to_string(), basis]).to_string()
}

/// The same value with the names of all objects in order: a model that repeats a call may write them otherwise.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<(String, Value)> = fields.into_iter().collect();
            fields.sort_by(|(one, _), (other, _)| one.cmp(other));
            let fields: Map<String, Value> = fields
                .into_iter()
                .map(|(name, value)| (name, sorted(value)))
                .collect();
            Value::Object(fields)
        }
        Value::Array(values) => values.into_iter().map(sorted).collect(),
        other => other,
    }
}

/// That somebody said no is worth a record: the tool and the names and sizes of its arguments, nothing of what is in them.
async fn withheld(call: Writing<'_>) -> Consent {
    let target = format!("{}{}", call.tool, shape(call.args.given()));
    let actor = call.context.actor();
    call.context
        .stores
        .note(
            actor,
            action::WRITE_DECLINED,
            Some(target),
            Outcome::Refused,
        )
        .await;
    Consent::Withheld
}

fn shape(given: &Map<String, Value>) -> String {
    let mut shape = String::new();
    for (name, value) in given {
        let size = match value {
            Value::String(text) => format!("{} chars", text.chars().count()),
            Value::Array(values) => format!("{} entries", values.len()),
            Value::Object(fields) => format!("{} fields", fields.len()),
            Value::Bool(_) | Value::Number(_) | Value::Null => "given".to_owned(),
        };
        let separator = if shape.is_empty() { ": " } else { ", " };
        let _ = write!(shape, "{separator}{name} ({size})");
    }
    shape
}

#[cfg(test)]
mod tests;
