//! A captured environment.
//!
//! Here: the process's variables, read once at the start, or the ones a test makes up. Not here: what they mean. Rooms never read the
//! process's environment themselves: what is read in one place can be listed, checked for typos and replaced in tests.

use std::ffi::{OsStr, OsString};
use std::fmt;

/// The variables a program was started with. Values are kept as the system gave them, valid UTF-8 or not.
#[derive(Clone, Default)]
pub struct Vars(Vec<(OsString, OsString)>);

impl Vars {
    /// The environment of this process. Called once, in `main`.
    #[must_use]
    pub fn from_process() -> Vars {
        Vars(
            std::env::vars_os()
                .map(|(name, value)| (spelled(name), value))
                .collect(),
        )
    }

    /// An environment made up by a test.
    pub fn from_pairs<N, V>(pairs: impl IntoIterator<Item = (N, V)>) -> Vars
    where
        N: Into<OsString>,
        V: Into<OsString>,
    {
        Vars(
            pairs
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }

    /// The value of a variable; an empty one counts as not set, because clients pass empty strings for what a person left blank.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found
            .map(|(_, value)| value.as_os_str())
            .filter(|value| !value.is_empty())
    }

    /// The names of all variables that are set, the empty ones included; names that are not UTF-8 cannot be ours and are left out.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|(name, _)| name.to_str())
    }
}

/// Windows ignores the case of names, so we look them up in capitals there.
fn spelled(name: OsString) -> OsString {
    if cfg!(windows) {
        name.to_ascii_uppercase()
    } else {
        name
    }
}

/// Values may be secrets, ours or another program's: only the number is shown.
impl fmt::Debug for Vars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vars({} variables)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_counts_as_not_set() {
        let vars = Vars::from_pairs([("A", "1"), ("B", "")]);
        assert_eq!(vars.get("A"), Some(OsStr::new("1")));
        assert_eq!(vars.get("B"), None);
        assert_eq!(vars.get("C"), None);
        assert_eq!(vars.names().collect::<Vec<_>>(), ["A", "B"]);
    }

    #[test]
    fn an_environment_never_prints_its_values() {
        let vars = Vars::from_pairs([("ORDERDESK_MCP_API_KEY", "hunter2")]);
        assert_eq!(format!("{vars:?}"), "Vars(1 variables)");
    }

    #[test]
    fn the_process_environment_is_captured() {
        assert!(
            Vars::from_process()
                .names()
                .any(|name| name.eq_ignore_ascii_case("PATH"))
        );
    }
}
