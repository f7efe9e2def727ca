//! `backup prune`: what went, or would go.

use std::fmt::Write as _;
use std::process::ExitCode;

use indicatif::HumanBytes;
use serde_json::{Value, json};

use super::exit;
use crate::backup::Room;
use crate::backup::prune::{self, Pruned};
use crate::cli::{complain, say};

/// Removes what no rule keeps; exit 1 if that failed at a target.
pub(super) fn prune(room: &Room, dry_run: bool, as_json: bool) -> anyhow::Result<ExitCode> {
    let pruned = prune::prune(room, dry_run)?;
    if as_json {
        let targets: Vec<_> = pruned.iter().map(to_json).collect();
        let answer = json!({"dry_run": dry_run, "targets": targets});
        say(&format!("{answer:#}\n"))?;
    } else {
        for target in &pruned {
            say(&to_text(target, dry_run))?;
        }
    }
    for target in &pruned {
        if let Some(error) = &target.error {
            complain(&format!(
                "old backups are still at `{}`: {error}",
                target.target
            ));
        }
    }
    Ok(exit(pruned.iter().all(|target| target.error.is_none())))
}

fn to_json(pruned: &Pruned) -> Value {
    json!({
        "name": pruned.target,
        "removed": pruned.removed,
        "leftovers": pruned.leftovers,
        "bytes": pruned.bytes,
        "kept": pruned.kept,
        "error": pruned.error,
    })
}

fn to_text(pruned: &Pruned, dry_run: bool) -> String {
    let verb = if dry_run { "would go" } else { "removed" };
    let mut text = format!(
        "{}: {} kept, {} {verb}, {}\n",
        pruned.target,
        pruned.kept,
        pruned.removed.len(),
        HumanBytes(pruned.bytes)
    );
    for id in &pruned.removed {
        let _ = writeln!(text, "  {id}");
    }
    for key in &pruned.leftovers {
        let _ = writeln!(text, "  {key} (a leftover: it never became a backup)");
    }
    text
}
