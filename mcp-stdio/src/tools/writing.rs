//! What all tools that change a shop have in common.
//!
//! Here: their shared arguments and answer fields. Not here: what is changed and how (`desk`).

use super::{Answer, Shape};
use crate::args::{Argument, Kind};

/// Shows what would be done and does nothing.
pub(super) const DRY_RUN: Argument =
    Argument::optional("dry_run", Kind::Flag, "Only show what would change");

/// Brings back the token of a preview that a person has agreed to.
pub(super) const CONFIRM: Argument = Argument::optional(
    "confirm",
    Kind::Text,
    "confirm_token of the preview, once the person agreed",
);

/// `done`, `not_done`, `unknown` or `preview`.
pub(super) const OUTCOME: Answer = Answer::always("outcome", Shape::Text);

/// What changed or would change: a `path`, `before` and `after` each.
pub(super) const DIFF: Answer = Answer::always("diff", Shape::Objects);

/// With a preview: what the confirming call has to carry.
pub(super) const CONFIRM_TOKEN: Answer = Answer::sometimes("confirm_token", Shape::Text);

/// What to do now.
pub(super) const NEXT: Answer = Answer::sometimes("next", Shape::Text);

/// What else is worth knowing.
pub(super) const REMARKS: Answer = Answer::sometimes("remarks", Shape::Texts);

/// With an unknown outcome: what to look at.
pub(super) const CHECK: Answer = Answer::sometimes("check", Shape::Text);

/// Of a batch: each row's ids, `outcome` and, where it is not done, `why`.
pub(super) const ROWS: Answer = Answer::sometimes("rows", Shape::Objects);

/// Of a batch: how many rows had which outcome.
pub(super) const COUNTS: Answer = Answer::sometimes("counts", Shape::Object);

/// The answer of a tool that changes a shop: what they all say, and what this one says beside it.
macro_rules! written {
    ($($own:expr),* $(,)?) => {
        &[
            super::UNTRUSTED,
            super::writing::OUTCOME,
            super::writing::DIFF,
            super::writing::CONFIRM_TOKEN,
            super::writing::NEXT,
            super::writing::REMARKS,
            super::writing::CHECK,
            $($own),*
        ]
    };
}
pub(super) use written;
