//! What the upkeep of the state file, and the reserve on its disk, amount to.

use super::{Draft, mebibytes};
use crate::upkeep::Kept;
use crate::upkeep::ballast::BallastFacts;

/// A damaged file still answers for what is whole in it, so nothing here keeps a machine from being ready: that is a person's decision.
#[must_use]
pub fn judge(kept: &Kept) -> Vec<Draft> {
    let is_damaged = kept.checked.as_ref().is_some_and(|checked| !checked.sound);
    let draft = || {
        Draft::fail(
            "state.damaged",
            "pages of the state file are damaged: what is in them can no longer be read, and backups of it are refused",
            "end the assistants and this sidecar, then run `ops-sidecar backup restore --latest`; the damaged file is kept aside; and have the disk looked at",
        )
    };
    if is_damaged {
        vec![draft()]
    } else {
        Vec::new()
    }
}

/// A reserve that is wanted and not there: it was given back, or there never was room for it.
#[must_use]
pub fn judge_ballast(ballast: Option<&BallastFacts>) -> Vec<Draft> {
    let missing = ballast.filter(|facts| facts.wanted_bytes > 0 && facts.held_bytes == 0);
    let draft = |facts: &BallastFacts| {
        Draft::warn(
            "disk.ballast_used",
            format!(
                "the reserve of {} on the disk is used up: it was given back when the disk was full, or there was no room for it yet",
                mebibytes(facts.wanted_bytes)
            ),
            "free space on the disk of the home folder: the reserve is taken again as soon as there is plenty",
        )
    };
    missing.map(draft).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::checks::Level;
    use crate::upkeep::soundness::Checked;

    #[test]
    fn damage_is_a_failure_with_the_command_that_helps() {
        let kept = |sound| Kept {
            checked: Some(Checked {
                at: Timestamp::UNIX_EPOCH,
                took_seconds: 0.1,
                sound,
            }),
            ..Kept::default()
        };
        assert_eq!(judge(&kept(true)), []);
        assert_eq!(judge(&Kept::default()), []);
        let damaged = judge(&kept(false)).remove(0);
        assert_eq!(
            (damaged.id, damaged.level, damaged.blocks_ready),
            ("state.damaged", Level::Fail, false)
        );
        assert!(damaged.hint.contains("ops-sidecar backup restore --latest"));
    }

    #[test]
    fn a_reserve_that_is_wanted_and_not_there_is_a_warning() {
        let facts = |wanted_bytes, held_bytes| BallastFacts {
            wanted_bytes,
            held_bytes,
        };
        assert_eq!(judge_ballast(None), []);
        assert_eq!(judge_ballast(Some(&facts(0, 0))), []);
        assert_eq!(judge_ballast(Some(&facts(16, 16))), []);
        assert_eq!(
            judge_ballast(Some(&facts(16 << 20, 0)))[0].id,
            "disk.ballast_used"
        );
    }
}
