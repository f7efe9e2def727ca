//! Putting a whole thing back with a change: order, item, shipment, inventory item.
//!
//! Order Desk's `PUT` blanks what is left out, so what is sent is always the newest state with the change in it. Here: the loop. Each
//! round reads anew, in one passage with its write: what somebody else changed meanwhile is the base of the next round, and what an
//! unclear round has done is found there. Not here: what is changed (a [`Plan`] says that), and what an attempt means (`decide`).

use serde_json::Value;

use super::record::Open;
use super::rewritten::{After, End, compared};
pub(super) use super::rewritten::{Rewritten, Seen, Tried, conflict};
use super::turn::Held;
use super::{Verdict, Writer};
use crate::desk::error::DeskError;
use crate::desk::journal::Intent;
use crate::desk::merge::{self, Difference, Kind};
use crate::desk::model::Object;
use crate::desk::request::{Method, Request};

/// What can still happen after an attempt without an answer was followed by one with an answer.
const LATE: &str = "an earlier attempt was never answered; should Order Desk carry it out after all, it puts everything else back as it was then, over what was changed since: look again in a minute";

/// What is to be done, seeing what is there.
#[derive(Debug)]
pub(super) enum Step {
    /// It is as wanted.
    AlreadySo,
    /// This is to be put back.
    Put(Object),
    /// Somebody else has changed what is to be changed.
    Conflict(Vec<Difference>),
    /// An earlier attempt may have been done, and what is there does not tell.
    CannotTell(String),
}

/// Knows what a thing should become.
pub(super) trait Plan: Send + Sync {
    /// The step from what is there now.
    ///
    /// # Errors
    /// When the change cannot be applied to what is there: nothing is sent.
    fn step(&self, now: &Object, seen: &Seen) -> Result<Step, DeskError>;
}

/// One rewriting.
pub(super) struct Rewrite<'a> {
    /// How the thing is read: a `GET`. It is put back at the same place.
    pub(super) read: Request,
    pub(super) kind: Kind,
    pub(super) intent: Intent,
    pub(super) plan: &'a dyn Plan,
}

impl Writer {
    /// Reads, changes and puts back until it is done, refused, or out of time. The turn is given back with the outcome.
    ///
    /// # Errors
    /// Why it was not done. Then nothing is changed.
    pub(super) async fn rewrite(
        &self,
        held: &Held,
        work: Rewrite<'_>,
    ) -> Result<Rewritten, DeskError> {
        let mut open = None;
        let end = self.rounds(held, &work, &mut open).await;
        let verdict = match &end {
            End::Rewritten(rewritten) => rewritten.verdict,
            End::NotDone(_) => Verdict::NotDone,
        };
        let told = match open {
            Some(open) => open.end(verdict, Some(held)).await,
            None => Vec::new(),
        };
        match end {
            End::Rewritten(mut rewritten) => {
                rewritten.remarks.extend(told);
                Ok(rewritten)
            }
            End::NotDone(error) => Err(error),
        }
    }

    async fn rounds(&self, held: &Held, work: &Rewrite<'_>, open: &mut Option<Open>) -> End {
        let mut seen = Seen::default();
        let mut attempt = 0;
        // Why no further attempt is made: then the last round only looks.
        let mut last: Option<DeskError> = None;
        loop {
            if let (Some(error), None) = (&last, &seen.tried) {
                return End::NotDone(error.clone());
            }
            let writes = u32::from(last.is_none());
            let (passage, base) = match self.newest_one(&work.read, writes).await {
                Ok(read) => read,
                Err(error) => return seen.unseen(last, error),
            };
            let sent = match work.plan.step(&base, &seen) {
                Ok(Step::Put(sent)) => sent,
                Ok(Step::AlreadySo) => return seen.already_so(base),
                Ok(Step::Conflict(fields)) => return seen.conflicting(base, &fields),
                Ok(Step::CannotTell(why)) => return seen.doubtful(base, why),
                Err(error) => return seen.unseen(last, error),
            };
            if let Some(error) = last {
                return seen.not_there(base, error);
            }
            if let Some(what) = merge::incomplete(work.kind, &base) {
                return seen.unseen(None, DeskError::Protocol { what });
            }
            seen.first.get_or_insert_with(|| base.clone());
            if open.is_none() {
                match self.begin(work.intent.clone(), held).await {
                    Ok(begun) => *open = Some(begun),
                    Err(error) => return End::NotDone(error),
                }
            } else if let Err(error) = self.still_ours(held).await {
                last = Some(error);
                continue;
            }
            if self.is_old(&passage) {
                continue;
            }
            let tried = self.attempt(&passage, &put(&work.read, &sent)).await;
            drop(passage);
            let (error, asked) = match seen.after(tried, base, sent) {
                After::Done(envelope, tried) => {
                    let end = self.verified(work, tried, envelope).await;
                    return if seen.silent { end.remark(LATE) } else { end };
                }
                After::NotDone(error) => return End::NotDone(error),
                After::Look(error) => {
                    last = Some(error);
                    continue;
                }
                After::Again(error, asked) => (error, asked),
            };
            if !self.pause(attempt, asked, &error).await {
                last = Some(error);
            }
            attempt += 1;
        }
    }

    /// It was done: what does Order Desk hold now? Its own answer, if it holds the thing and took everything; else what it says when asked.
    async fn verified(&self, work: &Rewrite<'_>, tried: Tried, envelope: Object) -> End {
        let Tried { base, sent } = tried;
        let told = self.one_of(&work.read, envelope).ok();
        let takes_all = |now: &Object| merge::not_taken(work.kind, &sent, now).is_empty();
        let now = match told {
            Some(now) if takes_all(&now) => now,
            told => match (self.newest_one(&work.read, 0).await, told) {
                (Ok((_passage, now)), _) => now,
                (Err(_), Some(now)) => now,
                (Err(error), None) => {
                    let remark = format!(
                        "Order Desk said that it was done; reading it again failed: {error}"
                    );
                    return End::Rewritten(Rewritten {
                        verdict: Verdict::Done,
                        now: sent.clone(),
                        sent: Some(sent),
                        base,
                        remarks: vec![remark],
                    });
                }
            },
        };
        let (verdict, remarks) = compared(work.kind, &base, &sent, &now);
        End::Rewritten(Rewritten {
            verdict,
            base,
            sent: Some(sent),
            now,
            remarks,
        })
    }
}

/// The `PUT` to where `read` reads from.
fn put(read: &Request, sent: &Object) -> Request {
    Request {
        method: Method::Put,
        query: Vec::new(),
        body: Some(Value::Object(sent.clone())),
        ..read.clone()
    }
}
