//! Adding a note to an order: to the notes that staff see on it, or to its history.
//!
//! Order Desk keeps both, in different places: staff notes are a list within the order and share 2,000 characters; the history is a log
//! that only grows. A note that is there already is not added again. Not here: limits and what counts as the same note (`merge::notes`).

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde_json::{Value, json};
use shared::audit::action;

use super::decide::Repeat;
use super::perform::{Fate, Look, Perform, unknown};
use super::rewrite::{Plan, Rewrite, Seen, Step};
use super::update_order::{outcome_of_order, read, shown};
use super::{Change, Outcome, Preview, Verdict, Weight, Writer, turn};
use crate::desk::error::DeskError;
use crate::desk::journal::Intent;
use crate::desk::merge::notes::{self, Added, NoteError};
use crate::desk::merge::{Difference, Kind};
use crate::desk::model::{Fields, Object, OrderId};
use crate::desk::request::{Endpoint, Method, Request};
use crate::desk::shop::Shop;

/// Where a note goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteKind {
    /// Among the notes that staff see on the order.
    Staff,
    /// Into the order's history.
    History,
}

impl NoteKind {
    fn as_str(self) -> &'static str {
        match self {
            NoteKind::Staff => "staff",
            NoteKind::History => "history",
        }
    }
}

/// One more note.
#[derive(Clone, Debug)]
pub struct AddNote {
    /// On which order.
    pub id: OrderId,
    /// What it says.
    pub text: String,
    /// Where it goes.
    pub kind: NoteKind,
    /// In whose name.
    pub author: String,
}

impl AddNote {
    fn target(&self) -> String {
        format!("order {}", self.id)
    }

    /// Never its words.
    fn shape(&self) -> String {
        format!(
            "{} note: {} chars",
            self.kind.as_str(),
            self.text.chars().count()
        )
    }

    fn check(&self) -> String {
        let place = match self.kind {
            NoteKind::Staff => "notes",
            NoteKind::History => "history",
        };
        format!(
            "look at the {place} of {} in Order Desk: is the note there?",
            self.target()
        )
    }

    fn difference(&self) -> Difference {
        let path = match self.kind {
            NoteKind::Staff => "order_notes",
            NoteKind::History => "order_history",
        };
        Difference {
            path: format!("{path}[new]"),
            before: Value::Null,
            after: Value::from(notes::tidy(&self.text)),
        }
    }

    /// The order as it is read for this kind of note.
    fn read(&self) -> Request {
        match self.kind {
            NoteKind::Staff => read(&self.id),
            NoteKind::History => {
                let with_history = vec![("get_order_history", "1".to_owned())];
                Request::of(Endpoint::Order, self.id.as_str(), with_history)
            }
        }
    }

    /// Whether the note is in the history; `None` when Order Desk does not show it.
    fn is_in_history(&self, order: &Object) -> Option<bool> {
        order.get("order_history")?;
        let entries = Fields::of(order).rows("order_history");
        Some(notes::in_history(&entries, &self.text))
    }

    async fn staff(&self, writer: &Writer) -> Result<Outcome, DeskError> {
        let held = writer.turn(vec![turn::order(&self.id)]).await?;
        let work = Rewrite {
            read: self.read(),
            kind: Kind::Order,
            intent: self.intent(writer),
            plan: &Noted {
                note: self,
                at: written(writer.shop.now()),
            },
        };
        let mut outcome = outcome_of_order(&self.id, writer.rewrite(&held, work).await?);
        if !outcome.diff.is_empty() {
            outcome.diff = vec![self.difference()];
        }
        outcome.check = outcome.check.map(|_| self.check());
        Ok(outcome)
    }

