//! One chunk of a batch: sent, and looked after until the fate of each of its rows is known.
//!
//! A batch is many writes in one request. What its answer does not say about a row, and every row of an attempt that nobody answered, is
//! looked for in the shop; only rows that are not there are sent again. Here: that loop, and the table of what a look means. Not here:
//! what a row is (`Rows`), how rows are cut (`batch`), which of them need sending at all.

use std::collections::HashMap;

use futures_util::future::BoxFuture;
use serde_json::Value;

use super::batch::{ROWS_PER_REQUEST, Said};
use super::decide::{Attempt, Trace, passes};
use super::passage::Passage;
use super::turn::Held;
use super::{RowOutcome, Verdict, Writer};
use crate::desk::error::DeskError;
use crate::desk::journal::Intent;
use crate::desk::model::Object;
use crate::desk::request::Request;

/// What a look finds of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// What was wanted is there.
    There,
    /// It is as it was before.
    Absent,
    /// Neither: it is otherwise, as these words say.
    Otherwise(String),
}

/// How one row ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fate {
    pub(super) verdict: Verdict,
    pub(super) why: Option<String>,
}

/// The rows of a batch, known by their numbers.
pub(super) trait Rows: Sync {
    /// The request that sends just these rows.
    fn request(&self, rows: &[usize]) -> Request;

    /// What a good answer to that request says about each of them. [`Said::Done`] is believed without a look.
    fn said(&self, envelope: &Object, rows: &[usize]) -> Vec<Said>;

    /// How each of them is in the shop now.
    fn look<'a>(
        &'a self,
        writer: &'a Writer,
        rows: &'a [usize],
    ) -> BoxFuture<'a, Result<Vec<Found>, DeskError>>;
}

impl Fate {
    pub(super) fn done() -> Fate {
        Fate {
            verdict: Verdict::Done,
            why: None,
        }
    }

    pub(super) fn of(verdict: Verdict, why: impl Into<String>) -> Fate {
        Fate {
            verdict,
            why: Some(why.into()),
        }
    }

    /// As it is told of the thing called `row`.
    pub(super) fn told(self, row: Value) -> RowOutcome {
        RowOutcome {
            row,
            verdict: self.verdict,
            why: self.why,
        }
    }
}

/// The worst of several fates: what was done of them is only done when all of it was.
pub(super) fn worst<'a>(verdicts: impl IntoIterator<Item = &'a Verdict>) -> Verdict {
    verdicts.into_iter().max().copied().unwrap_or(Verdict::Done)
}

/// Sends chunk after chunk of `rows`, each under the intent that `intent` makes of it. A chunk that cannot even begin ends the batch:
/// the rest is not done.
///
/// # Errors
/// The first chunk could not begin: nothing was sent.
pub(super) async fn send_all(
    writer: &Writer,
    held: &Held,
    rows: &[usize],
    batch: &dyn Rows,
    intent: impl Fn(&[usize]) -> Intent,
) -> Result<(Vec<Fate>, Vec<String>), DeskError> {
    let (mut fates, mut remarks) = (Vec::with_capacity(rows.len()), Vec::new());
    for few in rows.chunks(ROWS_PER_REQUEST) {
        let chunk = Chunk {
            rows: few,
            batch,
            intent: intent(few),
            last: fates.len() + few.len() == rows.len(),
        };
        let sent = match writer.passage(0, 1).await {
            Ok(passage) => send(writer, held, passage, chunk).await,
            Err(error) => Err(error),
        };
        match sent {
            Ok((ended, told)) => {
                fates.extend(ended);
                remarks.extend(told);
            }
            Err(error) if fates.is_empty() => return Err(error),
            Err(error) => {
                let fate = Fate::of(Verdict::NotDone, format!("it was not sent: {error}"));
                fates.resize(rows.len(), fate);
                break;
            }
        }
    }
    Ok((fates, remarks))
}

/// What the attempts so far leave open.
#[derive(Clone, Copy, Default)]
struct Past {
    /// One of them was never answered, and may still be carried out.
    silent: bool,
}

/// One chunk on its way.
struct Chunk<'a> {
    rows: &'a [usize],
    batch: &'a dyn Rows,
    intent: Intent,
    /// Whether the turn is given back with its outcome.
    last: bool,
}

