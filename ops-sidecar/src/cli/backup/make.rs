//! `backup run`: one backup now.

use std::process::ExitCode;

use indicatif::HumanBytes;
use serde_json::{Value, json};

use super::{exit, in_words, remark};
use crate::backup::Room;
use crate::backup::journal::Outcome;
use crate::backup::make::{self, Made};
use crate::cli::progress::Bar;
use crate::cli::{complain, say};

/// Makes one; exit 1 unless it is good on every target.
pub(super) fn run(room: &Room, as_json: bool) -> anyhow::Result<ExitCode> {
    let bar = Bar::new();
    let made = make::make(room, &bar)?;
    drop(bar);
    if as_json {
        say(&format!("{}\n", to_json(&made)))?;
    } else {
        say(&to_text(&made, room.clock.now_ms()))?;
    }
    for target in &made.targets {
        if let Some(error) = &target.error {
            complain(&format!("the backup is not on `{}`: {error}", target.name));
        }
    }
    if let Some(broken) = made.broken_chains() {
        complain(&format!(
            "the backup holds what is there, and {broken}; so it takes no other backup's place; hint: `mcp-stdio audit verify` says more"
        ));
    }
    for pruned in &made.pruned {
        if let Some(error) = &pruned.error {
            remark(&format!("old backups are still there: {error}"));
        }
    }
    if room.settings.recipients.is_empty() {
        remark(
            "the backup is not encrypted: whoever can read it reads everything but the API keys; hint: set BACKUP_RECIPIENTS",
        );
    }
    Ok(exit(made.outcome == Outcome::Good))
}

/// One line, so that the last line of the output is the answer.
fn to_json(made: &Made) -> Value {
    let targets: Vec<_> = made
        .targets
        .iter()
        .map(|target| json!({"name": target.name, "verified": target.error.is_none(), "error": target.error}))
        .collect();
    let removed: usize = made.pruned.iter().map(|pruned| pruned.removed.len()).sum();
    json!({
        "id": made.manifest.id,
        "at": made.manifest.at,
        "bytes": made.manifest.file.bytes,
        "verified": made.outcome == Outcome::Good,
        "encrypted": made.manifest.encrypted,
        "targets": targets,
        "database_bytes": made.manifest.database.bytes,
        "pruned": removed,
        "took_ms": u64::try_from(made.took.as_millis()).unwrap_or(u64::MAX),
    })
}

fn to_text(made: &Made, now_ms: i64) -> String {
    let manifest = &made.manifest;
    let good: Vec<_> = made
        .targets
        .iter()
        .filter(|target| target.error.is_none())
        .map(|target| target.name.as_str())
        .collect();
    let sealed = if manifest.encrypted {
        "encrypted"
    } else {
        "not encrypted"
    };
    format!(
        "{}  {}, {sealed}, as of {}\nread back and compared on {} of {} targets: {}\n",
        manifest.id,
        HumanBytes(manifest.file.bytes),
        in_words(manifest.at_ms(), now_ms),
        good.len(),
        made.targets.len(),
        good.join(", "),
    )
}
