//! The move as a whole: what is to be moved, chunk by chunk, and what is told of it.

use std::collections::HashMap;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use shared::audit::action;

use super::folder;
use super::plan::{self, Placed, Plan};
use super::sending::Sending;
use crate::desk::error::DeskError;
use crate::desk::journal::Intent;
use crate::desk::merge::Difference;
use crate::desk::model::{Fields, Folder, Object, OrderId};
use crate::desk::shop::Shop;
use crate::desk::write::chunk;
use crate::desk::write::fate::{self, Fate};
use crate::desk::write::{
    Change, Outcome, Preview, RowOutcome, Verdict, Weight, Writer, rewrite, shape, turn,
};

/// What everybody who moves orders must know.
const RULES: &str =
    "a move starts the rules of the folder, which may e-mail, submit or move orders on";

/// Orders that a remark names; the rows name all.
const NAMED: usize = 20;

/// Moves orders into a folder.
#[derive(Clone, Debug)]
pub struct MoveOrders {
    /// The orders.
    pub ids: Vec<OrderId>,
    /// The folder: its id, or its name in any case.
    pub folder: String,
}

/// The store's folders, and the one that is meant.
struct Target {
    folders: Vec<Folder>,
    folder: Folder,
}

impl Target {
    fn name(&self, id: &str) -> String {
        folder::name(&self.folders, id)
    }
}

impl Change for MoveOrders {
    fn weight(&self) -> Weight {
        match plan::distinct(&self.ids).len() {
            0 | 1 => Weight::Light,
            several => Weight::Bulk(several),
        }
    }

