//! Moving orders between folders.

mod folder;
mod plan;
