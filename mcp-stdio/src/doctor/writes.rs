//! Are there changes to a shop whose end nobody knows?

use shared::audit::Chain;
use shared::state::State;
use shared::writes::{Unsettled, unsettled};

use super::{Check, Hint, Typed};
use crate::error::capped;

pub(super) const ID: &str = "writes";

/// The changes of this chain that may have been made or not, oldest first; or why they cannot be read.
pub(super) fn look(state: &State, own: &Chain) -> Result<Vec<Unsettled>, String> {
    unsettled(state, Some(own)).map_err(|error| error.to_string())
}

pub(super) fn judge(facts: &Result<Vec<Unsettled>, String>, typed: &Typed) -> Check {
    let list = |words: &str| Hint::run(words, typed.command("audit unsettled"));
    match facts {
        Err(why) => Check::warning(ID, why, list("see it in full")),
        Ok(changes) => match changes.first() {
            None => Check::fine(ID, "every change to a shop has a known outcome"),
            Some(oldest) => Check::warning(
                ID,
                format!(
                    "{} may have been made or not; the oldest is `{}` of {}",
                    counted(changes.len()),
                    capped(&oldest.target),
                    oldest.at.strftime("%Y-%m-%d %H:%M UTC")
                ),
                list("look at them in Order Desk, then say what you saw with `audit settle`"),
            ),
        },
    }
}

fn counted(number: usize) -> String {
    match number {
        1 => "1 change".to_owned(),
        more => format!("{more} changes"),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use jiff::Timestamp;
    use shared::paths::Home;
    use shared::writes::Why;

    use super::*;

    fn judged(facts: &Result<Vec<Unsettled>, String>) -> Check {
        let home = Home::at("/h");
        judge(facts, &Typed::new(None, Path::new("/exe"), &home, None))
    }

    fn change(seq: u64) -> Unsettled {
        Unsettled {
            chain: Chain::Env,
            seq,
            at: Timestamp::from_second(1_800_000_000).unwrap(),
            session: String::new(),
            client: None,
            store_key: String::new(),
            action: "order.updated".to_owned(),
            target: format!("order {seq}"),
            check: String::new(),
            why: Why::Died,
        }
    }

    #[test]
    fn a_change_that_nobody_knows_the_end_of_is_counted_and_the_oldest_named() {
        assert!(judged(&Ok(Vec::new())).ok);
        let two = judged(&Ok(vec![change(7), change(8)]));
        assert_eq!(
            two.summary,
            "2 changes may have been made or not; the oldest is `order 7` of 2027-01-15 08:00 UTC"
        );
        assert_eq!(
            two.hint.unwrap().command.as_deref(),
            Some("/exe audit unsettled")
        );
        assert!(!judged(&Err("locked".to_owned())).ok);
    }

    #[test]
    fn a_fresh_file_has_none() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(&Home::at(folder.path().join("home"))).unwrap();
        assert_eq!(look(&state, &Chain::Env).unwrap(), []);
    }
}
