//! Settings: where they come from, what they may be, and every mistake in them at once.
//!
//! | file | decides |
//! |---|---|
//! | [`catalogue`] | which settings exist: the one list for both binaries |
//! | [`setting`] | what a setting is: owner, default, profiles |
//! | [`kind`], `units`, `address`, `backup` | what a value may look like |
//! | [`vars`] | the captured environment |
//! | `config_file` | what `config.toml` may hold |
//! | `sources` | who wins: flag > environment > `…_FILE` > systemd credential > `config.toml` > default |
//! | [`load`] | asking all of them, and collecting the mistakes |
//! | [`settings`] | the effective values |
//! | `names` | which names are typos |
//! | `conflicts` | what is wrong only in combination |
//! | [`mistake`], [`nearest()`] | saying it |
//! | [`mod@print`] | the reference page, and a program's effective settings |
//!
//! Loading never fails: it gives settings and a list of mistakes, and the caller decides what a mistake costs (`mcp-stdio serve`
//! answers every call with the list, other commands exit 2). What was wrong has its default meanwhile.

pub mod catalogue;
pub mod kind;
pub mod load;
pub mod mistake;
pub mod nearest;
pub mod print;
pub mod setting;
pub mod settings;
pub mod vars;

mod address;
mod backup;
mod config_file;
mod conflicts;
mod names;
mod sources;
mod units;

pub use catalogue::SETTINGS;
pub use kind::{Kind, Value};
pub use load::Loaded;
pub use mistake::Mistake;
pub use nearest::nearest;
pub use print::markdown;
pub use setting::{Owner, Preset, Profile, Setting};
pub use settings::{Effective, Settings};
pub use sources::Source;
pub use vars::Vars;

/// What every environment variable of ours begins with.
pub const PREFIX: &str = "ORDERDESK_MCP_";
