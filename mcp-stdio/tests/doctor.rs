//! `doctor` as a person meets it: a set-up is broken on purpose, doctor names what is broken, the remedy it prints is typed as it
//! stands, and doctor is content.
//!
//! Each test drives the real binary and a real shell, in a home, a user's home and an environment of its own.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on should stop"
)]

#[path = "doctor/bench.rs"]
mod bench;
#[path = "doctor/broken.rs"]
mod broken;
#[path = "doctor/manners.rs"]
mod manners;
mod support;
