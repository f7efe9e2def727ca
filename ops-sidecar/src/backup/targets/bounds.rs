//! How long a listing may be.
//!
//! A server that is broken, or not the one it is taken for, can answer a listing for ever: with the same page, with empty ones, with more
//! objects than anybody stored. Here: how many, how long, when it goes in circles, and the words. Whoever lists keeps little of each object;
//! how large one answer may be, `wire` says.

use std::time::Duration;

use super::error::{Kind, TargetError};

/// The most objects that a listing of a bucket may have, whoever's they are. Settings that promise more are refused.
pub const MOST_OBJECTS: u64 = 500_000;

/// What one object counts at most, a tebibyte: whatever a broken server says of their sizes, so many of these can be added up.
pub(super) const HEAVIEST: u64 = 1 << 40;

/// What one listing may amount to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Objects, ours or not. A shop that changes twice a second all day leaves a third of this; recovery to a moment keeps forty bytes
    /// of each while it looks.
    pub(super) objects: u64,
    /// From the first page to the last. Half a million objects are five hundred pages.
    pub(super) time: Duration,
}

impl Bounds {
    pub(super) const USUAL: Bounds = Bounds {
        objects: MOST_OBJECTS,
        time: Duration::from_secs(10 * 60),
    };
}

/// Of what there was too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Excess {
    Objects,
    Time,
    /// The same again.
    Again,
}

impl Excess {
    pub(super) fn error(self, target: &str, doing: String, bounds: &Bounds) -> TargetError {
        let (kind, why, hint) = match self {
            Excess::Objects => (
                Kind::Other,
                format!("more than {} objects are there", bounds.objects),
                "is something else stored under the same prefix? give this home a place of its own, such as `…/NAME`, or clear it out by the target's own means",
            ),
            Excess::Time => (
                Kind::Away,
                format!("no end after {} seconds", bounds.time.as_secs()),
                "it is overloaded or broken; it is tried again by itself",
            ),
            Excess::Again => (
                Kind::Other,
                "the server lists the same objects again and again".to_owned(),
                "the server, or what stands between it and us, is broken: its pages have no end",
            ),
        };
        TargetError::new(kind, target, doing, why).hint(hint)
    }
}

/// Notices a listing that goes in circles, whatever their size, and remembers one name only: at each power of two the present one, against which
/// those that follow are held (Brent's way). In a listing without circles no name comes twice.
#[derive(Debug, Default)]
pub(super) struct Laps {
    /// How many objects there were.
    pub(super) seen: u64,
    mark: String,
}

impl Laps {
    /// Whether this one was there before.
    pub(super) fn is_again(&mut self, name: &str) -> bool {
        if self.seen > 0 && self.mark == name {
            return true;
        }
        self.seen += 1;
        if self.seen.is_power_of_two() {
            name.clone_into(&mut self.mark);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_circle_is_noticed_before_it_was_walked_five_times(straight in 0..300_u32, circle in 1..300_u32) {
            let mut laps = Laps::default();
            let names = (0..straight).chain((straight..straight + circle).cycle());
            let walked = names.take_while(|name| !laps.is_again(&name.to_string())).count();
            prop_assert!(walked as u64 <= 4 * u64::from(straight + circle), "{} steps", walked);
        }

        #[test]
        fn what_never_comes_again_is_no_circle(names in 0..5_000_u32) {
            let mut laps = Laps::default();
            prop_assert!((0..names).all(|name| !laps.is_again(&name.to_string())));
            prop_assert_eq!(laps.seen, u64::from(names));
        }
    }

    #[test]
    fn each_excess_says_what_why_and_what_to_do() {
        for excess in [Excess::Objects, Excess::Time, Excess::Again] {
            let failed = excess.error("s3://b", "list `pitr`".to_owned(), &Bounds::USUAL);
            let text = failed.to_string();
            assert!(
                text.starts_with("target `s3://b`: cannot list `pitr`: "),
                "{text}"
            );
            assert!(text.contains("; hint: "), "{text}");
            assert_eq!(failed.is_transient(), excess == Excess::Time);
        }
    }
}
