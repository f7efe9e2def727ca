//! The desk against a simulated Order Desk, over real sockets: every fault travels through the wire, and what was sent is read from the
//! simulator's own log.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper of a test that cannot go on has failed the test"
)]

mod bad_days;
mod faults;
mod freshness;
mod kit;
mod limits;
mod meters;
mod reads;
mod search;
mod walk;
mod writes_faults;
mod writes_interrupted;
mod writes_inventory;
mod writes_items;
mod writes_moves;
mod writes_orders;
mod writes_records;
mod writes_shipment_batches;
mod writes_shipments;
mod writes_stock_batches;
mod writes_turns;
