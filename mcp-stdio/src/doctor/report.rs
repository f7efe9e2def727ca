//! What the checks found, for people and for programs.
//!
//! Here: the shape of a finding and how it reads. Not here: finding anything.

use std::fmt::{self, Write as _};

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

/// How much a check that is not ok matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Something does not work. The command ends with 1.
    Error,
    /// It works, and could be better. The command ends with 0.
    Warning,
}

/// What to do: a few words, and usually a command that can be typed as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// Why this, and what else. No backticks: in the text form they enclose the command.
    pub say: String,
    /// Complete: absolute paths, quoted for the platform's shell.
    pub command: Option<String>,
}

impl Hint {
    /// A command, and what it is for.
    pub fn run(say: impl Into<String>, command: impl Into<String>) -> Hint {
        Hint {
            say: say.into(),
            command: Some(command.into()),
        }
    }

    /// What no command can do.
    pub fn say(say: impl Into<String>) -> Hint {
        Hint {
            say: say.into(),
            command: None,
        }
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.command {
            Some(command) => write!(f, "{}: `{command}`", self.say),
            None => f.write_str(&self.say),
        }
    }
}

/// As one line: `words: `command``.
impl Serialize for Hint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Stable name.
    pub id: &'static str,
    /// Whether it is as it should be.
    pub ok: bool,
    /// What it means if it is not.
    pub level: Level,
    /// What was found, on one line.
    pub summary: String,
    /// What to do; there is one whenever `ok` is false.
    pub hint: Option<Hint>,
}

impl Check {
    /// As it should be.
    pub fn fine(id: &'static str, summary: impl Into<String>) -> Check {
        Check {
            id,
            ok: true,
            level: Level::Error,
            summary: summary.into(),
            hint: None,
        }
    }

    /// Something does not work.
    pub fn error(id: &'static str, summary: impl Into<String>, hint: Hint) -> Check {
        Check {
            id,
            ok: false,
            level: Level::Error,
            summary: summary.into(),
            hint: Some(hint),
        }
    }

    /// Something could be better.
    pub fn warning(id: &'static str, summary: impl Into<String>, hint: Hint) -> Check {
        Check {
            level: Level::Warning,
            ..Check::error(id, summary, hint)
        }
    }

    fn failed(&self) -> bool {
        !self.ok && self.level == Level::Error
    }
}

/// A check that could not be made, because another one has to be ok first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// The check.
    pub id: &'static str,
    /// The check it waits for.
    pub waits_for: &'static str,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What was looked at, in the order of looking.
    pub checks: Vec<Check>,
    /// What was not, and why.
    pub waiting: Vec<Waiting>,
}

impl Report {
    /// Adds a finding; says whether what stands on it can be looked at (a warning does not stand in the way).
    pub(super) fn add(&mut self, check: Check) -> bool {
        let passable = !check.failed();
        self.checks.push(check);
        passable
    }

    /// Notes checks that wait for `id`.
    pub(super) fn wait(&mut self, id: &'static str, waiting: &[&'static str]) {
        let waiting = waiting.iter().map(|&waits| Waiting {
            id: waits,
            waits_for: id,
        });
        self.waiting.extend(waiting);
    }

    /// Whether nothing failed; warnings do not count.
    #[must_use]
    pub fn ok(&self) -> bool {
        !self.checks.iter().any(Check::failed)
    }

    /// 0 or 1.
    #[must_use]
    pub fn exit_code(&self) -> i32 {
        i32::from(!self.ok())
    }

    /// For programs.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({"ok": self.ok(), "checks": self.checks, "waiting": self.waiting})
    }

    /// For people: a line per check, remedies indented under it, one line at the end that says it all.
    #[must_use]
    pub fn to_text(&self, colour: bool) -> String {
        let mut text = String::new();
        for check in &self.checks {
            line(&mut text, check, colour);
        }
        for (cause, ids) in self.waiting_by_cause() {
            let mark = painted("--", "2", colour);
            let _ = writeln!(
                text,
                "{mark}    not looked at until {cause} is ok: {}",
                ids.join(", ")
            );
        }
        let _ = writeln!(text, "\n{}", self.verdict());
        text
    }

    fn waiting_by_cause(&self) -> Vec<(&'static str, Vec<&'static str>)> {
        let mut groups: Vec<(&'static str, Vec<&'static str>)> = Vec::new();
        for Waiting { id, waits_for } in &self.waiting {
            match groups.iter_mut().find(|(cause, _)| cause == waits_for) {
                Some((_, ids)) => ids.push(id),
                None => groups.push((waits_for, vec![id])),
            }
        }
        groups
    }

    fn verdict(&self) -> String {
        let failed = self.checks.iter().filter(|check| check.failed()).count();
        let warned = self.checks.iter().filter(|check| !check.ok).count() - failed;
        match (failed, warned) {
            (0, 0) => "everything is as it should be".to_owned(),
            (0, warned) => format!("it works; {}", counted(warned, "warning")),
            (failed, 0) => format!("{} failed", counted(failed, "check")),
            (failed, warned) => format!(
                "{} failed, {}",
                counted(failed, "check"),
                counted(warned, "warning")
            ),
        }
    }
}

