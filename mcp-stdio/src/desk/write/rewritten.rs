//! What a rewriting came to.
//!
//! Here: what the rounds so far add up to when there is nothing more to send, and what Order Desk holds afterwards against what was wanted.
//! Not here: the rounds (`rewrite`).

use std::time::Duration;

use serde_json::Value;

use super::Verdict;
use super::decide::{self, Attempt, Trace};
use crate::desk::error::DeskError;
use crate::desk::merge::{self, Difference, Kind};
use crate::desk::model::Object;
use crate::desk::quote;

/// What was seen and tried in the rounds before.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// What was there in the first round.
    pub(super) first: Option<Object>,
    /// What the newest unclear attempt was made from, and what it sent.
    pub(super) tried: Option<Tried>,
    /// Whether one of them may still be carried out.
    pub(super) silent: bool,
}

/// An attempt whose fate is unclear.
#[derive(Debug)]
pub(super) struct Tried {
    pub(super) base: Object,
    pub(super) sent: Object,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Rewritten {
    pub(super) verdict: Verdict,
    /// What was there before the last attempt; what is there when nothing was to be done.
    pub(super) base: Object,
    /// What was sent; `None` when nothing was.
    pub(super) sent: Option<Object>,
    /// The state read last.
    pub(super) now: Object,
    pub(super) remarks: Vec<String>,
}

impl Rewritten {
    /// What is different now because of us. What Order Desk left as it was is not; of an unknown outcome it is all that was tried.
    pub(super) fn diff(&self, kind: Kind) -> Vec<Difference> {
        let Some(sent) = &self.sent else {
            return Vec::new();
        };
        let mut diff = merge::diff(kind, &self.base, sent);
        if self.verdict != Verdict::Unknown {
            let missing = merge::not_taken(kind, sent, &self.now);
            diff.retain(|wanted| !missing.iter().any(|missing| is_left(wanted, missing)));
        }
        diff
    }
}

/// Whether a place that was to change holds what it held before.
fn is_left(wanted: &Difference, missing: &Difference) -> bool {
    wanted.path == missing.path && merge::same(&wanted.before, &missing.after)
}

/// A round that came to an end.
pub(super) enum End {
    Rewritten(Rewritten),
    NotDone(DeskError),
}

/// What follows from an attempt.
#[derive(Debug)]
pub(super) enum After {
    /// It was done; the envelope of the answer.
    Done(Object, Tried),
    /// It was not, and nothing that was tried before may have been.
    NotDone(DeskError),
    /// Nothing more is sent, but what was tried is looked for.
    Look(DeskError),
    /// Once more from the newest state, after the wait that was asked for.
    Again(DeskError, Option<Duration>),
}

impl End {
    /// Adds what is worth knowing beside it.
    pub(super) fn remark(mut self, text: &str) -> End {
        if let End::Rewritten(rewritten) = &mut self {
            rewritten.remarks.push(text.to_owned());
        }
        self
    }
}

impl Seen {
    /// What follows from an attempt that was made from `base` and sent `sent`.
    pub(super) fn after(&mut self, attempt: Attempt, base: Object, sent: Object) -> After {
        match attempt {
            Attempt::Answered(envelope) => After::Done(envelope, Tried { base, sent }),
            Attempt::Refused(error) if self.tried.is_none() => After::NotDone(error),
            Attempt::Refused(error) => After::Look(error),
            // An error around a good status: it may be there all the same.
            Attempt::SaidNo(error) => {
                self.tried = Some(Tried { base, sent });
                After::Look(error)
            }
            Attempt::NotSent { error, asked } if decide::passes(&error) => {
                After::Again(error, asked)
            }
            Attempt::NotSent { error, .. } => After::Look(error),
            Attempt::Unclear { error, trace } => {
                self.silent |= trace == Trace::Silent;
                self.tried = Some(Tried { base, sent });
                After::Again(error, None)
            }
        }
    }

    /// What is there is as wanted: we did that, or nobody had to.
    pub(super) fn already_so(self, now: Object) -> End {
        End::Rewritten(match self.tried {
            Some(tried) => Rewritten {
                verdict: Verdict::Done,
                base: tried.base,
                sent: Some(tried.sent),
                now,
                remarks: vec!["no clear answer came; it was looked for and found done".to_owned()],
            },
            None => Rewritten {
                verdict: Verdict::Done,
                base: now.clone(),
                sent: None,
                now,
                remarks: Vec::new(),
            },
        })
    }

