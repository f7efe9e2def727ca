//! The catalogue against itself: names, labels, units and bounds.

use std::collections::BTreeSet;

use super::*;

#[test]
fn names_are_unique() {
    let names: BTreeSet<_> = all().map(|metric| metric.name).collect();
    assert_eq!(names.len(), all().count());
}

#[test]
fn names_follow_the_rules_that_promtool_checks() {
    for metric in all() {
        let Metric {
            name,
            kind,
            help,
            labels,
            ..
        } = metric;
        assert!(
            name.chars().all(|c| c.is_ascii_lowercase() || c == '_'),
            "{name}"
        );
        assert_eq!(*kind == Kind::Counter, name.ends_with("_total"), "{name}");
        for reserved in [
            "_bucket",
            "_sum",
            "_count",
            "_gauge",
            "_counter",
            "_histogram",
            "_ms",
            "milliseconds",
        ] {
            assert!(!name.ends_with(reserved), "{name} ends with {reserved}");
        }
        if matches!(kind, Kind::Histogram(_)) {
            assert!(
                name.ends_with("_seconds") || name.ends_with("_bytes"),
                "{name} has no unit"
            );
        }
        assert!(
            help.ends_with('.') && !help.contains(['\n', '\\', '|']),
            "{name}: {help}"
        );
        for label in *labels {
            assert!(
                !["le", "quantile", "overflow", "bounds"].contains(label),
                "{name}: {label} is reserved"
            );
            assert!(
                label.chars().all(|c| c.is_ascii_lowercase() || c == '_'),
                "{name}: {label}"
            );
        }
    }
}

#[test]
fn bounds_ascend_and_are_finite() {
    for metric in all() {
        let Kind::Histogram(bounds) = metric.kind else {
            continue;
        };
        assert!(
            bounds.iter().all(|bound| bound.is_finite() && *bound > 0.0),
            "{}",
            metric.name
        );
        assert!(bounds.is_sorted_by(|a, b| a < b), "{}", metric.name);
    }
}

#[test]
fn the_page_has_a_row_for_every_metric() {
    let page = markdown();
    for metric in all() {
        assert!(
            page.contains(&format!("| `{}` | ", metric.name)),
            "{}",
            metric.name
        );
    }
}
