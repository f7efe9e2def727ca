//! What one can do with a store's orders: create, replace, delete, move, note. Each leaves history and events behind.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Fields, Order, Shop, address, items, order, take, values};
use crate::assumptions::{Refusal, STRICT_BLANKS};
use crate::when;

impl Shop {
    /// Adds an order.
    ///
    /// # Errors
    /// Without an item or a name, with wrong shapes, or for an order that exists already.
    pub(crate) fn create_order(&mut self, input: &Fields, now: Timestamp) -> Result<u64, Refusal> {
        match self.duplicate_of(input) {
            Some(existing) => Err(Refusal::DuplicateOrder(existing)),
            None => self.add_order(input, now),
        }
    }

    /// Adds an order without looking for an equal one (the seed knows that there is none).
    pub(crate) fn add_order(&mut self, input: &Fields, now: Timestamp) -> Result<u64, Refusal> {
        let mut fields = order::fields_from(input, None, now).map_err(Refusal::OrderNotAdded)?;
        check_new(input, &fields)?;
        let rows = input
            .get("order_items")
            .and_then(values::rows)
            .unwrap_or_default();
        let items =
            items::replaced(&rows, &[], &mut self.next.item).map_err(Refusal::OrderNotAdded)?;
        fields.insert("order_items".to_owned(), Value::Array(items));
        copy_missing_address(&mut fields);
        let id = take(&mut self.next.order);
        let mut order = Order {
            id,
            fields,
            history: Vec::new(),
            text: None,
        };
        self.set_defaults(&mut order, input, now);
        order.log(
            "Order Desk",
            format!(
                "Order Imported from {}",
                values::str_of(&order.fields, "source_name")
            ),
            now,
        );
        self.events.note(
            now,
            "Order is Imported",
            id,
            values::str_of(&order.fields, "source_name"),
        );
        self.rules.entered(id, order.folder(), now);
        let email = order.email_key();
        self.orders.insert(id, order);
        self.count_email(&email, id, true);
        Ok(id)
    }

    /// Replaces an order: what `input` leaves out becomes blank.
    ///
    /// # Errors
    /// For an unknown order or folder, and for wrong shapes; nothing is changed then.
    pub(crate) fn replace_order(
        &mut self,
        id: u64,
        input: &Fields,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let old = self.orders.get(&id).ok_or(Refusal::OrderMissing)?;
        let mut fields =
            order::fields_from(input, Some(&old.fields), now).map_err(Refusal::OrderNotUpdated)?;
        let folder = self.folder_after(input, old.folder())?;
        fields.insert("folder_id".to_owned(), json!(folder));
        if let Some(given) = input.get("order_items") {
            let rows = values::rows(given).ok_or_else(|| {
                Refusal::OrderNotUpdated(vec!["order_items has the wrong type".to_owned()])
            })?;
            let list = items::replaced(&rows, old.items(), &mut self.next.item)
                .map_err(Refusal::OrderNotUpdated)?;
            fields.insert("order_items".to_owned(), Value::Array(list));
        }
        if self.strict {
            blank_the_disputed(&mut fields, input);
        }
        let (old_email, old_folder) = (old.email_key(), old.folder());
        let moved_house = old.fields.get("shipping") != fields.get("shipping");
        self.store_replacement(id, fields, now);
        self.after_replacement(id, moved_house, old_folder, now);
        self.move_email(id, &old_email);
        Ok(())
    }

    /// Deletes an order for good.
    ///
    /// # Errors
    /// For an unknown order.
    pub(crate) fn delete_order(&mut self, id: u64) -> Result<(), Refusal> {
        let order = self.orders.remove(&id).ok_or(Refusal::OrderMissing)?;
        self.count_email(&order.email_key(), id, false);
        Ok(())
    }

    /// Moves an order and returns the folder it came from; `None` if there is no such order. Moving it to where it is
    /// writes no history.
    pub(crate) fn move_order(
        &mut self,
        id: u64,
        folder: i64,
        by: &str,
        now: Timestamp,
    ) -> Option<i64> {
        let name = self.folder_name(folder).unwrap_or_default().to_owned();
        let order = self.orders.get_mut(&id)?;
        let before = order.folder();
        if before != folder {
            order.fields.insert("folder_id".to_owned(), json!(folder));
            order.touch(now);
            self.entered_folder(id, folder, &name, by, now);
        }
        Some(before)
    }

    /// Something about order `id` changed from outside its own fields (items, shipments).
    pub(crate) fn changed(&mut self, id: u64, note: &str, now: Timestamp) {
        if let Some(order) = self.orders.get_mut(&id) {
            order.log("API", note, now);
            order.touch(now);
        }
        self.events.note(now, "Order Details Changed", id, note);
    }

