//! What helps a model and its person beside the tools.
//!
//! | file | hides |
//! |---|---|
//! | `prompts` | instructions for everyday work, chosen by a person from the client's menu |
//! | `resources` | orders, folders and settings as things with an address, which a person attaches to a conversation |
//! | `completions` | what a client offers while a store's or a folder's name is typed |
//!
//! All three follow the tools: what the owner has switched off is neither described nor read here. A resource is read through the tool that reads the same, so
//! that deadline, metrics, masking and permission hold for it. Nothing here changes a shop, and nothing here is needed by a tool.

pub mod completions;
pub mod prompts;
pub mod resources;
