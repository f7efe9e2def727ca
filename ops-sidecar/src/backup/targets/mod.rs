//! Where backups go: folders and buckets, through one door.
//!
//! | file | decides |
//! |---|---|
//! | `target` | what can be asked of any target |
//! | `spec` | what a target may be called in the settings |
//! | `key` | how objects may be called |
//! | `folder` | objects as files: whole or not at all, private, on a disk that is there |
//! | `bucket` | objects in a cloud: in parts, in ranges, one request at a time |
//! | `bounds` | how long a listing may be |
//! | `cloud` | how a cloud is reached, with whose credentials, and for how long |
//! | `wire` | our HTTP client under the clouds' library |
//! | `error`, `blame` | what went wrong, in words that hold no secret |
//!
//! What every target promises, and one test holds all of them to: an object appears whole; its name, once taken, stays with its bytes
//! (storing the same again is fine, storing others is refused); what is read is what is there, to the last byte; deleting what is
//! gone is fine. Retries after an unclear answer are safe for this reason.
//!
//! The calls block. They are made from blocking threads, never from a task: the clouds' client runs on the runtime whose handle the
//! target got, which has to be a multi-threaded one.

mod blame;
mod bounds;
mod bucket;
mod cloud;
mod error;
mod folder;
mod key;
mod spec;
mod target;
mod wire;

pub use bounds::MOST_OBJECTS;
pub use error::{Kind, TargetError};
pub use spec::TargetSpec;
pub use target::{Fetched, Item, Target};

#[cfg(test)]
pub(super) mod tests;
