//! One chunk of a batch: sent, and looked after until the fate of each of its rows is known.
//!
//! A batch is many writes in one request. What its answer does not say about a row, and every row of an attempt that nobody answered, is
//! looked for in the shop; only rows that are not there are sent again. Here: that loop. Not here: what
//! a look means (`fate`), what a row is ([`Rows`]), which of them need sending at all.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::Instant;

use super::batch::{ROWS_PER_REQUEST, Said};
use super::decide::{Attempt, Trace, passes};
use super::fate::{Fate, Found, Heard, Past, answered, unanswered, worst};
use super::passage::Passage;
use super::turn::Held;
use super::{Verdict, Writer};
use crate::desk::error::DeskError;
use crate::desk::journal::Intent;
use crate::desk::model::Object;
use crate::desk::request::Request;

/// What was looked at longer ago than this is looked at again before it is sent, where that matters.
const TOO_OLD: Duration = Duration::from_millis(300);

/// The rows of a batch, known by their numbers.
pub(super) trait Rows: Sync {
    /// The request that sends just these rows.
    fn request(&self, rows: &[usize]) -> Request;

    /// What a good answer to that request says about each of them. [`Said::Done`] is believed without a look.
    fn said(&self, envelope: &Object, rows: &[usize]) -> Vec<Said>;

    /// Whether a row that is not there may be sent again although the attempt before it was never answered: both may arrive.
    fn may_come_twice(&self, row: usize) -> bool;

    /// Whether what is sent is made from what was read, and must be made anew (by a look) before it is sent again.
    fn goes_stale(&self) -> bool {
        false
    }

    /// How each of them is in the shop now.
    fn look<'a>(
        &'a self,
        writer: &'a Writer,
        rows: &'a [usize],
    ) -> BoxFuture<'a, Result<Vec<Found>, DeskError>>;
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
    let fates = send_rows(writer, held, passage, chunk.rows, chunk.batch).await;
    let verdict = worst(fates.iter().map(|fate| &fate.verdict));
    let remarks = open.end(verdict, chunk.last.then_some(held)).await;
    Ok((fates, remarks))
}

/// Sends rows whose intent is written down, until each has its fate.
pub(super) async fn send_rows(
    writer: &Writer,
    held: &Held,
    passage: Passage,
    rows: &[usize],
    batch: &dyn Rows,
) -> Vec<Fate> {
    let mut fates: HashMap<usize, Fate> = HashMap::new();
    let mut sent: Vec<usize> = rows.to_vec();
    let (mut passage, mut past, mut attempt) = (Some(passage), Past::default(), 0);
    while !sent.is_empty() {
        let round = Round {
            writer,
            batch,
            rows: &sent,
            attempt,
        };
        let tried = match passage.take() {
            Some(passage) => writer.attempt(&passage, &batch.request(&sent)).await,
            None => round.again(held).await,
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

/// One attempt at some rows.
struct Round<'a> {
    writer: &'a Writer,
    batch: &'a dyn Rows,
    rows: &'a [usize],
    attempt: u32,
}

impl Round<'_> {
    /// One more attempt. Without the turn, or a place to send from, it is as if Order Desk could not be reached; and where the place came
    /// too late, what was looked at is looked at again.
    async fn again(&self, held: &Held) -> Attempt {
        let unsent = |error| Attempt::NotSent { error, asked: None };
        if let Err(error) = self.writer.still_ours(held).await {
            return unsent(error);
        }
        let looked_at = Instant::now();
        match self.writer.passage(0, 1).await {
            Ok(_late) if self.batch.goes_stale() && looked_at.elapsed() > TOO_OLD => {
                Attempt::NotSent {
                    error: DeskError::TooBusy { wait: TOO_OLD },
                    asked: Some(Duration::ZERO),
                }
            }
            Ok(passage) => {
                let request = self.batch.request(self.rows);
                self.writer.attempt(&passage, &request).await
            }
            Err(error) => unsent(error),
        }
    }

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
                past.unclear = true;
                past.silent |= trace == Trace::Silent;
                self.look_again(Heard::Nothing, error, None, *past, fates)
                    .await
            }
            Attempt::NotSent { error, .. } if matches!(error, DeskError::Turn { .. }) => {
                self.all(&past.not_there(error.to_string()), fates)
            }
            Attempt::NotSent { error, asked } if past.unclear => {
                self.look_again(Heard::Nothing, error, asked, *past, fates)
                    .await
            }
            Attempt::NotSent { error, asked } if self.batch.goes_stale() && may_pass(&error) => {
                self.look_again(Heard::Unsent, error, asked, *past, fates)
                    .await
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

    /// Looks for every row after an attempt of which nobody knows what became. The look comes after the pause, right before the rows that are
    /// not there are sent again: whoever still works on the attempt before has had that time.
    async fn look_again(
        &self,
        heard: Heard,
        error: DeskError,
        asked: Option<Duration>,
        past: Past,
        fates: &mut HashMap<usize, Fate>,
    ) -> Vec<usize> {
        let more = self.writer.pause(self.attempt, asked, &error).await;
        let said = vec![Said::Nothing; self.rows.len()];
        self.look_after(said, Some((heard, error, more)), past, fates)
            .await
    }

    /// Looks at the rows that are not certainly done. `silence` is what was heard, why, and whether there is another attempt.
    async fn look_after(
        &self,
        said: Vec<Said>,
        silence: Option<(Heard, DeskError, bool)>,
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
        let looking = self.batch.look(self.writer, &uncertain);
        let looked = tokio::time::timeout(self.writer.left(), looking).await;
        let found = match looked.unwrap_or(Err(DeskError::Timeout)) {
            Ok(found) => found,
            Err(blind) => {
                let fate = match &silence {
                    Some((Heard::Unsent, error, _)) if !past.unclear => {
                        past.not_there(error.to_string())
                    }
                    _ => Fate::of(Verdict::Unknown, format!("looking for it failed: {blind}")),
                };
                fates.extend(uncertain.iter().map(|row| (*row, fate.clone())));
                return Vec::new();
            }
        };
        let mut again = Vec::new();
        for ((row, said), found) in open.into_iter().zip(found) {
            let Some((heard, error, more)) = &silence else {
                fates.insert(row, answered(&said, past, found));
                continue;
            };
            match unanswered(*heard, found) {
                Some(fate) => drop(fates.insert(row, fate)),
                None if *more && (!past.silent || self.batch.may_come_twice(row)) => {
                    again.push(row);
                }
                None => drop(fates.insert(row, past.not_there(error.to_string()))),
            }
        }
        again
    }
}

/// Whether another attempt can help against what kept rows from being sent.
fn may_pass(error: &DeskError) -> bool {
    passes(error) || matches!(error, DeskError::TooBusy { .. })
}
