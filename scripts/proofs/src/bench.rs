//! The numbers of `docs/BENCHMARKS.md`: what was measured beside what was promised, in one run.

mod fleet;
mod recovery;
mod session;
mod sidecar;
mod vault;

use std::fmt;
use std::time::Duration;

use crate::contention;
use crate::recovery::Amount;
use crate::stage::Stage;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    starts: usize,
    calls: usize,
    scrapes: usize,
    contention: Duration,
    recovery: Amount,
}

impl Effort {
    const WHOLE: Self = Self {
        starts: 300,
        calls: 10_000,
        scrapes: 500,
        contention: Duration::from_secs(20),
        recovery: Self::WHOLE_RECOVERY,
    };
    const QUICK: Self = Self {
        starts: 30,
        calls: 1_000,
        scrapes: 50,
        contention: Duration::from_secs(5),
        recovery: Self::QUICK_RECOVERY,
    };
}

/// One line of the table.
#[derive(Debug)]
struct Row {
    what: &'static str,
    /// For instance `p50`; empty where there is one figure.
    figure: &'static str,
    measured: Quantity,
    /// The most that was promised; none for a figure that only stands for comparison.
    promised: Option<Quantity>,
}

/// A figure with its unit.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
enum Quantity {
    Time(Duration),
    Bytes(u64),
    Ratio(f64),
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(time) if *time < Duration::from_millis(1) => {
                write!(f, "{:.0} µs", time.as_secs_f64() * 1e6)
            }
            Self::Time(time) if *time < Duration::from_secs(1) => {
                write!(f, "{:.2} ms", time.as_secs_f64() * 1e3)
            }
            Self::Time(time) => write!(f, "{:.2} s", time.as_secs_f64()),
            Self::Bytes(bytes) => write!(f, "{:.1} MB", *bytes as f64 / 1e6),
            Self::Ratio(ratio) => write!(f, "{ratio:.2} ×"),
        }
    }
}

impl Row {
    fn verdict(&self) -> &'static str {
        match self.promised {
            None => "",
            Some(promised) if self.measured <= promised => "ok",
            Some(_) => "OVER",
        }
    }
}

/// Measures everything and prints the table. Figures over their promise are marked; they fail nothing, since a busy
/// machine is no regression.
pub(crate) fn run(quick: bool, markdown: bool) -> anyhow::Result<()> {
    let effort = if quick { Effort::QUICK } else { Effort::WHOLE };
    let stage = Stage::open()?;
    let mut rows = session::measure(&stage, effort)?;
    rows.extend(vault::measure(&stage, effort)?);
    rows.extend(fleet::measure(&stage)?);
    rows.extend(sidecar::measure(&stage, effort)?);
    rows.extend(recovery::measure(&stage, effort)?);
    drop(stage);
    rows.extend(commits(effort)?);
    if markdown {
        print_markdown(&rows);
    } else {
        print_table(&rows);
    }
    Ok(())
}

fn commits(effort: Effort) -> anyhow::Result<Vec<Row>> {
    let seen = contention::measure(200, effort.contention)?;
    let what = "200 servers writing, 250 ms apart: commit";
    Ok(vec![
        Row {
            what,
            figure: "p50 ≤",
            measured: Quantity::Time(seen.commit_p50),
            promised: None,
        },
        Row {
            what,
            figure: "p99 ≤",
            measured: Quantity::Time(seen.commit_p99),
            promised: Some(Quantity::Time(Duration::from_millis(5))),
        },
    ])
}

fn print_table(rows: &[Row]) {
    println!(
        "{:<58} {:<6} {:>10} {:>10}",
        "what", "", "measured", "promised"
    );
    for row in rows {
        let promised = row
            .promised
            .map_or_else(String::new, |promised| promised.to_string());
        println!(
            "{:<58} {:<6} {:>10} {:>10}  {}",
            row.what,
            row.figure,
            row.measured.to_string(),
            promised,
            row.verdict()
        );
    }
}

fn print_markdown(rows: &[Row]) {
    println!("| what | | measured | promised |");
    println!("|---|---|---:|---:|");
    for row in rows {
        let promised = row
            .promised
            .map_or_else(String::new, |promised| promised.to_string());
        let over = if row.verdict() == "OVER" {
            " (over)"
        } else {
            ""
        };
        println!(
            "| {} | {} | {}{over} | {promised} |",
            row.what, row.figure, row.measured
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_held_against_its_promise() {
        let row = |measured| Row {
            what: "x",
            figure: "p50",
            measured: Quantity::Time(Duration::from_micros(measured)),
            promised: Some(Quantity::Time(Duration::from_micros(100))),
        };
        assert_eq!(row(100).verdict(), "ok");
        assert_eq!(row(101).verdict(), "OVER");
    }

    #[test]
    fn figures_are_printed_in_the_unit_that_suits_them() {
        assert_eq!(
            Quantity::Time(Duration::from_micros(87)).to_string(),
            "87 µs"
        );
        assert_eq!(
            Quantity::Time(Duration::from_micros(4_250)).to_string(),
            "4.25 ms"
        );
        assert_eq!(Quantity::Bytes(12_340_000).to_string(), "12.3 MB");
        assert_eq!(Quantity::Ratio(1.5).to_string(), "1.50 ×");
    }
}
