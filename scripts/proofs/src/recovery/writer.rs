//! One writer, in a process of its own: does its script deed by deed and tells its parent before and after each.
//!
//! It writes through the products' own rooms. A tool call gives two transactions and a few kilobytes of traffic with a shop;
//! this gives a transaction per deed, a few hundred a second, each of them checkable to the last byte.

use std::io::Write as _;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use shared::audit::{self, Actor, Chain, Entry};
use shared::paths::Home;
use shared::session::SessionId;
use shared::state::{Durability, State, StateError};

use super::now_us;
use super::script::{Deed, Shape, deed};
use crate::stage::pause;

/// What a writer tells, a line each: written whole, so that a kill leaves whole lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Told {
    /// It is about to do this deed.
    Begun { number: u64, at_us: i64 },
    /// The deed is done: its record has this number in the chain.
    Done { number: u64, seq: u64, at_us: i64 },
    /// The deed was refused, nothing was written.
    Refused { why: String },
}

impl Told {
    fn line(&self) -> String {
        match self {
            Self::Begun { number, at_us } => format!("b {number} {at_us}\n"),
            Self::Done { number, seq, at_us } => format!("d {number} {seq} {at_us}\n"),
            Self::Refused { why } => format!("r {}\n", why.replace('\n', " ")),
        }
    }

    /// What a line tells; nothing when it is none of ours.
    pub(super) fn of(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        match words.next()? {
            "b" => Some(Self::Begun {
                number: words.next()?.parse().ok()?,
                at_us: words.next()?.parse().ok()?,
            }),
            "d" => Some(Self::Done {
                number: words.next()?.parse().ok()?,
                seq: words.next()?.parse().ok()?,
                at_us: words.next()?.parse().ok()?,
            }),
            "r" => Some(Self::Refused {
                why: line[1..].trim().to_owned(),
            }),
            _ => None,
        }
    }
}

/// Writes until it is killed or its parent is gone. `checkpoints`: every so many deeds it empties the log, as any program that
/// has the file open may.
pub(crate) fn run(
    home: &Path,
    name: &str,
    pause_ms: Range<u64>,
    checkpoints: Option<u64>,
) -> anyhow::Result<()> {
    let state = State::open(&Home::at(home))?;
    let actor = Actor {
        session: SessionId::random(),
        client: Some("proofs".to_owned()),
    };
    let mut shape = Shape::default();
    for number in 0.. {
        // First, so that a hundred that were started at once do not beat in time.
        pause(Duration::from_millis(fastrand::u64(pause_ms.clone())));
        let next = deed(name, number, &shape);
        let seq = until_done(&state, &actor, name, number, &next)?;
        let at_us = now_us();
        tell(&Told::Done { number, seq, at_us })?;
        shape.apply(next);
        if checkpoints.is_some_and(|every| number % every == every - 1) {
            // Somebody else may be at it, or reading: it is tried again soon enough.
            let _ = state.checkpoint(shared::state::Checkpoint::Truncate);
        }
    }
    Ok(())
}

fn until_done(
    state: &State,
    actor: &Actor,
    name: &str,
    number: u64,
    deed: &Deed,
) -> anyhow::Result<u64> {
    loop {
        let at_us = now_us();
        tell(&Told::Begun { number, at_us })?;
        match write(state, actor, name, number, deed, at_us) {
            Ok(seq) => return Ok(seq),
            Err(error) => tell(&Told::Refused {
                why: error.to_string(),
            })?,
        }
    }
}

fn write(
    state: &State,
    actor: &Actor,
    name: &str,
    number: u64,
    deed: &Deed,
    at_us: i64,
) -> Result<u64, StateError> {
    let target = target(name, number);
    let entry = Entry::done(actor, deed.action(), Some(&target));
    state.write("proof", Durability::Full, |writing| {
        deed.write(writing, name)?;
        let head = audit::append(writing, &Chain::Env, &entry, at_us / 1000, None)?;
        Ok(head.seq)
    })
}

/// What the record of a deed is about.
fn target(name: &str, number: u64) -> String {
    format!("{name}/{number}")
}

/// The writer and the deed that a record is about.
pub(super) fn from_target(target: &str) -> Option<(&str, u64)> {
    let (name, number) = target.split_once('/')?;
    Some((name, number.parse().ok()?))
}

fn tell(told: &Told) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(told.line().as_bytes())?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_understood() {
        for told in [
            Told::Begun {
                number: 3,
                at_us: 9,
            },
            Told::Done {
                number: 3,
                seq: 17,
                at_us: 11,
            },
            Told::Refused {
                why: "the disk is full".to_owned(),
            },
        ] {
            assert_eq!(Told::of(told.line().trim_end()), Some(told));
        }
        assert_eq!(Told::of("thread panicked"), None);
    }

    #[test]
    fn a_record_names_its_writer_and_its_deed() {
        assert_eq!(from_target(&target("w3", 12)), Some(("w3", 12)));
        assert_eq!(from_target("order 7001001"), None);
    }
}
