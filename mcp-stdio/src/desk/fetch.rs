//! From a request to a good answer, with all the trying that it takes.
//!
//! Here: the loop of attempts and its one deadline. Each attempt takes its own seat and its own tokens; between attempts nothing is held.
//! Here as well: the two steps of an attempt, waiting for a seat and sending from it, for writes which take one seat for several requests.
//! Not here: the decisions (`classify`, `retry`), sharing and keeping (`flight`, `cache`), and repeating what is no read (`write`).

use std::time::Duration;

use tokio::time::Instant;

use super::Inner;
use super::classify;
use super::client::{Answer, Unanswered};
use super::error::DeskError;
use super::gate::{Asking, Pass};
use super::meter;
use super::model::Object;
use super::request::Request;
use super::retry::{self, Failure, Next};
use super::shop::Shop;

impl Inner {
    /// The envelope of a good answer to `request`.
    pub(super) async fn fetch(&self, shop: &Shop, request: &Request) -> Result<Object, DeskError> {
        let deadline = Instant::now() + self.config.total_deadline;
        let mut attempt = 0;
        loop {
            let failure = match self.attempt(shop, request, deadline).await {
                Ok(envelope) => return Ok(envelope),
                Err(failure) => failure,
            };
            let next = retry::next(
                &failure,
                attempt,
                self.config.max_retries,
                left(deadline),
                &mut self.chance.lock(),
            );
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

    async fn attempt(
        &self,
        shop: &Shop,
        request: &Request,
        deadline: Instant,
    ) -> Result<Object, Failure> {
        let unsent = |error| Failure {
            error,
            status: None,
            asked: None,
        };
        let (answer, judged) = self
            .exchange(shop, request, deadline)
            .await
            .map_err(unsent)?;
        judged.map_err(|error| Failure {
            error,
            status: Some(answer.status),
            asked: answer.retry_after,
        })
    }

    /// Takes a seat and a token and sends `request` once: the answer, and what it amounts to.
    pub(super) async fn exchange(
        &self,
        shop: &Shop,
        request: &Request,
        deadline: Instant,
    ) -> Result<(Answer, Result<Object, DeskError>), DeskError> {
        let pass = self.admit(shop, 1, 0, deadline).await?;
        let (answer, judged) = self.seated(&pass, shop, request, deadline).await?;
        drop(pass);
        self.note_quota(shop, &answer, judged.as_ref().err()).await;
        Ok((answer, judged))
    }

    /// Waits for a seat and for so many tokens.
    pub(super) async fn admit(
        &self,
        shop: &Shop,
        reads: u32,
        writes: u32,
        deadline: Instant,
    ) -> Result<Pass, DeskError> {
        let asking = Asking {
            reads,
            writes,
            ..asking(shop)
        };
        // Half of the time may go into waiting for a turn; who waited longer would have none left for the answer.
        self.gate.enter(asking, left(deadline) / 2).await
    }

    /// Sends `request` once, for which there is a seat and a token. What the answer says about the quota is not noted yet: that may have to
    /// wait for the state file, and between reading and writing nothing waits.
    pub(super) async fn seated(
        &self,
        _pass: &Pass,
        shop: &Shop,
        request: &Request,
        deadline: Instant,
    ) -> Result<(Answer, Result<Object, DeskError>), Unanswered> {
        let begun = Instant::now();
        let sent = self
            .client
            .send(&shop.access, request, left(deadline))
            .await;
        note_call(request, &sent, begun.elapsed());
        let answer = sent?;
        let judged = classify::envelope(request, &answer, shop.access.api_key.expose());
        Ok((answer, judged))
    }

    /// Tells all processes what an answer says about the quota.
    pub(super) async fn note_quota(&self, shop: &Shop, answer: &Answer, error: Option<&DeskError>) {
        if let Some(DeskError::RateLimited { retry_after, .. }) = error {
            self.gate.exhausted(asking(shop), *retry_after).await;
        } else if let Some(remaining) = answer.remaining {
            self.gate.remaining(asking(shop), remaining).await;
        }
    }
}

/// For one read.
fn asking(shop: &Shop) -> Asking<'_> {
    Asking {
        tenant: &shop.access.tenant,
        store_key: &shop.store_key,
        reads: 1,
        writes: 0,
    }
}

pub(super) fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

/// Counts what went out. A request that was refused before it was sent (a key that no header carries, no TLS) is no call.
fn note_call(request: &Request, sent: &Result<Answer, Unanswered>, took: Duration) {
    match sent {
        Ok(answer) => meter::called(request, Ok(answer.status), took),
        Err(unanswered) => match &unanswered.error {
            DeskError::BadRequest { .. } | DeskError::NoClient { .. } => {}
            error => meter::called(request, Err(error.code()), took),
        },
    }
}
