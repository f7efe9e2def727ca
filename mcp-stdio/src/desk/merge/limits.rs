//! How long an order's maps may get.
//!
//! Characters are counted as PHP writes JSON, a letter beyond ASCII as six (`\u00fc`) and a slash as two: nobody has said whether Order Desk counts
//! before or after, and what is too long is lost.

use serde_json::Value;

use super::{Kind, same};
use crate::desk::model::Object;

/// Characters of `checkout_data` as JSON (said by a third party from the current documentation).
pub const CHECKOUT_DATA_MAX: usize = 3_500;

/// Characters of `order_metadata` as JSON (same source).
pub const ORDER_METADATA_MAX: usize = 2_000;

/// Checks the maps that differ from `before` (all of them, for a new thing): one that is too long already is nobody's mistake now.
///
/// # Errors
/// Every map that is too long, with its length and what to do.
pub fn check(kind: Kind, before: Option<&Object>, after: &Object) -> Result<(), Vec<String>> {
    if kind != Kind::Order {
        return Ok(());
    }
    let limits = [
        ("checkout_data", CHECKOUT_DATA_MAX),
        ("order_metadata", ORDER_METADATA_MAX),
    ];
    let mistakes: Vec<String> = limits
        .iter()
        .filter_map(|(name, most)| too_long(name, *most, before, after))
        .collect();
    if mistakes.is_empty() {
        Ok(())
    } else {
        Err(mistakes)
    }
}

fn too_long(name: &str, most: usize, before: Option<&Object>, after: &Object) -> Option<String> {
    let map = after.get(name)?;
    let untouched = before
        .and_then(|before| before.get(name))
        .is_some_and(|before| same(before, map));
    let chars = json_chars(map);
    (chars > most && !untouched).then(|| {
        format!(
            "`{name}` would have {chars} characters as JSON, at most {most} are kept: shorten a value or remove a key (null)"
        )
    })
}

/// The characters of `value` as PHP writes JSON.
pub(super) fn json_chars(value: &Value) -> usize {
    let extra = |c: char| match c {
        '/' => 1,
        // `\u00fc`; beyond the basic plane a pair of them.
        c if !c.is_ascii() => c.len_utf16() * 6 - 1,
        _ => 0,
    };
    value.to_string().chars().map(|c| 1 + extra(c)).sum()
}
