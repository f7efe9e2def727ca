//! Which records the one who asks may see.
//!
//! With a key these are its tenant's chain and the system's (and that of the store from the environment, where there is one); without a
//! key the system's and the environment's. Nothing of another tenant.

use serde::Serialize;
use shared::audit::{self, Chain, Filter, Record, action};
use shared::state::State;

use crate::cli::failure::Outcome;
use crate::cli::setup::Setup;
use crate::vault::{Vault, VaultError};

/// How many records are read in one snapshot.
const PAGE: usize = 1_000;

/// A record and whose it is.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) chain: String,
    #[serde(flatten)]
    pub(super) record: Record,
}

/// What the one who asks may see.
pub(super) struct Seen {
    pub(super) chains: Vec<Chain>,
    /// Holds the key that made the signatures.
    pub(super) vault: Option<Vault>,
}

impl Seen {
    pub(super) fn by(setup: &Setup) -> Outcome<Seen> {
        let vault = setup.vault()?;
        match vault.tenant() {
            Ok(tenant) => {
                let mut chains = vec![Chain::Tenant(tenant.id.to_string()), Chain::System];
                if setup.has_env_store() {
                    chains.push(Chain::Env);
                }
                Ok(Seen {
                    chains,
                    vault: Some(vault),
                })
            }
            Err(VaultError::NoKey | VaultError::NoTenant { .. }) => Ok(Seen {
                chains: vec![Chain::System, Chain::Env],
                vault: None,
            }),
            Err(error) => Err(error.into()),
        }
    }

    /// Records of the system's chain that tell of another tenant's pruning name that tenant: they are not for everybody.
    fn may_see(&self, record: &Record) -> bool {
        let seen = |name: &str| self.chains.iter().any(|chain| chain.as_str() == name);
        record.action != action::AUDIT_PRUNED || record.target.as_deref().is_none_or(seen)
    }

    pub(super) fn page(
        &self,
        state: &State,
        chain: &Chain,
        filter: &Filter,
    ) -> Outcome<Vec<Record>> {
        Ok(state.read("audit_list", |reading| audit::list(reading, chain, filter))?)
    }

    /// All records of a chain that match, a page at a time.
    pub(super) fn all(
        &self,
        state: &State,
        chain: &Chain,
        mut filter: Filter,
        rows: &mut Vec<Row>,
    ) -> Outcome {
        filter.limit = PAGE;
        loop {
            let page = self.page(state, chain, &filter)?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            filter.after_seq = last.seq;
            rows.extend(self.rows(chain, page));
        }
    }

    pub(super) fn rows(&self, chain: &Chain, page: Vec<Record>) -> impl Iterator<Item = Row> {
        let seen = page.into_iter().filter(|record| self.may_see(record));
        seen.map(|record| Row {
            chain: chain.as_str().to_owned(),
            record,
        })
    }
}
