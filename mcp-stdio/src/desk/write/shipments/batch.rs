//! Adding shipments to many orders: each row has a fate of its own, and the whole may be run again.
//!
//! Here: what each row comes to before anything is sent (whose it is, whether it is there, whether it makes sense), the chunks, and the
//! answer. Not here: the rows' own mistakes (`rows`), one request (`sending`).

use std::collections::HashMap;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use serde_json::{Value, json};
use shared::audit::action;

use super::rows::{self, Whose};
use super::sending::Sending;
use super::{TELLS, same};
use crate::desk::error::DeskError;
use crate::desk::journal::Intent;
use crate::desk::merge::{self, Difference};
use crate::desk::model::{Fields, Object, Order, OrderId, OrdersQuery};
use crate::desk::quote;
use crate::desk::shop::Shop;
use crate::desk::write::chunk;
use crate::desk::write::fate::{self, Fate};
use crate::desk::write::{
    Change, Outcome, Preview, RowOutcome, Verdict, Weight, Writer, shape, turn,
};

/// Order numbers that are looked up at once: as many as a store has seats.
const AT_ONCE: usize = 3;

/// What to do about rows of which nobody can tell.
const AGAIN: &str = "give the same rows again: what is there is not sent twice";

/// Adds many shipments.
#[derive(Clone, Debug)]
pub struct BatchAddShipments {
    /// Each with `order_id` or `source_id`, `tracking_number`, and whatever else a shipment has.
    pub rows: Vec<Object>,
}

/// A row whose order is known, or why it is not.
type Resolved = Result<OrderId, String>;

/// What a row comes to.
#[derive(Clone, Debug, PartialEq)]
enum Course {
    /// It is to be sent.
    Send,
    /// It ends without being sent.
    Ended(Fate),
    /// It is the same parcel as this earlier row, and shares its fate.
    As(usize),
}

impl Change for BatchAddShipments {
    fn weight(&self) -> Weight {
        match self.rows.len() {
            0 | 1 => Weight::Light,
            several => Weight::Bulk(several),
        }
    }

    fn preview<'a>(&'a self, shop: &'a Shop) -> BoxFuture<'a, Result<Preview, DeskError>> {
        async move {
            let bodies = self.bodies()?;
            let resolved = self.resolved(shop).await?;
            let courses = self.courses(shop, &bodies, &resolved).await?;
            Ok(self.previewed(&bodies, &resolved, &courses))
        }
        .boxed()
    }

    fn carry_out<'a>(
        &'a self,
        writer: &'a Writer,
        _agreed: Option<&'a Preview>,
    ) -> BoxFuture<'a, Result<Outcome, DeskError>> {
        self.carry(writer).boxed()
    }
}

impl BatchAddShipments {
    /// What each row has of a shipment.
    ///
    /// # Errors
    /// Every mistake of every row: then nothing is sent, not even the rows without one.
    fn bodies(&self) -> Result<Vec<Object>, DeskError> {
        let mut mistakes = Vec::new();
        if self.rows.is_empty() {
            mistakes.push("there is no row in `shipments`".to_owned());
        }
        mistakes.extend(rows::whose(&self.rows).err().unwrap_or_default());
        let mut bodies = Vec::with_capacity(self.rows.len());
        for (index, row) in self.rows.iter().enumerate() {
            let mut body = row.clone();
            body.retain(|name, _| !matches!(name.as_str(), "order_id" | "source_id"));
            if Fields::of(&body).text("tracking_number").trim().is_empty() {
                continue;
            }
            match merge::new_shipment(&body) {
                Ok(mut body) => {
                    rows::trim_number(&mut body);
                    bodies.push(body);
                }
                Err(found) => {
                    mistakes.extend(found.iter().map(|why| format!("shipments[{index}]: {why}")));
                }
            }
        }
        if mistakes.is_empty() {
            Ok(bodies)
        } else {
            Err(DeskError::Mistakes(mistakes))
        }
    }

