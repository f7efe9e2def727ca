//! The one catalogue of metrics: every name that either binary may record, with its kind, labels and help.
//!
//! A name that is not here is not recorded. Call sites take the name from here
//! (`metrics::counter!(names::MCP_TOOL_CALLS.name, ..)`), the scraper takes help and merge rule from here, and
//! `docs/METRICS.md` is printed from here, so the four cannot drift apart. Label values are not here: they come from
//! small closed sets at the call sites. How values are kept and merged is not here either (see `recorder`, `query`).

mod backup;
mod bounds;
mod desk;
mod house;
mod markdown;
mod mcp;
mod sidecar;

pub use backup::*;
pub use bounds::*;
pub use desk::*;
pub use house::*;
pub use markdown::markdown;
pub use mcp::*;
pub use sidecar::*;

/// One metric: what it is called, how it is merged over processes, and what it means.
#[derive(Debug, PartialEq)]
pub struct Metric {
    /// Prometheus name, unit and `_total` suffix included.
    pub name: &'static str,
    /// Counter, gauge or histogram, and what merging needs to know.
    pub kind: Kind,
    /// Label names, in the order in which call sites give them (another order works, but is slower to record).
    /// A call site may leave a label out; it must not add one.
    pub labels: &'static [&'static str],
    /// One line for `# HELP`; no newline, no backslash.
    pub help: &'static str,
    /// Who records it.
    pub owner: Owner,
}

/// What kind of metric it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Only grows; summed over living and dead processes.
    Counter,
    /// A level; merged over living processes only.
    Gauge(Mode),
    /// Observations counted in buckets with these upper bounds (ascending, `+Inf` implied); summed like counters.
    Histogram(&'static [f64]),
}

/// How one gauge value is made from those of all living processes. A dead process holds nothing any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The sum: things each process has some of.
    LiveSum,
    /// The largest.
    LiveMax,
    /// What was written last, by the order of commits and not by anybody's clock.
    LiveMostRecent,
    /// Computed by the sidecar while it is scraped; no process records it.
    AtScrape,
}

/// Which program records a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// Both binaries.
    Both,
    /// `mcp-stdio` only.
    Stdio,
    /// `ops-sidecar` only.
    Sidecar,
}

/// Every metric there is, in the order in which documents list them.
pub static CATALOGUE: &[&[&Metric]] = &[MCP, DESK, SIDECAR, BACKUP, HOUSE];

/// All metrics of the catalogue, one after the other.
pub fn all() -> impl Iterator<Item = &'static Metric> {
    CATALOGUE.iter().flat_map(|room| room.iter().copied())
}

/// The metric of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Metric> {
    all().find(|metric| metric.name == name)
}

const fn counter(
    name: &'static str,
    labels: &'static [&'static str],
    owner: Owner,
    help: &'static str,
) -> Metric {
    Metric {
        name,
        kind: Kind::Counter,
        labels,
        help,
        owner,
    }
}

/// Worked out by the sidecar while it is scraped, from what the state file and its own notes say.
const fn computed(
    name: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
) -> Metric {
    gauge(name, Mode::AtScrape, labels, Owner::Sidecar, help)
}

const fn gauge(
    name: &'static str,
    mode: Mode,
    labels: &'static [&'static str],
    owner: Owner,
    help: &'static str,
) -> Metric {
    Metric {
        name,
        kind: Kind::Gauge(mode),
        labels,
        help,
        owner,
    }
}

const fn histogram(
    name: &'static str,
    bounds: &'static [f64],
    labels: &'static [&'static str],
    owner: Owner,
    help: &'static str,
) -> Metric {
    Metric {
        name,
        kind: Kind::Histogram(bounds),
        labels,
        help,
        owner,
    }
}

#[cfg(test)]
mod tests;