    async fn history(&self, writer: &Writer) -> Result<Outcome, DeskError> {
        notes::check_history(&self.text).map_err(|error| mistake(&error))?;
        let held = writer.turn(vec![turn::order(&self.id)]).await?;
        let (passage, order) = writer.newest_one(&self.read(), 1).await?;
        if self.is_in_history(&order) == Some(true) {
            return Ok(Outcome::already_so().fact("order", shown(order)));
        }
        let perform = Perform {
            intent: self.intent(writer),
            request: self.request(),
            repeat: Repeat::OnceOver,
            look: Box::new(move || self.look(writer).boxed()),
        };
        let performed = writer.perform(&held, passage, perform).await?;
        let (fate, remarks) = performed.end(Some(&held)).await;
        let mut outcome = match fate {
            Fate::Answered(mut envelope) => {
                let told = envelope.remove("order");
                let told = told.and_then(|order| order.as_object().cloned());
                Outcome::new(Verdict::Done).fact("order", shown(told.unwrap_or(order)))
            }
            Fate::Found => Outcome::new(Verdict::Done).fact("order", shown(order)),
            Fate::NotDone(error) => return Err(error),
            Fate::Unknown(why) => unknown(&why, self.check()),
        };
        if outcome.verdict == Verdict::Done {
            outcome.diff = vec![self.difference()];
        }
        outcome.remarks.extend(remarks);
        Ok(outcome)
    }

    /// The entry of the history. Order Desk gives it its date.
    fn request(&self) -> Request {
        let body = json!({"note": notes::tidy(&self.text), "source_name": self.author});
        let ids = [self.id.as_str()];
        Request::to(Method::Post, Endpoint::OrderHistory, &ids, Some(body))
    }

    async fn look(&self, writer: &Writer) -> Result<Look, DeskError> {
        let (_passage, order) = writer.newest_one(&self.read(), 0).await?;
        Ok(match self.is_in_history(&order) {
            Some(true) => Look::Done,
            Some(false) => Look::NotDone,
            None => Look::CannotTell("Order Desk did not show the history".to_owned()),
        })
    }

    fn intent(&self, writer: &Writer) -> Intent {
        writer.intent(
            action::ORDER_NOTED,
            self.target(),
            self.shape(),
            self.check(),
        )
    }
}

/// An order with one more staff note.
struct Noted<'a> {
    note: &'a AddNote,
    /// The same in every round: it is one note.
    at: String,
}

impl Plan for Noted<'_> {
    fn step(&self, now: &Object, _seen: &Seen) -> Result<Step, DeskError> {
        let AddNote { text, author, .. } = self.note;
        match notes::append(now, text, author, &self.at).map_err(|error| mistake(&error))? {
            Added::AlreadyThere { .. } => Ok(Step::AlreadySo),
            Added::New(next) => Ok(Step::Put(next)),
        }
    }
}

impl Change for AddNote {
    fn weight(&self) -> Weight {
        Weight::Light
    }

    fn preview<'a>(&'a self, shop: &'a Shop) -> BoxFuture<'a, Result<Preview, DeskError>> {
        async move {
            let is_there = match self.kind {
                NoteKind::Staff => {
                    let (note, at) = (self, written(shop.now()));
                    let order = shop.order(&self.id, true).await?.value;
                    let step = Noted { note, at }.step(order.object(), &Seen::default())?;
                    matches!(step, Step::AlreadySo)
                }
                NoteKind::History => {
                    notes::check_history(&self.text).map_err(|error| mistake(&error))?;
                    let order = shop.order_history(&self.id, true).await?.value;
                    self.is_in_history(order.object()) == Some(true)
                }
            };
            let (kind, text) = (self.kind.as_str(), self.text.as_str());
            let mut preview = Preview {
                basis: json!([self.target(), kind, text, self.author, is_there]).to_string(),
                ..Preview::default()
            };
            if is_there {
                preview
                    .remarks
                    .push("the same note is there already; nothing would be sent".to_owned());
            } else {
                preview.diff.push(self.difference());
            }
            Ok(preview)
        }
        .boxed()
    }

    fn carry_out<'a>(
        &'a self,
        writer: &'a Writer,
        _agreed: Option<&'a Preview>,
    ) -> BoxFuture<'a, Result<Outcome, DeskError>> {
        match self.kind {
            NoteKind::Staff => self.staff(writer).boxed(),
            NoteKind::History => self.history(writer).boxed(),
        }
    }
}

fn mistake(error: &NoteError) -> DeskError {
    DeskError::Mistakes(vec![error.to_string()])
}

/// A moment as Order Desk writes it, in UTC.
fn written(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}
