//! The bytes that are hashed, and who signs the hash. Fixed for ever: a change here breaks every chain that exists.
//!
//! A record's hash is SHA-256 over its fields in this order: the format's name, chain, number, time, session, client,
//! action, target, shape of arguments, outcome, number of the intent, key version, hash of the record before. Each field
//! is preceded by its length (four bytes, big-endian), so that no byte can wander from one field to the next; one that is
//! absent has the length `0xffffffff` and no bytes, so that it differs from an empty one. Numbers are eight bytes,
//! big-endian. The signature is an HMAC-SHA256 of the hash.

use sha2::{Digest, Sha256};

use crate::state::tables::audit::Row;

/// The format's name. Its other version would be another name.
const FORMAT: &str = "orderdesk-mcp/audit/v1";

/// Signs records: implemented where the keys are.
pub trait Signer {
    /// Which of the tenant's keys signs new records.
    fn key_version(&self) -> u32;

    /// HMAC-SHA256 of `message` with the tenant's audit key of that version; `None` when there is no such key.
    fn mac(&self, key_version: u32, message: &[u8]) -> Option<[u8; 32]>;
}

/// The hash of a record, from everything in its row but the hash and the signature.
pub(super) fn hash(row: &Row) -> [u8; 32] {
    let mut fields = Fields(Sha256::new());
    fields.text(FORMAT);
    fields.text(&row.chain);
    fields.number(row.seq);
    fields.number(row.at_ms);
    fields.text(&row.session_id);
    fields.optional_text(row.client_name.as_deref());
    fields.text(&row.action);
    fields.optional_text(row.target.as_deref());
    fields.optional_text(row.args_shape.as_deref());
    fields.text(&row.outcome);
    fields.optional_number(row.intent_seq);
    fields.optional_number(row.key_version);
    fields.bytes(&row.prev_hash);
    fields.0.finalize().into()
}

struct Fields(Sha256);

impl Fields {
    fn bytes(&mut self, bytes: &[u8]) {
        // SQLite keeps no value of 2^31 bytes or more (sqlite.org/limits.html), so the length is exact and never the
        // mark of absence.
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX - 1);
        self.0.update(length.to_be_bytes());
        self.0.update(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn number(&mut self, number: i64) {
        self.bytes(&number.to_be_bytes());
    }

    fn absent(&mut self) {
        self.0.update(u32::MAX.to_be_bytes());
    }

    fn optional_text(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.text(text),
            None => self.absent(),
        }
    }

    fn optional_number(&mut self, number: Option<i64>) {
        match number {
            Some(number) => self.number(number),
            None => self.absent(),
        }
    }
}
