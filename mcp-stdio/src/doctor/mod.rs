//! Every check that a person would try when it does not work, each with what to type next.
//!
//! A subject is a file with two halves: a *look* that gathers facts (it never fails: what cannot be learnt is a fact, too), and a
//! *judgement*, a plain function from facts to a [`Check`]. [`examine`] calls them in the order in which one thing stands on another,
//! and leaves out what cannot be said yet: whose key cannot be read hears about the key, not about five consequences.
//!
//! | file | checks |
//! |---|---|
//! | `settings` `home` `disk` `state` | `settings` `home` `disk` `state` |
//! | `key` `lost` | `key` `leftover` |
//! | `tenant` | `tenant` `vault` |
//! | `probe` `stores` | `api` `credentials` `clock` |
//! | `audit` `writes` `backup` `sidecar` `clients` | `audit` `writes` `backup` `sidecar` `clients` |
//!
//! Here is no repairing (every remedy is the user's to type), no printing (`cli`), and no network but the stores' own API. Only
//! the own tenant's things are shown.

mod audit;
mod backup;
mod clients;
mod disk;
mod examine;
mod home;
mod key;
mod lost;
mod patient;
mod probe;
mod report;
mod settings;
mod sidecar;
mod state;
mod stores;
mod tenant;
mod typed;
mod writes;

pub use examine::{LONGEST, examine};
pub use patient::Patient;
pub use report::{Check, Hint, Level, Report, Waiting};
pub use typed::Typed;
