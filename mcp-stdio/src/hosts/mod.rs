//! Other programs' MCP configuration: our entry put in, brought up to date, found and taken out again.
//!
//! | file | decides |
//! |---|---|
//! | [`client`] | which clients there are: the one table of files, keys and shapes |
//! | [`places`] | where a platform keeps them |
//! | [`entry`] | what our entry says, in each client's words |
//! | `tree` | what a configuration file says, whatever its format; the proof that an edit changed nothing else |
//! | `jsonc`, `toml`, `yaml` | one editor per format: comments, order and layout survive |
//! | `yaml_lines` | our own values as YAML |
//! | `edit` | one change of a text, proved |
//! | `file` | reading, locking, backing up and replacing the file |
//! | [`mod@install`] | the three verbs |
//! | [`mod@snippet`] | the same entry, printed |
//! | [`error`] | what can go wrong, and what to do about it |
//!
//! Absent on purpose: keys. An entry holds a command, its arguments and the home folder; nothing in this room can see a secret, and an
//! entry whose environment names a secret setting is refused.

pub mod client;
pub mod entry;
pub mod error;
pub mod install;
pub mod places;
pub mod snippet;

mod edit;
mod file;
mod jsonc;
mod toml;
mod tree;
mod yaml;
mod yaml_lines;

pub use client::{CLIENTS, Client, find};
pub use entry::Entry;
pub use error::HostError;
pub use install::{Done, Folder, install, installed, uninstall};
pub use places::{Places, Platform};
pub use snippet::snippet;
