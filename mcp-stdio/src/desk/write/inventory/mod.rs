//! Stock.

mod rows;
mod stock;
mod which;

pub use rows::Which;
pub use stock::Adjust;