    /// The order of each row. An order number must fit exactly one order, letter by letter.
    async fn resolved(&self, shop: &Shop) -> Result<Vec<Resolved>, DeskError> {
        let whose = rows::whose(&self.rows).map_err(DeskError::Mistakes)?;
        let numbers = rows::distinct_sources(&whose);
        let mut found: HashMap<&str, Resolved> = HashMap::new();
        for few in numbers.chunks(AT_ONCE) {
            let answers = join_all(few.iter().map(|number| by_number(shop, number))).await;
            for (number, answer) in few.iter().zip(answers) {
                found.insert(number, answer?);
            }
        }
        let one = |whose: &Whose| match whose {
            Whose::Id(id) => Ok(id.clone()),
            Whose::Source(number) => found[number.as_str()].clone(),
        };
        Ok(whose.iter().map(one).collect())
    }

    /// What each row comes to, seeing what the orders hold now.
    async fn courses(
        &self,
        shop: &Shop,
        bodies: &[Object],
        resolved: &[Resolved],
    ) -> Result<Vec<Course>, DeskError> {
        let ids = distinct(resolved);
        let orders = shop.orders_by_ids(&ids).await?;
        let known: HashMap<&OrderId, &Option<Order>> = ids.iter().zip(&orders).collect();
        let whose: Vec<Option<OrderId>> = resolved.iter().map(|id| id.clone().ok()).collect();
        let repeats = rows::repeats(bodies, &whose);
        let mut courses = Vec::with_capacity(bodies.len());
        for (index, (body, id)) in bodies.iter().zip(resolved).enumerate() {
            let course = match (id, repeats[index]) {
                (Err(why), _) => Course::Ended(Fate::of(Verdict::NotDone, why.clone())),
                (Ok(_), Some(earlier)) => Course::As(earlier),
                (Ok(id), None) => match known[id] {
                    None => Course::Ended(Fate::of(
                        Verdict::NotDone,
                        format!("there is no order {id} in this store"),
                    )),
                    Some(order) => {
                        let there = super::of_order(shop, id, order).await?;
                        course(body, order, &there)
                    }
                },
            };
            courses.push(course);
        }
        Ok(courses)
    }

    fn previewed(&self, bodies: &[Object], resolved: &[Resolved], courses: &[Course]) -> Preview {
        let mut preview = Preview::default();
        let mut sent = Vec::new();
        let mut left_out = 0;
        for (index, course) in courses.iter().enumerate() {
            match (course, &resolved[index]) {
                (Course::Send, Ok(id)) => {
                    preview.diff.push(difference(id, &bodies[index]));
                    sent.push(json!([id.as_str(), bodies[index]]));
                }
                (Course::Ended(fate), _) => {
                    let why = fate.why.as_deref().unwrap_or_default();
                    preview.remarks.push(format!("shipments[{index}]: {why}"));
                }
                _ => left_out += 1,
            }
        }
        if left_out > 0 {
            preview.remarks.push(format!(
                "{left_out} rows name a parcel that an earlier row has"
            ));
        }
        if !sent.is_empty() {
            preview.remarks.push(TELLS.to_owned());
        }
        preview.basis = json!([action::SHIPMENTS_ADDED, sent]).to_string();
        preview
    }

    async fn carry(&self, writer: &Writer) -> Result<Outcome, DeskError> {
        let bodies = self.bodies()?;
        let resolved = self.resolved(writer.shop()).await?;
        let things = distinct(&resolved).iter().map(turn::order).collect();
        let held = writer.turn(things).await?;
        let courses = self.courses(writer.shop(), &bodies, &resolved).await?;
        let to_send: Vec<usize> = (0..courses.len())
            .filter(|index| courses[*index] == Course::Send)
            .collect();
        let shipments = to_send
            .iter()
            .filter_map(|index| Some((resolved[*index].clone().ok()?, bodies[*index].clone())))
            .collect();
        let sending = Sending { shipments };
        let rows: Vec<usize> = (0..to_send.len()).collect();
        let intent = |rows: &[usize]| intent(writer, &sending.orders(rows));
        let (fates, remarks) = chunk::send_all(writer, &held, &rows, &sending, intent).await?;
        let sent: HashMap<usize, Fate> = to_send.into_iter().zip(fates).collect();
        Ok(self.told(&bodies, &resolved, &courses, &sent, remarks))
    }

