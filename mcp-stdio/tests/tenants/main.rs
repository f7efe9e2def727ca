//! Many stores and many tenants in one state file, as a client of the real binary meets them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod isolation;
mod kit;
mod pasted;
mod rotation;
mod stores;
#[path = "../support/mod.rs"]
mod support;
mod writes;