/// Sends a chunk under one intent. `passage` is the seat and the token for the first attempt. The fates come in the order of the rows;
/// beside them what is to be remarked about the record.
///
/// # Errors
/// The intent could not be written down, so nothing was sent.
async fn send(
    writer: &Writer,
    held: &Held,
    passage: Passage,
    chunk: Chunk<'_>,
) -> Result<(Vec<Fate>, Vec<String>), DeskError> {
    let open = writer.begin(chunk.intent, held).await?;
    let fates = send_rows(writer, passage, chunk.rows, chunk.batch).await;
    let verdict = worst(fates.iter().map(|fate| &fate.verdict));
    let remarks = open.end(verdict, chunk.last.then_some(held)).await;
    Ok((fates, remarks))
}

/// Sends rows whose intent is written down, until each has its fate.
pub(super) async fn send_rows(
    writer: &Writer,
    passage: Passage,
    rows: &[usize],
    batch: &dyn Rows,
) -> Vec<Fate> {
    let mut fates: HashMap<usize, Fate> = HashMap::new();
    let mut sent: Vec<usize> = rows.to_vec();
    let (mut passage, mut past, mut attempt) = (Some(passage), Past::default(), 0);
    while !sent.is_empty() {
        let tried = try_once(writer, passage.take(), &sent, batch).await;
        let round = Round {
            writer,
            batch,
            rows: &sent,
            attempt,
        };
        sent = round.settle(tried, &mut past, &mut fates).await;
        attempt += 1;
    }
    rows.iter()
        .map(|row| {
            fates
                .remove(row)
                .expect("a round leaves no row without a fate")
        })
        .collect()
}

/// One attempt. Without a place to send from it is as if Order Desk could not be reached.
async fn try_once(
    writer: &Writer,
    passage: Option<Passage>,
    rows: &[usize],
    batch: &dyn Rows,
) -> Attempt {
    let passage = match passage {
        Some(passage) => Ok(passage),
        None => writer.passage(0, 1).await,
    };
    match passage {
        Ok(passage) => writer.attempt(&passage, &batch.request(rows)).await,
        Err(error) => Attempt::NotSent { error, asked: None },
    }
}

/// One attempt at some rows.
struct Round<'a> {
    writer: &'a Writer,
    batch: &'a dyn Rows,
    rows: &'a [usize],
    attempt: u32,
}

impl Round<'_> {
    /// Gives every row its fate, but for those that are to be sent again, which it returns.
    async fn settle(
        &self,
        tried: Attempt,
        past: &mut Past,
        fates: &mut HashMap<usize, Fate>,
    ) -> Vec<usize> {
        match tried {
            Attempt::Answered(envelope) => {
                let said = self.batch.said(&envelope, self.rows);
                self.look_after(said, None, *past, fates).await
            }
            Attempt::SaidNo(error) => {
                let said = vec![Said::Refused(error.to_string()); self.rows.len()];
                self.look_after(said, None, *past, fates).await
            }
            Attempt::Unclear { error, trace } => {
                past.silent |= trace == Trace::Silent;
                let said = vec![Said::Nothing; self.rows.len()];
                self.look_after(said, Some(&error), *past, fates).await
            }
            Attempt::NotSent { error, asked } => {
                if passes(&error) && self.writer.pause(self.attempt, asked, &error).await {
                    return self.rows.to_vec();
                }
                self.all(&past.not_there(error.to_string()), fates)
            }
            Attempt::Refused(error) => self.all(&past.not_there(error.to_string()), fates),
        }
    }

    fn all(&self, fate: &Fate, fates: &mut HashMap<usize, Fate>) -> Vec<usize> {
        fates.extend(self.rows.iter().map(|row| (*row, fate.clone())));
        Vec::new()
    }

    /// Looks at the rows that are not certainly done. `unclear` is why nobody knows what became of the attempt.
    async fn look_after(
        &self,
        said: Vec<Said>,
        unclear: Option<&DeskError>,
        past: Past,
        fates: &mut HashMap<usize, Fate>,
    ) -> Vec<usize> {
        let both = self.rows.iter().copied().zip(said);
        let (done, open): (Vec<_>, Vec<_>) = both.partition(|(_, said)| *said == Said::Done);
        fates.extend(done.into_iter().map(|(row, _)| (row, Fate::done())));
        if open.is_empty() {
            return Vec::new();
        }
        let uncertain: Vec<usize> = open.iter().map(|(row, _)| *row).collect();
        let found = match self.batch.look(self.writer, &uncertain).await {
            Ok(found) => found,
            Err(blind) => {
                let fate = Fate::of(Verdict::Unknown, format!("looking for it failed: {blind}"));
                fates.extend(uncertain.iter().map(|row| (*row, fate.clone())));
                return Vec::new();
            }
        };
        let mut again = Vec::new();
        for ((row, said), found) in open.into_iter().zip(found) {
            match fate(&said, unclear.is_some(), past, found) {
                Some(fate) => drop(fates.insert(row, fate)),
                None => again.push(row),
            }
        }
        match unclear {
            Some(error) if !again.is_empty() => {
                if self.writer.pause(self.attempt, None, error).await {
                    return again;
                }
                let fate = past.not_there(error.to_string());
                fates.extend(again.into_iter().map(|row| (row, fate.clone())));
                Vec::new()
            }
            _ => Vec::new(),
        }
    }
}

