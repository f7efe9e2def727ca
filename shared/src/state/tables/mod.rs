//! Rows and queries, one module per family of tables: the only SQL of the house besides the migrations.
//!
//! Functions take a [`Reading`](super::Reading) or a [`Writing`](super::Writing) and give plain structs; they decide
//! nothing. Statements are prepared once per connection.

pub mod agreements;
pub mod audit;
pub mod audit_anchors;
pub mod epochs;
pub mod meta;
pub mod metrics;
pub mod open_writes;
pub mod quota;
mod read;
pub mod sessions;
pub mod stores;
pub mod tenants;
pub mod turns;

#[cfg(test)]
pub(super) mod testing;
