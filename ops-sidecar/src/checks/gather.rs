//! One round of looking at everything.

use std::sync::Arc;

use serde::Serialize;
use shared::clock::Clock;
use shared::state::Slot;
use shared::telemetry;

use super::audit::{self, AuditFacts};
use super::awake::Awake;
use super::backups::{self, BackupFacts, Now, Terms};
use super::home::{self, HomeFacts};
use super::housekeeping::Outcome;
use super::memory::{self, Memory, MemoryFacts};
use super::pitr::{self, PitrFacts};
use super::processes::{self, ProcessFacts};
use super::quota::{self, Limits, QuotaFacts};
use super::state::{self, StateFacts, Watch};
use super::telemetry::{self as own_telemetry, TelemetryFacts};
use super::writes::{self, WritesFacts};
use super::{Draft, disk, housekeeping, upkeep as upkeep_checks};
use crate::backup;
use crate::upkeep::ballast::{self, BallastFacts};
use crate::upkeep::disk::{self as room, DiskFacts};
use crate::upkeep::{self, Kept};

/// Everything one round has learnt. What could not be learnt is `None`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Facts {
    /// The shared file.
    pub state_file: StateFacts,
    /// What is done for it.
    pub upkeep: Kept,
    /// Backups.
    pub backups: BackupFacts,
    /// Recovery to a moment.
    pub pitr: PitrFacts,
    /// The file system of the home.
    pub disk: Option<DiskFacts>,
    /// The reserve on it.
    pub ballast: Option<BallastFacts>,
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
    clock: Arc<dyn Clock>,
    awake: Awake,
    watch: Watch,
    notes: backups::Reader,
    backup: backup::Settings,
    memory: Memory,
    telemetry: telemetry::Handle,
    limits: Limits,
    disk: disk::Thresholds,
    others: Others,
}

/// What the loops that work on their own have found.
#[derive(Debug)]
pub struct Others {
    /// How clearing away goes.
    pub housekeeping: Outcome,
    /// The audit chains.
    pub audit: audit::Latest,
    /// The upkeep of the state file.
    pub upkeep: upkeep::Latest,
    /// The reserve on the disk.
    pub ballast: ballast::Latest,
    /// Recovery to a moment, unless it is switched off.
    pub pitr: Option<backup::pitr::Latest>,
}

impl Gatherer {
    /// Nothing is looked at yet.
    #[must_use]
    pub fn new(
        slot: Slot,
        clock: Arc<dyn Clock>,
        telemetry: telemetry::Handle,
        limits: Limits,
        disk: disk::Thresholds,
        backup: backup::Settings,
        others: Others,
    ) -> Gatherer {
        let targets = backup.targets.iter().map(|target| target.name().to_owned());
        Gatherer {
            awake: Awake::new(Arc::clone(&clock)),
            watch: Watch::new(slot.clone()),
            notes: backups::Reader::new(slot.home().clone(), targets.collect()),
            backup,
            clock,
            slot,
            memory: Memory::new(),
            telemetry,
            limits,
            disk,
            others,
        }
    }

    /// One round: facts, and what they amount to. May block for as long as the disk does.
    pub fn gather(&mut self) -> (Facts, Vec<Draft>) {
        let state_file = self.watch.look(self.clock.now());
        let state = self.slot.get().ok();
        let (backups, about_backups) = self.backups();
        let facts = Facts {
            state_file,
            upkeep: self.others.upkeep.lock().clone(),
            backups,
            pitr: PitrFacts::of(self.others.pitr.as_ref(), self.clock.now()),
            disk: room::look(self.slot.home().root()),
            ballast: *self.others.ballast.lock(),
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
        let mut drafts = judge(&facts, self.disk, &self.others);
        drafts.extend(about_backups);
        (facts, drafts)
    }

    fn backups(&mut self) -> (BackupFacts, Vec<Draft>) {
        let now = Now {
            ms: self.clock.now_ms(),
            awake: self.awake.look(),
        };
        let terms = Terms::of(&self.backup, now.ms);
        let facts = BackupFacts {
            interval_seconds: terms.every.map(|every| every.as_secs()),
            ..self.notes.look()
        };
        let drafts = backups::judge(&facts, &terms, now);
        (facts, drafts)
    }
}

fn judge(facts: &Facts, thresholds: disk::Thresholds, others: &Others) -> Vec<Draft> {
    let mut drafts = state::judge(&facts.state_file);
    drafts.extend(upkeep_checks::judge(&facts.upkeep));
    drafts.extend(pitr::judge(&facts.pitr));
    drafts.extend(disk::judge(facts.disk.as_ref(), thresholds));
    drafts.extend(upkeep_checks::judge_ballast(facts.ballast.as_ref()));
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
