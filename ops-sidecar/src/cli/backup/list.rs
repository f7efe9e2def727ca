//! `backup list`: what can be restored.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use indicatif::HumanBytes;
use serde_json::{Value, json};
use shared::clock;
use shared::state::{KeptBefore, KeptCopy, kept_copies};

use super::{exactly, exit, in_words, remark, rfc3339};
use crate::backup::Room;
use crate::backup::find::{self, Found, Shelf};
use crate::backup::pitr::Span;
use crate::backup::restore::{self, Window};
use crate::cli::say;

/// Lists; exit 1 if no target answers. What is kept on this machine is shown, too, unless one target was asked for.
pub(super) fn list(
    room: &Room,
    points: bool,
    shows_kept: bool,
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    let kept = if shows_kept { kept_here(room) } else { None };
    let (shelves, windows) = if points {
        restore::both_of_each(&room.targets)
    } else {
        (find::shelves(&room.targets), Vec::new())
    };
    let found = find::merge(&shelves);
    if as_json {
        let mut all = to_json(&shelves, &found, points.then_some(&windows));
        if let Some(kept) = &kept {
            all["kept"] = kept.iter().map(kept_json).collect();
        }
        say(&format!("{all:#}\n"))?;
    } else {
        say(&to_text(&shelves, &found, room.clock.now_ms()))?;
        if points {
            say(&points_to_text(&windows, room.clock.now_ms()))?;
        }
        if let Some(kept) = kept.filter(|kept| !kept.is_empty()) {
            say(&kept_to_text(&kept, room.clock.now_ms()))?;
        }
        for shelf in &shelves {
            if let Some(why) = &shelf.away {
                remark(why);
            }
        }
    }
    Ok(exit(shelves.iter().any(|shelf| shelf.away.is_none())))
}

fn kept_here(room: &Room) -> Option<Vec<KeptCopy>> {
    match kept_copies(&room.home) {
        Ok(kept) => Some(kept),
        Err(error) => {
            remark(&format!(
                "what is kept on this machine is not known: {error}"
            ));
            None
        }
    }
}

fn to_json(shelves: &[Shelf], found: &[Found], windows: Option<&Vec<Window>>) -> Value {
    let targets: Vec<_> = shelves
        .iter()
        .map(|shelf| json!({"name": shelf.target.name(), "ok": shelf.away.is_none(), "error": shelf.away}))
        .collect();
    let unusable: Vec<_> = shelves
        .iter()
        .flat_map(|shelf| shelf.unusable.iter().map(move |unusable| (shelf, unusable)))
        .map(|(shelf, unusable)| json!({"id": unusable.id.to_string(), "target": shelf.target.name(), "why": unusable.why}))
        .collect();
    let mut all = json!({
        "backups": found.iter().map(backup_json).collect::<Vec<_>>(),
        "unusable": unusable,
        "targets": targets,
    });
    if let Some(windows) = windows {
        all["points"] = windows.iter().flat_map(points_json).collect();
    }
    all
}

/// A backup in every answer of these commands.
pub(super) fn backup_json(found: &Found) -> Value {
    let manifest = &found.manifest;
    json!({
        "id": manifest.id,
        "at": manifest.at,
        "bytes": manifest.file.bytes,
        // A manifest is written once the file was read back and compared.
        "verified": true,
        "encrypted": manifest.encrypted,
        "targets": found.targets,
        "database_bytes": manifest.database.bytes,
        "schema": manifest.database.schema,
        "restore_epoch": manifest.database.restore_epoch,
        "version": manifest.version,
        "recipients": manifest.recipients,
    })
}

fn points_json(window: &Window) -> Vec<Value> {
    let line = |line: &crate::backup::pitr::LineView| {
        let spans: Vec<_> = line
            .spans
            .iter()
            .map(|span| json!({"from": rfc3339(span.from_ms), "to": rfc3339(span.to_ms), "every_seconds": span.every_seconds}))
            .collect();
        json!({
            "target": window.target.name(),
            "line": line.line,
            "from": rfc3339(line.from_ms),
            "to": rfc3339(line.to_ms),
            "encrypted": line.encrypted,
            "spans": spans,
        })
    };
    window.lines.iter().map(line).collect()
}

fn to_text(shelves: &[Shelf], found: &[Found], now_ms: i64) -> String {
    let mut text = String::new();
    if found.is_empty() && shelves.iter().any(|shelf| shelf.away.is_none()) {
        text.push_str("no backups; hint: `ops-sidecar backup run` makes one\n");
    }
    for backup in found {
        let manifest = &backup.manifest;
        let sealed = if manifest.encrypted {
            "encrypted"
        } else {
            "not encrypted"
        };
        let _ = writeln!(
            text,
            "{}  {:>9}  {:<13}  {}  {}",
            backup.id,
            HumanBytes(manifest.file.bytes).to_string(),
            sealed,
            in_words(manifest.at_ms(), now_ms),
            backup.targets.join(", "),
        );
    }
    for shelf in shelves {
        for unusable in &shelf.unusable {
            let _ = writeln!(
                text,
                "{}  unusable at {}: {}",
                unusable.id,
                shelf.target.name(),
                unusable.why
            );
        }
    }
    text
}

fn kept_json(copy: &KeptCopy) -> Value {
    json!({
        "name": copy.name,
        "before": match copy.before {
            KeptBefore::Restore => "restore",
            KeptBefore::Migration { .. } => "migration",
        },
        "at": rfc3339(copy.at_ms),
        "bytes": copy.bytes,
        "schema": copy.schema,
    })
}

fn kept_to_text(kept: &[KeptCopy], now_ms: i64) -> String {
    let mut text =
        "\nkept on this machine, for `ops-sidecar backup restore --kept NAME`:\n".to_owned();
    let widest = kept.iter().map(|copy| copy.name.len()).max().unwrap_or(0);
    for copy in kept {
        let why = match copy.before {
            KeptBefore::Restore => "before a restore".to_owned(),
            KeptBefore::Migration { to, .. } => format!("before schema {to}"),
        };
        let schema = match copy.schema {
            Some(schema) => format!("schema {schema}"),
            None => "unreadable".to_owned(),
        };
        let _ = writeln!(
            text,
            "{:<widest$}  {:>9}  {schema}  {why}, {}",
            copy.name,
            HumanBytes(copy.bytes).to_string(),
            exactly(copy.at_ms, now_ms)
        );
    }
    text
}

fn points_to_text(windows: &[Window], now_ms: i64) -> String {
    let mut text = "\nmoments that can be restored:\n".to_owned();
    for window in windows {
        if window.away.is_none() && window.lines.is_empty() {
            let _ = writeln!(text, "{}: none", window.target.name());
        }
        for line in &window.lines {
            let _ = writeln!(
                text,
                "{}: {} to {}, line {}",
                window.target.name(),
                rfc3339(line.from_ms),
                exactly(line.to_ms, now_ms),
                line.line
            );
            for span in &line.spans {
                let _ = writeln!(text, "  {}", span_in_words(span));
            }
        }
    }
    text
}

/// How close to each other the moments are; a line that has just begun has one.
fn span_in_words(span: &Span) -> String {
    let (from, to) = (rfc3339(span.from_ms), rfc3339(span.to_ms));
    if span.from_ms == span.to_ms {
        return format!("at {from}");
    }
    let every = clock::span(Duration::from_secs(span.every_seconds));
    format!("every {every} from {from} to {to}")
}
