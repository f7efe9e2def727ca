//! Stock: inventory items and pages of them.
//!
//! Here: the item with every field it came with. Not here: how items are asked for (`query`).

use std::borrow::Cow;

use serde_json::Number;

use super::fields::{Fields, Object, mend_maps};

/// One inventory item; every field it came with is kept, in its order.
#[derive(Clone, Debug, PartialEq)]
pub struct InventoryItem(Object);

/// A page of inventory items.
#[derive(Clone, Debug, PartialEq)]
pub struct InventoryPage {
    /// The items of this page.
    pub items: Vec<InventoryItem>,
    /// How many rows were skipped before this page.
    pub offset: u64,
    /// How many rows a full page has.
    pub limit: u64,
    /// How many rows Order Desk says there are. A hint only.
    pub total_records: Option<u64>,
    /// Whether a next page may hold rows: this page was full.
    pub has_more: bool,
}

impl InventoryItem {
    /// Takes one object over. Empty maps that came as `[]` become `{}`.
    #[must_use]
    pub fn from_object(mut object: Object) -> InventoryItem {
        mend_maps(&mut object, &["metadata", "variation_list"]);
        InventoryItem(object)
    }

    /// Every field.
    #[must_use]
    pub fn object(&self) -> &Object {
        &self.0
    }

    /// A forgiving view on the fields.
    #[must_use]
    pub fn fields(&self) -> Fields<'_> {
        Fields::of(&self.0)
    }

    /// Order Desk's id of the item.
    #[must_use]
    pub fn id(&self) -> Cow<'_, str> {
        self.fields().text("id")
    }

    /// The SKU; it joins an order item's `code` to this row.
    #[must_use]
    pub fn code(&self) -> Cow<'_, str> {
        self.fields().text("code")
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> Cow<'_, str> {
        self.fields().text("name")
    }

    /// The count in stock; may be negative.
    #[must_use]
    pub fn stock(&self) -> Option<Number> {
        self.fields().number("stock")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_item_keeps_unknown_fields_and_reads_mixed_types() {
        let told = json!({"id": 61001, "code": "TOTE", "name": "Tote", "stock": "-3", "metadata": [], "new_field": [1]});
        let item = InventoryItem::from_object(told.as_object().unwrap().clone());
        assert_eq!(
            (
                item.id().as_ref(),
                item.code().as_ref(),
                item.name().as_ref()
            ),
            ("61001", "TOTE", "Tote")
        );
        assert_eq!(item.stock(), Some((-3).into()));
        assert_eq!(item.object()["metadata"], json!({}));
        assert_eq!(item.object()["new_field"], json!([1]));
    }
}
