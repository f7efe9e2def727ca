//! Every place that records takes its name and labels from the catalogue, and every metric of the catalogue is recorded
//! somewhere: what is misspelt is not recorded at run time, so it must not get that far.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, too, fail by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use shared::telemetry::names::{self, Kind, Metric, Mode};

const CRATES: [&str; 3] = ["shared", "mcp-stdio", "ops-sidecar"];

/// All source files of the house but tests; a missing crate (a packaged `shared`) has none.
fn sources() -> Vec<(PathBuf, String)> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    for folder in CRATES {
        collect(&workspace.join(folder).join("src"), &mut files);
    }
    files
}

fn collect(folder: &Path, files: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|kind| kind == "rs") && !path.ends_with("tests.rs") {
            let text = fs::read_to_string(&path).unwrap();
            let product = text
                .split("#[cfg(test)]\nmod tests {")
                .next()
                .unwrap()
                .to_owned();
            files.push((path, product));
        }
    }
}

/// Each constant of the catalogue with its metric.
fn constants() -> BTreeMap<String, &'static Metric> {
    let mut found = BTreeMap::new();
    for (_, text) in sources()
        .iter()
        .filter(|(path, _)| path.parent().unwrap().ends_with("telemetry/names"))
    {
        for definition in text.split("pub static ").skip(1) {
            let constant = definition.split(':').next().unwrap();
            let name = definition.split('"').nth(1).unwrap_or_default();
            found.extend(names::find(name).map(|metric| (constant.to_owned(), metric)));
        }
    }
    found
}

/// One use of a recording macro.
struct CallSite {
    place: String,
    macro_name: &'static str,
    arguments: String,
}

impl CallSite {
    fn constant(&self) -> Option<&str> {
        let name = self.arguments.trim_start().split([',', ')']).next()?.trim();
        name.strip_suffix(".name")?.rsplit("::").next()
    }

    fn labels(&self) -> impl Iterator<Item = &str> {
        self.arguments
            .split("=>")
            .filter_map(|part| part.trim_end().strip_suffix('"')?.rsplit('"').next())
    }
}

fn call_sites() -> Vec<CallSite> {
    let mut sites = Vec::new();
    for (path, text) in sources() {
        for macro_name in ["counter", "gauge", "histogram"] {
            for (at, _) in text.match_indices(&format!("{macro_name}!(")) {
                let rest = &text[at + macro_name.len() + 2..];
                let place = format!("{}:{}", path.display(), text[..at].lines().count());
                sites.push(CallSite {
                    place,
                    macro_name,
                    arguments: arguments(rest).to_owned(),
                });
            }
        }
    }
    sites
}

/// Up to the parenthesis that closes the macro.
fn arguments(text: &str) -> &str {
    let mut depth = 1;
    let end = text.find(|c| {
        depth += match c {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        depth == 0
    });
    &text[..end.unwrap_or(text.len())]
}

#[test]
fn every_call_site_uses_a_name_kind_and_labels_of_the_catalogue() {
    let constants = constants();
    let sites = call_sites();
    assert!(sites.len() >= 5, "the house records more than that");
    let mut mistakes = Vec::new();
    for site in &sites {
        let Some(metric) = site.constant().and_then(|constant| constants.get(constant)) else {
            mistakes.push(format!(
                "{}: no name from the catalogue: {}",
                site.place, site.arguments
            ));
            continue;
        };
        let wanted = match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge(_) => "gauge",
            Kind::Histogram(_) => "histogram",
        };
        if wanted != site.macro_name {
            mistakes.push(format!("{}: `{}` is a {wanted}", site.place, metric.name));
        }
        for label in site.labels().filter(|label| !metric.labels.contains(label)) {
            mistakes.push(format!(
                "{}: `{}` has no label `{label}`",
                site.place, metric.name
            ));
        }
    }
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
}

#[test]
fn every_metric_of_the_catalogue_is_recorded_somewhere() {
    let constants = constants();
    assert_eq!(
        constants.len(),
        names::all().count(),
        "every metric has a constant"
    );
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    if CRATES.iter().any(|folder| !workspace.join(folder).exists()) {
        return;
    }
    let recorded: BTreeSet<_> = call_sites()
        .iter()
        .filter_map(|site| site.constant().map(str::to_owned))
        .collect();
    let is_mentioned = |constant: &str| {
        let mention = format!("names::{constant}");
        sources().iter().any(|(_, text)| text.contains(&mention))
    };
    let forgotten: Vec<_> = constants
        .iter()
        .filter(|(constant, metric)| match metric.kind {
            Kind::Gauge(Mode::AtScrape) => !is_mentioned(constant),
            _ => !recorded.contains(*constant) && !is_mentioned(constant),
        })
        .map(|(_, metric)| metric.name)
        .collect();
    assert!(forgotten.is_empty(), "nobody records {forgotten:?}");
}
