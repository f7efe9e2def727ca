//! From a wish to a proven file: each way is tried until one gives what it promises.
//!
//! Here: asking the targets, and going from one way to the next. Not here: which comes first (`choice`), and the proof itself (`fetch`, `pitr`).

use std::fmt;
use std::path::Path;

use shared::state::KeptCopy;

use super::choice::{self, Candidate, Origin, What, Window, candidates};
use super::error::{RestoreError, WayError};
use crate::backup::Progress;
use crate::backup::check;
use crate::backup::fetch::{self, FetchError, Image};
use crate::backup::find::{self, Shelf};
use crate::backup::pitr;
use crate::backup::scratch::Scratch;
use crate::backup::seal::Identities;
use crate::backup::targets::Target;
use crate::backup::words::{chain, moment};

/// What is wanted, and with what it can be opened.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// Which state.
    pub what: What,
    /// Secret keys, where something may be encrypted.
    pub identities: Option<&'a Identities>,
}

/// A way that did not work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The target.
    pub target: String,
    /// What was tried: a backup's id, or a line of increments.
    pub what: String,
    /// Why it did not work.
    pub why: String,
    /// Whether something is there and is not sound, unlike a target that does not answer.
    pub is_damage: bool,
}

impl Skipped {
    fn damage(way: &Candidate, why: String) -> Skipped {
        Skipped {
            target: way.target.name().to_owned(),
            what: way.source(),
            why,
            is_damage: true,
        }
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Skipped {
            target, what, why, ..
        } = self;
        write!(f, "{what} at `{target}`: {why}")
    }
}

/// A state that was brought here and proven.
#[derive(Debug)]
pub struct Brought {
    /// Where it lies, and what is in it.
    pub image: Image,
    /// From where and from what it came.
    pub from: Source,
    /// What came over the line, or was copied, in bytes.
    pub bytes: u64,
    /// Holds the image.
    pub scratch: Scratch,
}

/// From where and from what a state came.
#[derive(Debug)]
pub enum Source {
    /// A backup, or increments.
    Target(Candidate),
    /// A copy that this machine kept when the state file was replaced, or its schema moved.
    Kept(KeptCopy),
}

impl Brought {
    /// Everything that was acknowledged before this moment is inside; milliseconds since 1970.
    #[must_use]
    pub fn reached_ms(&self) -> i64 {
        match &self.from {
            Source::Target(way) => way.reaches_ms,
            Source::Kept(copy) => copy.at_ms,
        }
    }

    /// What it came from, in a word: a backup's id, the line of increments, or the kept copy.
    #[must_use]
    pub fn source(&self) -> String {
        match &self.from {
            Source::Target(way) => way.source(),
            Source::Kept(copy) => format!("kept copy {}", copy.name),
        }
    }

    /// The name of the target that it came from, if it is from one.
    #[must_use]
    pub fn target(&self) -> Option<&str> {
        match &self.from {
            Source::Target(way) => Some(way.target.name()),
            Source::Kept(_) => None,
        }
    }
}

impl Candidate {
    /// What it comes from, in a word: a backup's id, or the line of increments.
    #[must_use]
    pub fn source(&self) -> String {
        match &self.origin {
            Origin::Backup(manifest) => manifest.id.clone(),
            Origin::Line { line, .. } => format!("line {line}"),
        }
    }
}

