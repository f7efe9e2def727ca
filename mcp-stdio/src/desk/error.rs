//! What can go wrong between a shop and us.
//!
//! Here: one variant per thing that happened, in words for people, and the questions that callers ask of an error (may it be tried
//! again, when, what is its short name). Not here: deciding which answer is which error (`classify`). No variant can carry a key or a
//! URL: texts from outside are cleaned and capped before they get here.

use std::time::Duration;

use super::model::BadId;
use super::quote;

/// Why a shop could not be read or changed. `Display` says what and why; [`DeskError::hint`] what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeskError {
    /// Order Desk does not accept the store id and key (401 or 403).
    #[error("Order Desk does not accept this store's id and API key")]
    Auth,

    /// There is no such thing in this store.
    #[error("{what} `{id}` does not exist in this store")]
    NotFound {
        /// `order`, `inventory item`, `store` …
        what: &'static str,
        /// What was asked for; empty when the endpoint itself was not found.
        id: String,
    },

    /// Order Desk understood and refused.
    #[error("Order Desk refused the request: {message}")]
    Rejected {
        /// Its reason, cleaned and capped; or the HTTP status when it gave none.
        message: String,
    },

    /// Too many requests: for Order Desk (429, because somebody else spent this store's quota), or for the tenant's own limit. Waiting
    /// for it here would take too long.
    #[error("{}; wait {}", by.why(), seconds(*retry_after))]
    RateLimited {
        /// Whose limit it is.
        by: Limiter,
        /// How long to wait.
        retry_after: Duration,
    },

    /// The quota that all windows of this machine share is spent for longer than a caller would wait.
    #[error("this store's share of requests is used up for the next {}", seconds(*wait))]
    TooBusy {
        /// How long to wait.
        wait: Duration,
    },

    /// Order Desk, or something in between, is in trouble (5xx, or a reply that is no JSON).
    #[error("Order Desk is in trouble: it answered {status}{}", if *html { " with a page instead of data" } else { "" })]
    Upstream {
        /// The HTTP status.
        status: u16,
        /// Whether the reply was no JSON at all.
        html: bool,
    },

    /// No whole answer arrived in time.
    #[error("Order Desk did not answer in time")]
    Timeout,

    /// No connection, or it broke.
    #[error("Order Desk cannot be reached: {why}")]
    Unreachable {
        /// What happened to the connection.
        why: &'static str,
    },

    /// The answer was JSON, but not what this request is answered with.
    #[error("Order Desk answered in a way that this program does not understand: {what}")]
    Protocol {
        /// What was missing or of a wrong type.
        what: String,
    },

    /// The answer was longer than this program takes.
    #[error("Order Desk's answer is larger than {} MiB", limit_bytes / (1024 * 1024))]
    TooLarge {
        /// The limit, in bytes.
        limit_bytes: usize,
    },

    /// The request makes no sense, or must not be sent; nothing was sent.
    #[error("{what}")]
    BadRequest {
        /// What is wrong with it and why.
        what: String,
        /// What to do about it.
        hint: &'static str,
    },

    /// What is there is not what somebody believed, mostly because somebody else changed it. Nothing of this change is in the shop.
    #[error("what is in the shop is not what was expected: {}", .fields.join("; "))]
    Conflict {
        /// Each field, what was believed to be there and what is there now, cleaned and capped.
        fields: Vec<String>,
    },

    /// There is one already that goes by the same name, and it is not the same. Nothing was sent.
    #[error("{what} has this {name} already, and is different in {different}")]
    Exists {
        /// The one that is there: `order 7001003`.
        what: String,
        /// What must be there once: `source_name and source_id`.
        name: &'static str,
        /// Where it is not what was to be made, cleaned and capped.
        different: String,
    },

    /// The state file takes no record of a write, and without a record none is sent.
    #[error("nothing was sent, because no record of it can be written: {why}")]
    NoRecord {
        /// What is wrong with the state file.
        why: String,
    },

    /// Others are changing the same thing, and it did not become free in time. Nothing was sent.
    #[error(
        "nothing was sent: other windows are changing the same thing at the moment{}", place(*ahead)
    )]
    Turn {
        /// How many are before us; 0 when the place in the row was lost.
        ahead: u32,
    },

    /// The changes make no sense; every mistake. Nothing was sent. Told cleaned and capped: names in changes can be anything.
    #[error("{}", mistakes(.0))]
    Mistakes(Vec<String>),

    /// Whoever asked for a write left before anything was sent, and nothing will be.
    #[error("the call ended before anything was sent, so nothing was sent")]
    Abandoned,

    /// The machine cannot make secure connections.
    #[error("no secure connection can be made from this machine: {why}")]
    NoClient {
        /// What the TLS library said, cleaned.
        why: String,
    },
}

/// Who says that too many requests were sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limiter {
    /// Order Desk, about one store.
    OrderDesk,
    /// We, about everything one tenant sends: the setting `RATE_LIMIT_RPM`.
    Tenant,
}

impl Limiter {
    fn why(self) -> &'static str {
        match self {
            Limiter::OrderDesk => "Order Desk says that too many requests were sent for this store",
            Limiter::Tenant => {
                "all windows together have sent as many requests as they may in a minute"
            }
        }
    }

    fn hint(self) -> &'static str {
        match self {
            Limiter::OrderDesk => {
                "another program uses this store's key: try again after that time, or slow the other program down"
            }
            Limiter::Tenant => {
                "try again after that time, with fewer and larger pages; the setting RATE_LIMIT_RPM says how many requests a minute may have"
            }
        }
    }
}

