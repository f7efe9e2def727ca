//! What can go wrong with a tool call, in words for the model and the person behind it.
//!
//! Here: one variant per kind of failure, each with a stable code, a text and a hint. Not here: protocol errors; whatever the caller can
//! mend is a tool result with `isError`, because most clients do not show protocol errors to the model at all. The whole message
//! stands in the text block: on an error many clients show nothing else. Upstream texts come only through the desk, which cleans
//! and caps them.

use std::borrow::Cow;
use std::time::Duration;

use crate::confirm::BadToken;
use crate::desk::DeskError;
use crate::pasted;
use crate::permit::Reason;
use crate::vault::VaultError;

/// Why a call was not answered with what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// The arguments do not fit the tool; every mistake.
    #[error("{}", .0.join("; "))]
    Arguments(Vec<String>),

    /// The settings are unusable; every mistake. Nothing is sent to a shop.
    #[error("this server's settings have mistakes:\n- {}", .0.join("\n- "))]
    Settings(Vec<String>),

    /// Nothing is set up: no store in the environment and no master key.
    #[error("no Order Desk store is configured")]
    NoStore,

    /// The vault opens and is empty.
    #[error("no Order Desk store was added yet")]
    NoStoreYet,

    /// Several stores and nothing that says which one is meant.
    #[error("there are {} stores, and none of them is the active one", .0.len())]
    NoActiveStore(Vec<String>),

    /// A store was named that this server does not know.
    #[error("{}{} is not a store of this server{}", quoted(.given), by.clause(), did_you_mean(nearest.as_deref()))]
    UnknownStore {
        /// What was given.
        given: String,
        /// The stores there are.
        known: Vec<String>,
        /// The one that was probably meant.
        nearest: Option<String>,
        /// Who gave it.
        by: NamedBy,
    },

    /// The only store comes from the environment, where no tool can change it.
    #[error(
        "this server's only store comes from its environment (ORDERDESK_MCP_STORE_ID and ORDERDESK_MCP_API_KEY), and no tool can add, replace or remove it"
    )]
    EnvStore,

    /// The vault does not open, or refused.
    #[error("{0}")]
    Vault(VaultError),

    /// A key was given in the conversation. What it was is said nowhere.
    #[error(
        "a key or password was given in this conversation; it was not used, and nothing of it is kept here"
    )]
    KeyRefused,

    /// The system gives no random bytes.
    #[error("this system gives no random numbers")]
    NoChance,

    /// A confirmation that does not count.
    #[error("nothing was done: {}", .0.why())]
    Confirmation(BadToken),

    /// The server's owner does not offer this tool.
    #[error("{tool} is switched off in this server: {}", .reason.why())]
    Disabled {
        /// Its name.
        tool: &'static str,
        /// Which setting stands in the way.
        reason: Reason,
    },

    /// An argument holds what `MASK_PII` put in the place of something.
    #[error(
        "`{0}` holds •••, which stands where this server hides a part of an e-mail address, telephone number or IP address; nothing was sent"
    )]
    Masked(String),

    /// A cursor that this query cannot have given out.
    #[error("the cursor does not belong to this query")]
    Cursor,

    /// A name in `fields` that orders do not have.
    #[error("{}", .0.join("; "))]
    Fields(Vec<String>),

    /// One asked-for field alone is larger than an answer may be.
    #[error("the answer would have {bytes} bytes; an answer may have {limit}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },

    /// The shop's side failed.
    #[error("{0}")]
    Desk(#[from] DeskError),

    /// The call took too long and was given up.
    #[error("the call was given up after {} seconds", .0.as_secs())]
    Deadline(Duration),

    /// The client cancelled the call.
    #[error("the call was cancelled")]
    Cancelled,

    /// A bug of ours. The panic's own text may hold customer data and is not repeated.
    #[error("an unexpected fault in this server ended the call")]
    Panicked,
}

/// Who named a store that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedBy {
    /// The call itself.
    Argument,
    /// `stores_use`, earlier in this session.
    Session,
    /// The setting `STORE`.
    Setting,
}

