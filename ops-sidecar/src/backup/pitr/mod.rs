//! Recovery to a moment: each second, what changed goes to the targets, and any of these moments can be rebuilt.
//!
//! | file | decides |
//! |---|---|
//! | `level`, `name` | which series of increments there are, and what an object is called |
//! | `hashes` | what a moment is: sixteen bytes per page, one root for all |
//! | `increment` | what is inside of an object |
//! | `plan`, `elapsed`, `retention`, `gaps` | which way leads to a moment, how old one is, what may go, what is missing: arithmetic over names |
//! | `window`, `rebuild` | what can be reached, and reaching it |
//! | `cut`, `series`, `tables` | from a snapshot to increments; where the series stand, also over a restart |
//! | `engine` | when to look; the loop `pitr` |
//! | `spool`, `ship` | what waits, and the loop `pitr-ship` of each target |
//! | `status` | what is shown |
//!
//! A **line** is a series of points that provably follow each other. Each series of increments (seconds, minutes, hours) is cut from the live
//! file against the page hashes at its own last boundary; a base, with all pages, begins each line and each day. Nothing that was sealed is
//! ever read again, so the machine that writes needs no secret key.

mod cut;
mod elapsed;
mod engine;
mod error;
mod gaps;
mod hashes;
mod increment;
mod level;
mod name;
mod plan;
mod rebuild;
mod retention;
mod series;
mod ship;
mod spool;
mod status;
mod tables;
mod window;

pub use engine::Engine;
pub use error::PitrError;
pub use gaps::{Context, Gaps, Hole};
pub use name::{Line, Name};
pub use rebuild::{Rebuilt, rebuild};
pub use retention::Keep;
pub use ship::{Shipper, deliver, shippers};
pub use status::{Doing, Latest, Status, TargetStatus};
pub use window::{LineView, Span, survey, window};

pub use crate::backup::settings::Pitr as Settings;

#[cfg(test)]
mod tests;
