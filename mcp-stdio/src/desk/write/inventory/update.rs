//! Changing named fields of one inventory item.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use shared::audit::action;

use super::rows::Which;
use super::{part, which};
use crate::desk::error::DeskError;
use crate::desk::model::Object;
use crate::desk::shop::Shop;
use crate::desk::write::{Change, Outcome, Preview, Weight, Writer};

/// Changes an inventory item.
#[derive(Clone, Debug)]
pub struct UpdateInventoryItem {
    /// The item.
    pub which: Which,
    /// What is to be different: see [`crate::desk::merge::Patch`].
    pub changes: Object,
}

impl Change for UpdateInventoryItem {
    fn weight(&self) -> Weight {
        Weight::Light
    }

    fn preview<'a>(&'a self, shop: &'a Shop) -> BoxFuture<'a, Result<Preview, DeskError>> {
        async move {
            let (id, item) = which::find(shop, &self.which).await?;
            part(&id, &self.which, action::INVENTORY_UPDATED).preview(&self.changes, item.object())
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
            let part = part(&id, &self.which, action::INVENTORY_UPDATED);
            writer.patch(part, &self.changes, agreed).await
        }
        .boxed()
    }
}