impl NamedBy {
    fn clause(self) -> &'static str {
        match self {
            NamedBy::Argument => "",
            NamedBy::Session => ", which stores_use chose,",
            NamedBy::Setting => ", which ORDERDESK_MCP_STORE names,",
        }
    }

    fn hint(self, known: &[String]) -> String {
        let known = some_of(known);
        match self {
            NamedBy::Argument => format!("use one of {known}, or leave `store` out"),
            NamedBy::Session => {
                format!("it was removed meanwhile; choose one of {known} with stores_use")
            }
            NamedBy::Setting => {
                format!("name one of {known} with `store` or stores_use, and correct the setting")
            }
        }
    }
}

impl Reason {
    fn why(self) -> String {
        match self {
            Reason::ReadOnly => {
                "it is read-only (ORDERDESK_MCP_READ_ONLY), and this tool changes something"
                    .to_owned()
            }
            Reason::Excluded => "ORDERDESK_MCP_EXCLUDE_TOOLS names it".to_owned(),
            Reason::NotChosen(toolset) => format!(
                "it is not among the tools that were chosen (it belongs to the toolset `{}`)",
                toolset.name()
            ),
        }
    }

    /// A person decides what a model may do, not the model.
    fn hint(self) -> String {
        let how = match self {
            Reason::ReadOnly => "set ORDERDESK_MCP_READ_ONLY to false".to_owned(),
            Reason::Excluded => "take it out of ORDERDESK_MCP_EXCLUDE_TOOLS".to_owned(),
            Reason::NotChosen(toolset) => format!(
                "name the tool in ORDERDESK_MCP_TOOLS, or `{}` in ORDERDESK_MCP_TOOLSETS",
                toolset.name()
            ),
        };
        format!(
            "tell the person that this needs their permission; do not change settings yourself. If they want it, they can {how} where \
             this server is configured, and restart the client"
        )
    }
}

impl BadToken {
    fn why(self) -> &'static str {
        match self {
            BadToken::NotForThis => {
                "this confirmation was not given for exactly this call, or what its preview showed has changed since"
            }
            BadToken::Expired => "this confirmation has expired",
            BadToken::Used => {
                "this confirmation was used before, or may have been before the state file was restored"
            }
        }
    }
}

