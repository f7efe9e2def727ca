//! A request that adds, moves or removes something: sent, looked for when its fate is unclear, sent again only when that is harmless.
//!
//! Here: the loop around one write that is no replacement of a whole thing (that is `rewrite`). One intent covers it, however often it is
//! sent. Not here: what an attempt means (`decide`), and how one looks for what was done: whoever writes knows that.

use futures_util::future::BoxFuture;

use super::decide::{self, Attempt, Repeat, Trace};
use super::passage::Passage;
use super::record::Open;
use super::turn::Held;
use super::{Outcome, Verdict, Writer};
use crate::desk::error::DeskError;
use crate::desk::journal::Intent;
use crate::desk::model::Object;
use crate::desk::request::{Method, Request};

/// What a look at the shop showed.
#[derive(Debug)]
pub(super) enum Look {
    /// It is done.
    Done,
    /// It is not: the same may be sent again, where repeating is allowed.
    NotDone,
    /// What is there does not tell.
    CannotTell(String),
}

/// How to look for what was asked for, past every cache. An error means that nobody can tell.
pub(super) type Looking<'a> =
    Box<dyn Fn() -> BoxFuture<'a, Result<Look, DeskError>> + Send + Sync + 'a>;

/// One write.
pub(super) struct Perform<'a> {
    pub(super) intent: Intent,
    pub(super) request: Request,
    pub(super) repeat: Repeat,
    pub(super) look: Looking<'a>,
}

/// What became of it.
#[derive(Debug)]
pub(super) enum Fate {
    /// Order Desk said that it was done; the envelope.
    Answered(Object),
    /// It was found to be done.
    Found,
    /// It was not done, and this is why.
    NotDone(DeskError),
    /// Nobody can tell, and this is why.
    Unknown(String),
}

impl Fate {
    /// In one word.
    pub(super) fn verdict(&self) -> Verdict {
        match self {
            Fate::Answered(_) | Fate::Found => Verdict::Done,
            Fate::NotDone(_) => Verdict::NotDone,
            Fate::Unknown(_) => Verdict::Unknown,
        }
    }
}

/// A write that was tried, and whose outcome is to be written down by [`Performed::end`] or [`Performed::end_as`].
pub(super) struct Performed {
    pub(super) fate: Fate,
    pub(super) check: String,
    open: Open,
}

impl Performed {
    /// Writes the outcome down and gives the turn back. The second part is what is to be remarked about that.
    pub(super) async fn end(self, held: Option<&Held>) -> (Fate, Vec<String>) {
        let verdict = self.fate.verdict();
        let remarks = self.open.end(verdict, held).await;
        (self.fate, remarks)
    }

    /// The same with a verdict of one's own, for a batch whose rows ended in different ways.
    pub(super) async fn end_as(self, verdict: Verdict, held: Option<&Held>) -> (Fate, Vec<String>) {
        let remarks = self.open.end(verdict, held).await;
        (self.fate, remarks)
    }
}

/// The outcome of something that nobody can tell.
pub(super) fn unknown(why: &str, check: String) -> Outcome {
    Outcome {
        check: Some(check),
        ..Outcome::new(Verdict::Unknown).remark(format!(
            "it was sent, and whether Order Desk did it cannot be told: {why}"
        ))
    }
}

/// Order Desk said that it was done and did not show it, as it does otherwise.
fn unseen(looked: Result<Look, DeskError>) -> Fate {
    let why = match looked {
        Ok(Look::Done) => return Fate::Found,
        Ok(Look::NotDone) => "it is not there".to_owned(),
        Ok(Look::CannotTell(why)) => why,
        Err(error) => format!("looking for it failed: {error}"),
    };
    Fate::Unknown(format!(
        "Order Desk said that it was done and did not show it; {why}"
    ))
}

/// Order Desk said that it was removed, in words alone.
fn still_there(envelope: Object, looked: &Result<Look, DeskError>) -> Fate {
    match looked {
        Ok(Look::NotDone) => {
            Fate::Unknown("Order Desk said that it was removed, and it is still there".to_owned())
        }
        // Its word, when nothing speaks against it.
        Ok(Look::Done | Look::CannotTell(_)) | Err(_) => Fate::Answered(envelope),
    }
}

