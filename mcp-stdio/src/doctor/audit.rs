//! Are the chains of records sound: the own one, with its signatures, and the system's? And are the stores as the records say?

use shared::audit::{Bad, Chain, LastRestore, Signer, checkpoint, last_restore, verify};
use shared::paths::Home;
use shared::state::{State, StateError};

use super::{Check, Hint, Typed};
use crate::vault::Vault;

const ID: &str = "audit";

/// What verifying showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AuditFacts {
    /// Records of the own chain. How many the system's has is not said: other tenants' doings are among them.
    pub(super) rows: u64,
    /// How many signatures were checked.
    pub(super) signatures: u64,
    /// Where the first chain that is not sound stops being so: the chain in words, and the place.
    pub(super) first_bad: Option<(&'static str, Bad)>,
    /// From where the chains go on, when the file was restored.
    pub(super) restored: Option<LastRestore>,
}

/// Verifies the chain of the own tenant (or of the store from the environment) and the system's. Checkpoints are read first: a record
/// that is written meanwhile is then no surprise.
pub(super) fn look(
    state: &State,
    home: &Home,
    own: &Chain,
    vault: Option<&Vault>,
    seals_open: bool,
) -> Result<AuditFacts, String> {
    let signer = vault.and_then(|vault| vault.signer().ok());
    let signer = signer.as_ref().map(|signer| signer as &dyn Signer);
    let checkpoints = checkpoint::read(home)
        .map_err(|error| format!("the checkpoints of the audit cannot be read: {error}"))?;
    let mut facts = AuditFacts {
        rows: 0,
        signatures: 0,
        first_bad: None,
        restored: last_restore(state).map_err(|error| said(&error))?,
    };
    for (words, chain, signer) in [
        ("this tenant's", own, signer),
        ("the system's", &Chain::System, None),
    ] {
        let verdict = verify(state, chain, signer, &checkpoints).map_err(|error| said(&error))?;
        facts.rows += if chain == own { verdict.rows } else { 0 };
        facts.signatures += verdict.signatures_checked;
        facts.first_bad = facts
            .first_bad
            .or(verdict.first_bad.map(|bad| (words, bad)));
    }
    // A row whose seal does not open is told of already, and differs from the records as well.
    if let (None, Some(vault), true) = (facts.first_bad, vault, seals_open) {
        let differs = vault
            .differs_from_records()
            .map_err(|error| error.to_string())?;
        facts.first_bad = differs.map(|bad| ("this tenant's", bad));
    }
    Ok(facts)
}

/// Without the hint of the state file's own: the check `state` has given it.
fn said(error: &StateError) -> String {
    let text = error.to_string();
    text.split("; hint: ").next().unwrap_or(&text).to_owned()
}

pub(super) fn judge(facts: &Result<AuditFacts, String>, typed: &Typed) -> Check {
    match facts {
        Err(why) => Check::error(
            ID,
            why,
            Hint::run("see it in full", typed.command("audit verify")),
        ),
        Ok(facts) => match facts.first_bad {
            None => Check::fine(
                ID,
                format!(
                    "{} in a sound chain, {} right{}",
                    counted(facts.rows, "record"),
                    counted(facts.signatures, "signature"),
                    since(facts.restored.as_ref())
                ),
            ),
            Some((whose, bad)) => Check::error(
                ID,
                format!("{whose} chain is not sound: {bad}"),
                Hint::run(
                    "somebody, or a disk, changed the state file behind this program: keep a copy of it, then look at the records",
                    typed.command("audit verify"),
                ),
            ),
        },
    }
}

/// That records are missing since a restore is no fault, and worth knowing.
fn since(restored: Option<&LastRestore>) -> String {
    restored.map_or(String::new(), |restored| {
        format!("; the state file was {restored}")
    })
}

/// `1 record`, `2 records`.
fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use shared::audit::Fault;

    use super::*;

    fn judged(facts: &Result<AuditFacts, String>) -> Check {
        judge(
            facts,
            &Typed::new(None, Path::new("/exe"), &Home::at("/h"), None),
        )
    }

    #[test]
    fn a_chain_that_is_not_sound_says_where() {
        let sound = AuditFacts {
            rows: 7,
            signatures: 5,
            first_bad: None,
            restored: None,
        };
        let fine = judged(&Ok(sound.clone()));
        assert_eq!(
            fine.summary,
            "7 records in a sound chain, 5 signatures right"
        );
        let broken = judged(&Ok(AuditFacts {
            first_bad: Some((
                "this tenant's",
                Bad {
                    seq: 3,
                    what: Fault::Changed,
                },
            )),
            ..sound
        }));
        assert_eq!(
            broken.summary,
            "this tenant's chain is not sound: record 3 was changed after it was written"
        );
        assert_eq!(
            broken.hint.unwrap().command.as_deref(),
            Some("/exe audit verify")
        );
        assert!(!judged(&Err(said(&StateError::Locked))).ok);
    }

    #[test]
    fn a_fresh_file_is_sound() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().join("home"));
        let state = State::open(&home).unwrap();
        let facts = look(&state, &home, &Chain::Env, None, false).unwrap();
        assert_eq!((facts.rows, facts.first_bad), (0, None));
    }
}