impl ToolError {
    /// A member of a closed set: the label in metrics, and the first word of the text.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            ToolError::Arguments(_) => "bad_arguments",
            ToolError::Settings(_) => "bad_settings",
            ToolError::NoStore => "no_store",
            ToolError::NoStoreYet => "no_store_yet",
            ToolError::NoActiveStore(_) => "no_active_store",
            ToolError::UnknownStore { .. } => "unknown_store",
            ToolError::EnvStore => "store_from_environment",
            ToolError::Vault(error) => error.code(),
            ToolError::KeyRefused => "key_refused",
            ToolError::NoChance => "no_random_numbers",
            ToolError::Confirmation(_) => "not_confirmed",
            ToolError::Disabled { .. } => "tool_disabled",
            ToolError::Masked(_) => "masked_value",
            ToolError::Cursor => "bad_cursor",
            ToolError::Fields(_) => "bad_fields",
            ToolError::TooLarge { .. } => "answer_too_large",
            ToolError::Desk(error) => error.code(),
            ToolError::Deadline(_) => "deadline",
            ToolError::Cancelled => "cancelled",
            ToolError::Panicked => "internal",
        }
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            ToolError::Arguments(_) => "correct the arguments and call again".to_owned(),
            ToolError::Settings(_) => {
                "correct them where this server is configured (usually `env` in the client's MCP configuration), then restart the client".to_owned()
            }
            ToolError::NoStore => "call stores_register with the store's id and a name: it says which command to run; or set ORDERDESK_MCP_STORE_ID and \
                 ORDERDESK_MCP_API_KEY in `env` of this server's entry in the client's MCP configuration and restart the client (Order Desk shows \
                 both under Store Settings, API); never paste the key into the conversation"
                .to_owned(),
            ToolError::NoStoreYet => "call stores_register with the store's id and a name: it says which command to run".to_owned(),
            ToolError::NoActiveStore(known) => format!("name one with `store`, or call stores_use; there are {}", some_of(known)),
            ToolError::UnknownStore { known, by, .. } => by.hint(known),
            ToolError::EnvStore => "change it in `env` of this server's entry in the client's MCP configuration; without these two settings the stores \
                 of the vault are used (`mcp-stdio store add`)"
                .to_owned(),
            ToolError::Vault(VaultError::State(_)) => "`mcp-stdio doctor` says what is wrong with the state file and what mends it".to_owned(),
            ToolError::Vault(error) => error.hint(),
            ToolError::KeyRefused => "a conversation is stored and read by others: rotate the key now (make a new one in Order Desk under Store Settings, \
                 API, and revoke this one); to add a store call stores_register, whose command asks for the key where nobody sees it"
                .to_owned(),
            ToolError::NoChance => "nothing was done; see what is wrong with this system's random number generator".to_owned(),
            ToolError::Confirmation(_) => "call again without `confirm` for a new preview, show it to the person, and confirm within five minutes".to_owned(),
            ToolError::Disabled { reason, .. } => reason.hint(),
            ToolError::Masked(_) => "leave that value out to keep it as it is, or ask the person for the whole value".to_owned(),
            ToolError::Cursor => "repeat the filters of the call that returned the cursor, or start again without `cursor`".to_owned(),
            ToolError::Fields(_) => "use field names as Order Desk has them, or leave `fields` out".to_owned(),
            ToolError::TooLarge { .. } => "ask for other `fields`, or for fewer".to_owned(),
            ToolError::Desk(error) => error.hint().to_owned(),
            ToolError::Deadline(_) => "try again with a narrower question: fewer days, a smaller `limit`".to_owned(),
            ToolError::Cancelled => "call again if the answer is still wanted".to_owned(),
            ToolError::Panicked => "try again; if it happens again, report it with this tool's name and the server's version (server_status)".to_owned(),
        }
    }

    /// Whether something may have been changed all the same: the call ended, and what it had begun goes on to its end.
    fn leaves_in_doubt(&self) -> bool {
        matches!(
            self,
            ToolError::Deadline(_) | ToolError::Cancelled | ToolError::Panicked
        )
    }

    /// The whole message of a call that was to change something: also whether it did.
    #[must_use]
    pub fn to_text_of_a_change(&self) -> String {
        let (outcome, hint) = if self.leaves_in_doubt() {
            (
                "unknown",
                "do not repeat this before you have looked whether it was done (read it again with fresh=true); server_status names changes \
                 whose outcome nobody knows"
                    .to_owned(),
            )
        } else {
            ("not_done", self.hint())
        };
        self.text_with(&format!("\noutcome: {outcome}"), &hint)
    }

    /// The whole message: what, why and what to do.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.text_with("", &self.hint())
    }

    fn text_with(&self, outcome: &str, hint: &str) -> String {
        let retry = match self {
            ToolError::Desk(error) => match error.retry_after() {
                Some(wait) => format!(
                    "\nretry after: {} s",
                    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
                ),
                None => String::new(),
            },
            _ => String::new(),
        };
        let told = self.to_string();
        format!(
            "{}: {}{outcome}{retry}\nhint: {hint}",
            self.code(),
            shortened(&told)
        )
    }
}

/// What went wrong, but not for ever: a call with thousands of mistakes is told some of them. It is cut between words, so that what is to
/// be hidden in it is still known.
fn shortened(told: &str) -> Cow<'_, str> {
    const MOST_BYTES: usize = 8_000;
    if told.len() <= MOST_BYTES {
        return told.into();
    }
    let end = told.floor_char_boundary(MOST_BYTES);
    let end = told[..end].rfind(char::is_whitespace).unwrap_or(end);
    let more = told[end..].chars().count();
    format!("{} … (and {more} more characters)", &told[..end]).into()
}

/// The first names of a list that may be long.
fn some_of(names: &[String]) -> String {
    const MOST: usize = 20;
    let shown: Vec<String> = names
        .iter()
        .take(MOST)
        .map(|name| format!("`{name}`"))
        .collect();
    match names.len().checked_sub(MOST) {
        Some(more @ 1..) => format!("{} and {more} more (see stores_list)", shown.join(", ")),
        _ => shown.join(", "),
    }
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}

/// Something the caller wrote, short and clean enough to be repeated in an error. What may be a key is not repeated at all.
#[must_use]
pub fn quoted(given: &str) -> String {
    if pasted::looks_like_a_key(given) {
        return "`…`".to_owned();
    }
    format!("`{}`", capped(given).replace('`', " "))
}

/// The same without quotes, for a record: one line, without anything that deceives the eye.
#[must_use]
pub fn capped(given: &str) -> String {
    const MOST: usize = 60;
    let clean = crate::clean::text(given).replace('\n', " ");
    let mut short: String = clean.chars().take(MOST).collect();
    if clean.chars().count() > MOST {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests;
