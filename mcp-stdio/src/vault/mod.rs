//! The vault: master keys, tenants, and the sealed API keys of their stores. Knows no MCP and no HTTP; all of it blocks.
//!
//! From the outside in: a **master key** (`key`: 256 random bits, or a passphrase stretched by `passphrase`) is found by the ladder in
//! `source` and unwraps a **tenant**'s generations (`tenant`): one random secret per key version. The newest one seals each store's API
//! key (`stores`); every one can still verify the audit rows of its time (`signer`). [`rotate`] replaces the master key.
//!
//! | file | hides |
//! |---|---|
//! | `key` `passphrase` | what a key looks like as text; how words become a key |
//! | `derive` `seal` | HKDF and XChaCha20-Poly1305: infos, associated data, the stored form |
//! | `source` `key_file` `keyring` `lock` | where keys are found and kept, and who may change them |
//! | `tenant` `unlock` | what a key opens; how long a process may trust what it has opened |
//! | `stores` `names` `write` | the rows of stores, what they are called, and how rows change |
//! | `rotate` `export` | a new key; a key on its way to another machine |
//! | `signer` `census` | signatures under audit rows; what the newest of them says about all stores |
//! | `error` | what can go wrong, in words |
//!
//! Memory that held a key is overwritten when it is let go. What cannot be reached is the copy in the environment of a process, those
//! in buffers of the TLS library, and what the compiler leaves in registers and on the stack.

mod census;
mod derive;
mod error;
pub mod export;
mod key;
pub mod key_file;
mod keyring;
mod lock;
mod names;
mod passphrase;
pub mod rotate;
mod seal;
mod signer;
mod source;
mod stores;
mod tenant;
#[cfg(test)]
mod testing;
mod unlock;
mod write;

pub use error::{Row, VaultError};
pub use key::{KeyId, KeyText, KeyTextError, MasterKey};
pub use lock::KeyLock;
pub use names::{check as check_name, find};
pub use passphrase::{Weak, check as check_passphrase};
pub use signer::TenantSigner;
pub use source::{Found, KeySource, Sources};
pub use stores::{NewStore, StoreInfo};
pub use tenant::{Tenant, create};
pub use unlock::Vault;
