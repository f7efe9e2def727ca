//! Rows of a shop on their way into an answer.
//!
//! Here: what all areas share: empty fields left out, chosen fields picked, strings cleaned, pages cut to the size of an answer.
//! Not here: which fields a summary has; that is each area's.

use serde_json::{Map, Value};
use shared::env::nearest;

use crate::clean;
use crate::cursor;
use crate::error::{ToolError, quoted};
use crate::reply::{self, Reply};

/// How a row is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum View {
    /// What an overview needs.
    Summary,
    /// Everything that is not empty.
    Full,
    /// These fields, empty or not.
    Fields(Vec<String>),
}

impl View {
    /// From the arguments `fields` and `detail`; `fields` wins.
    pub(super) fn from_args(args: &crate::args::Args, default: View) -> View {
        let fields = args.words("fields");
        if !fields.is_empty() {
            return View::Fields(fields.into_iter().map(str::to_owned).collect());
        }
        match args.text("detail") {
            Some("summary") => View::Summary,
            Some("full") => View::Full,
            _ => default,
        }
    }

    /// Refuses a field that is neither documented nor in any of the rows at hand: a misspelt name would look like missing data.
    pub(super) fn check<'a>(
        &self,
        known: &[&str],
        rows: impl Iterator<Item = &'a Map<String, Value>>,
    ) -> Result<(), ToolError> {
        let View::Fields(fields) = self else {
            return Ok(());
        };
        let mut unknown: Vec<&String> = fields
            .iter()
            .filter(|field| !known.contains(&field.as_str()))
            .collect();
        for row in rows {
            unknown.retain(|field| !row.contains_key(*field));
        }
        if unknown.is_empty() {
            Ok(())
        } else {
            Err(ToolError::Fields(
                unknown
                    .into_iter()
                    .map(|field| no_field(field, known))
                    .collect(),
            ))
        }
    }
}

fn no_field(field: &str, known: &[&str]) -> String {
    match nearest(field, known.iter().copied()) {
        Some(near) => format!("{} is no field; did you mean `{near}`?", quoted(field)),
        None => format!(
            "{} is no field; there are `{}`",
            quoted(field),
            known.join("`, `")
        ),
    }
}

/// One row, cleaned, without card data and, unless asked for by name, without empty fields.
pub(super) fn show(
    row: &Map<String, Value>,
    view: &View,
    summary: impl FnOnce() -> Map<String, Value>,
) -> Value {
    Value::Object(match view {
        View::Summary => filled(without_cards(&summary())),
        View::Full => filled(without_cards(row)),
        View::Fields(fields) => {
            let given = |field: &String| row.get(field).map(|value| (field.clone(), value.clone()));
            clean::object(clean::without_cards(
                fields.iter().filter_map(given).collect(),
            ))
        }
    })
}

fn without_cards(row: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    row.iter().filter(|(name, _)| !clean::is_of_a_card(name))
}

/// What of these fields is not empty, copied and cleaned on the way. Order Desk writes every field of every row; most are empty and cost tokens.
fn filled<'a>(fields: impl Iterator<Item = (&'a String, &'a Value)>) -> Map<String, Value> {
    clean::object_of(fields.filter_map(|(name, value)| Some((name, full(value)?))))
}

fn full(value: &Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::String(text) => {
            (!text.is_empty()).then(|| Value::String(clean::text(text).into_owned()))
        }
        Value::Array(values) => {
            let values: Vec<Value> = values.iter().filter_map(full).collect();
            (!values.is_empty()).then_some(Value::Array(values))
        }
        Value::Object(object) => {
            let object = filled(object.iter());
            (!object.is_empty()).then_some(Value::Object(object))
        }
        Value::Bool(_) | Value::Number(_) => Some(value.clone()),
    }
}

/// A page of rows as an answer: as many as fit, and where to go on.
pub(super) struct Page<'a> {
    /// The field that holds the rows.
    pub(super) name: &'a str,
    /// The rows.
    pub(super) rows: Vec<Value>,
    /// The number of the first one.
    pub(super) offset: u64,
    /// Whether Order Desk may have more behind them.
    pub(super) has_more: bool,
    /// How many it says there are; wrong at times.
    pub(super) total_records: Option<u64>,
    /// The query, for the cursor.
    pub(super) query: &'a str,
}