/// What is known of the attempts so far.
#[derive(Clone, Copy, Default)]
struct Past {
    /// At least one of them may have been done.
    unclear: bool,
    /// At least one of them may still be carried out.
    silent: bool,
}

impl Past {
    /// Nothing more is sent; this is what a look showed.
    fn looked(self, error: DeskError, looked: Result<Look, DeskError>) -> Fate {
        match looked {
            Ok(Look::Done) => Fate::Found,
            Ok(Look::NotDone) if self.silent => {
                Fate::Unknown(format!("{error}, and it may still come to pass"))
            }
            Ok(Look::NotDone) => Fate::NotDone(error),
            Ok(Look::CannotTell(why)) => Fate::Unknown(format!("{error}; {why}")),
            Err(why) => Fate::Unknown(format!("{error}; looking for it failed: {why}")),
        }
    }

    /// It could not be sent once more: was it done before?
    async fn gave_up(self, error: DeskError, look: &Looking<'_>) -> Fate {
        if self.unclear {
            self.looked(error, look().await)
        } else {
            Fate::NotDone(error)
        }
    }
}

impl Writer {
    /// Writes the intent down and sends. `passage` must have the token for the first attempt.
    ///
    /// # Errors
    /// When the intent cannot be written down: nothing was sent.
    pub(super) async fn perform(
        &self,
        held: &Held,
        passage: Passage,
        perform: Perform<'_>,
    ) -> Result<Performed, DeskError> {
        let check = perform.intent.check.clone();
        let open = self.begin(perform.intent, held).await?;
        let fate = self
            .send(
                held,
                passage,
                perform.request,
                perform.repeat,
                &perform.look,
            )
            .await;
        Ok(Performed { fate, check, open })
    }

    async fn send(
        &self,
        held: &Held,
        passage: Passage,
        request: Request,
        repeat: Repeat,
        look: &Looking<'_>,
    ) -> Fate {
        let (mut passage, mut past) = (Some(passage), Past::default());
        let mut attempt = 0;
        loop {
            let seat = match passage.take() {
                Some(seat) => seat,
                None => match self.seat_again(held).await {
                    Ok(seat) => seat,
                    Err(error) => return past.gave_up(error, look).await,
                },
            };
            let tried = self.attempt(&seat, &request).await;
            drop(seat);
            match tried {
                Attempt::Answered(envelope) if decide::shows_it(&request, &envelope) => {
                    return Fate::Answered(envelope);
                }
                Attempt::Answered(_) if request.method != Method::Delete => {
                    return unseen(look().await);
                }
                Attempt::Answered(envelope) => return still_there(envelope, &look().await),
                Attempt::Refused(error) if !past.unclear => return Fate::NotDone(error),
                Attempt::Refused(error) | Attempt::SaidNo(error) => {
                    return past.looked(error, look().await);
                }
                Attempt::NotSent { error, asked } => {
                    if decide::passes(&error) && self.pause(attempt, asked, &error).await {
                        attempt += 1;
                        continue;
                    }
                    return past.gave_up(error, look).await;
                }
                Attempt::Unclear { error, trace } => {
                    past.unclear = true;
                    past.silent |= trace == Trace::Silent;
                    let again = decide::may_repeat(repeat, trace)
                        && self.pause(attempt, None, &error).await;
                    // After the pause, so that it works for us: what was under way may be there by now.
                    match look().await {
                        Ok(Look::NotDone) if again => {
                            attempt += 1;
                            continue;
                        }
                        looked => return past.looked(error, looked),
                    }
                }
            }
        }
    }

    /// The token for sending once more, while the turn is still ours.
    async fn seat_again(&self, held: &Held) -> Result<Passage, DeskError> {
        let seat = self.passage(0, 1).await?;
        self.still_ours(held).await?;
        Ok(seat)
    }
}
