//! What a record says: who, in which session, did what, to what, and how it ended.
//!
//! Never in a record: keys, tokens, names and addresses of customers, arguments themselves. Their shape may be.

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::session::SessionId;
use crate::state::tables::audit;

/// Whose history. A tenant's is signed with its key; the other two belong to no key and are not.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Chain {
    /// What concerns no tenant: prunings, refused keys, installations.
    System,
    /// What is done with the one store that comes from the environment.
    Env,
    /// What is done by or for this tenant (its id).
    Tenant(String),
}

impl Chain {
    /// As stored and shown.
    pub fn as_str(&self) -> &str {
        match self {
            Chain::System => "system",
            Chain::Env => "env",
            Chain::Tenant(id) => id,
        }
    }

    /// The chain of that name. A tenant's id is random hex, so that it is never one of the two words.
    pub fn from_stored(name: &str) -> Chain {
        match name {
            "system" => Chain::System,
            "env" => Chain::Env,
            id => Chain::Tenant(id.to_owned()),
        }
    }

    /// Whether each of its records must carry a tenant's signature.
    pub fn is_signed(&self) -> bool {
        matches!(self, Chain::Tenant(_))
    }
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The life of the process that did it.
    pub session: SessionId,
    /// The program that asked for it, as it introduced itself.
    pub client: Option<String>,
}

impl Actor {
    /// A person at a command line: a session of its own, and `cli` as the program.
    #[must_use]
    pub fn cli() -> Actor {
        Actor {
            session: SessionId::random(),
            client: Some("cli".to_owned()),
        }
    }
}

/// What can be done. A name, once written into a chain, is never given another meaning.
#[allow(missing_docs, reason = "each name says what it is for")]
pub mod action {
    pub const TENANT_CREATED: &str = "tenant.created";
    pub const STORE_ADDED: &str = "store.added";
    pub const STORE_REPLACED: &str = "store.replaced";
    pub const STORE_REMOVED: &str = "store.removed";
    pub const STORE_DEFAULT: &str = "store.default";
    /// The stores were not as the newest record about them had left them; the target is its number.
    pub const STORES_DIFFERED: &str = "stores.differed";
    pub const STORE_ASKED: &str = "store.register_asked";
    pub const KEY_ROTATED: &str = "key.rotated";
    pub const KEY_EXPORTED: &str = "key.exported";
    pub const KEY_IMPORTED: &str = "key.imported";
    pub const KEY_REFUSED: &str = "key.refused";
    pub const CLIENT_INSTALLED: &str = "client.installed";
    pub const CLIENT_UNINSTALLED: &str = "client.uninstalled";
    pub const AUDIT_PRUNED: &str = "audit.pruned";
    /// The state file was replaced by a backup; the target is which.
    pub const STATE_RESTORED: &str = "state.restored";
    pub const ORDER_CREATED: &str = "order.created";
    pub const ORDER_UPDATED: &str = "order.updated";
    pub const ORDER_NOTED: &str = "order.noted";
    pub const ORDER_MOVED: &str = "order.moved";
    pub const ORDERS_MOVED: &str = "orders.moved";
    pub const ORDER_DELETED: &str = "order.deleted";
    pub const ITEM_ADDED: &str = "order_item.added";
    pub const ITEM_UPDATED: &str = "order_item.updated";
    pub const ITEM_REMOVED: &str = "order_item.removed";
    pub const SHIPMENT_ADDED: &str = "shipment.added";
    pub const SHIPMENT_UPDATED: &str = "shipment.updated";
    pub const SHIPMENT_REMOVED: &str = "shipment.removed";
    pub const SHIPMENTS_ADDED: &str = "shipments.added";
    pub const INVENTORY_CREATED: &str = "inventory.created";
    pub const INVENTORY_UPDATED: &str = "inventory.updated";
    pub const INVENTORY_ADJUSTED: &str = "inventory.adjusted";
    pub const INVENTORY_REMOVED: &str = "inventory.removed";
    pub const INVENTORY_BATCH: &str = "inventory.batch_updated";
    /// A person looked what became of a write whose outcome was not known.
    pub const WRITE_SETTLED: &str = "write.settled";
    /// A person was asked whether to write, and said no.
    pub const WRITE_DECLINED: &str = "write.declined";
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was not allowed, and not tried.
    Refused,
    /// It was tried and not done.
    Failed,
    /// It is about to be tried; another record will say how it ended.
    Intent,
    /// It was tried, and whether it was done cannot be told.
    Unknown,
}

