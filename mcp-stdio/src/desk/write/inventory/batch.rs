//! Changing many inventory items at once: each row is merged into the item as it is now, and has a fate of its own.
//!
//! Here: what each row comes to, the parts that are read and sent together, and the answer. Not here: which item a row names (`rows`,
//! `reading`), one request (`sending`).

use std::collections::HashMap;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use shared::audit::action;

use super::reading::{self, Known};
use super::rows::{self, Row};
use super::sending::{Sending, code};
use super::wish::{Wish, merged, seen};
use crate::desk::classify;
use crate::desk::error::DeskError;
use crate::desk::merge::{self, Difference, Kind};
use crate::desk::model::{Fields, InventoryItemId, Object, same_number};
use crate::desk::request::Endpoint;
use crate::desk::shop::Shop;
use crate::desk::write::chunk;
use crate::desk::write::fate::{self, Fate};
use crate::desk::write::passage::Passage;
use crate::desk::write::turn::Held;
use crate::desk::write::{Change, Outcome, Preview, Verdict, Weight, Writer, shape, turn};

/// What to do about rows of which nobody can tell.
const CHECK: &str = "look at these items with inventory_get and `fresh`, then give the rows again that are not as wanted";

/// Changes many inventory items.
#[derive(Clone, Debug)]
pub struct BatchUpdateInventory {
    /// Each with `id` (or `inventory_item_id`) or `code`, and the fields to change.
    pub rows: Vec<Object>,
}

impl Change for BatchUpdateInventory {
    fn weight(&self) -> Weight {
        match self.rows.len() {
            0 | 1 => Weight::Light,
            several => Weight::Bulk(several),
        }
    }

    fn preview<'a>(&'a self, shop: &'a Shop) -> BoxFuture<'a, Result<Preview, DeskError>> {
        async move {
            let rows = self.read()?;
            let known = self.known(shop, &rows).await?;
            Ok(previewed(&rows, &known))
        }
        .boxed()
    }

    fn carry_out<'a>(
        &'a self,
        writer: &'a Writer,
        agreed: Option<&'a Preview>,
    ) -> BoxFuture<'a, Result<Outcome, DeskError>> {
        self.carry(writer, agreed).boxed()
    }
}

impl BatchUpdateInventory {
    fn read(&self) -> Result<Vec<Row>, DeskError> {
        if self.rows.is_empty() {
            return Err(DeskError::Mistakes(vec![
                "there is no row in `items`".to_owned(),
            ]));
        }
        rows::read(&self.rows).map_err(DeskError::Mistakes)
    }

    /// The item of each row.
    async fn known(
        &self,
        shop: &Shop,
        rows: &[Row],
    ) -> Result<Vec<Result<Known, String>>, DeskError> {
        let known = reading::named(shop, rows).await?;
        let ids: Vec<Option<InventoryItemId>> = known
            .iter()
            .map(|known| known.as_ref().ok().map(|(id, _)| id.clone()))
            .collect();
        let doubles = rows::doubles(&ids);
        if doubles.is_empty() {
            Ok(known)
        } else {
            Err(DeskError::Mistakes(doubles))
        }
    }

    async fn carry(&self, writer: &Writer, agreed: Option<&Preview>) -> Result<Outcome, DeskError> {
        let rows = self.read()?;
        let known = self.known(writer.shop(), &rows).await?;
        let things = known.iter().flatten().map(|(id, _)| turn::inventory(id));
        let held = writer.turn(things.collect()).await?;
        let mut batch = Batch {
            rows: &rows,
            known: &known,
            agreed: agreed.map(|preview| &preview.before),
            fates: HashMap::new(),
            diff: Vec::new(),
            remarks: Vec::new(),
            sent: false,
        };
        batch.carry(writer, &held).await?;
        Ok(batch.told())
    }
}

fn previewed(rows: &[Row], known: &[Result<Known, String>]) -> Preview {
    let mut preview = Preview::default();
    let mut sent = Vec::new();
    for (index, (row, known)) in rows.iter().zip(known).enumerate() {
        let next = known
            .as_ref()
            .map_err(Clone::clone)
            .and_then(|(id, now)| Ok((id, now, merged(row, now)?)));
        match next {
            Ok((id, now, next)) => {
                let diff = differences(id, now, &next);
                if diff.is_empty() {
                    preview.remarks.push(format!("items[{index}]: already so"));
                }
                preview.diff.extend(diff);
                preview.before.insert(id.to_string(), seen(row, now));
                sent.push(json!([id.as_str(), row.changes, seen(row, now)]));
            }
            Err(why) => preview.remarks.push(format!("items[{index}]: {why}")),
        }
    }
    preview.basis = json!([action::INVENTORY_BATCH, sent]).to_string();
    preview
}

fn differences(id: &InventoryItemId, before: &Object, after: &Object) -> Vec<Difference> {
    let mut diff = merge::diff(Kind::InventoryItem, before, after);
    for difference in &mut diff {
        difference.path = format!("inventory_items[{id}].{}", difference.path);
    }
    diff
}

/// A batch on its way.
struct Batch<'a> {
    rows: &'a [Row],
    known: &'a [Result<Known, String>],
    /// The fields of each item that somebody saw who agreed, by its id.
    agreed: Option<&'a Object>,
    fates: HashMap<usize, Fate>,
    diff: Vec<Difference>,
    remarks: Vec<String>,
    sent: bool,
}

