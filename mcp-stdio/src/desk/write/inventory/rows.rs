//! The rows of a batch of stock, before anything is sent.
//!
//! Here: which item each row names, every mistake in it, and rows that name one item twice. Order Desk replaces an item by what a row
//! holds, so a row is never sent as it came: it is merged into the item as it is now (`batch`).

use serde_json::Value;

use crate::desk::model::{Fields, InventoryItemId, Object};

/// Which inventory item is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// By Order Desk's id.
    Id(InventoryItemId),
    /// By its SKU: exactly this text.
    Code(String),
}

/// One row: the item it names, and what is to change there.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) which: Which,
    pub(super) changes: Object,
}

impl Which {
    /// What an item that was found in this way has.
    pub(super) fn expected(&self) -> Option<Object> {
        match self {
            Which::Id(_) => None,
            Which::Code(code) => Some(Object::from_iter([(
                "code".to_owned(),
                Value::from(code.trim()),
            )])),
        }
    }
}

/// Reads which item each row names. With an `id`, a `code` beside it is a change like any other.
///
/// # Errors
/// Every mistake of every row, each with its place and what to do.
pub(super) fn read(rows: &[Object]) -> Result<Vec<Row>, Vec<String>> {
    let mut mistakes = Vec::new();
    let mut read: Vec<Row> = Vec::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        match read_one(row) {
            Ok(row) => read.push(row),
            Err(why) => mistakes.push(format!("items[{index}]: {why}")),
        }
    }
    if mistakes.is_empty() {
        Ok(read)
    } else {
        Err(mistakes)
    }
}

fn read_one(row: &Object) -> Result<Row, String> {
    let fields = Fields::of(row);
    let id_name = if row.contains_key("id") {
        "id"
    } else {
        "inventory_item_id"
    };
    let (id, code) = (fields.text(id_name), fields.text("code"));
    let mut changes = row.clone();
    changes.shift_remove("id");
    changes.shift_remove("inventory_item_id");
    let which = if !id.trim().is_empty() {
        Which::Id(InventoryItemId::parse(&id).map_err(|bad| bad.to_string())?)
    } else if code.trim().is_empty() {
        return Err("give the item's `id` or its `code`".to_owned());
    } else {
        changes.shift_remove("code");
        Which::Code(code.into_owned())
    };
    if changes.is_empty() {
        return Err("it names no field to change, such as `stock` or `price`".to_owned());
    }
    Ok(Row { which, changes })
}

/// The pairs of rows that turned out to be one item, as mistakes: nobody can say which of the two is meant.
pub(super) fn doubles(ids: &[Option<InventoryItemId>]) -> Vec<String> {
    let twin = |index: usize| {
        let id = ids[index].as_ref()?;
        let earlier = ids[..index]
            .iter()
            .position(|other| other.as_ref() == Some(id))?;
        Some(format!(
            "items[{index}]: it is the same item as items[{earlier}] (id {id}); put both changes into one row"
        ))
    };
    (0..ids.len()).filter_map(twin).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rows(value: Value) -> Vec<Object> {
        let Value::Array(rows) = value else {
            unreachable!("the literal is a list")
        };
        rows.into_iter()
            .filter_map(|row| row.as_object().cloned())
            .collect()
    }

    fn id(text: &str) -> InventoryItemId {
        InventoryItemId::parse(text).unwrap()
    }

    #[test]
    fn a_row_names_its_item_by_id_or_code_and_the_rest_is_what_changes() {
        let read = read(&rows(json!([
            {"id": 61001, "code": "NEW-SKU", "stock": 5},
            {"inventory_item_id": "61002", "price": 3},
            {"code": "MUG-1", "stock": 7},
        ])))
        .unwrap();
        assert_eq!(read[0].which, Which::Id(id("61001")));
        assert_eq!(
            Value::Object(read[0].changes.clone()),
            json!({"code": "NEW-SKU", "stock": 5})
        );
        assert_eq!(read[1].which, Which::Id(id("61002")));
        assert_eq!(read[2].which, Which::Code("MUG-1".to_owned()));
        assert_eq!(Value::Object(read[2].changes.clone()), json!({"stock": 7}));
    }

    #[test]
    fn every_mistake_is_told_with_its_row() {
        let told = read(&rows(json!([
            {"stock": 5},
            {"id": "../store", "stock": 5},
            {"code": "MUG-1"},
            {"id": "61001"},
        ])))
        .unwrap_err();
        assert_eq!(told.len(), 4, "{told:#?}");
        assert!(told[0].starts_with("items[0]: give the item's `id` or its `code`"));
        assert!(told[2].contains("names no field to change"));
    }

    #[test]
    fn two_rows_of_one_item_are_a_mistake() {
        let told = doubles(&[Some(id("1")), None, Some(id("1")), None]);
        assert_eq!(told.len(), 1);
        assert!(told[0].starts_with("items[2]: it is the same item as items[0]"));
    }
}
