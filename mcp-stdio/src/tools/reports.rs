//! What the reports share.
//!
//! Here: which folders are open, which open orders are read, since when, whether orders lower the stock themselves, and cutting a list to its share of
//! an answer. Not here: the tools (`orders_summary`, `low_stock`).

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::desk::Shop;
use crate::desk::model::{OrdersQuery, StoreSettings};
use crate::desk::report::Folders;
use crate::error::{ToolError, quoted};
use crate::reply;

/// Days that are looked back for open orders: who still waits after that is no daily business.
const OPEN_DAYS: i64 = 90;

/// Midnight (UTC) of the day that many days ago, as the API takes it.
pub(super) fn days_before(now: Timestamp, days: i64) -> String {
    let then = now
        .saturating_sub(SignedDuration::from_hours(24 * days))
        .unwrap_or(Timestamp::UNIX_EPOCH);
    then.strftime("%Y-%m-%d 00:00:00").to_string()
}

/// Since when open orders are read.
pub(super) fn open_since(now: Timestamp) -> String {
    days_before(now, OPEN_DAYS)
}

/// All open orders of the last months.
pub(super) fn open_orders(folders: &Folders, now: Timestamp) -> OrdersQuery {
    OrdersQuery {
        folder_ids: folders
            .open()
            .iter()
            .map(|folder| folder.id.clone())
            .collect(),
        search_start_date: Some(open_since(now)),
        ..OrdersQuery::default()
    }
}

/// The shop's folders and which are open. A name that is not there may be new: the shop is asked once more before it is refused.
pub(super) async fn folders(
    shop: &Shop,
    wanted: &[&str],
    fresh: bool,
) -> Result<(Folders, StoreSettings), ToolError> {
    let store = shop.settings(fresh).await?.value;
    match Folders::choose(store.folders(), wanted) {
        Ok(folders) => Ok((folders, StoreSettings::clone(&store))),
        Err(_) if !fresh => Box::pin(folders_now(shop, wanted)).await,
        Err(unknown) => Err(no_folder(&unknown, &store)),
    }
}

async fn folders_now(shop: &Shop, wanted: &[&str]) -> Result<(Folders, StoreSettings), ToolError> {
    let store = shop.settings(true).await?.value;
    match Folders::choose(store.folders(), wanted) {
        Ok(folders) => Ok((folders, StoreSettings::clone(&store))),
        Err(unknown) => Err(no_folder(&unknown, &store)),
    }
}

fn no_folder(unknown: &[&str], store: &StoreSettings) -> ToolError {
    const MOST: usize = 30;
    let names: Vec<String> = store
        .folders()
        .iter()
        .take(MOST)
        .map(|folder| quoted(&folder.name))
        .collect();
    let mistake = |name: &&str| {
        format!(
            "`open_folders`: {} is no folder; there are {}",
            quoted(name),
            names.join(", ")
        )
    };
    ToolError::Arguments(unknown.iter().map(mistake).collect())
}

/// Whether Order Desk itself lowers the stock when an order comes in: what open orders need is gone from the count already then.
pub(super) fn orders_take_stock(settings: &StoreSettings) -> bool {
    let set = settings.settings().text("auto_update_stock_count");
    !matches!(
        set.trim().to_ascii_lowercase().as_str(),
        "" | "0" | "false" | "no" | "off"
    )
}

/// As many of `rows`, from the first, as `most_bytes` hold; how many there were is said when it is not all.
pub(super) fn cut(
    list: &str,
    mut rows: Vec<Value>,
    most_bytes: usize,
    remarks: &mut Vec<String>,
) -> Vec<Value> {
    let mut used = 0;
    let fitting = rows
        .iter()
        .take_while(|row| {
            used += reply::size_of(row) + 1;
            used <= most_bytes
        })
        .count();
    if fitting < rows.len() {
        remarks.push(format!(
            "{list}: the first {fitting} of {} are shown",
            rows.len()
        ));
        rows.truncate(fitting);
    }
    rows
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn store(settings: &Value) -> StoreSettings {
        let store = json!({"settings": settings, "folders": {"1": "New", "2": "Ho`ld"}});
        StoreSettings::from_object(store.as_object().unwrap().clone())
    }

    #[test]
    fn whether_orders_lower_the_stock_is_read_from_any_form_of_the_setting() {
        for (value, takes) in [
            (json!("1"), true),
            (json!(1), true),
            (json!("on"), true),
            (json!(true), true),
            (json!(""), false),
            (json!("0"), false),
            (json!(0), false),
            (json!("Off"), false),
            (json!(null), false),
        ] {
            let settings = store(&json!({ "auto_update_stock_count": value }));
            assert_eq!(orders_take_stock(&settings), takes, "{value}");
        }
        assert!(!orders_take_stock(&store(&json!({}))));
    }

    #[test]
    fn a_folder_that_is_not_there_is_refused_with_the_names_that_are() {
        let text = no_folder(&["Hodl"], &store(&json!({}))).to_string();
        assert_eq!(
            text,
            "`open_folders`: `Hodl` is no folder; there are `New`, `Ho ld`"
        );
    }

    #[test]
    fn a_day_begins_at_midnight() {
        let now: Timestamp = "2026-03-10T12:34:56Z".parse().unwrap();
        assert_eq!(days_before(now, 7), "2026-03-03 00:00:00");
        assert_eq!(open_since(now), "2025-12-10 00:00:00");
    }

    #[test]
    fn a_list_is_cut_to_its_share_and_says_so() {
        let mut remarks = Vec::new();
        let rows = vec![json!({"id": 1}); 10];
        assert_eq!(cut("rows", rows.clone(), 27, &mut remarks).len(), 3);
        assert_eq!(remarks, ["rows: the first 3 of 10 are shown"]);
        assert_eq!(cut("rows", rows, 1_000, &mut remarks).len(), 10);
        assert_eq!(remarks.len(), 1);
    }
}
