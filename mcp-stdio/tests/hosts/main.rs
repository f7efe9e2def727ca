//! Other programs' configuration files, driven through the library: made-up machines, real files.
//!
//! Not here: the command that calls it, and the real Claude Code reading what was written; those are end-to-end tests.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod files;
mod golden;
mod kit;
mod laws;
mod places;
mod secrets;
mod updates;
mod wrong;
