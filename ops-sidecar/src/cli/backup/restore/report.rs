//! What a restore tells: a person in lines, a program in one object.

use serde_json::{Value, json};
use shared::state::Replaced;

use crate::backup::Room;
use crate::backup::restore::{Brought, Origin, Skipped, Source, What};
use crate::cli::backup::{exactly, rfc3339};

/// What a person, or a program, is told.
pub(super) struct Report {
    from: CameFrom,
    asked_ms: Option<i64>,
    pub(super) reached_ms: i64,
    bytes: u64,
    schema: u32,
    pub(super) to: Option<String>,
    pub(super) replaced: Option<Replaced>,
    passed_by: Vec<Skipped>,
    pub(super) took_ms: u64,
}

/// Where it came from; what does not apply is none.
#[derive(Default)]
struct CameFrom {
    /// A backup's id.
    id: Option<String>,
    /// The line of increments that were put together.
    line: Option<String>,
    /// The name of a kept copy.
    kept: Option<String>,
    target: Option<String>,
    encrypted: bool,
}

impl CameFrom {
    fn of(source: &Source) -> CameFrom {
        let way = match source {
            Source::Target(way) => way,
            Source::Kept(copy) => {
                return CameFrom {
                    kept: Some(copy.name.clone()),
                    ..CameFrom::default()
                };
            }
        };
        let (id, line) = match &way.origin {
            Origin::Backup(manifest) => (Some(manifest.id.clone()), None),
            Origin::Line { line, .. } => (None, Some(line.clone())),
        };
        CameFrom {
            id,
            line,
            kept: None,
            target: Some(way.target.name().to_owned()),
            encrypted: way.encrypted(),
        }
    }
}

impl Report {
    pub(super) fn of(brought: &Brought, what: Option<&What>, passed_by: Vec<Skipped>) -> Report {
        Report {
            from: CameFrom::of(&brought.from),
            asked_ms: match what {
                Some(What::At(at_ms) | What::InLine { at_ms, .. }) => Some(*at_ms),
                Some(What::Id(_) | What::Latest { .. } | What::LatestPoint) | None => None,
            },
            reached_ms: brought.reached_ms(),
            bytes: brought.bytes,
            schema: brought.image.checked.inspected.schema,
            to: None,
            replaced: None,
            passed_by,
            took_ms: 0,
        }
    }

    pub(super) fn source(&self) -> String {
        match &self.from {
            CameFrom { id: Some(id), .. } => format!("backup {id}"),
            CameFrom {
                kept: Some(kept), ..
            } => format!("kept copy {kept}"),
            CameFrom { line, .. } => format!("line {}", line.as_deref().unwrap_or_default()),
        }
    }

    pub(super) fn to_json(&self) -> Value {
        let replaced = self.replaced.as_ref();
        let passed_by: Vec<_> = self
            .passed_by
            .iter()
            .map(|skipped| json!({"target": skipped.target, "what": skipped.what, "why": skipped.why}))
            .collect();
        json!({
            "id": self.from.id,
            "line": self.from.line,
            "from_kept": self.from.kept,
            "at": rfc3339(self.asked_ms.unwrap_or(self.reached_ms)),
            "reached_at": rfc3339(self.reached_ms),
            "bytes": self.bytes,
            "verified": true,
            "encrypted": self.from.encrypted,
            "targets": self.from.target.iter().collect::<Vec<_>>(),
            "schema": self.schema,
            "to": self.to,
            "restore_epoch": replaced.map(|replaced| replaced.epoch),
            "kept": replaced.and_then(|replaced| replaced.kept.as_ref()).map(|kept| kept.display().to_string()),
            "passed_by": passed_by,
            "took_ms": self.took_ms,
        })
    }

    pub(super) fn to_text(&self, room: &Room) -> String {
        let now_ms = room.clock.now_ms();
        let seconds = self.took_ms as f64 / 1000.0;
        let source = self.source();
        let mut lines = vec![match &self.from.target {
            Some(target) => format!(
                "restored {source} from `{target}` in {seconds:.1} s: opened, checked and compared"
            ),
            None => format!("put {source} back in {seconds:.1} s: opened and checked"),
        }];
        lines.push(format!("reached:  {}", exactly(self.reached_ms, now_ms)));
        if let Some(asked_ms) = self.asked_ms {
            lines.push(format!(
                "asked:    {}; what changed after the moment reached is not in it",
                exactly(asked_ms, now_ms)
            ));
        }
        if let Some(to) = &self.to {
            lines.push(format!("file:     {to}"));
            lines.push("          the state file in use is untouched".to_owned());
        }
        if let Some(replaced) = &self.replaced {
            lines.push(format!(
                "state:    {}, restored for the {} time",
                room.home.state_db().display(),
                ordinal(replaced.epoch)
            ));
            if let Some(kept) = &replaced.kept {
                let name = kept.file_name().unwrap_or_default().display();
                lines.push(format!("old file: {}", kept.display()));
                lines.push(format!(
                    "undo:     ops-sidecar backup restore --kept {name} --force"
                ));
            } else {
                lines.push("old file: there was none".to_owned());
                lines.push("first:    on a new machine, bring the master key (`mcp-stdio key import FILE`) and `config.toml`: no backup has them".to_owned());
            }
            lines.push("next:     start ops-sidecar, open the assistants again, and run `mcp-stdio doctor` and `mcp-stdio audit verify`".to_owned());
        }
        lines.push(String::new());
        lines.join("\n")
    }
}

/// 1st, 2nd, 3rd, 4th, … 11th, 12th, 13th, … 21st.
fn ordinal(number: u64) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}