impl DeskError {
    /// The error's short name: a member of a closed set, fit for a metric label.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            DeskError::Auth => "auth",
            DeskError::NotFound { .. } => "not_found",
            DeskError::Rejected { .. } => "rejected",
            DeskError::RateLimited { .. } => "rate_limited",
            DeskError::TooBusy { .. } => "too_busy",
            DeskError::Upstream { .. } => "upstream",
            DeskError::Timeout => "timeout",
            DeskError::Unreachable { .. } => "unreachable",
            DeskError::Protocol { .. } => "protocol",
            DeskError::TooLarge { .. } => "too_large",
            DeskError::BadRequest { .. } => "bad_request",
            DeskError::Conflict { .. } => "conflict",
            DeskError::Exists { .. } => "already_exists",
            DeskError::NoRecord { .. } => "no_record",
            DeskError::Turn { .. } => "order_busy",
            DeskError::Mistakes(_) => "bad_changes",
            DeskError::Abandoned => "cancelled_before_sending",
            DeskError::NoClient { .. } => "no_client",
        }
    }

    /// Whether the same call may succeed later without anything being changed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            DeskError::RateLimited { .. }
                | DeskError::TooBusy { .. }
                | DeskError::Upstream { .. }
                | DeskError::Timeout
                | DeskError::Unreachable { .. }
                | DeskError::Turn { .. }
        )
    }

    /// How long to wait before trying again, when that is known.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            DeskError::RateLimited { retry_after, .. } => Some(*retry_after),
            DeskError::TooBusy { wait } => Some(*wait),
            _ => None,
        }
    }

    /// What the caller can do about it.
    #[must_use]
    pub fn hint(&self) -> &str {
        match self {
            DeskError::Auth => {
                "compare the store id and the API key with Store Settings, API in Order Desk; a key belongs to exactly one store"
            }
            DeskError::NotFound { what: "order", .. } => {
                "this must be Order Desk's internal id; use orders_find for a channel's order number, an e-mail or a name"
            }
            DeskError::NotFound {
                what: "inventory item",
                ..
            } => "use inventory_list with the SKU in `code` to see the id",
            DeskError::NotFound {
                what: "order item", ..
            } => "use order_items_list to see the ids of the order's items",
            DeskError::NotFound {
                what: "shipment", ..
            } => "use shipments_list to see the ids of the order's shipments",
            DeskError::NotFound { .. } => "check the address of the API (setting API_BASE_URL)",
            DeskError::Rejected { .. } => "change what the reason names, then try again",
            DeskError::RateLimited { by, .. } => by.hint(),
            DeskError::TooBusy { .. } => {
                "try again after that time, or ask for fewer and larger pages"
            }
            DeskError::Upstream { .. } => {
                "try again in a minute; if it lasts, look at Order Desk's status page"
            }
            DeskError::Timeout => {
                "try again, with a smaller `limit` or a narrower date range; the setting HTTP_TIMEOUT says how long is waited"
            }
            DeskError::Unreachable { .. } => {
                "check this machine's internet connection, then try again"
            }
            DeskError::Protocol { .. } => {
                "try again; if it lasts, the API has changed and this program needs an update"
            }
            DeskError::TooLarge { .. } => {
                "ask for fewer rows with `limit`, or for a narrower date range"
            }
            DeskError::BadRequest { hint, .. } => hint,
            DeskError::Conflict { .. } => {
                "read it again with `fresh`, decide with the newest state, and ask again"
            }
            DeskError::Exists { .. } => {
                "if it is the same thing, change it (orders_update); if not, give the new one another `source_id`"
            }
            DeskError::NoRecord { .. } => {
                "run `mcp-stdio doctor`, which says what is wrong with the state file; reading goes on without it"
            }
            DeskError::Turn { .. } => "try again in a few seconds",
            DeskError::Mistakes(_) => "correct what is named, and call again",
            DeskError::Abandoned => "call again if it is still wanted",
            DeskError::NoClient { .. } => {
                "check that the machine's certificate store is installed and readable (on Linux the package ca-certificates)"
            }
        }
    }
}

impl From<BadId> for DeskError {
    fn from(bad: BadId) -> DeskError {
        DeskError::BadRequest {
            what: format!("`{}` is no {} id: {}", bad.given, bad.what, bad.why),
            hint: bad.hint,
        }
    }
}

/// This many mistakes are told, and this much of each, in characters: an error must stay readable.
const TOLD_MISTAKES: usize = 20;
const MISTAKE_CHARS: usize = 400;

fn mistakes(all: &[String]) -> String {
    let told = all.iter().take(TOLD_MISTAKES);
    let mut told: Vec<String> = told
        .map(|mistake| quote::line(mistake, MISTAKE_CHARS))
        .collect();
    match all.len().saturating_sub(TOLD_MISTAKES) {
        0 => {}
        more => told.push(format!("and {more} more")),
    }
    told.join("; ")
}

fn place(ahead: u32) -> String {
    match ahead {
        0 => String::new(),
        ahead => format!(" ({ahead} before this one)"),
    }
}

fn seconds(wait: Duration) -> String {
    let whole = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    if whole == 1 {
        "1 second".to_owned()
    } else {
        format!("{whole} seconds")
    }
}

#[cfg(test)]
mod tests;
