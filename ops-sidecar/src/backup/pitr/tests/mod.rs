//! The room at work: a real state file, real targets in folders and in memory, and a clock that moves when told.

mod damage;
mod follow;
mod kit;
mod lines;
mod model;
mod outage;
