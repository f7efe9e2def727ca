//! Counting one item's stock up or down, or setting it.
//!
//! A delta done twice is a wrong count. So after an unclear attempt the count decides: where it is as it was before, the same is sent
//! again; where it is as it was to be, it is done; where it is something else, somebody sold or counted meanwhile, and nobody can tell.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Number, Value, json};
use shared::audit::action;

use super::rows::Which;
use super::stock::{self, Adjust};
use super::{part, which};
use crate::desk::error::DeskError;
use crate::desk::merge::{self, Difference, Kind, Patch};
use crate::desk::model::{InventoryItemId, Object};
use crate::desk::shop::Shop;
use crate::desk::write::replace;
use crate::desk::write::rewrite::{Plan, Seen, Step};
use crate::desk::write::{Change, Outcome, Preview, Verdict, Weight, Writer};

/// Changes an inventory item's stock, and nothing else of it.
#[derive(Clone, Debug)]
pub struct AdjustStock {
    /// The item.
    pub which: Which,
    /// By how much, or to what.
    pub by: Adjust,
}

impl Change for AdjustStock {
    fn weight(&self) -> Weight {
        Weight::Light
    }

    fn preview<'a>(&'a self, shop: &'a Shop) -> BoxFuture<'a, Result<Preview, DeskError>> {
        async move {
            let (id, item) = which::find(shop, &self.which).await?;
            self.previewed(&id, item.object())
        }
        .boxed()
    }

    fn carry_out<'a>(
        &'a self,
        writer: &'a Writer,
        agreed: Option<&'a Preview>,
    ) -> BoxFuture<'a, Result<Outcome, DeskError>> {
        async move {
            let id = which::id(writer.shop(), &self.which).await?;
            let part = part(&id, &self.which, action::INVENTORY_ADJUSTED);
            let plan = Counting {
                by: self.by,
                agreed: agreed.and_then(|preview| preview.before.get("stock")),
                expected: part.expected.as_ref(),
            };
            let rewritten = writer.replace(&part, self.shape(), &plan).await?;
            let remark = match (&rewritten.sent, rewritten.verdict) {
                (Some(sent), Verdict::Done) => stock::remark(&stock::count(sent)?),
                _ => None,
            };
            let outcome = replace::outcome(&part, rewritten);
            Ok(remark.into_iter().fold(outcome, Outcome::remark))
        }
        .boxed()
    }
}

impl AdjustStock {
    fn previewed(&self, id: &InventoryItemId, item: &Object) -> Result<Preview, DeskError> {
        let next = with_stock(item, stock::adjusted(item, self.by)?)?;
        let before = item.get("stock").cloned().unwrap_or(Value::Null);
        let diff = merge::diff(Kind::InventoryItem, item, &next);
        let mut remarks: Vec<String> = stock::remark(&stock::count(&next)?).into_iter().collect();
        if diff.is_empty() {
            remarks.push("already so; nothing would be sent".to_owned());
        }
        Ok(Preview {
            diff,
            basis: json!([
                action::INVENTORY_ADJUSTED,
                id.as_str(),
                before,
                next.get("stock")
            ])
            .to_string(),
            remarks,
            before: Object::from_iter([("stock".to_owned(), before)]),
        })
    }

    /// For the record: the kind of change, not the count.
    fn shape(&self) -> String {
        match self.by {
            Adjust::Delta(_) => "delta".to_owned(),
            Adjust::SetTo(_) => "set_to".to_owned(),
        }
    }
}

/// The plan of a count.
#[derive(Debug)]
struct Counting<'a> {
    by: Adjust,
    /// The stock that somebody saw who agreed.
    agreed: Option<&'a Value>,
    /// What the item must still have.
    expected: Option<&'a Object>,
}

