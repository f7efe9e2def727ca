//! Stock: what an inventory item has, and how it is listed, created and replaced.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{Fields, Shop, take, values};
use crate::assumptions::Refusal;
use crate::when;

impl Shop {
    /// Adds an inventory item and returns its id.
    ///
    /// # Errors
    /// Without a name or code, with wrong shapes, or with a code that exists.
    pub(crate) fn add_stock(&mut self, input: &Fields, now: Timestamp) -> Result<u64, Refusal> {
        let id = self.next.inventory;
        let item =
            item_from(input, id, &when::stamp(now), now).map_err(Refusal::InventoryNotAdded)?;
        if self.stock_with_code(values::str_of(&item, "code"), None) {
            return Err(Refusal::InventoryNotAdded(vec![
                "An item with this code already exists".to_owned(),
            ]));
        }
        take(&mut self.next.inventory);
        self.inventory.insert(id, item);
        Ok(id)
    }

    /// Replaces an inventory item: what `input` leaves out becomes blank.
    ///
    /// # Errors
    /// For an unknown item, without a name or code, or with another item's code.
    pub(crate) fn replace_stock(
        &mut self,
        id: u64,
        input: &Fields,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let old = self.inventory.get(&id).ok_or(Refusal::InventoryMissing)?;
        let added = values::str_of(old, "date_added").to_owned();
        let item = item_from(input, id, &added, now).map_err(Refusal::InventoryNotUpdated)?;
        if self.stock_with_code(values::str_of(&item, "code"), Some(id)) {
            return Err(Refusal::InventoryNotUpdated(vec![
                "An item with this code already exists".to_owned(),
            ]));
        }
        self.inventory.insert(id, item);
        Ok(())
    }

    fn stock_with_code(&self, code: &str, but: Option<u64>) -> bool {
        self.inventory
            .iter()
            .any(|(id, item)| Some(*id) != but && values::str_of(item, "code") == code)
    }

    /// The items that match: `codes` (any of them, if given) and `search` (part of name or code), by id.
    pub(crate) fn stock_list(&self, codes: &[String], search: Option<&str>) -> Vec<&Fields> {
        let wanted = search.map(str::to_lowercase);
        let matches = |item: &&Fields| {
            let (code, name) = (values::str_of(item, "code"), values::str_of(item, "name"));
            let coded = codes.is_empty() || codes.iter().any(|wanted| wanted == code);
            coded
                && wanted.as_deref().is_none_or(|text| {
                    code.to_lowercase().contains(text) || name.to_lowercase().contains(text)
                })
        };
        self.inventory.values().filter(matches).collect()
    }
}

fn item_from(input: &Fields, id: u64, added: &str, now: Timestamp) -> Result<Fields, Vec<String>> {
    let mut item = Map::new();
    let mut errors = Vec::new();
    item.insert("id".to_owned(), json!(id));
    for name in ["name", "code"] {
        match input
            .get(name)
            .and_then(values::text)
            .filter(|text| !text.is_empty())
        {
            Some(text) => drop(item.insert(name.to_owned(), json!(text))),
            None => errors.push(format!("{name} is required")),
        }
    }
    for name in ["price", "cost", "weight", "stock"] {
        match input.get(name).map_or(Some(0.0), values::number) {
            Some(number) => drop(item.insert(name.to_owned(), values::json(number))),
            None => errors.push(format!("{name} is no number")),
        }
    }
    for name in ["update_source", "location"] {
        let text = input.get(name).and_then(values::text).unwrap_or_default();
        item.insert(name.to_owned(), json!(text));
    }
    let maker = input
        .get("manufacturer_sku")
        .and_then(values::text)
        .filter(|text| !text.is_empty());
    item.insert(
        "manufacturer_sku".to_owned(),
        maker.map_or(Value::Null, Value::String),
    );
    for name in ["metadata", "variation_list"] {
        match input.get(name).map_or(Some(Map::new()), values::map) {
            Some(map) => drop(item.insert(name.to_owned(), Value::Object(map))),
            None => errors.push(format!("{name} is no map")),
        }
    }
    item.insert("date_added".to_owned(), json!(added));
    item.insert("date_updated".to_owned(), json!(when::stamp(now)));
    if errors.is_empty() {
        Ok(item)
    } else {
        Err(errors)
    }
}
