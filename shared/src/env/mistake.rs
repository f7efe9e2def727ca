//! A mistake in the settings, for the person who made it.
//!
//! Here: [`Mistake`] and how a wrong value is shown. A mistake says what is wrong, why, and what to do, on one line. It never holds
//! the value of a secret.

use std::fmt;

use super::setting::Owner;
use crate::secret::{MASK, looks_like_a_key};

/// How much of a wrong value is shown.
const SHOWN_CHARACTERS: usize = 60;

/// One mistake. Displays as `what: why; hint: what to do`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Who has to care: a mistake in the sidecar's settings does not stop `mcp-stdio`.
    pub owner: Owner,
    /// What is wrong: a name and where it stands.
    pub what: String,
    /// Why it is wrong.
    pub why: String,
    /// What to do.
    pub hint: String,
}

impl Mistake {
    pub(super) fn new(
        owner: Owner,
        what: impl Into<String>,
        why: impl Into<String>,
        hint: impl Into<String>,
    ) -> Mistake {
        Mistake {
            owner,
            what: what.into(),
            why: why.into(),
            hint: hint.into(),
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; hint: {}", self.what, self.why, self.hint)
    }
}

impl std::error::Error for Mistake {}

/// A wrong value in backticks, on one line and not too long; control characters are escaped. What looks like a key that stands in the
/// wrong place is not shown.
pub(super) fn quoted(value: &str) -> String {
    if looks_like_a_key(value) {
        return MASK.to_owned();
    }
    let shown: String = value
        .chars()
        .take(SHOWN_CHARACTERS)
        .flat_map(char::escape_debug)
        .collect();
    let more = if value.chars().count() > SHOWN_CHARACTERS {
        "…"
    } else {
        ""
    };
    format!("`{shown}{more}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_one_line_that_says_what_why_and_what_to_do() {
        let mistake = Mistake::new(
            Owner::Both,
            "`log`",
            "`laud` is none of the words",
            "one of `off`, `warn`",
        );
        assert_eq!(
            mistake.to_string(),
            "`log`: `laud` is none of the words; hint: one of `off`, `warn`"
        );
    }

    #[test]
    fn a_key_in_the_wrong_place_is_not_shown() {
        assert_eq!(quoted("tB7xK2mQ9vLr4WzN8cYp3HsD6fGj1ZaE5uXq"), MASK);
    }

    #[test]
    fn a_shown_value_is_short_and_stays_on_its_line() {
        assert_eq!(quoted("a\nb\u{1b}[31m"), "`a\\nb\\u{1b}[31m`");
        assert_eq!(quoted(&"ä".repeat(100)), format!("`{}…`", "ä".repeat(60)));
    }
}
