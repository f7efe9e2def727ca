//! What a restored file holds, read through the products' own reading room after it was found sound.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, ensure};
use shared::audit::{self, Chain, Filter, Record};
use shared::state::tables::tenants;
use shared::state::{Reading, State, StateError};

use super::script::Shape;

/// A file, as the model can be held against it.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// The writers' records in the order in which they were committed: what each is about.
    pub(super) records: Vec<String>,
    /// What each tenant has. A person's tenant, with a real key, is among them.
    pub(super) shapes: BTreeMap<String, Shape>,
    /// Writes of real servers, by what they changed.
    pub(super) orders: BTreeMap<String, Written>,
}

/// How often something was written to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) begun: u64,
    pub(super) done: u64,
}

/// Checks a file as far as it can be checked from inside, and reads it.
pub(super) fn read(file: &Path) -> anyhow::Result<Content> {
    let state = State::open_copy(file)?;
    state.inspect().context("integrity")?;
    let chains = state.read("proof", |reading| audit::chains(reading, &[]))?;
    let mut content = Content::default();
    for chain in &chains {
        let verdict = audit::verify(&state, chain, None, &[])?;
        ensure!(
            verdict.ok,
            "chain {}: {:?}",
            chain.as_str(),
            verdict.first_bad
        );
        content.enter_chain(&state, chain)?;
    }
    state.read("proof", |reading| content.enter_tenants(reading))?;
    Ok(content)
}

impl Content {
    fn enter_chain(&mut self, state: &State, chain: &Chain) -> anyhow::Result<()> {
        let mut filter = Filter::default();
        loop {
            let page = state.read("proof", |reading| audit::list(reading, chain, &filter))?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            filter.after_seq = last.seq;
            for record in page {
                match chain {
                    Chain::Env => self.records.push(record.target.unwrap_or_default()),
                    Chain::Tenant(_) => self.enter_write(&record),
                    Chain::System => {}
                }
            }
        }
    }

    fn enter_write(&mut self, record: &Record) {
        let target = record.target.as_deref().unwrap_or_default();
        let Some(order) = target.strip_prefix("order ") else {
            return;
        };
        let written = self.orders.entry(order.to_owned()).or_default();
        match record.outcome.as_str() {
            "intent" => written.begun += 1,
            "done" => written.done += 1,
            _ => {}
        }
    }

    fn enter_tenants(&mut self, reading: &Reading<'_>) -> Result<(), StateError> {
        for tenant in tenants::all(reading)? {
            let shape = Shape::in_file(reading, &tenant.id)?;
            self.shapes.insert(tenant.id, shape);
        }
        Ok(())
    }
}
