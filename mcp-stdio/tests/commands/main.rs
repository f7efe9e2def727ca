//! The commands, driven as a person or a script drives them: the real binary, its exit code, its two streams and the files it leaves.
//!
//! What a program may read is held to golden files (`tests/golden/cli`), and so is every page of help. Not here: a terminal, and the
//! programs that the server is installed into; those are end-to-end tests.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod auditing;
mod calling;
mod handing_over;
mod installing;
mod keys;
mod kit;
mod setting_up;
mod settling;
mod stores;
mod surface;
