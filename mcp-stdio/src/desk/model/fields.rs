//! Reading the fields of a JSON object that PHP wrote.
//!
//! Here: a view that hides the three habits of Order Desk's JSON: ids and numbers are sometimes strings and sometimes numbers, an
//! empty map is `[]`, and what is missing may be `null` or `""`. Not here: what the fields mean. The object itself is kept as it
//! came, in its order, unknown fields included, so that nothing is lost between reading and writing.

use std::borrow::Cow;

use serde_json::{Map, Number, Value};

/// A JSON object, its fields in the order in which they came.
pub type Object = Map<String, Value>;

/// A forgiving view on one object.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a>(&'a Object);

impl<'a> Fields<'a> {
    /// Looks at `object`.
    #[must_use]
    pub fn of(object: &'a Object) -> Fields<'a> {
        Fields(object)
    }

    /// The object itself.
    #[must_use]
    pub fn object(self) -> &'a Object {
        self.0
    }

    /// The field as text: strings as they are, numbers in digits; missing, `null`, lists and objects are empty.
    #[must_use]
    pub fn text(self, key: &str) -> Cow<'a, str> {
        self.0.get(key).map_or(Cow::Borrowed(""), text_of)
    }

    /// The field as a number: from a number or a numeric string; `None` for anything else, `""` included.
    #[must_use]
    pub fn number(self, key: &str) -> Option<Number> {
        self.0.get(key).and_then(number_of)
    }

    /// The field as a whole number, when it is one.
    #[must_use]
    pub fn whole(self, key: &str) -> Option<i64> {
        let number = self.number(key)?;
        number.as_i64().or_else(|| {
            number
                .as_f64()
                .filter(|value| value.fract() == 0.0 && value.abs() < 9e15)
                .map(|value| value as i64)
        })
    }

    /// The field as an object; `None` when it is missing or of another type (`[]` is PHP's empty object).
    #[must_use]
    pub fn object_at(self, key: &str) -> Option<&'a Object> {
        self.0.get(key).and_then(Value::as_object)
    }

    /// The nested object as a view; an empty one when it is missing.
    #[must_use]
    pub fn nested(self, key: &str) -> Fields<'a> {
        static NOTHING: std::sync::OnceLock<Object> = std::sync::OnceLock::new();
        Fields(
            self.object_at(key)
                .unwrap_or_else(|| NOTHING.get_or_init(Object::new)),
        )
    }

    /// The objects of a list; entries of other types are left out. An object in place of the list counts by its values, as PHP turns
    /// a list with a gap into one.
    #[must_use]
    pub fn rows(self, key: &str) -> Vec<Fields<'a>> {
        let rows = |values: &mut dyn Iterator<Item = &'a Value>| {
            values.filter_map(Value::as_object).map(Fields).collect()
        };
        match self.0.get(key) {
            Some(Value::Array(values)) => rows(&mut values.iter()),
            Some(Value::Object(values)) => rows(&mut values.values()),
            _ => Vec::new(),
        }
    }
}

/// See [`Fields::text`].
#[must_use]
pub fn text_of(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        Value::Number(number) => Cow::Owned(number.to_string()),
        Value::Bool(flag) => Cow::Borrowed(if *flag { "1" } else { "0" }),
        Value::Null | Value::Array(_) | Value::Object(_) => Cow::Borrowed(""),
    }
}

/// See [`Fields::number`].
#[must_use]
pub fn number_of(value: &Value) -> Option<Number> {
    match value {
        Value::Number(number) => Some(number.clone()),
        Value::String(text) => number_from(text.trim()),
        _ => None,
    }
}

fn number_from(text: &str) -> Option<Number> {
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    // `parse` would also take `inf` and `NaN`; `from_f64` refuses them.
    text.parse::<f64>().ok().and_then(Number::from_f64)
}

/// Turns PHP's empty maps (`[]`, `""`, `null`) under `keys` into `{}`; anything else stays as it is.
pub(super) fn mend_maps(object: &mut Object, keys: &[&str]) {
    for key in keys {
        if let Some(value) = object.get_mut(*key) {
            let empty = match value {
                Value::Array(values) => values.is_empty(),
                Value::String(text) => text.is_empty(),
                Value::Null => true,
                _ => false,
            };
            if empty {
                *value = Value::Object(Object::new());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Object {
        let Value::Object(object) = value else {
            unreachable!("the literal is an object")
        };
        object
    }

    #[test]
    fn ids_read_the_same_from_strings_and_numbers() {
        let row = object(
            json!({"a": "7001001", "b": 7_001_001, "c": null, "d": [], "e": 4_090_000_001_u64}),
        );
        let row = Fields::of(&row);
        assert_eq!(
            (row.text("a"), row.text("b")),
            (row.text("b"), row.text("a"))
        );
        assert_eq!(
            (
                row.text("c").as_ref(),
                row.text("d").as_ref(),
                row.text("gone").as_ref()
            ),
            ("", "", "")
        );
        assert_eq!(row.text("e"), "4090000001");
    }

    #[test]
    fn numbers_read_from_numbers_and_numeric_strings_and_from_nothing_else() {
        let row = object(
            json!({"int": 10, "float": 1.5, "text": "1.70", "spaced": " 10 ", "empty": "", "word": "ten", "nan": "NaN", "inf": "inf", "none": null}),
        );
        let row = Fields::of(&row);
        assert_eq!(row.number("int"), Some(10.into()));
        assert_eq!(row.number("float"), Number::from_f64(1.5));
        assert_eq!(row.number("text"), Number::from_f64(1.7));
        assert_eq!(row.number("spaced"), Some(10.into()));
        for key in ["empty", "word", "nan", "inf", "none", "gone"] {
            assert_eq!(row.number(key), None, "{key}");
        }
    }

    #[test]
    fn whole_numbers_may_come_as_floats_and_strings() {
        let row = object(json!({"a": 50101, "b": "50101", "c": 50101.0, "d": 1.5, "e": 1e300}));
        let row = Fields::of(&row);
        assert_eq!(
            (row.whole("a"), row.whole("b"), row.whole("c")),
            (Some(50101), Some(50101), Some(50101))
        );
        assert_eq!((row.whole("d"), row.whole("e")), (None, None));
    }

    #[test]
    fn a_list_with_a_gap_is_still_a_list() {
        let row = object(
            json!({"list": [{"id": 1}, "noise"], "gap": {"0": {"id": 1}, "2": {"id": 3}}, "empty": ""}),
        );
        let row = Fields::of(&row);
        assert_eq!(row.rows("list").len(), 1);
        assert_eq!(
            row.rows("gap")
                .iter()
                .map(|row| row.text("id").into_owned())
                .collect::<Vec<_>>(),
            ["1", "3"]
        );
        assert!(row.rows("empty").is_empty() && row.rows("gone").is_empty());
    }

    #[test]
    fn empty_maps_of_php_become_maps_and_full_ones_stay() {
        let mut row =
            object(json!({"a": [], "b": null, "c": "", "d": {"k": "v"}, "e": ["v"], "other": []}));
        mend_maps(&mut row, &["a", "b", "c", "d", "e", "gone"]);
        assert_eq!(
            Value::Object(row),
            json!({"a": {}, "b": {}, "c": {}, "d": {"k": "v"}, "e": ["v"], "other": []})
        );
    }

    #[test]
    fn a_nested_object_that_is_missing_reads_as_empty() {
        let row = object(json!({"shipping": {"city": "Dover"}, "customer": []}));
        let row = Fields::of(&row);
        assert_eq!(row.nested("shipping").text("city"), "Dover");
        assert_eq!(row.nested("customer").text("city"), "");
    }
}
