//! The sandbox over real HTTP, by a client that shares no code with it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed step fails its test, which is what it is for"
)]

mod cli;
mod client;
mod control;
mod door;
mod faults;
mod parts;
mod reading;
mod write_faults;
mod writing;
