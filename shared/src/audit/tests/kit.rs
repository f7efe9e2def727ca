//! A state file with chains in it, a tenant's keys, and a SQL shell for whoever attacks it.

use rusqlite::Connection;
use sha2::{Digest, Sha256};

use crate::audit::checkpoint::Checkpoint;
use crate::audit::entry::moment;
use crate::audit::{
    Actor, Chain, Entry, Head, Outcome, Signer, Verdict, action, append, head, heads, link, list,
    verify,
};
use crate::paths::Home;
use crate::session::SessionId;
use crate::state::tables::audit::{self as table, Row};
use crate::state::{Durability, State, StateError};

/// A tenant's audit keys: version n is 32 times the byte n.
pub(crate) struct Keys {
    pub(crate) newest: u8,
}

impl Signer for Keys {
    fn key_version(&self) -> u32 {
        self.newest.into()
    }

    fn mac(&self, key_version: u32, message: &[u8]) -> Option<[u8; 32]> {
        let version = u8::try_from(key_version).ok()?;
        let has = (1..=self.newest).contains(&version);
        has.then(|| hmac_sha256(&[version; 32], message))
    }
}

/// RFC 2104 for a key of at most a block.
fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let pad = |with: u8| -> Vec<u8> {
        (0..64)
            .map(|at| key.get(at).copied().unwrap_or(0) ^ with)
            .collect()
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message);
    let outer = Sha256::new()
        .chain_update(pad(0x5c))
        .chain_update(inner.finalize());
    outer.finalize().into()
}

pub(crate) fn tenant(id: &str) -> Chain {
    Chain::Tenant(id.to_owned())
}

pub(crate) fn actor() -> Actor {
    Actor {
        session: SessionId::from_stored("0123456789abcdef0123456789abcdef").unwrap(),
        client: Some("inspector".to_owned()),
    }
}

pub(crate) struct Kit {
    pub(crate) state: State,
    pub(crate) home: Home,
    _folder: tempfile::TempDir,
}

