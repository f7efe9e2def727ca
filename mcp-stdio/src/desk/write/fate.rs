//! How one row of a batch ends.
//!
//! Here: pure decisions, from what the answer says about a row, what a look finds of it and what earlier attempts may still do, to its
//! verdict. Not here: sending and looking (`chunk`).

use serde_json::Value;

use super::batch::Said;
use super::{RowOutcome, Verdict};

/// What a look finds of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// What was wanted is there.
    There,
    /// It is as it was before.
    Absent,
    /// Neither: it is otherwise, as these words say.
    Otherwise(String),
    /// It is as it was before, but was changed meanwhile, as these words say: it may have been done and undone.
    Touched(String),
}

/// How one row ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fate {
    pub(super) verdict: Verdict,
    pub(super) why: Option<String>,
}

impl Fate {
    pub(super) fn done() -> Fate {
        Fate {
            verdict: Verdict::Done,
            why: None,
        }
    }

    pub(super) fn of(verdict: Verdict, why: impl Into<String>) -> Fate {
        Fate {
            verdict,
            why: Some(why.into()),
        }
    }

    /// As it is told of the thing called `row`.
    pub(super) fn told(self, row: Value) -> RowOutcome {
        RowOutcome {
            row,
            verdict: self.verdict,
            why: self.why,
        }
    }
}

/// The worst of several fates: what was done of them is only done when all of it was.
pub(super) fn worst<'a>(verdicts: impl IntoIterator<Item = &'a Verdict>) -> Verdict {
    verdicts.into_iter().max().copied().unwrap_or(Verdict::Done)
}

/// What the attempts so far leave open.
#[derive(Clone, Copy, Default)]
pub(super) struct Past {
    /// Of one of them nobody knows what became.
    pub(super) unclear: bool,
    /// One of them was never answered, and may still be carried out.
    pub(super) silent: bool,
}

impl Past {
    /// Nothing more is sent, and it is not there. What was never answered may still come.
    pub(super) fn not_there(self, why: String) -> Fate {
        if self.silent {
            Fate::of(
                Verdict::Unknown,
                format!("{why}, and it may still come to pass"),
            )
        } else {
            Fate::of(Verdict::NotDone, why)
        }
    }
}

/// What was heard of an attempt that Order Desk did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Order Desk took no notice of it.
    Unsent,
    /// Nobody knows what became of it.
    Nothing,
}

/// What a look at a row means that Order Desk did not answer for: `None` when it may be sent again, because it is not there.
pub(super) fn unanswered(heard: Heard, found: Found) -> Option<Fate> {
    let fate = match (found, heard) {
        (Found::There, _) => Fate::done(),
        (Found::Absent, Heard::Unsent | Heard::Nothing) => return None,
        (Found::Otherwise(how) | Found::Touched(how), Heard::Unsent) => {
            Fate::of(Verdict::NotDone, how)
        }
        (Found::Otherwise(how), Heard::Nothing) => Fate::of(
            Verdict::Unknown,
            format!(
                "no clear answer came, and {how}; either this was done and changed again, or somebody else did something"
            ),
        ),
        (Found::Touched(how), Heard::Nothing) => Fate::of(
            Verdict::Unknown,
            format!("no clear answer came, and {how}: it may have been done and undone"),
        ),
    };
    Some(fate)
}

/// What a look at a row means of which Order Desk said this.
pub(super) fn answered(said: &Said, past: Past, found: Found) -> Fate {
    match (found, said) {
        (Found::There, _) => Fate::done(),
        (_, Said::Refused(why)) => past.not_there(why.clone()),
        (Found::Absent, _) => past.not_there(
            "Order Desk answered with success, but it is as before: nothing was done, or a rule undid it at once".to_owned(),
        ),
        (Found::Otherwise(how), _) => Fate::of(Verdict::Done, how),
        (Found::Touched(how), _) => Fate::of(Verdict::NotDone, how),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEARD: Past = Past {
        unclear: false,
        silent: false,
    };
    const SILENT: Past = Past {
        unclear: true,
        silent: true,
    };

    fn verdict(heard: Heard, found: Found) -> Option<Verdict> {
        unanswered(heard, found).map(|fate| fate.verdict)
    }

    fn no() -> Said {
        Said::Refused("no".to_owned())
    }

    #[test]
    fn what_is_there_is_done_whatever_was_said() {
        for said in [Said::Done, Said::Nothing, no()] {
            assert_eq!(answered(&said, SILENT, Found::There).verdict, Verdict::Done);
        }
        for heard in [Heard::Unsent, Heard::Nothing] {
            assert_eq!(verdict(heard, Found::There), Some(Verdict::Done));
        }
    }

    #[test]
    fn what_is_not_there_is_sent_again_only_when_nobody_answered() {
        assert_eq!(verdict(Heard::Nothing, Found::Absent), None);
        assert_eq!(
            answered(&Said::Nothing, HEARD, Found::Absent).verdict,
            Verdict::NotDone
        );
        assert_eq!(
            answered(&no(), HEARD, Found::Absent),
            Fate::of(Verdict::NotDone, "no")
        );
    }

    #[test]
    fn what_is_otherwise_was_done_if_order_desk_said_so_and_else_nobody_knows() {
        let otherwise = || Found::Otherwise("it is in `Hold` now".to_owned());
        assert_eq!(
            answered(&Said::Nothing, HEARD, otherwise()).verdict,
            Verdict::Done
        );
        assert_eq!(verdict(Heard::Nothing, otherwise()), Some(Verdict::Unknown));
        assert_eq!(
            answered(&no(), HEARD, otherwise()).verdict,
            Verdict::NotDone
        );
    }

    #[test]
    fn what_order_desk_took_no_notice_of_is_sent_again_unless_it_is_otherwise_now() {
        assert_eq!(verdict(Heard::Unsent, Found::Absent), None);
        let otherwise = Found::Otherwise("the stock is different".to_owned());
        assert_eq!(verdict(Heard::Unsent, otherwise), Some(Verdict::NotDone));
    }

    #[test]
    fn what_may_have_been_done_and_undone_is_never_sent_again() {
        let touched = || Found::Touched("it is in `New` again".to_owned());
        assert_eq!(verdict(Heard::Nothing, touched()), Some(Verdict::Unknown));
        assert_eq!(
            answered(&Said::Nothing, HEARD, touched()).verdict,
            Verdict::NotDone
        );
    }

    #[test]
    fn what_an_attempt_without_an_answer_may_still_do_is_not_called_undone() {
        assert_eq!(
            answered(&no(), SILENT, Found::Absent).verdict,
            Verdict::Unknown
        );
        assert_eq!(
            SILENT.not_there("late".to_owned()).verdict,
            Verdict::Unknown
        );
        assert_eq!(HEARD.not_there("late".to_owned()).verdict, Verdict::NotDone);
    }

    #[test]
    fn of_several_fates_the_worst_is_told() {
        assert_eq!(worst(&[Verdict::Done, Verdict::NotDone]), Verdict::NotDone);
        assert_eq!(
            worst(&[Verdict::Unknown, Verdict::NotDone, Verdict::Done]),
            Verdict::Unknown
        );
        assert_eq!(worst(&[]), Verdict::Done);
    }
}
