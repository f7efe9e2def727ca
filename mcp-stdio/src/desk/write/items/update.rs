//! Changing named fields of one item of an order.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use shared::audit::action;

use crate::desk::error::DeskError;
use crate::desk::merge::Kind;
use crate::desk::model::{Object, OrderId, OrderItemId};
use crate::desk::shop::Shop;
use crate::desk::write::replace::Part;
use crate::desk::write::{Change, Outcome, Preview, Weight, Writer, turn};

/// Changes an item of an order.
#[derive(Clone, Debug)]
pub struct UpdateItem {
    /// The order.
    pub order: OrderId,
    /// The item.
    pub item: OrderItemId,
    /// What is to be different: see [`crate::desk::merge::Patch`].
    pub changes: Object,
}

impl Change for UpdateItem {
    fn weight(&self) -> Weight {
        Weight::Light
    }

    fn preview<'a>(&'a self, shop: &'a Shop) -> BoxFuture<'a, Result<Preview, DeskError>> {
        async move {
            let item = shop.order_item(&self.order, &self.item, true).await?;
            self.part().preview(&self.changes, item.value.object())
        }
        .boxed()
    }

    fn carry_out<'a>(
        &'a self,
        writer: &'a Writer,
        agreed: Option<&'a Preview>,
    ) -> BoxFuture<'a, Result<Outcome, DeskError>> {
        writer.patch(self.part(), &self.changes, agreed).boxed()
    }
}

impl UpdateItem {
    fn part(&self) -> Part {
        Part {
            kind: Kind::OrderItem,
            fact: "order_item",
            thing: turn::order(&self.order),
            read: super::one(&self.order, &self.item),
            action: action::ITEM_UPDATED,
            target: format!("item {} of order {}", self.item, self.order),
            check: super::check(&self.order),
            expected: None,
        }
    }
}