    fn set_defaults(&self, order: &mut Order, input: &Fields, now: Timestamp) {
        let asked = input
            .get("folder_id")
            .and_then(values::whole)
            .filter(|id| self.folder_name(*id).is_some());
        let folder = asked.unwrap_or_else(|| self.first_folder());
        let given_date = input
            .get("date_added")
            .and_then(Value::as_str)
            .and_then(|text| when::parse(text, jiff::tz::Offset::UTC));
        order.set_text("id", order.id.to_string());
        order.fields.insert("folder_id".to_owned(), json!(folder));
        order.set_text("date_added", when::stamp(given_date.unwrap_or(now)));
        for (name, default) in [
            ("source_name", "Order Desk"),
            ("payment_status", "Captured"),
            ("source_id", &order.id.to_string()),
        ] {
            if values::str_of(&order.fields, name).is_empty() {
                order.set_text(name, default);
            }
        }
        order.touch(now);
        if input.get("processor_balance").is_none() {
            order.set_number(
                "processor_balance",
                values::number_of(&order.fields, "order_total"),
            );
        }
    }

    /// The same channel number from the same channel is the same order.
    fn duplicate_of(&self, input: &Fields) -> Option<u64> {
        let id = input
            .get("source_id")
            .and_then(values::text)
            .filter(|id| !id.is_empty())?;
        let name = input
            .get("source_name")
            .and_then(values::text)
            .filter(|name| !name.is_empty());
        let name = name.unwrap_or_else(|| "Order Desk".to_owned());
        let same = |order: &&Order| {
            values::str_of(&order.fields, "source_id") == id
                && values::str_of(&order.fields, "source_name") == name
        };
        self.orders.values().find(same).map(|order| order.id)
    }

    fn folder_after(&self, input: &Fields, current: i64) -> Result<i64, Refusal> {
        match input.get("folder_id").and_then(values::whole) {
            Some(folder) if self.folder_name(folder).is_some() => Ok(folder),
            Some(0) | None if self.strict => Ok(self.first_folder()),
            Some(0) | None => Ok(current),
            Some(_) => Err(Refusal::FolderMissing),
        }
    }

    fn store_replacement(&mut self, id: u64, fields: Fields, now: Timestamp) {
        if let Some(order) = self.orders.get_mut(&id) {
            order.fields = fields;
            order.log("API", "Order Updated", now);
            order.touch(now);
        }
    }

    fn after_replacement(&mut self, id: u64, moved_house: bool, old_folder: i64, now: Timestamp) {
        let event = if moved_house {
            "Order Address Changed"
        } else {
            "Order Details Changed"
        };
        self.events.note(now, event, id, "PUT");
        let folder = self.orders.get(&id).map_or(old_folder, Order::folder);
        if folder != old_folder {
            let name = self.folder_name(folder).unwrap_or_default().to_owned();
            self.entered_folder(id, folder, &name, "API", now);
        }
    }

    fn entered_folder(&mut self, id: u64, folder: i64, name: &str, by: &str, now: Timestamp) {
        if let Some(order) = self.orders.get_mut(&id) {
            order.log(by, format!("Order Moved to {name} Folder"), now);
        }
        self.events.note(now, "Folder is Changed", id, name);
        self.rules.entered(id, folder, now);
    }

    /// Keeps `email_count` true after order `id` changed hands.
    pub(crate) fn move_email(&mut self, id: u64, old_email: &str) {
        let Some(new_email) = self.orders.get(&id).map(Order::email_key) else {
            return;
        };
        if new_email != old_email {
            self.count_email(old_email, id, false);
            self.count_email(&new_email, id, true);
        }
    }

    fn count_email(&mut self, email: &str, id: u64, here: bool) {
        let group = self.by_email.entry(email.to_owned()).or_default();
        if here {
            group.insert(id)
        } else {
            group.remove(&id)
        };
        for other in group.iter() {
            if let Some(order) = self.orders.get_mut(other) {
                order.text = None;
            }
        }
    }
}

fn check_new(input: &Fields, fields: &Fields) -> Result<(), Refusal> {
    let mut errors = Vec::new();
    if input
        .get("order_items")
        .and_then(values::rows)
        .is_none_or(|rows| rows.is_empty())
    {
        errors.push("At least one order item is required".to_owned());
    }
    let named = ["shipping", "customer"].iter().any(|name| {
        fields
            .get(*name)
            .and_then(Value::as_object)
            .is_some_and(address::has_name)
    });
    if !named {
        errors.push("A first name, last name or company is required".to_owned());
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Refusal::OrderNotAdded(errors))
    }
}

/// On create, the address that is missing is copied from the other.
fn copy_missing_address(fields: &mut Fields) {
    for (target, source, names) in [
        ("shipping", "customer", address::SHIPPING),
        ("customer", "shipping", address::CUSTOMER),
    ] {
        let of = |name: &str| {
            fields
                .get(name)
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default()
        };
        if address::is_blank(&of(target)) {
            fields.insert(
                target.to_owned(),
                Value::Object(address::complete(&of(source), names)),
            );
        }
    }
}

fn blank_the_disputed(fields: &mut Fields, input: &Fields) {
    for name in STRICT_BLANKS {
        let sent = match name {
            "cc_number_masked" => input.contains_key("cc_number"),
            "folder_id" => true, // the first folder already stands there
            _ => input.contains_key(name),
        };
        if !sent {
            let nothing = if name == "order_items" {
                json!([])
            } else {
                json!("")
            };
            fields.insert(name.to_owned(), nothing);
        }
    }
}