/// Brings what is wanted into a folder of its own inside of `place`. `passed_by` hears of each way that did not work, and of targets that
/// could not be asked, as it happens.
///
/// # Errors
/// [`RestoreError`]; nothing is left behind.
pub fn bring(
    targets: &[Target],
    wanted: &Wanted<'_>,
    place: &Path,
    progress: &dyn Progress,
    passed_by: &mut dyn FnMut(Skipped),
) -> Result<Brought, RestoreError> {
    progress.stage("looking", 0);
    let (shelves, windows) = look(targets, &wanted.what);
    report_away(&shelves, &windows, passed_by);
    report_unusable(&shelves, &wanted.what, passed_by);
    let mut ways = candidates(&wanted.what, &shelves, &windows);
    if ways.is_empty() {
        return Err(nothing(&wanted.what, &shelves, &windows));
    }
    report_ahead(&ways, passed_by);
    let scratch = Scratch::new(place).map_err(|source| RestoreError::Here {
        path: place.to_owned(),
        source,
    })?;
    let mut tried = 0;
    while !ways.is_empty() {
        let mut way = ways.remove(0);
        tried += 1;
        match open(&way, wanted.identities, &scratch, progress) {
            Ok(opened) if opened.reached_ms >= way.reaches_ms => {
                for why in opened.passed_by {
                    passed_by(Skipped::damage(&way, why));
                }
                return Ok(Brought {
                    image: opened.image,
                    bytes: opened.bytes,
                    from: Source::Target(way),
                    scratch,
                });
            }
            // Damage was gone round. Another way may reach further; if none does, this one comes again, with what it is known to reach.
            Ok(opened) => {
                let why = format!(
                    "something in it is damaged or missing: it reaches {} instead of {}",
                    moment(opened.reached_ms),
                    moment(way.reaches_ms)
                );
                passed_by(Skipped::damage(&way, why));
                way.reaches_ms = opened.reached_ms;
                ways.push(way);
                choice::rank(&mut ways);
            }
            Err(why) if why.is_ours() => return Err(RestoreError::cannot_open(&way, &why)),
            Err(why) => passed_by(Skipped {
                target: way.target.name().to_owned(),
                what: way.source(),
                is_damage: why.is_damage(),
                why: chain(&why),
            }),
        }
    }
    Err(RestoreError::NothingWorked { tried })
}

/// What the question needs of each target.
fn look(targets: &[Target], what: &What) -> (Vec<Shelf>, Vec<Window>) {
    match what {
        What::Id(_) => (find::shelves(targets), Vec::new()),
        What::LatestPoint | What::InLine { .. } => (Vec::new(), window_of_each(targets)),
        What::At(_) | What::Latest { .. } => both_of_each(targets),
    }
}

/// What each target has for recovery to a moment, those on this machine first.
#[must_use]
pub fn window_of_each(targets: &[Target]) -> Vec<Window> {
    let mut windows = find::on_each(targets, window, Window::away);
    windows.sort_by_key(|window| window.target.is_remote());
    windows
}

/// Backups and moments of each target, in one question: one that does not answer is waited for once.
#[must_use]
pub fn both_of_each(targets: &[Target]) -> (Vec<Shelf>, Vec<Window>) {
    let both = |target: &Target| {
        let shelf = find::shelf(target);
        let window = match &shelf.away {
            Some(why) => Window::away(target, why.clone()),
            None => window(target),
        };
        (shelf, window)
    };
    let mut both = find::on_each(targets, both, |target, why| {
        (Shelf::away(target, why.clone()), Window::away(target, why))
    });
    both.sort_by_key(|(shelf, _)| shelf.target.is_remote());
    both.into_iter().unzip()
}

fn window(target: &Target) -> Window {
    match pitr::window(target) {
        Ok(lines) => Window {
            target: target.clone(),
            away: None,
            lines,
        },
        Err(error) => Window::away(target, error.to_string()),
    }
}

impl Window {
    fn away(target: &Target, why: String) -> Window {
        Window {
            target: target.clone(),
            away: Some(why),
            lines: Vec::new(),
        }
    }
}

struct Opened {
    image: Image,
    reached_ms: i64,
    bytes: u64,
    /// Damage on the way that did not matter.
    passed_by: Vec<String>,
}

