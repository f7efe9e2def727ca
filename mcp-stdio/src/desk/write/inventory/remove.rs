//! Removing one inventory item. Orders keep the items they have; only the count is gone.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use shared::audit::action;

use super::rows::Which;
use super::{part, which};
use crate::desk::error::DeskError;
use crate::desk::shop::Shop;
use crate::desk::write::{Change, Outcome, Preview, Weight, Writer, remove};

/// Removes an inventory item.
#[derive(Clone, Debug)]
pub struct RemoveInventoryItem {
    /// The item.
    pub which: Which,
}

impl Change for RemoveInventoryItem {
    fn weight(&self) -> Weight {
        Weight::Destroys
    }

    fn preview<'a>(&'a self, shop: &'a Shop) -> BoxFuture<'a, Result<Preview, DeskError>> {
        async move {
            let (id, item) = which::find(shop, &self.which).await?;
            Ok(remove::preview(
                &part(&id, &self.which, action::INVENTORY_REMOVED),
                item.object(),
            ))
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
            let part = part(&id, &self.which, action::INVENTORY_REMOVED);
            writer.remove(part, agreed).await
        }
        .boxed()
    }
}
