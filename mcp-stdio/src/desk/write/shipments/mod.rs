//! The shipments of orders.

mod parcel;
mod rows;
mod same;