/// The remedy's command stands alone on its line, so that it can be copied whole.
fn line(text: &mut String, check: &Check, colour: bool) {
    let mark = match (check.ok, check.level) {
        (true, _) => painted("ok", "32", colour) + "  ",
        (false, Level::Error) => painted("FAIL", "1;31", colour),
        (false, Level::Warning) => painted("warn", "33", colour),
    };
    let _ = writeln!(text, "{mark}  {:<12} {}", check.id, check.summary);
    if let Some(hint) = &check.hint {
        let end = if hint.command.is_some() { ":" } else { "" };
        let _ = writeln!(text, "      {}{end}", hint.say);
        if let Some(command) = &hint.command {
            let _ = writeln!(text, "        {command}");
        }
    }
}

fn painted(word: &str, code: &str, colour: bool) -> String {
    if colour {
        format!("\x1b[{code}m{word}\x1b[0m")
    } else {
        word.to_owned()
    }
}

fn counted(count: usize, what: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {what}{s}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let mut report = Report::default();
        report.add(Check::fine("home", "`/h`"));
        let hint = Hint::run("close it to others", "chmod 600 /h/master.key");
        assert!(!report.add(Check::error("key", "others may read it", hint)));
        report.wait("key", &["tenant", "vault"]);
        assert!(report.add(Check::warning(
            "sidecar",
            "none runs",
            Hint::say("start one")
        )));
        report
    }

    #[test]
    fn people_get_a_line_per_check_and_a_command_that_stands_alone() {
        let text = "ok    home         `/h`\n\
                    FAIL  key          others may read it\n      \
                    close it to others:\n        \
                    chmod 600 /h/master.key\n\
                    warn  sidecar      none runs\n      \
                    start one\n\
                    --    not looked at until key is ok: tenant, vault\n\n\
                    1 check failed, 1 warning\n";
        assert_eq!(report().to_text(false), text);
    }

    #[test]
    fn colour_is_paint_and_nothing_else() {
        let painted = report().to_text(true);
        let mut plain = painted.replace("\x1b[0m", "");
        for code in ["32", "33", "1;31", "2"] {
            assert!(painted.contains(&format!("\x1b[{code}m")), "{code}");
            plain = plain.replace(&format!("\x1b[{code}m"), "");
        }
        assert_eq!(plain, report().to_text(false));
    }

    #[test]
    fn programs_get_the_hint_as_one_line_with_the_command_in_backticks() {
        let value = report().to_json();
        assert_eq!(value["ok"], false);
        assert_eq!(
            value["checks"][1],
            json!({"id": "key", "ok": false, "level": "error", "summary": "others may read it",
                   "hint": "close it to others: `chmod 600 /h/master.key`"})
        );
        assert_eq!(value["checks"][0]["hint"], Value::Null);
        assert_eq!(
            value["waiting"],
            json!([{"id": "tenant", "waits_for": "key"}, {"id": "vault", "waits_for": "key"}])
        );
    }

    #[test]
    fn only_an_error_makes_the_command_fail() {
        assert_eq!(report().exit_code(), 1);
        let mut warned = Report::default();
        warned.add(Check::warning(
            "sidecar",
            "none runs",
            Hint::say("start one"),
        ));
        assert_eq!(warned.exit_code(), 0);
        assert!(warned.to_text(false).ends_with("it works; 1 warning\n"));
        assert!(
            Report::default()
                .to_text(false)
                .ends_with("everything is as it should be\n")
        );
    }
}
