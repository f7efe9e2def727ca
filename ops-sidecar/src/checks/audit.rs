//! The audit chains: are they whole, and how far had they come?
//!
//! Here: the step of a loop that checks hashes (no key is needed for that, and none is here), remembers ends outside of the state file,
//! and what its results amount to. What was found sound is not read again until the next full check, so a quiet round costs one small
//! read. Not here: what a sound chain is (`shared::audit`), and signatures, which only the tenant's key can check.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use parking_lot::Mutex;
use serde::Serialize;
use shared::audit::checkpoint::{self, Checkpoint};
use shared::audit::{self, Bad, Chain, Head, LastRestore};
use shared::clock::Clock;
use shared::state::{Slot, State};

use super::{Draft, rfc3339};

/// How often every chain is read from its beginning: a change in its middle is found after this long. Not more often, because that costs
/// a hash for every record there is.
const IN_FULL_EVERY: Duration = Duration::from_secs(60 * 60);
/// How often ends are remembered, and a chain that was not sound is read again.
const EVERY_MINUTE: Duration = Duration::from_secs(60);

/// One chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChainFacts {
    /// A tenant's opaque id, `env` or `system`.
    pub chain: String,
    /// Number of its newest record.
    pub rows: u64,
    /// Hash of its newest record, in hex.
    pub head: String,
    /// What is wrong with it, if anything.
    pub problem: Option<String>,
}

impl ChainFacts {
    /// The first 48 bits of the head: as many as fit into every program's numbers.
    #[must_use]
    pub fn head_start(&self) -> u64 {
        let digits = self.head.get(..12).unwrap_or_default();
        u64::from_str_radix(digits, 16).unwrap_or_default()
    }
}

/// All chains.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AuditFacts {
    /// When all of them were last read from their beginning.
    pub checked_in_full_at: Option<String>,
    /// By name.
    pub chains: Vec<ChainFacts>,
    /// From where they go on, when the state file was restored: what was recorded in between is gone, and that is no fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restored: Option<LastRestore>,
}

/// What the latest round left for the others: facts, or that there are none, and whether it failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// `None` before the first round, and without a state file.
    pub facts: Option<AuditFacts>,
    /// The round could not be finished.
    pub failed: bool,
}

/// Where to read it.
pub type Latest = Arc<Mutex<Seen>>;

/// The step of the audit loop, with what was found sound so far.
#[derive(Debug)]
pub struct Auditor {
    slot: Slot,
    clock: Arc<dyn Clock>,
    known: BTreeMap<Chain, Known>,
    /// The last restore of the file: a restored file has other chains.
    restored: Option<LastRestore>,
    /// Ends that this process has put into the checkpoints.
    remembered: BTreeMap<Chain, Head>,
    next_in_full: Option<Instant>,
    next_minute: Option<Instant>,
    checked_in_full_at: Option<String>,
    latest: Latest,
}

/// What is known of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Known {
    /// The newest record that was found sound.
    head: Head,
    bad: Option<Bad>,
}

impl Auditor {
    /// Has not looked yet.
    #[must_use]
    pub fn new(slot: Slot, clock: Arc<dyn Clock>) -> Auditor {
        Auditor {
            slot,
            clock,
            known: BTreeMap::new(),
            restored: None,
            remembered: BTreeMap::new(),
            next_in_full: None,
            next_minute: None,
            checked_in_full_at: None,
            latest: Latest::default(),
        }
    }

    /// Where to read what was found.
    #[must_use]
    pub fn latest(&self) -> Latest {
        Arc::clone(&self.latest)
    }

    /// Looks once; `false` if nothing had changed.
    ///
    /// # Errors
    /// The state file or the checkpoints cannot be read or written; it is tried again at the next turn.
    pub fn look(&mut self) -> anyhow::Result<bool> {
        // A missing file is a finding of its own already.
        let Ok(state) = self.slot.get() else {
            *self.latest.lock() = Seen::default();
            return Ok(false);
        };
        let looked = self.look_at(&state);
        let facts = self.facts();
        *self.latest.lock() = Seen {
            facts: Some(facts),
            failed: looked.is_err(),
        };
        looked
    }

    fn look_at(&mut self, state: &State) -> anyhow::Result<bool> {
        self.begin_anew_after_a_restore(state)?;
        let now = self.clock.instant();
        let is_time = |next: Option<Instant>| next.is_none_or(|next| next <= now);
        let (in_full, each_minute) = (is_time(self.next_in_full), is_time(self.next_minute));
        let ends: BTreeMap<Chain, Head> = state
            .read("audit_heads", audit::heads)
            .context("cannot read the ends of the audit chains")?
            .into_iter()
            .collect();
        let suspects = self.suspects(&ends, in_full, each_minute);
        if !suspects.is_empty() || in_full {
            // Read before the records: a record that is remembered meanwhile must not look lost.
            let remembered =
                checkpoint::read(state.home()).context("cannot read the audit's checkpoints")?;
            self.check(state, suspects, &remembered, in_full)?;
        }
        if in_full {
            self.next_in_full = Some(now + IN_FULL_EVERY);
            self.checked_in_full_at = Some(rfc3339(self.clock.now()));
            // Said again, in case that somebody has taken the file away.
            self.remembered.clear();
        }
        if each_minute {
            self.remember(state)?;
            self.next_minute = Some(now + EVERY_MINUTE);
        }
        Ok(in_full || each_minute)
    }

