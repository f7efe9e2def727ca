//! One round of looking at everything.

use serde::Serialize;
use shared::state::Slot;
use shared::telemetry;

use super::audit::{self, AuditFacts};
use super::disk::{self, DiskFacts};
use super::home::{self, HomeFacts};
use super::housekeeping::Outcome;
use super::memory::{self, Memory, MemoryFacts};
use super::processes::{self, ProcessFacts};
use super::quota::{self, Limits, QuotaFacts};
use super::state::{self, StateFacts};
use super::telemetry::{self as own_telemetry, TelemetryFacts};
use super::writes::{self, WritesFacts};
use super::{Draft, housekeeping};

/// Everything one round has learnt. What could not be learnt is `None`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Facts {
    /// The shared file.
    pub state_file: StateFacts,
    /// The file system of the home.
    pub disk: Option<DiskFacts>,
    /// The machine's memory, or the container's.
    pub memory: Option<MemoryFacts>,
    /// Servers and sidecars on this home.
    pub processes: Option<ProcessFacts>,
    /// The shared request quota.
    pub quota: Option<QuotaFacts>,
    /// Changes to shops that nobody knows the end of.
    pub writes: Option<WritesFacts>,
    /// The audit chains.
    pub audit: Option<AuditFacts>,
    /// The files of secrets in the home folder.
    pub home: HomeFacts,
    /// How this process's own bookkeeping goes.
    pub telemetry: TelemetryFacts,
}

/// Looks, with what it needs to keep between looks.
#[derive(Debug)]
pub struct Gatherer {
    slot: Slot,
    memory: Memory,
    telemetry: telemetry::Handle,
    limits: Limits,
    others: Others,
}

/// What the loops that work on their own have found.
#[derive(Debug)]
pub struct Others {
    /// How clearing away goes.
    pub housekeeping: Outcome,
    /// The audit chains.
    pub audit: audit::Latest,
}

impl Gatherer {
    /// Nothing is looked at yet.
    #[must_use]
    pub fn new(
        slot: Slot,
        telemetry: telemetry::Handle,
        limits: Limits,
        others: Others,
    ) -> Gatherer {
        Gatherer {
            slot,
            memory: Memory::new(),
            telemetry,
            limits,
            others,
        }
    }

    /// One round: facts, and what they amount to. May block for as long as the disk does.
    pub fn gather(&mut self) -> (Facts, Vec<Draft>) {
        let state_file = state::look(&self.slot);
        let state = self.slot.get().ok();
        let facts = Facts {
            state_file,
            disk: disk::look(self.slot.home().root()),
            memory: self.memory.look(),
            processes: state.as_ref().and_then(processes::look),
            quota: state
                .as_ref()
                .and_then(|state| quota::look(state, self.limits)),
            writes: state.as_ref().and_then(writes::look),
            audit: self.others.audit.lock().facts.clone(),
            home: home::look(self.slot.home()),
            telemetry: own_telemetry::look(&self.telemetry),
        };
        let drafts = judge(&facts, &self.others);
        (facts, drafts)
    }
}

fn judge(facts: &Facts, others: &Others) -> Vec<Draft> {
    let mut drafts = state::judge(&facts.state_file);
    drafts.extend(disk::judge(facts.disk.as_ref()));
    drafts.extend(memory::judge(facts.memory.as_ref()));
    drafts.extend(facts.processes.iter().flat_map(processes::judge));
    drafts.extend(facts.quota.iter().flat_map(quota::judge));
    drafts.extend(facts.writes.iter().flat_map(writes::judge));
    drafts.extend(own_telemetry::judge(&facts.telemetry));
    drafts.extend(home::judge(&facts.home));
    drafts.extend(audit::judge(&others.audit.lock()));
    drafts.extend(housekeeping::judge(&others.housekeeping));
    drafts
}