impl Plan for Counting<'_> {
    fn step(&self, now: &Object, seen: &Seen) -> Result<Step, DeskError> {
        if let Some(tried) = &seen.tried {
            let held = |item: &Object| stock::count(item).map(Value::Number);
            let (before, wanted, there) = (held(&tried.base)?, held(&tried.sent)?, held(now)?);
            if merge::same(&wanted, &there) {
                return Ok(Step::AlreadySo);
            }
            if !merge::same(&before, &there) && matches!(self.by, Adjust::Delta(_)) {
                return Ok(Step::CannotTell(format!(
                    "the stock was {before}, was to be {wanted}, and is {there}: either this was done and somebody sold or counted after it, or it was not done"
                )));
            }
        }
        let next = with_stock(now, stock::adjusted(now, self.by)?)?;
        if merge::diff(Kind::InventoryItem, now, &next).is_empty() {
            return Ok(Step::AlreadySo);
        }
        if let Some(expected) = self.expected {
            let other = merge::mismatches(Kind::InventoryItem, expected, now);
            if !other.is_empty() {
                return Ok(Step::Conflict(other));
            }
        }
        let there = now.get("stock").unwrap_or(&Value::Null);
        match self.agreed {
            Some(agreed) if !merge::same(agreed, there) => Ok(Step::Conflict(vec![Difference {
                path: "stock".to_owned(),
                before: agreed.clone(),
                after: there.clone(),
            }])),
            _ => Ok(Step::Put(next)),
        }
    }
}

/// The whole item with this count, as it is sent.
fn with_stock(item: &Object, count: Number) -> Result<Object, DeskError> {
    let changes = Object::from_iter([("stock".to_owned(), Value::Number(count))]);
    let patch =
        Patch::check(Kind::InventoryItem, &changes, Some(item)).map_err(DeskError::Mistakes)?;
    Ok(merge::apply(Kind::InventoryItem, item, &patch))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::write::rewrite::Tried;

    fn item(stock: i64) -> Object {
        let item = json!({"id": 61001, "name": "Tote", "code": "TOTE", "stock": stock, "location": "Shelf A"});
        item.as_object().unwrap().clone()
    }

    fn step(by: Adjust, now: i64, tried: Option<(i64, i64)>) -> Step {
        let tried = tried.map(|(base, sent)| Tried {
            base: item(base),
            sent: item(sent),
        });
        let seen = Seen {
            tried,
            ..Seen::default()
        };
        let plan = Counting {
            by,
            agreed: None,
            expected: None,
        };
        plan.step(&item(now), &seen).unwrap()
    }

    #[test]
    fn what_is_sent_has_the_new_count_and_every_other_field() {
        let Step::Put(sent) = step(Adjust::Delta(-5), 34, None) else {
            panic!("a count that changes is put");
        };
        assert!(merge::same(&sent["stock"], &json!(29)));
        assert_eq!(
            (&sent["location"], &sent["code"]),
            (&json!("Shelf A"), &json!("TOTE"))
        );
    }

    #[test]
    fn after_an_unclear_attempt_the_count_decides() {
        let delta = Adjust::Delta(-5);
        assert!(matches!(step(delta, 29, Some((34, 29))), Step::AlreadySo));
        assert!(matches!(step(delta, 34, Some((34, 29))), Step::Put(_)));
        assert!(matches!(
            step(delta, 28, Some((34, 29))),
            Step::CannotTell(_)
        ));
    }

    #[test]
    fn an_exact_count_may_be_sent_again_whatever_happened() {
        let exact = Adjust::SetTo(10);
        assert!(matches!(step(exact, 10, Some((34, 10))), Step::AlreadySo));
        assert!(matches!(step(exact, 9, Some((34, 10))), Step::Put(_)));
    }

    #[test]
    fn a_count_that_is_not_as_it_was_agreed_to_is_a_conflict() {
        let agreed = json!(34);
        let plan = Counting {
            by: Adjust::Delta(-5),
            agreed: Some(&agreed),
            expected: None,
        };
        let step = plan.step(&item(33), &Seen::default()).unwrap();
        assert!(matches!(step, Step::Conflict(fields) if fields[0].after == json!(33)));
    }
}
