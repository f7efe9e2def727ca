//! Reports over orders and stock.
//!
//! | file | hides |
//! |---|---|
//! | `amount` | sums without a float's drift |
//! | `folders` | which folders count as open |
//! | `totals` | what is added up, and by which group |
//! | `waiting` | paid and not shipped for too long |
//! | `twins` | orders that may be one |
//! | `needed` | what open orders still need from stock |
//!
//! Each report is a fold: orders are added one by one and forgotten, because a window may hold two thousand of them and this process stays
//! small. Nothing here asks a shop (`desk::walk` does) and nothing here knows how an answer looks.

mod amount;
mod folders;
mod needed;
mod totals;
mod twins;
mod waiting;

pub use amount::Amount;
pub use folders::Folders;
pub use needed::{Demand, NOT_NEEDED, Need, NeedOf};
pub use totals::{Figures, Group, GroupBy, NONE, Others, Totals};
pub use twins::{Duplicates, Pair, Reason, Twin, WITHIN_DAYS};
pub use waiting::{PAID, Unshipped, Waiting};

#[cfg(test)]
mod tests;
