//! The engine room beside `mcp-stdio`: it runs for as long as the machine does and shows over HTTP what all servers have written.
//!
//! | room | keeps |
//! |---|---|
//! | [`cli`] | the words on the command line and what each prints |
//! | [`config`] | settings of this program, every mistake at once |
//! | [`run`] | the program: start, serve, stop |
//! | [`tasks`] | supervision: loops, and what it means when one ends |
//! | [`checks`] | facts about the file, the disk, memory, processes, quota, audit and key files, and the findings they amount to |
//! | [`upkeep`] | the state file kept fit: its log, its pages, its room, and a reserve on the disk |
//! | [`backup`] | backups that are known to restore, recovery to a moment, and giving either back |
//! | [`http`] | guard, accept loop, health, metrics |
//!
//! Data flows one way: `run → http → checks → backup, upkeep → shared`. Health, readiness and metrics render the same findings; only `checks` decides
//! what is wrong. Absent on purpose: anything that talks to Order Desk, holds a master key or opens a sealed value.

pub mod backup;
pub mod checks;
pub mod cli;
pub mod config;
pub mod http;
mod notify;
mod probe;
mod recovery;
pub mod run;
pub mod tasks;
pub mod upkeep;

/// This program's version, as users see it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
