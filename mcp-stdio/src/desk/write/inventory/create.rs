//! Creating an inventory item. Its SKU joins order items to it, and no two items may share one.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use serde_json::{Value, json};
use shared::audit::action;

use super::which;
use crate::desk::classify;
use crate::desk::error::DeskError;
use crate::desk::merge::{self, Kind};
use crate::desk::model::{Fields, InventoryItem, Object};
use crate::desk::quote;
use crate::desk::request::{Endpoint, Method, Request};
use crate::desk::shop::Shop;
use crate::desk::write::decide::Repeat;
use crate::desk::write::perform::{Fate, Look, Looking, Perform, unknown};
use crate::desk::write::{Change, Outcome, Preview, Verdict, Weight, Writer, shape};

/// The name of all creations of stock in the row of turns: two at once could not see each other's SKU.
const CREATIONS: &str = "create/inventory";

/// Creates an inventory item.
#[derive(Clone, Debug)]
pub struct CreateInventoryItem {
    /// The item: `name`, `code`, and whatever else an item has.
    pub item: Object,
}

impl Change for CreateInventoryItem {
    fn weight(&self) -> Weight {
        Weight::Light
    }

    fn preview<'a>(&'a self, shop: &'a Shop) -> BoxFuture<'a, Result<Preview, DeskError>> {
        async move {
            let body = self.body()?;
            let there = with_code(shop, &body, true).await?.is_some();
            let basis = json!([action::INVENTORY_CREATED, body, there]).to_string();
            if there {
                return Ok(Preview {
                    basis,
                    remarks: vec!["already there; nothing would be sent".to_owned()],
                    ..Preview::default()
                });
            }
            Ok(Preview {
                diff: merge::diff(Kind::InventoryItem, &Object::new(), &body),
                basis,
                ..Preview::default()
            })
        }
        .boxed()
    }

    fn carry_out<'a>(
        &'a self,
        writer: &'a Writer,
        _agreed: Option<&'a Preview>,
    ) -> BoxFuture<'a, Result<Outcome, DeskError>> {
        self.create(writer).boxed()
    }
}

impl CreateInventoryItem {
    fn body(&self) -> Result<Object, DeskError> {
        merge::new_inventory_item(&self.item).map_err(DeskError::Mistakes)
    }

    async fn create(&self, writer: &Writer) -> Result<Outcome, DeskError> {
        let body = self.body()?;
        let held = writer.turn(vec![CREATIONS.to_owned()]).await?;
        if let Some(there) = with_code(writer.shop(), &body, true).await? {
            let outcome = Outcome::new(Verdict::Done).remark("already there; nothing was sent");
            return Ok(outcome.fact("inventory_item", there.object().clone()));
        }
        let found: Mutex<Option<Object>> = Mutex::default();
        let look: Looking<'_> = Box::new(|| {
            async {
                let there = with_code(writer.shop(), &body, false).await?;
                let look = there.as_ref().map_or(Look::NotDone, |_| Look::Done);
                *found.lock() = there.map(|item| item.object().clone());
                Ok(look)
            }
            .boxed()
        });
        let code = quote::line(&Fields::of(&body).text("code"), 60);
        let perform = Perform {
            intent: writer.intent(
                action::INVENTORY_CREATED,
                "a new inventory item".to_owned(),
                shape::fields("item", &body),
                "look for the new item's code among the newest inventory items (inventory_list, or Order Desk itself)".to_owned(),
            ),
            request: Request::to(
                Method::Post,
                Endpoint::InventoryItems,
                &[],
                Some(Value::Object(body.clone())),
            ),
            // That Order Desk refuses a second item with the same code is likely, and nowhere documented.
            repeat: Repeat::OnceOver,
            look,
        };
        let passage = writer.passage(0, 1).await?;
        let performed = writer.perform(&held, passage, perform).await?;
        let (fate, told) = performed.end(Some(&held)).await;
        let created = Outcome {
            diff: merge::diff(Kind::InventoryItem, &Object::new(), &body),
            ..Outcome::new(Verdict::Done)
        };
        let outcome = match fate {
            Fate::Answered(envelope) => {
                let item = classify::one(envelope, Endpoint::InventoryItem).unwrap_or_default();
                created.fact("inventory_item", shown(item))
            }
            Fate::Found => {
                let item = found.lock().take().unwrap_or_default();
                created.fact("inventory_item", shown(item))
            }
            Fate::NotDone(error) => return Err(error),
            Fate::Unknown(why) => unknown(
                &why,
                format!("look for `{code}` with inventory_list and `fresh`"),
            ),
        };
        Ok(told.into_iter().fold(outcome, Outcome::remark))
    }
}

/// The item that has this SKU. With `alike` it must also have everything else that `body` has.
///
/// # Errors
/// [`DeskError::BadRequest`] when another item has the SKU.
async fn with_code(
    shop: &Shop,
    body: &Object,
    alike: bool,
) -> Result<Option<InventoryItem>, DeskError> {
    let code = Fields::of(body).text("code").into_owned();
    let found = which::with_codes(shop, &[&code]).await?;
    let Some(there) = found.into_iter().find(|item| item.code() == code.trim()) else {
        return Ok(None);
    };
    let differs = !merge::not_taken(Kind::InventoryItem, body, there.object()).is_empty();
    if alike && differs {
        return Err(DeskError::BadRequest {
            what: format!(
                "inventory item {} has the code `{}` already, and other values",
                quote::line(&there.id(), 20),
                quote::line(&code, 60)
            ),
            hint: "change that item with inventory_update, or give another `code`",
        });
    }
    Ok(Some(there))
}

fn shown(item: Object) -> Value {
    Value::Object(InventoryItem::from_object(item).object().clone())
}