impl Kit {
    pub(crate) fn new() -> Kit {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path());
        Kit {
            state: State::open(&home).unwrap(),
            home,
            _folder: folder,
        }
    }

    pub(crate) fn try_add(
        &self,
        chain: &Chain,
        entry: &Entry<'_>,
        at_ms: i64,
        signer: Option<&dyn Signer>,
    ) -> Result<Head, StateError> {
        self.state.write("test", Durability::Normal, |writing| {
            append(writing, chain, entry, at_ms, signer)
        })
    }

    /// Adds to a tenant's chain with key version 1, to another without.
    pub(crate) fn add(&self, chain: &Chain, entry: &Entry<'_>, at_ms: i64) -> Head {
        self.add_with(chain, entry, at_ms, 1)
    }

    pub(crate) fn add_with(
        &self,
        chain: &Chain,
        entry: &Entry<'_>,
        at_ms: i64,
        newest: u8,
    ) -> Head {
        let keys = Keys { newest };
        let signer: Option<&dyn Signer> = chain.is_signed().then_some(&keys);
        self.try_add(chain, entry, at_ms, signer).unwrap()
    }

    /// So many plain records, one at each millisecond from `from_ms`, in one transaction.
    pub(crate) fn add_many(&self, chain: &Chain, records: i64, from_ms: i64) {
        let (keys, actor) = (Keys { newest: 1 }, actor());
        let signer: Option<&dyn Signer> = chain.is_signed().then_some(&keys);
        let entry = Entry::done(&actor, action::STORE_ADDED, Some("tea"));
        let added = self.state.write("test", Durability::Normal, |writing| {
            (from_ms..from_ms + records)
                .try_for_each(|at_ms| append(writing, chain, &entry, at_ms, signer).map(|_| ()))
        });
        added.unwrap();
    }

    pub(crate) fn head(&self, chain: &Chain) -> Head {
        self.state
            .read("test", |reading| head(reading, chain))
            .unwrap()
    }

    /// What a checkpoint would remember now.
    pub(crate) fn remember(&self) -> Vec<Checkpoint> {
        let heads = self.state.read("test", heads).unwrap();
        let points = heads.into_iter().map(|(chain, head)| Checkpoint {
            at: moment(0),
            chain,
            head,
            pruned: false,
            restored: None,
        });
        points.collect()
    }

    pub(crate) fn rows(&self, chain: &Chain) -> Vec<Row> {
        self.state
            .read("test", |reading| {
                table::page(reading, chain.as_str(), 0, usize::MAX)
            })
            .unwrap()
    }

    pub(crate) fn seqs(&self, chain: &Chain) -> Vec<u64> {
        let records = self
            .state
            .read("test", |reading| list(reading, chain, &Default::default()));
        records
            .unwrap()
            .into_iter()
            .map(|record| record.seq)
            .collect()
    }

    /// With all keys of the tenant.
    pub(crate) fn verify(&self, chain: &Chain, checkpoints: &[Checkpoint]) -> Verdict {
        let keys = Keys { newest: 2 };
        let signer: Option<&dyn Signer> = chain.is_signed().then_some(&keys);
        verify(&self.state, chain, signer, checkpoints).unwrap()
    }

    /// As the sidecar does, which has no key.
    pub(crate) fn verify_without_key(&self, chain: &Chain, checkpoints: &[Checkpoint]) -> Verdict {
        verify(&self.state, chain, None, checkpoints).unwrap()
    }

    /// What somebody with write access to the file can do.
    pub(crate) fn attack(&self, sql: &str) {
        let connection = Connection::open(self.home.state_db()).unwrap();
        connection
            .execute_batch("DROP TRIGGER IF EXISTS audit_is_never_updated; PRAGMA ignore_check_constraints=ON;")
            .unwrap();
        connection.execute_batch(sql).unwrap();
    }

    /// Flips one bit of a byte of a record's hash or signature.
    pub(crate) fn flip(&self, chain: &Chain, seq: i64, column: &str, byte: usize) {
        self.attack("");
        let connection = Connection::open(self.home.state_db()).unwrap();
        let place = (chain.as_str(), seq);
        let read = format!("SELECT {column} FROM audit WHERE tenant_id = ?1 AND seq = ?2");
        let mut bytes: Vec<u8> = connection
            .query_row(&read, place, |row| row.get(0))
            .unwrap();
        bytes[byte] ^= 1;
        let write = format!("UPDATE audit SET {column} = ?3 WHERE tenant_id = ?1 AND seq = ?2");
        connection
            .execute(&write, (chain.as_str(), seq, bytes))
            .unwrap();
    }

    /// Links and hashes everything from `seq` on again, as an attacker can who knows how but has no key.
    pub(crate) fn rehash(&self, chain: &Chain, seq: i64) {
        let rows = self.rows(chain);
        let mut prev = rows
            .iter()
            .find(|row| row.seq == seq - 1)
            .map_or(vec![0; 32], |row| row.hash.clone());
        let connection = Connection::open(self.home.state_db()).unwrap();
        for mut row in rows.into_iter().filter(|row| row.seq >= seq) {
            row.prev_hash = prev;
            prev = link::hash(&row).to_vec();
            let values = (&row.prev_hash, &prev, chain.as_str(), row.seq);
            connection
                .execute(
                    "UPDATE audit SET prev_hash = ?1, hash = ?2 WHERE tenant_id = ?3 AND seq = ?4",
                    values,
                )
                .unwrap();
        }
    }
}

/// The tenant `a` with six records (an intent and its outcome among them), the last three signed by its second key; the
/// tenant `b` with three; two each of the system and the environment.
pub(crate) fn filled() -> Kit {
    let kit = Kit::new();
    let actor = actor();
    let plain = |target| Entry::done(&actor, action::STORE_ADDED, Some(target)).with_shape("{}");
    let intent = Entry::new(&actor, action::STORE_REMOVED, Some("tea"), Outcome::Intent);
    let (a, b) = (tenant("a"), tenant("b"));
    kit.add(&a, &plain("tea"), 1);
    kit.add(&a, &intent, 2);
    kit.add(
        &a,
        &Entry::done(&actor, action::STORE_REMOVED, Some("tea")).of_intent(2),
        3,
    );
    for at_ms in 4..=6 {
        kit.add_with(&a, &plain("coffee"), at_ms, 2);
    }
    for at_ms in 1..=3 {
        kit.add(&b, &plain("tea"), at_ms);
    }
    for chain in [Chain::System, Chain::Env] {
        kit.add(&chain, &plain("x"), 1);
        kit.add(&chain, &plain("y"), 2);
    }
    kit
}