impl Batch<'_> {
    async fn carry(&mut self, writer: &Writer, held: &Held) -> Result<(), DeskError> {
        let mut open: Vec<(usize, InventoryItemId, String)> = Vec::new();
        for (index, known) in self.known.iter().enumerate() {
            match known {
                Ok((id, item)) => open.push((index, id.clone(), code(item))),
                Err(why) => self.ends(index, Fate::of(Verdict::NotDone, why.clone())),
            }
        }
        let codes: Vec<&str> = open.iter().map(|(_, _, code)| code.trim()).collect();
        for part in reading::parts(&codes) {
            let part: Vec<&(usize, InventoryItemId, String)> =
                part.into_iter().map(|at| &open[at]).collect();
            match self.part(writer, held, &part).await {
                Ok(()) => self.sent = true,
                Err(error) if !self.sent => return Err(error),
                Err(error) => {
                    let why = format!("it was not sent: {error}");
                    for (index, ..) in &part {
                        self.ends(*index, Fate::of(Verdict::NotDone, why.clone()));
                    }
                }
            }
        }
        Ok(())
    }

    /// Reads, merges and sends the rows of one request. The intent is written down before the read, so that nothing waits between the read
    /// and the write.
    ///
    /// # Errors
    /// Nothing of this part was sent.
    async fn part(
        &mut self,
        writer: &Writer,
        held: &Held,
        part: &[&(usize, InventoryItemId, String)],
    ) -> Result<(), DeskError> {
        let wanted: Vec<(InventoryItemId, String)> = part
            .iter()
            .map(|(_, id, code)| (id.clone(), code.clone()))
            .collect();
        let ids: Vec<&str> = part.iter().map(|(_, id, _)| id.as_str()).collect();
        let open = writer.begin(intent(writer, &ids), held).await?;
        let (passage, there) = match newest(writer, &wanted).await {
            Ok(read) => read,
            Err(error) => {
                open.end(Verdict::NotDone, None).await;
                return Err(error);
            }
        };
        let mut ready = Vec::new();
        let mut sent = Vec::new();
        for ((index, id, _), now) in part.iter().zip(there) {
            let wish = Wish {
                id,
                row: &self.rows[*index],
                agreed: self.agreed.and_then(|agreed| agreed.get(id.as_str())),
            };
            match wish.of(now) {
                Ok(item) => {
                    sent.push(*index);
                    ready.push((wish, item));
                }
                Err(fate) => self.ends(*index, fate),
            }
        }
        let sending = Sending::new(ready);
        let numbers: Vec<usize> = (0..sent.len()).collect();
        let fates = chunk::send_rows(writer, held, passage, &numbers, &sending).await;
        let verdict = fate::worst(fates.iter().map(|fate| &fate.verdict));
        self.remarks.extend(open.end(verdict, None).await);
        for ((index, (wish, item)), fate) in sent.into_iter().zip(sending.into_items()).zip(fates) {
            if fate.verdict == Verdict::Done {
                self.diff
                    .extend(differences(wish.id, &item.base, &item.sent));
            }
            self.ends(index, fate);
        }
        Ok(())
    }

    fn ends(&mut self, index: usize, fate: Fate) {
        self.fates.insert(index, fate);
    }

    fn told(mut self) -> Outcome {
        let mut rows = Vec::with_capacity(self.rows.len());
        for (index, known) in self.known.iter().enumerate() {
            let fate = self.fates.remove(&index);
            let fate = fate.unwrap_or_else(|| Fate::of(Verdict::NotDone, "it was not sent"));
            rows.push(fate.told(label(&self.rows[index], known)));
        }
        let verdict = fate::worst(rows.iter().map(|row| &row.verdict));
        Outcome {
            diff: self.diff,
            rows,
            remarks: self.remarks,
            check: (verdict == Verdict::Unknown).then(|| CHECK.to_owned()),
            ..Outcome::new(verdict)
        }
    }
}

/// The items as they are now, and the passage for the write right after.
async fn newest(
    writer: &Writer,
    wanted: &[(InventoryItemId, String)],
) -> Result<(Passage, Vec<Option<Object>>), DeskError> {
    let request = reading::together(wanted).expect("a part is cut so that one request reads it");
    if request.endpoint == Endpoint::InventoryItem {
        return match writer.newest_one(&request, 1).await {
            Ok((passage, item)) => Ok((passage, vec![Some(item)])),
            Err(error) => Err(error),
        };
    }
    let (passage, envelope) = writer.newest(&request, 1).await?;
    let found = classify::rows(envelope, Endpoint::InventoryItems)?;
    let one = |(id, _): &(InventoryItemId, String)| {
        let is_it = |item: &&Object| same_number(&Fields::of(item).text("id"), id.as_str());
        found.iter().find(is_it).cloned()
    };
    Ok((passage, wanted.iter().map(one).collect()))
}

fn intent(writer: &Writer, ids: &[&str]) -> crate::desk::journal::Intent {
    writer.intent(
        action::INVENTORY_BATCH,
        shape::targets("inventory items", ids.iter().copied()),
        shape::rows("items", ids.len()),
        CHECK.to_owned(),
    )
}

/// How a row is named in the answer.
fn label(row: &Row, known: &Result<Known, String>) -> Value {
    match (known, &row.which) {
        (Ok((id, item)), _) => json!({"id": id.as_str(), "code": code(item)}),
        (Err(_), rows::Which::Id(id)) => json!({"id": id.as_str()}),
        (Err(_), rows::Which::Code(code)) => json!({"code": code}),
    }
}
