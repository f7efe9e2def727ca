//! Settings (being filled in).
mod vars;
pub use vars::Vars;
