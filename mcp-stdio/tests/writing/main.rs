//! What an assistant changes in a shop: each tool that writes, through the real binary, against the sandbox.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod answers;
mod calls;
mod dry;
mod endpoints;
mod items;
mod kit;
mod moves;
mod notes;
mod orders;
mod shipments;
mod stock;
#[path = "../support/mod.rs"]
mod support;
mod unknown;
mod wrong;
