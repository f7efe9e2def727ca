//! Prompts, resources and completions over the pipe, in both eras of the protocol.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
#![allow(
    clippy::needless_pass_by_value,
    reason = "json!(..) is written in place"
)]

mod completions;
mod kit;
mod prompts;
mod resources;
#[path = "../support/mod.rs"]
mod support;
