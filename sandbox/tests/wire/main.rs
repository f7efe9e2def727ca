//! The sandbox over real HTTP, by a client that shares no code with it.

mod cli;
mod client;
mod control;
mod door;
mod faults;
mod reading;
mod writing;