    fn preview<'a>(&'a self, shop: &'a Shop) -> BoxFuture<'a, Result<Preview, DeskError>> {
        async move {
            let target = self.target(shop).await?;
            let plan = self.plan(shop, &target.folder.id).await?;
            let moves: Vec<Value> = plan
                .to_move
                .iter()
                .map(|placed| json!([placed.order.as_str(), placed.folder]))
                .collect();
            let before = plan
                .to_move
                .iter()
                .map(|placed| (placed.order.to_string(), json!(placed.folder)))
                .collect();
            let mut remarks = left_out(&plan, &target);
            if !plan.to_move.is_empty() {
                remarks.push(RULES.to_owned());
            }
            Ok(Preview {
                diff: plan
                    .to_move
                    .iter()
                    .map(|placed| difference(placed, &target))
                    .collect(),
                basis: json!([action::ORDERS_MOVED, target.folder.id, moves]).to_string(),
                remarks,
                before,
            })
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

impl MoveOrders {
    /// The folder that is meant. A folder that is not known may be new: then the settings are read once more.
    async fn target(&self, shop: &Shop) -> Result<Target, DeskError> {
        let mut settings = shop.settings(false).await?;
        if settings.cached && folder::find(&settings.value.folders(), &self.folder).is_err() {
            settings = shop.settings(true).await?;
        }
        let folders = settings.value.folders();
        let folder = folder::find(&folders, &self.folder)?.clone();
        Ok(Target { folders, folder })
    }

    async fn plan(&self, shop: &Shop, target: &str) -> Result<Plan, DeskError> {
        let ids = plan::distinct(&self.ids);
        if ids.is_empty() {
            return Err(DeskError::BadRequest {
                what: "no order is named, so nothing can be moved".to_owned(),
                hint: "give at least one id in `order_ids`",
            });
        }
        let orders = shop.orders_by_ids(&ids).await?;
        let found = |id: &OrderId| {
            let at = ids.iter().position(|known| known == id)?;
            let order = orders[at].as_ref()?;
            Some(Placed {
                order: id.clone(),
                folder: order.folder_id().into_owned(),
                updated: order.date_updated().into_owned(),
            })
        };
        let plan = plan::plan(&ids, target, found);
        match (plan.missing.as_slice(), ids.len()) {
            ([missing], 1) => Err(DeskError::NotFound {
                what: "order",
                id: missing.to_string(),
            }),
            _ => Ok(plan),
        }
    }

    async fn carry(&self, writer: &Writer, agreed: Option<&Preview>) -> Result<Outcome, DeskError> {
        let target = self.target(writer.shop()).await?;
        let things = plan::distinct(&self.ids).iter().map(turn::order).collect();
        let held = writer.turn(things).await?;
        let plan = self.plan(writer.shop(), &target.folder.id).await?;
        if let Some(agreed) = agreed {
            still_agreed(&plan, &agreed.before, &target)?;
        }
        let sending = Sending::new(&plan.to_move, &target.folder, &target.folders);
        let rows: Vec<usize> = (0..plan.to_move.len()).collect();
        let intent = |rows: &[usize]| intent(writer, &plan.to_move, rows);
        let (fates, remarks) = chunk::send_all(writer, &held, &rows, &sending, intent).await?;
        Ok(told(&plan, &target, &sending, fates, remarks))
    }
}

fn intent(writer: &Writer, to_move: &[Placed], rows: &[usize]) -> Intent {
    let (action, target) = match rows {
        [one] => (
            action::ORDER_MOVED,
            format!("order {}", to_move[*one].order),
        ),
        several => {
            let ids = several.iter().map(|row| to_move[*row].order.as_str());
            (action::ORDERS_MOVED, shape::targets("orders", ids))
        }
    };
    let check =
        "see which folder the orders are in (orders_get with `fresh`, or Order Desk itself)";
    writer.intent(
        action,
        target,
        format!("folder, {}", shape::rows("orders", rows.len())),
        check.to_owned(),
    )
}

/// What somebody agreed to is that these orders leave these folders.
fn still_agreed(plan: &Plan, agreed: &Object, target: &Target) -> Result<(), DeskError> {
    let believed = Fields::of(agreed);
    let changed: Vec<Difference> = plan
        .to_move
        .iter()
        .filter(|placed| believed.text(placed.order.as_str()) != placed.folder.as_str())
        .map(|placed| Difference {
            path: path(&placed.order),
            before: json!(target.name(&believed.text(placed.order.as_str()))),
            after: json!(target.name(&placed.folder)),
        })
        .collect();
    if changed.is_empty() {
        Ok(())
    } else {
        Err(rewrite::conflict(&changed))
    }
}

fn told(
    plan: &Plan,
    target: &Target,
    sending: &Sending<'_>,
    fates: Vec<Fate>,
    remarks: Vec<String>,
) -> Outcome {
    let moved: Vec<Placed> = sending
        .originals()
        .into_iter()
        .zip(&fates)
        .filter(|(_, fate)| fate.verdict == Verdict::Done)
        .map(|(placed, _)| placed)
        .collect();
    let unknown: Vec<&str> = plan
        .to_move
        .iter()
        .zip(&fates)
        .filter(|(_, fate)| fate.verdict == Verdict::Unknown)
        .map(|(placed, _)| placed.order.as_str())
        .collect();
    let check = (!unknown.is_empty()).then(|| {
        format!(
            "see which folder these orders are in: {}",
            unknown.join(", ")
        )
    });
    let rows = rows(plan, target, sending, fates);
    let mut outcome = Outcome {
        diff: moved
            .iter()
            .map(|placed| difference(placed, target))
            .collect(),
        check,
        ..Outcome::new(fate::worst(rows.iter().map(|row| &row.verdict)))
    };
    if plan.to_move.is_empty() && plan.missing.is_empty() {
        outcome = Outcome::already_so();
    }
    outcome.remarks.extend(left_out(plan, target));
    outcome.remarks.extend(remarks);
    outcome.rows = rows;
    outcome
        .fact(
            "folder",
            json!({"id": target.folder.id, "name": target.folder.name}),
        )
        .fact("undo", plan::undo(&moved))
}

/// One row for each order that was named, in the order in which they were.
fn rows(plan: &Plan, target: &Target, sending: &Sending<'_>, fates: Vec<Fate>) -> Vec<RowOutcome> {
    let here = |order: &OrderId, folder: &str| json!({"order_id": order.as_str(), "folder": target.name(folder)});
    let mut sent: HashMap<&OrderId, RowOutcome> = HashMap::new();
    for ((index, placed), fate) in plan.to_move.iter().enumerate().zip(fates) {
        let now = sending.now(index).unwrap_or_else(|| placed.folder.clone());
        sent.insert(&placed.order, fate.told(here(&placed.order, &now)));
    }
    let mut rows = Vec::with_capacity(plan.named.len());
    for order in &plan.named {
        let not_sent = || {
            if plan.missing.contains(order) {
                let fate = Fate::of(Verdict::NotDone, "there is no such order in this store");
                return fate.told(json!({"order_id": order.as_str()}));
            }
            let fate = Fate::of(Verdict::Done, "already there");
            fate.told(here(order, &target.folder.id))
        };
        rows.push(sent.remove(order).unwrap_or_else(not_sent));
    }
    rows
}

/// The orders that are not moved, and why.
fn left_out(plan: &Plan, target: &Target) -> Vec<String> {
    let list = |ids: &[OrderId]| {
        let named: Vec<&str> = ids.iter().take(NAMED).map(OrderId::as_str).collect();
        let more = match ids.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!("{}{more}", named.join(", "))
    };
    let mut remarks = Vec::new();
    if !plan.there.is_empty() {
        let name = crate::desk::quote::line(&target.folder.name, 60);
        remarks.push(format!("in `{name}` already: {}", list(&plan.there)));
    }
    if !plan.missing.is_empty() {
        remarks.push(format!("not in this store: {}", list(&plan.missing)));
    }
    remarks
}

fn difference(placed: &Placed, target: &Target) -> Difference {
    Difference {
        path: path(&placed.order),
        before: json!(target.name(&placed.folder)),
        after: json!(target.folder.name),
    }
}

fn path(order: &OrderId) -> String {
    format!("orders[{order}].folder")
}