    fn told(
        &self,
        bodies: &[Object],
        resolved: &[Resolved],
        courses: &[Course],
        sent: &HashMap<usize, Fate>,
        remarks: Vec<String>,
    ) -> Outcome {
        let ended = |index: usize| match &courses[index] {
            Course::Ended(fate) => fate.clone(),
            _ => sent[&index].clone(),
        };
        let fate = |index: usize| match &courses[index] {
            Course::As(earlier) => {
                let same = ended(*earlier);
                let why = format!("the same parcel as shipments[{earlier}], sent once");
                Fate::of(same.verdict, why)
            }
            _ => ended(index),
        };
        let rows: Vec<RowOutcome> = (0..self.rows.len())
            .map(|index| {
                fate(index).told(rows::label(
                    &self.rows[index],
                    resolved[index].as_ref().ok(),
                ))
            })
            .collect();
        let done = |index: &usize| {
            let sent = sent.get(index)?;
            (sent.verdict == Verdict::Done).then_some(*index)
        };
        let added: Vec<usize> = (0..self.rows.len())
            .filter_map(|index| done(&index))
            .collect();
        let verdict = fate::worst(rows.iter().map(|row| &row.verdict));
        let mut outcome = Outcome {
            diff: added
                .iter()
                .filter_map(|index| {
                    Some(difference(resolved[*index].as_ref().ok()?, &bodies[*index]))
                })
                .collect(),
            check: (verdict == Verdict::Unknown).then(|| AGAIN.to_owned()),
            ..Outcome::new(verdict)
        };
        if sent.is_empty() {
            outcome = outcome.remark("nothing was sent");
        } else if !added.is_empty() {
            outcome = outcome.remark(TELLS);
        }
        outcome.remarks.extend(remarks);
        outcome.rows = rows;
        outcome
    }
}

fn course(body: &Object, order: &Order, there: &[Object]) -> Course {
    let views: Vec<Fields<'_>> = there.iter().map(Fields::of).collect();
    if same::find(&views, body).is_some() {
        return Course::Ended(Fate::of(Verdict::Done, "already there"));
    }
    let mistakes = super::parcel_mistakes(body, order.object());
    if mistakes.is_empty() {
        Course::Send
    } else {
        Course::Ended(Fate::of(Verdict::NotDone, mistakes.join("; ")))
    }
}

/// The one order with this number.
async fn by_number(shop: &Shop, number: &str) -> Result<Resolved, DeskError> {
    let query = OrdersQuery {
        source_id: Some(number.to_owned()),
        ..OrdersQuery::default()
    };
    let page = shop.orders(&query, true).await?.value;
    let exact: Vec<&Order> = page
        .orders
        .iter()
        .filter(|order| order.source_id() == number)
        .collect();
    let said = quote::line(number, 60);
    Ok(match exact.as_slice() {
        [order] => OrderId::parse(&order.id()).map_err(|bad| bad.to_string()),
        [] => Err(format!("no order has exactly the number `{said}`")),
        several => {
            let ids: Vec<String> = several
                .iter()
                .map(|order| quote::line(&order.id(), 20))
                .collect();
            Err(format!(
                "{} orders have the number `{said}`: give the `order_id` of one of {}",
                several.len(),
                ids.join(", ")
            ))
        }
    })
}

fn distinct(resolved: &[Resolved]) -> Vec<OrderId> {
    let mut ids: Vec<OrderId> = Vec::new();
    for id in resolved.iter().flatten() {
        if !ids.contains(id) {
            ids.push(id.clone());
        }
    }
    ids
}

fn difference(order: &OrderId, body: &Object) -> Difference {
    let fields = Fields::of(body);
    let words = format!(
        "{} {}",
        fields.text("carrier_code"),
        fields.text("tracking_number")
    );
    Difference {
        path: format!("orders[{order}].order_shipments"),
        before: Value::Null,
        after: Value::from(words.trim()),
    }
}

/// What the record says of one request.
fn intent(writer: &Writer, orders: &[&str]) -> Intent {
    writer.intent(
        action::SHIPMENTS_ADDED,
        shape::targets("orders", orders.iter().copied()),
        shape::rows("shipments", orders.len()),
        AGAIN.to_owned(),
    )
}
