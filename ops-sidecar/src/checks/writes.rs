//! Changes to shops that nobody knows the end of: their process died on the way, or the shop gave no answer that could be believed.
//!
//! The sidecar never asks a shop; a person looks, and says what was found (`mcp-stdio audit settle`).

use serde::Serialize;
use shared::state::State;
use shared::writes::{self, Unsettled, Why};

use super::{Draft, rfc3339};

/// How many there are; what they are about is for those who hold the key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WritesFacts {
    /// All of them.
    pub unsettled: usize,
    /// Those whose process died before it recorded the outcome.
    pub died: usize,
    /// When the oldest of them was about to be sent.
    pub oldest_at: Option<String>,
}

/// Looks; `None` if the file cannot be read.
#[must_use]
pub fn look(state: &State) -> Option<WritesFacts> {
    writes::unsettled(state, None)
        .ok()
        .map(|unsettled| sum_up(&unsettled))
}

fn sum_up(unsettled: &[Unsettled]) -> WritesFacts {
    WritesFacts {
        unsettled: unsettled.len(),
        died: unsettled.iter().filter(|one| one.why == Why::Died).count(),
        oldest_at: unsettled.iter().map(|one| one.at).min().map(rfc3339),
    }
}

/// Each of them is a change that may have been made or not; only a look at the shop tells.
#[must_use]
pub fn judge(facts: &WritesFacts) -> Vec<Draft> {
    let summary = match facts.unsettled {
        0 => return Vec::new(),
        1 => "1 change to a shop may have been made or not".to_owned(),
        many => format!("{many} changes to shops may have been made or not"),
    };
    vec![Draft::warn(
        "writes.unsettled",
        summary,
        "`mcp-stdio audit unsettled` says what to look at in Order Desk; `mcp-stdio audit settle` records what you found",
    )]
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use shared::audit::Chain;

    use super::*;

    fn unsettled(second: i64, why: Why) -> Unsettled {
        Unsettled {
            chain: Chain::Env,
            seq: 1,
            at: Timestamp::from_second(second).unwrap(),
            session: String::new(),
            client: None,
            store_key: String::new(),
            action: String::new(),
            target: String::new(),
            check: String::new(),
            why,
        }
    }

    #[test]
    fn they_are_counted_and_the_oldest_is_dated() {
        let facts = sum_up(&[unsettled(9, Why::Unknown), unsettled(5, Why::Died)]);
        let expected = WritesFacts {
            unsettled: 2,
            died: 1,
            oldest_at: Some("1970-01-01T00:00:05.000Z".to_owned()),
        };
        assert_eq!(facts, expected);
        assert_eq!(sum_up(&[]), WritesFacts::default());
    }

    #[test]
    fn one_is_enough_to_warn() {
        assert_eq!(judge(&WritesFacts::default()), []);
        for (count, said) in [(1, "1 change to a shop"), (2, "2 changes to shops")] {
            let facts = WritesFacts {
                unsettled: count,
                ..WritesFacts::default()
            };
            let drafts = judge(&facts);
            assert_eq!((drafts.len(), drafts[0].id), (1, "writes.unsettled"));
            assert!(drafts[0].summary.starts_with(said), "{drafts:?}");
        }
    }
}
