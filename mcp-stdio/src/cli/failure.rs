//! Why a command did not do what it was asked.
//!
//! Here: [`Failure`], what stderr and the exit code say in the end. Not here: what can go wrong in a room; its own error is turned into
//! this one at the edge, once.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use shared::state::StateError;

use crate::cli::interrupt;
use crate::cli::print::{self, FAILED, NAME, USAGE};
use crate::desk::DeskError;
use crate::hosts::HostError;
use crate::vault::VaultError;

/// What went wrong, what to do, and the exit code.
#[derive(Debug)]
pub(super) struct Failure {
    code: i32,
    what: String,
    hint: Option<String>,
}

/// The result of a command.
pub(super) type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// The command was used wrongly, or the configuration is wrong.
    pub(super) fn usage(what: impl Into<String>, hint: impl Into<String>) -> Failure {
        Failure {
            code: USAGE,
            what: what.into(),
            hint: Some(hint.into()),
        }
    }

    /// Anything else.
    pub(super) fn failed(what: impl Into<String>, hint: impl Into<String>) -> Failure {
        Failure {
            code: FAILED,
            what: what.into(),
            hint: Some(hint.into()),
        }
    }

    /// Everything was said already; only the exit code is left.
    pub(super) fn said() -> Failure {
        Failure {
            code: FAILED,
            what: String::new(),
            hint: None,
        }
    }

    /// A text that brings its own hint, or has none.
    pub(super) fn text(text: impl Into<String>, code: i32) -> Failure {
        let text = text.into();
        match text.split_once("; hint: ") {
            // Several mistakes, each with its hint, stay one per line.
            Some((what, hint)) if !text.contains('\n') => Failure {
                code,
                what: what.to_owned(),
                hint: Some(hint.to_owned()),
            },
            _ => Failure {
                code,
                what: text,
                hint: None,
            },
        }
    }

    /// Ctrl-C at a prompt: the code that shells give a command that was interrupted.
    pub(super) fn interrupted() -> Failure {
        Failure::text("interrupted; nothing was changed", interrupt::EXIT_CODE)
    }

    /// Whether somebody pressed Ctrl-C.
    pub(super) fn is_interruption(&self) -> bool {
        self.code == interrupt::EXIT_CODE
    }

    /// A file or folder could not be worked with.
    pub(super) fn file(doing: &str, path: &Path, error: &io::Error) -> Failure {
        let hint = match error.kind() {
            io::ErrorKind::NotFound => "check the path",
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                "name a place that this user may write to, or change its permissions"
            }
            io::ErrorKind::StorageFull => "make room on that disk, then run the command again",
            _ => "check the path and its disk, then run the command again",
        };
        Failure::failed(
            format!("{doing} `{}` failed: {error}", path.display()),
            hint,
        )
    }

    /// Adds what it means for the one who asked.
    #[must_use]
    pub(super) fn so(mut self, consequence: &str) -> Failure {
        self.what = format!("{}; {consequence}", self.what);
        self
    }

    /// Adds another way out to the hint.
    #[must_use]
    pub(super) fn or(mut self, way: &str) -> Failure {
        self.hint = Some(match self.hint {
            Some(hint) => format!("{hint}; or {way}"),
            None => way.to_owned(),
        });
        self
    }

    /// Lets its commands mean what this one meant: `flags` (the home and the key file, if they were named) are put into each.
    #[must_use]
    pub(super) fn with_flags(mut self, flags: &str) -> Failure {
        if flags.is_empty() {
            return self;
        }
        let (bare, whole) = (format!("`{NAME} "), format!("`{NAME} {flags} "));
        self.what = self.what.replace(&bare, &whole);
        self.hint = self.hint.map(|hint| hint.replace(&bare, &whole));
        self
    }

    /// Says it on stderr; gives the exit code.
    pub(super) fn say(&self) -> i32 {
        if !self.what.is_empty() {
            print::complain(&self.to_string(), self.code);
        }
        self.code
    }
}

/// What, then what to do on a line of its own.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl From<DeskError> for Failure {
    fn from(error: DeskError) -> Failure {
        Failure::failed(error.to_string(), error.hint())
    }
}

/// A missing or wrong key, name or file is the configuration's or the caller's; a broken seal or a rotated key is not.
impl From<VaultError> for Failure {
    fn from(error: VaultError) -> Failure {
        if let VaultError::State(error) = &error {
            return Failure::from(&**error);
        }
        let (what, hint) = (error.to_string(), error.hint());
        match error.code() {
            "key_rotated" | "seal_broken" | "key_locked" | "outrun" => Failure::failed(what, hint),
            _ => Failure::usage(what, hint),
        }
    }
}

/// A name that no client takes and a client that is not edited are the caller's; files are not.
impl From<HostError> for Failure {
    fn from(error: HostError) -> Failure {
        let (what, hint) = (with_causes(&error), error.hint());
        match error {
            HostError::BadName { .. } | HostError::PrintOnly { .. } => Failure::usage(what, hint),
            _ => Failure::failed(what, hint),
        }
    }
}

impl From<Arc<StateError>> for Failure {
    fn from(error: Arc<StateError>) -> Failure {
        Failure::from(&*error)
    }
}

impl From<StateError> for Failure {
    fn from(error: StateError) -> Failure {
        Failure::from(&error)
    }
}

/// The room's errors carry their hint with them.
impl From<&StateError> for Failure {
    fn from(error: &StateError) -> Failure {
        Failure::text(error.to_string(), FAILED)
    }
}

/// An error and what caused it, on one line.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_stands_on_a_line_of_its_own_wherever_it_came_from() {
        assert_eq!(Failure::usage("a", "b").to_string(), "a\nhint: b");
        assert_eq!(Failure::text("a; hint: b", 1).to_string(), "a\nhint: b");
        let state = Failure::from(StateError::Moved).to_string();
        assert_eq!(state.matches("\nhint: ").count(), 1, "{state}");
    }

    #[test]
    fn commands_in_a_hint_lead_to_the_home_that_was_named() {
        let failure = Failure::usage("none", "run `mcp-stdio init`, or set MCP");
        let text = failure.with_flags("--home /srv/desk").to_string();
        assert_eq!(
            text,
            "none\nhint: run `mcp-stdio --home /srv/desk init`, or set MCP"
        );
        let text = Failure::usage("none", "run `mcp-stdio init`").with_flags("");
        assert!(text.to_string().contains("`mcp-stdio init`"));
    }

    #[test]
    fn what_it_means_for_the_one_who_asked_stands_before_the_hint() {
        let failure = Failure::from(DeskError::Auth).so("nothing was saved");
        let text = failure.to_string();
        assert!(text.contains("; nothing was saved\nhint: "), "{text}");
    }
}