/// Takes one way to its end.
fn open(
    way: &Candidate,
    identities: Option<&Identities>,
    scratch: &Scratch,
    progress: &dyn Progress,
) -> Result<Opened, WayError> {
    match &way.origin {
        Origin::Backup(manifest) => {
            let image = fetch::fetch(&way.target, manifest, identities, scratch, progress)?;
            Ok(Opened {
                image,
                reached_ms: way.reaches_ms,
                bytes: manifest.file.bytes,
                passed_by: Vec::new(),
            })
        }
        Origin::Line { line, .. } => {
            let path = scratch.join("state.db");
            let _ = std::fs::remove_file(&path);
            let rebuilt = pitr::rebuild(
                &way.target,
                way.reaches_ms,
                Some(line),
                identities,
                &path,
                progress,
            )?;
            progress.stage("checking", 0);
            let checked = check::check_copy(&path, &[]).map_err(FetchError::from)?;
            Ok(Opened {
                image: Image { path, checked },
                reached_ms: rebuilt.reached_ms,
                bytes: rebuilt.bytes,
                passed_by: rebuilt.passed_by,
            })
        }
    }
}

fn report_away(shelves: &[Shelf], windows: &[Window], passed_by: &mut dyn FnMut(Skipped)) {
    for shelf in shelves {
        if let Some(why) = &shelf.away {
            passed_by(Skipped {
                target: shelf.target.name().to_owned(),
                what: "everything".to_owned(),
                why: why.clone(),
                is_damage: false,
            });
        }
    }
    for window in windows {
        let is_said = shelves
            .iter()
            .any(|shelf| shelf.away.is_some() && shelf.target.name() == window.target.name());
        if let (Some(why), false) = (&window.away, is_said) {
            passed_by(Skipped {
                target: window.target.name().to_owned(),
                what: "recovery to a moment".to_owned(),
                why: why.clone(),
                is_damage: false,
            });
        }
    }
}

/// That there is something which a clock that was far ahead has named is said, where something else comes before it.
fn report_ahead(ways: &[Candidate], passed_by: &mut dyn FnMut(Skipped)) {
    if ways.first().is_none_or(|first| first.is_ahead) {
        return;
    }
    if let Some(way) = ways.iter().find(|way| way.is_ahead) {
        passed_by(Skipped {
            target: way.target.name().to_owned(),
            what: way.source(),
            why: format!(
                "its moment, {}, is far ahead of this machine's clock; hint: if this clock is the wrong one, name it with `--id` or `--line`",
                moment(way.reaches_ms)
            ),
            is_damage: false,
        });
    }
}

/// A damaged manifest is worth a word when it is about what is wanted.
fn report_unusable(shelves: &[Shelf], what: &What, passed_by: &mut dyn FnMut(Skipped)) {
    for shelf in shelves {
        for unusable in &shelf.unusable {
            let concerns = match what {
                What::Id(id) => *id == unusable.id,
                What::At(ms) => unusable.id.at().as_millisecond() <= *ms,
                What::Latest { .. } => shelf.backups.keys().all(|id| *id < unusable.id),
                What::LatestPoint | What::InLine { .. } => false,
            };
            if concerns {
                passed_by(Skipped {
                    target: shelf.target.name().to_owned(),
                    what: unusable.id.to_string(),
                    why: unusable.why.clone(),
                    is_damage: true,
                });
            }
        }
    }
}

/// Why there is no way at all.
pub(super) fn nothing(what: &What, shelves: &[Shelf], windows: &[Window]) -> RestoreError {
    let answers = shelves.iter().map(|shelf| &shelf.away);
    let answers: Vec<_> = answers
        .chain(windows.iter().map(|window| &window.away))
        .collect();
    if answers.iter().all(|away| away.is_some()) {
        return RestoreError::NobodyAnswers;
    }
    match (what, choice::earliest_ms(shelves, windows)) {
        (What::Id(id), _) => RestoreError::NoSuchBackup { id: id.clone() },
        (What::At(asked_ms), Some(earliest_ms)) => RestoreError::BeforeEverything {
            asked_ms: *asked_ms,
            earliest_ms,
        },
        (What::InLine { line, at_ms }, _) => RestoreError::NotInLine {
            line: line.clone(),
            at_ms: *at_ms,
        },
        _ => RestoreError::NoBackups,
    }
}
