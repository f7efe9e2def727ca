//! Reading right before writing: one seat and the tokens for both, taken before the first of them.
//!
//! Here: taking them, reading the newest state past every cache, and one attempt to write. Between the read and the write nothing waits
//! for a place. Not here: what is made of an attempt (`decide`).

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::Writer;
use super::decide::{self, Attempt};
use crate::desk::error::DeskError;
use crate::desk::gate::Pass;
use crate::desk::model::Object;
use crate::desk::request::Request;
use crate::desk::retry::{self, Failure, Next};
use crate::desk::{classify, meter};

/// What was read longer ago than this is read again before it is put back: writing the intent down waits for the disk, and sometimes for
/// others.
const TOO_OLD: Duration = Duration::from_millis(300);

/// The same by the clock on the wall, which goes on while the machine sleeps. Small steps of it are corrections.
const TOO_OLD_BY_CLOCK: SignedDuration = SignedDuration::from_secs(5);

/// A read that took longer than this is made once more before a write: the answer may have lain here while this process, or the machine,
/// slept. Twice in a row it is the shop that is slow.
const TOO_LONG: Duration = Duration::from_secs(3);

/// A seat, and the tokens that were taken with it.
pub(super) struct Passage {
    pass: Pass,
    /// Whether a write follows the read.
    to_write: bool,
    /// When the answer to the read was there, by both clocks.
    read_at: Option<(Instant, Timestamp)>,
}

impl Writer {
    /// Waits for a seat and for so many tokens, all of them or none.
    ///
    /// # Errors
    /// [`DeskError::TooBusy`], [`DeskError::RateLimited`] by the tenant's own limit, [`DeskError::NoRecord`]. Nothing was taken.
    pub(super) async fn passage(&self, reads: u32, writes: u32) -> Result<Passage, DeskError> {
        let desk = self.shop.desk();
        let pass = desk.admit(&self.shop, reads, writes, self.deadline).await?;
        Ok(Passage {
            pass,
            to_write: writes > 0,
            read_at: None,
        })
    }

    /// The envelope of what is there now, and the passage with `writes` tokens left. Trouble that passes is waited for, like in every
    /// read; each attempt takes its own passage.
    ///
    /// # Errors
    /// As every read.
    pub(super) async fn newest(
        &self,
        request: &Request,
        writes: u32,
    ) -> Result<(Passage, Object), DeskError> {
        let mut attempt = 0;
        let mut may_have_slept = writes > 0;
        loop {
            let mut passage = self.passage(1, writes).await?;
            let asked_at = (Instant::now(), self.shop.now());
            let failure = match self.read_once(&passage, request).await {
                Ok(_) if may_have_slept && self.took_long(asked_at) => {
                    may_have_slept = false;
                    continue;
                }
                Ok(envelope) => {
                    passage.read_at = Some((Instant::now(), self.shop.now()));
                    return Ok((passage, envelope));
                }
                Err(failure) => failure,
            };
            drop(passage);
            let retries = self.shop.desk().config.max_retries;
            let next = {
                let mut chance = self.shop.desk().chance.lock();
                retry::next(&failure, attempt, retries, self.left(), &mut chance)
            };
            match next {
                Next::GiveUp => return Err(failure.error),
                Next::Again { after, reason } => {
                    meter::retried(reason);
                    tokio::time::sleep(after).await;
                }
            }
            attempt += 1;
        }
    }

    /// The one thing that `request` asks for, as it is now.
    ///
    /// # Errors
    /// As every read.
    pub(super) async fn newest_one(
        &self,
        request: &Request,
        writes: u32,
    ) -> Result<(Passage, Object), DeskError> {
        let (passage, envelope) = self.newest(request, writes).await?;
        Ok((passage, self.one_of(request, envelope)?))
    }

    /// The one thing in an answer to `request`, if it is the one that was asked for.
    pub(super) fn one_of(&self, request: &Request, envelope: Object) -> Result<Object, DeskError> {
        let one = classify::one(envelope, request.endpoint)?;
        let id = crate::desk::model::Fields::of(&one).text("id").into_owned();
        classify::same_id(request.endpoint, request.id(), &id)?;
        Ok(one)
    }

    /// The envelope of what is there now, when nothing is written right after it.
    ///
    /// # Errors
    /// As every read.
    pub(super) async fn read(&self, request: &Request) -> Result<Object, DeskError> {
        let (_passage, envelope) = self.newest(request, 0).await?;
        Ok(envelope)
    }

    /// Whether what was read in this passage is too old to be put back.
    pub(super) fn is_old(&self, passage: &Passage) -> bool {
        passage.read_at.is_some_and(|(instant, clock)| {
            let by_clock = self.shop.now().duration_since(clock);
            instant.elapsed() > TOO_OLD || by_clock.abs() > TOO_OLD_BY_CLOCK
        })
    }

    fn took_long(&self, (instant, clock): (Instant, Timestamp)) -> bool {
        let by_clock = self.shop.now().duration_since(clock);
        instant.elapsed() > TOO_LONG || by_clock.abs() > TOO_OLD_BY_CLOCK
    }

    async fn read_once(&self, passage: &Passage, request: &Request) -> Result<Object, Failure> {
        let desk = self.shop.desk();
        let sent = desk
            .seated(&passage.pass, &self.shop, request, self.deadline)
            .await;
        let (answer, judged) = sent.map_err(|unanswered| Failure {
            error: unanswered.error,
            status: None,
            asked: None,
        })?;
        // The answer to the write that follows at once says it again.
        if judged.is_err() || !passage.to_write {
            let error = judged.as_ref().err();
            desk.note_quota(&self.shop, &answer, error).await;
        }
        judged.map_err(|error| Failure {
            error,
            status: Some(answer.status),
            asked: answer.retry_after,
        })
    }

    /// Sends a write once. A quarter of the time is kept for looking, should no answer come.
    pub(super) async fn attempt(&self, passage: &Passage, request: &Request) -> Attempt {
        let desk = self.shop.desk();
        let until = Instant::now() + self.left() * 3 / 4;
        let sent = desk.seated(&passage.pass, &self.shop, request, until).await;
        if let Ok((answer, judged)) = &sent {
            let error = judged.as_ref().err();
            desk.note_quota(&self.shop, answer, error).await;
        }
        decide::attempt(sent)
    }

    /// Waits before the next attempt, if there is one to be made.
    pub(super) async fn pause(
        &self,
        attempt: u32,
        asked: Option<Duration>,
        because: &DeskError,
    ) -> bool {
        let retries = self.shop.desk().config.mutation_max_retries;
        let pause = {
            let mut chance = self.shop.desk().chance.lock();
            decide::pause(attempt, retries, asked, self.left(), &mut chance)
        };
        let Some(after) = pause else {
            return false;
        };
        meter::retried(decide::label(because));
        tokio::time::sleep(after).await;
        true
    }
}