impl Outcome {
    /// As stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Outcome::Done => "done",
            Outcome::Refused => "refused",
            Outcome::Failed => "failed",
            Outcome::Intent => "intent",
            Outcome::Unknown => "unknown",
        }
    }
}

/// A record to be. Texts longer than 2,000 bytes are cut when it is written.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// Who.
    pub actor: &'a Actor,
    /// What, one of [`action`].
    pub action: &'static str,
    /// To what: an id or a name that its owner gave, no secret and nothing of a customer.
    pub target: Option<&'a str>,
    /// The shape of the arguments: names and sizes.
    pub args_shape: Option<&'a str>,
    /// How it ended.
    pub outcome: Outcome,
    /// The number of the intent that this is the outcome of.
    pub intent_seq: Option<u64>,
}

impl<'a> Entry<'a> {
    /// Something that ended at once in this way.
    pub fn new(
        actor: &'a Actor,
        action: &'static str,
        target: Option<&'a str>,
        outcome: Outcome,
    ) -> Entry<'a> {
        Entry {
            actor,
            action,
            target,
            args_shape: None,
            outcome,
            intent_seq: None,
        }
    }

    /// Something that was done.
    pub fn done(actor: &'a Actor, action: &'static str, target: Option<&'a str>) -> Entry<'a> {
        Entry::new(actor, action, target, Outcome::Done)
    }

    /// The same with the shape of its arguments.
    #[must_use]
    pub fn with_shape(self, args_shape: &'a str) -> Entry<'a> {
        Entry {
            args_shape: Some(args_shape),
            ..self
        }
    }

    /// The same as the outcome of an earlier intent.
    #[must_use]
    pub fn of_intent(self, seq: u64) -> Entry<'a> {
        Entry {
            intent_seq: Some(seq),
            ..self
        }
    }
}

/// The end of a chain: the number and the hash of its newest record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// How many records the chain has had; 0 before the first.
    pub seq: u64,
    /// The newest one's hash; zeros before the first.
    pub hash: [u8; 32],
}

impl Head {
    /// Where every chain begins.
    pub const NONE: Head = Head {
        seq: 0,
        hash: [0; 32],
    };

    /// The hash in hex.
    #[must_use]
    pub fn hash_hex(&self) -> String {
        hex(&self.hash)
    }
}

/// A record for people and other programs. With its chain's name it holds all that its hash was made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Record {
    /// Its place in the chain, from 1 without gaps.
    pub seq: u64,
    /// When.
    #[serde(serialize_with = "as_text")]
    pub at: Timestamp,
    /// In which session.
    pub session: String,
    /// Which program asked for it.
    pub client: Option<String>,
    /// What was done.
    pub action: String,
    /// To what.
    pub target: Option<String>,
    /// The shape of the arguments.
    pub args_shape: Option<String>,
    /// How it ended: one of [`Outcome`]'s words, or one of a newer version's.
    pub outcome: String,
    /// The number of the intent that this is the outcome of.
    pub intent_seq: Option<u64>,
    /// Which of the tenant's keys signed it.
    pub key_version: Option<u32>,
    /// The hash of the record before it, in hex.
    pub prev_hash: String,
    /// Its own hash, in hex.
    pub hash: String,
    /// Whether it carries a signature; whether that is right, only verifying tells.
    pub signed: bool,
}

impl From<audit::Row> for Record {
    fn from(row: audit::Row) -> Record {
        Record {
            seq: row.seq.cast_unsigned(),
            at: moment(row.at_ms),
            session: row.session_id,
            client: row.client_name,
            action: row.action,
            target: row.target,
            args_shape: row.args_shape,
            outcome: row.outcome,
            intent_seq: row.intent_seq.map(i64::cast_unsigned),
            key_version: row.key_version.and_then(|version| version.try_into().ok()),
            prev_hash: hex(&row.prev_hash),
            hash: hex(&row.hash),
            signed: row.mac.is_some(),
        }
    }
}

/// RFC 3339.
fn as_text<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}

/// The moment; one that no calendar knows becomes the nearest that it does.
pub(crate) fn moment(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(if ms < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

/// Bytes as lower-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes everything");
        text
    })
}
