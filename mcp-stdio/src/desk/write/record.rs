//! The record of a write: what is about to be done before it is sent, how it ended after.
//!
//! Here: an intent that is open, and that it gets its outcome on every way out. While the state file is busy the outcome is tried again;
//! an outcome that cannot be written at all is told, and is what a crash would have left: an intent without an end. Not here: the rows.

use std::sync::Arc;
use std::time::Duration;

use shared::audit;
use shared::writes::{Begun, Turn};

use super::task::{Stage, UnderWay};
use super::turn::Held;
use super::{Verdict, Writer};
use crate::desk::error::DeskError;
use crate::desk::journal::{Intent, Journal, JournalError};

/// Each try waits for other writers by itself (five seconds); between tries there is this.
const BEFORE_NEXT_TRY: Duration = Duration::from_millis(200);

/// How often the outcome is tried while its caller waits.
const TRIES: u32 = 3;

/// An outcome that nobody waits for any more is tried this often, as long as the process lives.
const LATER_TRIES: u32 = 60;

/// A minute of a full disk is worth waiting for, a second of it is not worth a busy loop.
const BEFORE_LATER_TRY: Duration = Duration::from_secs(5);

/// An intent that is written down, and whose outcome is not.
#[derive(Debug)]
pub(super) struct Open {
    record: Option<Record>,
    stage: Arc<Stage>,
    under_way: Arc<UnderWay>,
}

#[derive(Clone, Debug)]
struct Record {
    journal: Arc<dyn Journal>,
    begun: Arc<Begun>,
}

impl Writer {
    /// Writes down what is about to be done. From here on the write goes on whoever leaves.
    ///
    /// # Errors
    /// [`DeskError::Abandoned`], [`DeskError::Turn`], [`DeskError::NoRecord`]: nothing may be sent.
    pub(super) async fn begin(&self, intent: Intent, held: &Held) -> Result<Open, DeskError> {
        let under_way = Arc::clone(&self.shop.desk().under_way);
        self.stage.commit(&under_way)?;
        let mut open = Open {
            record: None,
            stage: Arc::clone(&self.stage),
            under_way,
        };
        let (journal, turn) = (Arc::clone(&self.journal), Arc::clone(&held.turn));
        let begin = tokio::task::spawn_blocking(move || {
            let begun = journal.begin(&intent, &turn)?;
            Ok::<_, JournalError>((journal, begun))
        });
        let (journal, begun) = match begin.await {
            Ok(begun) => begun.map_err(|error| not_begun(&error))?,
            Err(_ending) => return Err(DeskError::Abandoned),
        };
        open.record = Some(Record {
            journal,
            begun: Arc::new(begun),
        });
        Ok(open)
    }
}

fn not_begun(error: &JournalError) -> DeskError {
    match error {
        JournalError::TurnLost => DeskError::Turn { ahead: 0 },
        JournalError::Unwritten { why, .. } => DeskError::NoRecord { why: why.clone() },
    }
}

impl Open {
    /// Writes down how it ended, and gives the turn back with it. What is to be said about that is in the answer.
    pub(super) async fn end(mut self, verdict: Verdict, held: Option<&Held>) -> Vec<String> {
        let Some(record) = self.record.take() else {
            return Vec::new();
        };
        let outcome = outcome_of(verdict);
        for tried in 1..=TRIES {
            let turn = held.map(|held| Arc::clone(&held.turn));
            let recording = record.clone();
            let ended =
                tokio::task::spawn_blocking(move || recording.end(outcome, turn.as_deref())).await;
            match ended {
                Ok(Ok(())) => {
                    if let Some(held) = held {
                        held.was_given_back();
                    }
                    return Vec::new();
                }
                Ok(Err(error)) if tried == TRIES => {
                    let remark = unrecorded(&error);
                    tokio::spawn(record.end_later(outcome));
                    return vec![remark];
                }
                Ok(Err(_passes)) => tokio::time::sleep(BEFORE_NEXT_TRY).await,
                Err(_ending) => break,
            }
        }
        Vec::new()
    }
}

impl Drop for Open {
    /// A write that was left in the middle, by a bug or by the end of the process: what is known of it is nothing.
    fn drop(&mut self) {
        if let (Some(record), Ok(runtime)) =
            (self.record.take(), tokio::runtime::Handle::try_current())
        {
            runtime.spawn_blocking(move || record.end(audit::Outcome::Unknown, None));
        }
        self.stage.release(&self.under_way);
    }
}

impl Record {
    fn end(&self, outcome: audit::Outcome, turn: Option<&Turn>) -> Result<(), JournalError> {
        self.journal.end(&self.begun, outcome, turn)
    }

    async fn end_later(self, outcome: audit::Outcome) {
        for _ in 0..LATER_TRIES {
            tokio::time::sleep(BEFORE_LATER_TRY).await;
            let record = self.clone();
            let ended = tokio::task::spawn_blocking(move || record.end(outcome, None)).await;
            if !matches!(ended, Ok(Err(_))) {
                return;
            }
        }
    }
}

fn outcome_of(verdict: Verdict) -> audit::Outcome {
    match verdict {
        Verdict::Done => audit::Outcome::Done,
        Verdict::NotDone => audit::Outcome::Failed,
        Verdict::Unknown => audit::Outcome::Unknown,
    }
}

/// Code only: the error's own text is for those who mend the file, and stands in every status.
fn unrecorded(error: &JournalError) -> String {
    let code = match error {
        JournalError::Unwritten { code, .. } => code,
        JournalError::TurnLost => "turn_lost",
    };
    tracing::warn!(code, "the outcome of a write could not be recorded: {code}");
    format!(
        "how this ended could not be recorded ({code}); the audit shows it as begun until that succeeds"
    )
}

#[cfg(test)]
mod tests;
