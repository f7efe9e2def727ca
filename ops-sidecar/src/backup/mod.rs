//! Backups that are known to restore, and recovery to a moment.
//!
//! A backup is a consistent copy of the state file that was opened, checked, compressed, encrypted, shipped to every target, read back and
//! compared; only then does its manifest say that it exists. Beside it, recovery to a moment ships what changed, second by second.

pub mod targets;
