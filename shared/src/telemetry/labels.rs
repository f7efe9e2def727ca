//! The one spelling of a label set: catalogue order, cleaned values, written as a small JSON object.
//!
//! Two call sites that give the same labels in another order mean the same series, and the text format of Prometheus
//! must not confuse two different ones: its formatting library escapes values in a way that is not injective for
//! backslashes, so a stored value never holds one, nor a control character.

use std::borrow::Cow;
use std::fmt;

use metrics::Key;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::names::Metric;

/// The label set of the series that takes what is beyond the cap of its metric.
pub(crate) const OVERFLOW: &str = r#"{"overflow":"true"}"#;

/// Longest label value, in characters. Values come from closed sets; this bounds a mistake.
const LONGEST_VALUE: usize = 128;

/// Why a key cannot be a series.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "metric `{metric}` has no label `{label}`; hint: add it to the catalogue or fix the call site"
)]
pub(crate) struct UnknownLabel {
    pub(crate) metric: &'static str,
    pub(crate) label: String,
}

/// The canonical text of a key's labels. A label without a value is left out: Prometheus takes both for the same.
pub(crate) fn canonical(metric: &'static Metric, key: &Key) -> Result<String, UnknownLabel> {
    if let Some(label) = key
        .labels()
        .find(|label| !metric.labels.contains(&label.key()))
    {
        return Err(UnknownLabel {
            metric: metric.name,
            label: label.key().to_owned(),
        });
    }
    let mut labels = Labels::of(&[]);
    for name in metric.labels {
        let label = key.labels().find(|label| label.key() == *name);
        if let Some(label) = label.filter(|label| !label.value().is_empty()) {
            labels.push(name, &clean(label.value()));
        }
    }
    Ok(labels.0)
}

/// The labels of one series. Kept as their canonical text: a scrape holds thousands of these, and its page is written from
/// the text without a copy of each name and value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels(String);

impl Labels {
    /// These labels, in this order; values are cleaned.
    #[must_use]
    pub fn of(pairs: &[(&str, &str)]) -> Labels {
        let mut labels = Labels("{}".to_owned());
        for (name, value) in pairs {
            labels.push(name, &clean(value));
        }
        labels
    }

    /// Labels as they are stored.
    pub(crate) fn stored(text: String) -> Labels {
        Labels(text)
    }

    /// These and one more, whose value needs no cleaning.
    #[must_use]
    pub(crate) fn and(mut self, name: &str, value: &str) -> Labels {
        self.push(name, value);
        self
    }

    fn push(&mut self, name: &str, value: &str) {
        self.0.pop();
        if self.0.len() > 1 {
            self.0.push(',');
        }
        let value = serde_json::Value::from(value);
        self.0.push_str(&format!("\"{name}\":{value}}}"));
    }

    /// Names and values, in order; values hold no control character and no backslash. A stored text of another kind has
    /// no labels.
    #[must_use]
    pub fn pairs(&self) -> Vec<(Cow<'_, str>, Cow<'_, str>)> {
        serde_json::from_str(&self.0).map_or_else(|_| Vec::new(), |Pairs(pairs)| pairs)
    }
}

/// An object's members as they come, all strings, borrowed from the text where nothing is escaped.
struct Pairs<'t>(Vec<(Cow<'t, str>, Cow<'t, str>)>);

#[derive(Deserialize)]
struct Text<'t>(#[serde(borrow)] Cow<'t, str>);

impl<'de> Deserialize<'de> for Pairs<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Pairs<'de>, D::Error> {
        deserializer.deserialize_map(PairsVisitor)
    }
}

struct PairsVisitor;

impl<'de> Visitor<'de> for PairsVisitor {
    type Value = Pairs<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<'de>, A::Error> {
        let mut pairs = Vec::new();
        while let Some((Text(name), Text(value))) = map.next_entry()? {
            pairs.push((name, value));
        }
        Ok(Pairs(pairs))
    }
}

/// A value without control characters and backslashes, and not longer than [`LONGEST_VALUE`].
pub(crate) fn clean(value: &str) -> Cow<'_, str> {
    let unfit = |c: char| c.is_control() || c == '\\';
    if value.len() <= LONGEST_VALUE && !value.contains(unfit) {
        return Cow::Borrowed(value);
    }
    Cow::Owned(
        value
            .chars()
            .take(LONGEST_VALUE)
            .map(|c| if unfit(c) { '_' } else { c })
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use metrics::Label;

    use super::*;
    use crate::telemetry::names;

    fn key(labels: &[(&'static str, &'static str)]) -> Key {
        let labels: Vec<_> = labels
            .iter()
            .map(|(name, value)| Label::new(*name, *value))
            .collect();
        Key::from_parts(names::MCP_TOOL_CALLS.name, labels)
    }

    #[test]
    fn the_order_of_labels_at_the_call_site_does_not_matter() {
        let there = canonical(
            &names::MCP_TOOL_CALLS,
            &key(&[("tool_name", "a"), ("status", "success")]),
        );
        let back = canonical(
            &names::MCP_TOOL_CALLS,
            &key(&[("status", "success"), ("tool_name", "a")]),
        );
        assert_eq!(
            there,
            Ok(r#"{"tool_name":"a","status":"success"}"#.to_owned())
        );
        assert_eq!(there, back);
    }

    #[test]
    fn a_label_that_the_catalogue_does_not_know_is_refused_by_name() {
        let error = canonical(&names::MCP_TOOL_CALLS, &key(&[("tool", "a")])).unwrap_err();
        assert_eq!(
            (error.metric, error.label.as_str()),
            ("mcp_tool_calls_total", "tool")
        );
    }

    #[test]
    fn values_keep_quotes_and_lose_what_the_text_format_confuses() {
        let text = canonical(
            &names::MCP_TOOL_CALLS,
            &key(&[("tool_name", "C:\\x\ny\"z"), ("status", "")]),
        )
        .unwrap();
        assert_eq!(
            Labels::stored(text).pairs(),
            [("tool_name".into(), "C:_x_y\"z".into())]
        );
    }

    #[test]
    fn labels_read_back_in_their_order_and_a_broken_text_has_none() {
        let labels = Labels::of(&[("b", "1"), ("a", "say \"hi\"")]).and("c", "ü");
        assert_eq!(
            labels.pairs(),
            [
                ("b".into(), "1".into()),
                ("a".into(), "say \"hi\"".into()),
                ("c".into(), "ü".into())
            ]
        );
        assert_eq!(Labels::of(&[]).pairs(), []);
        assert_eq!(Labels::stored("{\"a\":1}".to_owned()).pairs(), []);
    }

    #[test]
    fn a_long_value_is_cut() {
        assert_eq!(clean(&"ä".repeat(500)).chars().count(), LONGEST_VALUE);
    }

    #[test]
    fn the_overflow_series_reads_back() {
        assert_eq!(
            Labels::stored(OVERFLOW.to_owned()),
            Labels::of(&[("overflow", "true")])
        );
    }
}