    /// Whoever had lost the file, and kept on serving without it, may find another one in its place.
    fn begin_anew_after_a_restore(&mut self, state: &State) -> anyhow::Result<()> {
        let restored =
            audit::last_restore(state).context("cannot read when the state file was restored")?;
        if self.restored == restored {
            return Ok(());
        }
        if let Some(restored) = &restored {
            tracing::warn!("the state file was {restored}");
        }
        self.restored = restored;
        self.known.clear();
        self.remembered.clear();
        self.next_in_full = None;
        self.next_minute = None;
        Ok(())
    }

    /// Chains that are not as they were when they were last found sound.
    fn suspects(
        &self,
        ends: &BTreeMap<Chain, Head>,
        in_full: bool,
        each_minute: bool,
    ) -> BTreeSet<Chain> {
        let all = ends.keys().chain(self.known.keys());
        let is_suspect = |chain: &&Chain| match self.known.get(*chain) {
            None => true,
            Some(known) if known.bad.is_some() => each_minute,
            Some(known) => in_full || ends.get(*chain) != Some(&known.head),
        };
        all.filter(is_suspect).cloned().collect()
    }

    fn check(
        &mut self,
        state: &State,
        mut suspects: BTreeSet<Chain>,
        remembered: &[Checkpoint],
        in_full: bool,
    ) -> anyhow::Result<()> {
        if in_full {
            // Also the chains that only a checkpoint still knows of.
            let all = state.read("audit_heads", |reading| audit::chains(reading, remembered))?;
            suspects.extend(all);
        }
        for chain in suspects {
            let before = self.known.get(&chain).filter(|known| known.bad.is_none());
            let verdict = match before {
                Some(known) if !in_full && known.head.seq > 0 => {
                    audit::verify_after(state, &chain, &known.head, remembered)
                }
                _ => audit::verify(state, &chain, None, remembered),
            };
            let verdict = verdict.context("cannot read an audit chain")?;
            if let Some(bad) = verdict.first_bad {
                tell_once(&chain, bad, self.known.get(&chain));
            } else if verdict.head.is_none() {
                // There is no such chain, and nothing remembers one.
                self.known.remove(&chain);
                continue;
            }
            let known = Known {
                head: verdict.head.unwrap_or(Head::NONE),
                bad: verdict.first_bad,
            };
            self.known.insert(chain, known);
        }
        Ok(())
    }

    /// Puts the ends of sound chains where a hand in the state file does not reach them: the checkpoints' file and the log.
    fn remember(&mut self, state: &State) -> anyhow::Result<()> {
        let sound = self.known.iter().filter(|(_, known)| known.bad.is_none());
        let moved = sound.filter(|(chain, known)| self.remembered.get(*chain) != Some(&known.head));
        let heads: Vec<(Chain, Head)> = moved
            .map(|(chain, known)| (chain.clone(), known.head))
            .collect();
        if heads.is_empty() {
            return Ok(());
        }
        for (chain, head) in &heads {
            let (chain, hash) = (chain.as_str(), head.hash_hex());
            tracing::info!(
                chain,
                seq = head.seq,
                hash,
                "audit checkpoint: `{chain}` is at record {} with {hash}",
                head.seq
            );
        }
        checkpoint::note(state.home(), &heads, self.clock.now_ms())
            .context("cannot write the audit's checkpoints")?;
        self.remembered.extend(heads);
        Ok(())
    }

    fn facts(&self) -> AuditFacts {
        let facts = |(chain, known): (&Chain, &Known)| ChainFacts {
            chain: chain.as_str().to_owned(),
            rows: known.head.seq,
            head: known.head.hash_hex(),
            problem: known.bad.map(|bad| bad.to_string()),
        };
        AuditFacts {
            checked_in_full_at: self.checked_in_full_at.clone(),
            chains: self.known.iter().map(facts).collect(),
            restored: self.restored.clone(),
        }
    }
}

/// An unsound chain is found again every minute and said once.
fn tell_once(chain: &Chain, bad: Bad, before: Option<&Known>) {
    if before.and_then(|known| known.bad) == Some(bad) {
        return;
    }
    let chain = chain.as_str();
    tracing::error!(chain, "the audit of `{chain}` is not sound: {bad}");
}

/// A chain that is not whole means that somebody, or a broken disk, has changed what was recorded.
#[must_use]
pub fn judge(seen: &Seen) -> Vec<Draft> {
    let mut drafts = Vec::new();
    let chains = seen.facts.iter().flat_map(|facts| &facts.chains);
    let broken: Vec<(&str, &str)> = chains
        .filter_map(|chain| Some((chain.chain.as_str(), chain.problem.as_deref()?)))
        .collect();
    if let Some((chain, problem)) = broken.first() {
        let others = match broken.len() {
            1 => String::new(),
            more => format!("; {} other chains are not sound either", more - 1),
        };
        drafts.push(Draft::fail(
            "audit.chain_broken",
            format!("in the audit of `{chain}`, {problem}{others}"),
            "keep a copy of the home folder as it is, run `mcp-stdio audit verify` with that tenant's key, and compare with a backup",
        ));
    }
    if seen.failed {
        drafts.push(Draft::warn(
            "audit.unchecked",
            "the audit cannot be checked, or its ends cannot be remembered",
            "see the log of this sidecar and the findings about the state file",
        ));
    }
    drafts
}

#[cfg(test)]
mod tests;