impl Page<'_> {
    pub(super) fn into_reply(mut self, reply: Reply) -> Reply {
        let fetched = self.rows.len();
        let shown = reply::fit(&mut self.rows);
        self.rows.truncate(shown);
        let has_more = self.has_more || shown < fetched;
        let next = self.offset + shown as u64;
        let total = self
            .total_records
            .filter(|total| *total >= self.offset + fetched as u64 && *total > 0);
        let cut = (shown < fetched).then(|| {
            format!("{shown} of {fetched} rows fit; go on with next_cursor, or ask for less per row (`fields`, detail=summary)")
        });
        reply
            .with(self.name, self.rows)
            .with("has_more", has_more)
            .with_some(
                "next_cursor",
                has_more.then(|| cursor::encode(next, self.query)),
            )
            .with_some("total_records", total)
            .with_some("truncated", cut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn empty_fields_are_left_out_at_every_depth_but_zero_and_false_stay() {
        let row = object(
            &json!({"a": "", "b": null, "c": [], "d": {"e": ""}, "f": 0, "g": false, "h": [{"i": ""}, {"j": 1}]}),
        );
        assert_eq!(
            show(&row, &View::Full, Map::new),
            json!({"f": 0, "g": false, "h": [{"j": 1}]})
        );
    }

    #[test]
    fn fields_asked_for_by_name_are_shown_even_when_empty() {
        let row = object(&json!({"a": "", "b": 1}));
        assert_eq!(
            show(&row, &View::Fields(vec!["a".into()]), Map::new),
            json!({"a": ""})
        );
    }

    #[test]
    fn what_strangers_wrote_is_cleaned_and_cards_are_gone() {
        let row = object(
            &json!({"note": "a\u{202E}b", "cc_number_masked": "1111", "cc_exp": "01/2030", "items": [{"na\u{200B}me": "x\u{200B}", "code": ""}]}),
        );
        let shown = json!({"note": "ab", "items": [{"name": "x"}]});
        assert_eq!(show(&row, &View::Full, Map::new), shown);
        assert_eq!(show(&Map::new(), &View::Summary, || row.clone()), shown);
        assert_eq!(
            show(&row, &View::Fields(vec!["cc_exp".into()]), Map::new),
            json!({})
        );
    }

    #[test]
    fn a_misspelt_field_is_an_error_unless_the_shop_has_it() {
        let row = object(&json!({"brand_new": 1}));
        let view = View::Fields(vec!["emial".into(), "brand_new".into()]);
        let Err(ToolError::Fields(wrong)) = view.check(&["email"], std::iter::once(&row)) else {
            panic!()
        };
        assert_eq!(wrong, ["`emial` is no field; did you mean `email`?"]);
        assert!(View::Full.check(&["email"], std::iter::empty()).is_ok());
    }

    fn page(rows: Vec<Value>, has_more: bool) -> Value {
        let page = Page {
            name: "orders",
            rows,
            offset: 40,
            has_more,
            total_records: Some(3),
            query: "q",
        };
        page.into_reply(Reply::ours()).into_value()
    }

    #[test]
    fn a_page_says_where_to_go_on_and_a_wrong_total_is_not_repeated() {
        let last = page(vec![json!({"id": 1})], false);
        assert_eq!(last, json!({"orders": [{"id": 1}], "has_more": false}));
        let more = page(vec![json!({"id": 1})], true);
        assert_eq!(
            cursor::decode(more["next_cursor"].as_str().unwrap(), "q").unwrap(),
            41
        );
    }

    #[test]
    fn a_page_that_is_too_large_stops_early_and_goes_on_exactly_there() {
        let rows = (0..100)
            .map(|n| json!({"id": n, "note": "x".repeat(1000)}))
            .collect();
        let cut = page(rows, false);
        let shown = cut["orders"].as_array().unwrap().len();
        assert!(shown < 100 && cut["has_more"] == true);
        assert_eq!(
            cursor::decode(cut["next_cursor"].as_str().unwrap(), "q").unwrap(),
            40 + shown as u64
        );
        assert!(
            cut["truncated"]
                .as_str()
                .unwrap()
                .starts_with(&format!("{shown} of 100"))
        );
    }
}
