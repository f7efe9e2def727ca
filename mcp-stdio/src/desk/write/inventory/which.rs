//! From an id or a SKU to the one inventory item that is meant.
//!
//! Order Desk's `code` filter is a comma list, compared as it likes. Here the answer is compared again, letter by letter: a stock count
//! that lands on another item is worse than an error.

use super::rows::Which;
use crate::desk::error::DeskError;
use crate::desk::model::{InventoryItem, InventoryItemId, InventoryQuery, MAX_LIMIT};
use crate::desk::quote;
use crate::desk::shop::Shop;

/// The item and its id, read now.
///
/// # Errors
/// [`DeskError::NotFound`] for an unknown id, [`DeskError::BadRequest`] for a SKU that none, or more than one, item has.
pub(super) async fn find(
    shop: &Shop,
    which: &Which,
) -> Result<(InventoryItemId, InventoryItem), DeskError> {
    match which {
        Which::Id(id) => {
            let item = shop.inventory_item(id, true).await?.value;
            Ok((id.clone(), (*item).clone()))
        }
        Which::Code(code) => {
            let found = with_codes(shop, &[code.trim()]).await?;
            let item = only(&found, code.trim())?;
            Ok((InventoryItemId::parse(&item.id())?, item.clone()))
        }
    }
}

/// The item's id; an id is taken as it is, and asked for when the item is read under its turn.
///
/// # Errors
/// As [`find`], for a SKU.
pub(super) async fn id(shop: &Shop, which: &Which) -> Result<InventoryItemId, DeskError> {
    match which {
        Which::Id(id) => Ok(id.clone()),
        Which::Code(_) => Ok(find(shop, which).await?.0),
    }
}

/// Every item that Order Desk shows for these SKUs.
pub(super) async fn with_codes(
    shop: &Shop,
    codes: &[&str],
) -> Result<Vec<InventoryItem>, DeskError> {
    let query = InventoryQuery {
        codes: codes.iter().map(|code| (*code).to_owned()).collect(),
        limit: Some(MAX_LIMIT),
        offset: 0,
    };
    Ok(shop.inventory(&query, true).await?.value.items.clone())
}

/// The one item among `found` whose SKU is exactly `code`.
///
/// # Errors
/// [`DeskError::BadRequest`] when there is none, or more than one.
pub(super) fn only<'a>(
    found: &'a [InventoryItem],
    code: &str,
) -> Result<&'a InventoryItem, DeskError> {
    let exact: Vec<&InventoryItem> = found.iter().filter(|item| item.code() == code).collect();
    match exact.as_slice() {
        [item] => Ok(item),
        [] => Err(none_has(found, code)),
        several => Err(DeskError::BadRequest {
            what: format!(
                "{} inventory items have the code `{}`: ids {}",
                several.len(),
                quote::line(code, 60),
                ids(several)
            ),
            hint: "give the `inventory_item_id` of the one that is meant",
        }),
    }
}

fn none_has(found: &[InventoryItem], code: &str) -> DeskError {
    let folded = code.to_lowercase();
    let alike = found
        .iter()
        .find(|item| item.code().to_lowercase() == folded);
    let instead = alike.map_or_else(String::new, |item| {
        format!("; there is `{}`", quote::line(&item.code(), 60))
    });
    DeskError::BadRequest {
        what: format!(
            "no inventory item has exactly the code `{}`{instead}",
            quote::line(code, 60)
        ),
        hint: "inventory_list shows the codes; upper and lower case count",
    }
}

fn ids(items: &[&InventoryItem]) -> String {
    let ids: Vec<String> = items
        .iter()
        .map(|item| quote::line(&item.id(), 20))
        .collect();
    ids.join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn items(rows: &[(u64, &str)]) -> Vec<InventoryItem> {
        let item = |(id, code): &(u64, &str)| {
            let object = json!({"id": id, "code": code});
            InventoryItem::from_object(object.as_object().unwrap().clone())
        };
        rows.iter().map(item).collect()
    }

    #[test]
    fn only_the_exact_code_of_exactly_one_item_will_do() {
        let found = items(&[(1, "MUG-1"), (2, "mug-1"), (3, "CAP"), (4, "CAP")]);
        assert_eq!(only(&found, "MUG-1").unwrap().id(), "1");
        let several = only(&found, "CAP").unwrap_err().to_string();
        assert!(
            several.contains("2 inventory items") && several.contains("ids 3, 4"),
            "{several}"
        );
        let none = only(&found, "Mug-1").unwrap_err().to_string();
        assert!(none.contains("there is `MUG-1`"), "{none}");
        assert!(
            !only(&found, "TEE")
                .unwrap_err()
                .to_string()
                .contains("there is")
        );
    }
}