impl Past {
    /// Nothing more is sent, and it is not there. What was never answered may still come.
    fn not_there(self, why: String) -> Fate {
        if self.silent {
            Fate::of(
                Verdict::Unknown,
                format!("{why}, and it may still come to pass"),
            )
        } else {
            Fate::of(Verdict::NotDone, why)
        }
    }
}

/// What a look at a row means: `None` when it is to be sent again, because its attempt was `unclear` and it is not there.
fn fate(said: &Said, unclear: bool, past: Past, found: Found) -> Option<Fate> {
    let fate = match (found, said) {
        (Found::There, _) => Fate::done(),
        (Found::Absent, _) if unclear => return None,
        (_, Said::Refused(why)) if !unclear => past.not_there(why.clone()),
        (Found::Absent, _) => {
            past.not_there("Order Desk answered with success, but did nothing".to_owned())
        }
        (Found::Otherwise(how), _) if unclear => Fate::of(
            Verdict::Unknown,
            format!(
                "no clear answer came, and {how}; either this was done and changed again, or somebody else did something"
            ),
        ),
        (Found::Otherwise(how), _) => Fate::of(Verdict::Done, how),
    };
    Some(fate)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEARD: Past = Past { silent: false };
    const SILENT: Past = Past { silent: true };

    fn verdict(said: &Said, unclear: bool, past: Past, found: Found) -> Option<Verdict> {
        fate(said, unclear, past, found).map(|fate| fate.verdict)
    }

    fn no() -> Said {
        Said::Refused("no".to_owned())
    }

    #[test]
    fn what_is_there_is_done_whatever_was_said() {
        for said in [Said::Done, Said::Nothing, no()] {
            for unclear in [false, true] {
                let found = verdict(&said, unclear, SILENT, Found::There);
                assert_eq!(found, Some(Verdict::Done));
            }
        }
    }

    #[test]
    fn what_is_not_there_is_sent_again_only_when_nobody_answered() {
        assert_eq!(verdict(&Said::Nothing, true, HEARD, Found::Absent), None);
        assert_eq!(
            verdict(&Said::Nothing, false, HEARD, Found::Absent),
            Some(Verdict::NotDone)
        );
        assert_eq!(
            fate(&no(), false, HEARD, Found::Absent),
            Some(Fate::of(Verdict::NotDone, "no"))
        );
    }

    #[test]
    fn what_is_otherwise_was_done_if_order_desk_said_so_and_else_nobody_knows() {
        let otherwise = || Found::Otherwise("it is in `Hold` now".to_owned());
        assert_eq!(
            verdict(&Said::Nothing, false, HEARD, otherwise()),
            Some(Verdict::Done)
        );
        assert_eq!(
            verdict(&Said::Nothing, true, HEARD, otherwise()),
            Some(Verdict::Unknown)
        );
        assert_eq!(
            verdict(&no(), false, HEARD, otherwise()),
            Some(Verdict::NotDone)
        );
    }

    #[test]
    fn what_an_attempt_without_an_answer_may_still_do_is_not_called_undone() {
        assert_eq!(
            verdict(&no(), false, SILENT, Found::Absent),
            Some(Verdict::Unknown)
        );
        assert_eq!(
            SILENT.not_there("late".to_owned()).verdict,
            Verdict::Unknown
        );
        assert_eq!(HEARD.not_there("late".to_owned()).verdict, Verdict::NotDone);
    }

    #[test]
    fn of_several_fates_the_worst_is_told() {
        assert_eq!(worst(&[Verdict::Done, Verdict::NotDone]), Verdict::NotDone);
        assert_eq!(
            worst(&[Verdict::Unknown, Verdict::NotDone, Verdict::Done]),
            Verdict::Unknown
        );
        assert_eq!(worst(&[]), Verdict::Done);
    }
}
