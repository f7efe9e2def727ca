//! Which of a chain's oldest records may go: decided from facts alone, nothing is read or written here.

use std::collections::BTreeMap;

/// Records that go in one transaction: others wait for the write lock meanwhile, some tens of milliseconds.
const BATCH: i64 = 2_000;

/// What a record says about what may go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fact {
    pub(super) seq: i64,
    pub(super) at_ms: i64,
    pub(super) is_intent: bool,
    /// An intent that a person has still to look at, whatever is recorded of its outcome.
    pub(super) is_unsettled: bool,
    pub(super) intent_seq: Option<i64>,
}

/// Where to cut, one cut after the other.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) cuts: Vec<i64>,
    /// What kept the last cut from coming later, for ever.
    pub(super) open_intent: Option<u64>,
}

/// The oldest records that are all older than the limit may go, as far as no intent is parted from its outcomes. A record
/// dated later than its neighbours keeps what follows it: clocks jump, and what is kept too long does no harm.
pub(super) fn plan(facts: &[Fact], older_than_ms: i64) -> Plan {
    // The last record that tells what became of an intent.
    let mut told_at: BTreeMap<i64, i64> = BTreeMap::new();
    for fact in facts {
        if let Some(intent) = fact.intent_seq {
            told_at.insert(intent, fact.seq);
        }
    }
    let mut plan = Plan {
        cuts: Vec::new(),
        open_intent: None,
    };
    let mut uncut_from = facts.first().map_or(0, |fact| fact.seq);
    let mut last_safe = None;
    let mut told_through = 0;
    for fact in facts.iter().take_while(|fact| fact.at_ms < older_than_ms) {
        if fact.is_intent {
            let Some(told) = told_at.get(&fact.seq).filter(|_| !fact.is_unsettled) else {
                plan.open_intent = Some(fact.seq.cast_unsigned());
                break;
            };
            told_through = told_through.max(*told);
        }
        if told_through <= fact.seq {
            last_safe = Some(fact.seq);
            if fact.seq - uncut_from >= BATCH - 1 {
                plan.cuts.push(fact.seq);
                uncut_from = fact.seq + 1;
            }
        }
    }
    plan.cuts
        .extend(last_safe.filter(|safe| *safe >= uncut_from));
    plan
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seq: i64, at_ms: i64) -> Fact {
        Fact {
            seq,
            at_ms,
            is_intent: false,
            is_unsettled: false,
            intent_seq: None,
        }
    }

    fn intent(seq: i64) -> Fact {
        Fact {
            is_intent: true,
            ..at(seq, 0)
        }
    }

    fn outcome(seq: i64, of: i64) -> Fact {
        Fact {
            intent_seq: Some(of),
            ..at(seq, 0)
        }
    }

    #[track_caller]
    fn planned(facts: &[Fact], cuts: &[i64], open_intent: Option<u64>) {
        let plan = plan(facts, 100);
        assert_eq!(
            (plan.cuts.as_slice(), plan.open_intent),
            (cuts, open_intent)
        );
    }

    #[test]
    fn the_old_beginning_goes() {
        planned(&[at(4, 1), at(5, 99), at(6, 100), at(7, 200)], &[5], None);
        planned(&[at(1, 100)], &[], None);
        planned(&[], &[], None);
        planned(&[at(1, 1), at(2, 2)], &[2], None);
    }

    #[test]
    fn a_record_dated_later_keeps_what_follows_it() {
        planned(&[at(1, 1), at(2, 500), at(3, 2)], &[1], None);
    }

    #[test]
    fn an_intent_stays_with_each_of_its_outcomes() {
        planned(&[at(1, 1), intent(2), at(3, 1), outcome(4, 2)], &[4], None);
        let kept = Fact {
            at_ms: 200,
            ..outcome(4, 2)
        };
        planned(&[at(1, 1), intent(2), at(3, 1), kept], &[1], None);
        let second = Fact {
            at_ms: 200,
            ..outcome(5, 2)
        };
        planned(
            &[at(1, 1), intent(2), outcome(3, 2), at(4, 1), second],
            &[1],
            None,
        );
    }

    #[test]
    fn intents_that_overlap_hold_each_other() {
        planned(
            &[
                intent(1),
                intent(2),
                outcome(3, 1),
                at(4, 1),
                outcome(5, 2),
                at(6, 100),
            ],
            &[5],
            None,
        );
    }

    #[test]
    fn an_intent_of_unknown_fate_stays_and_all_after_it() {
        planned(&[at(1, 1), intent(2), at(3, 1), at(4, 200)], &[1], Some(2));
        planned(&[intent(1), at(2, 1)], &[], Some(1));
    }

    #[test]
    fn an_intent_that_nobody_can_tell_the_end_of_stays_until_a_person_has_looked() {
        let unsettled = Fact {
            is_unsettled: true,
            ..intent(2)
        };
        planned(&[at(1, 1), unsettled, outcome(3, 2)], &[1], Some(2));
        planned(&[at(1, 1), intent(2), outcome(3, 2)], &[3], None);
    }

    #[test]
    fn a_long_beginning_goes_in_steps() {
        let facts: Vec<Fact> = (11..=10 + 2 * BATCH + 5).map(|seq| at(seq, 1)).collect();
        planned(&facts, &[10 + BATCH, 10 + 2 * BATCH, 15 + 2 * BATCH], None);
    }
}
