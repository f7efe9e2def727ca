//! Removing one item from an order: only the one that was named.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use shared::audit::action;

use crate::desk::error::DeskError;
use crate::desk::merge::Kind;
use crate::desk::model::{OrderId, OrderItemId};
use crate::desk::shop::Shop;
use crate::desk::write::remove;
use crate::desk::write::replace::Part;
use crate::desk::write::{Change, Outcome, Preview, Weight, Writer, turn};

/// Removes an item from an order.
#[derive(Clone, Debug)]
pub struct RemoveItem {
    /// The order.
    pub order: OrderId,
    /// The item.
    pub item: OrderItemId,
}

impl Change for RemoveItem {
    fn weight(&self) -> Weight {
        Weight::Destroys
    }

    fn preview<'a>(&'a self, shop: &'a Shop) -> BoxFuture<'a, Result<Preview, DeskError>> {
        async move {
            let item = shop.order_item(&self.order, &self.item, true).await?;
            Ok(remove::preview(&self.part(), item.value.object()))
        }
        .boxed()
    }

    fn carry_out<'a>(
        &'a self,
        writer: &'a Writer,
        agreed: Option<&'a Preview>,
    ) -> BoxFuture<'a, Result<Outcome, DeskError>> {
        writer.remove(self.part(), agreed).boxed()
    }
}

impl RemoveItem {
    fn part(&self) -> Part {
        Part {
            kind: Kind::OrderItem,
            fact: "order_item",
            thing: turn::order(&self.order),
            read: super::one(&self.order, &self.item),
            action: action::ITEM_REMOVED,
            target: format!("item {} of order {}", self.item, self.order),
            check: super::check(&self.order),
            expected: None,
        }
    }
}
