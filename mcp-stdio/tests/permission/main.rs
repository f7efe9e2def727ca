//! What an owner permits and what a person agrees to, tried on the real program.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod asking;
mod kit;
mod masking;
mod status;
mod switches;
mod tokens;