    /// Somebody else has changed what was to be changed.
    pub(super) fn conflicting(self, now: Object, fields: &[Difference]) -> End {
        let conflict = conflict(fields);
        match self.tried {
            None => End::NotDone(conflict),
            Some(tried) => tried.unclear(
                now,
                format!("no clear answer came; when it was looked for, {conflict}"),
            ),
        }
    }

    /// What is there does not tell whether it was done.
    pub(super) fn doubtful(self, now: Object, why: String) -> End {
        match self.tried {
            Some(tried) => tried.unclear(now, why),
            // Nothing was sent: then nothing can be unclear.
            None => End::NotDone(DeskError::Protocol { what: why }),
        }
    }

    /// It was looked for, is not there, and is not sent again.
    pub(super) fn not_there(self, now: Object, error: DeskError) -> End {
        match self.tried {
            Some(tried) if self.silent => tried.unclear(
                now,
                format!("{error}; it was not there when looked for, and may still come to pass"),
            ),
            _ => End::NotDone(error),
        }
    }

    /// Nobody could look. `last` is why nothing more is sent, if that was decided before.
    pub(super) fn unseen(self, last: Option<DeskError>, error: DeskError) -> End {
        match self.tried {
            Some(tried) => {
                let base = tried.base.clone();
                tried.unclear(
                    base,
                    format!("no clear answer came, and looking for it failed: {error}"),
                )
            }
            None => End::NotDone(last.unwrap_or(error)),
        }
    }
}

impl Tried {
    fn unclear(self, now: Object, remark: String) -> End {
        End::Rewritten(Rewritten {
            verdict: Verdict::Unknown,
            base: self.base,
            sent: Some(self.sent),
            now,
            remarks: vec![remark],
        })
    }
}

/// What is there against what was wanted. Rules and other people may have changed something right after us: that is told, and is no
/// failure. When nothing of what was wanted is there, and all of it is as before, it was not taken.
pub(super) fn compared(
    kind: Kind,
    base: &Object,
    sent: &Object,
    now: &Object,
) -> (Verdict, Vec<String>) {
    let wanted = merge::diff(kind, base, sent);
    let missing = merge::not_taken(kind, sent, now);
    let old_value = |missing: &Difference| {
        wanted
            .iter()
            .find(|wanted| wanted.path == missing.path)
            .map(|wanted| &wanted.before)
    };
    let ignored = missing
        .iter()
        .filter(|missing| old_value(missing).is_some_and(|old| merge::same(old, &missing.after)))
        .count();
    let mut remarks: Vec<String> = missing
        .iter()
        .map(|missing| {
            let path = &missing.path;
            match old_value(missing) {
                Some(old) if merge::same(old, &missing.after) => {
                    format!("Order Desk left `{path}` as it was")
                }
                _ => format!(
                    "Order Desk holds `{path}` otherwise than it was sent: it tidies some texts, or a rule or somebody else changed it right after"
                ),
            }
        })
        .collect();
    if kind == Kind::Order && merge::card_lost(base, now) {
        remarks.push("the order shows another masked card number than before".to_owned());
    }
    let taken_nothing = !wanted.is_empty() && ignored == wanted.len();
    let verdict = if taken_nothing {
        Verdict::NotDone
    } else {
        Verdict::Done
    };
    (verdict, remarks)
}

/// Names what is not as it was believed to be. Every sentence begins with its field in backticks, by which contact data is masked where
/// that is wanted; values stand in quotes, cut short: an error has no fence around a stranger's words.
pub(super) fn conflict(fields: &[Difference]) -> DeskError {
    let told = |field: &Difference| {
        let path = quote::line(&field.path, 80).replace('`', "'");
        let (before, after) = (short(&field.before), short(&field.after));
        format!("`{path}` was {before} and is {after} now")
    };
    DeskError::Conflict {
        fields: fields.iter().map(told).collect(),
    }
}

/// A value in an error.
fn short(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => Value::from(quote::line(text, 60)).to_string(),
        value => quote::line(&value.to_string(), 60),
    }
}

#[cfg(test)]
mod tests;
