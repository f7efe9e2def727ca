//! From a moment to a file: the plan is fetched, opened, proved and applied, step by step.
//!
//! An increment is read twice. The first reading proves it: that it is whole, of this line, starts from the state that is there, and leads
//! to the state it promises. Only then does the second reading change the file, so that the file is at every time a state that once was.
//! What is damaged or missing is left out of the next search for a way.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::error::PitrError;
use super::hashes::{Key, Table, lock_page};
use super::increment::{Decoder, Header, Unusable};
use super::name::{Line, Name};
use super::plan::{Object, choose, reach};
use super::window::listing;
use crate::backup::Progress;
use crate::backup::scratch::Scratch;
use crate::backup::seal::{self, Identities};
use crate::backup::targets::Target;

/// What was rebuilt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// From which line.
    pub line: String,
    /// The moment that was reached: everything acknowledged before it is inside.
    pub reached_ms: i64,
    /// How many objects it took.
    pub objects: usize,
    /// Their size.
    pub bytes: u64,
    /// Objects that were passed by as damaged or missing, with the reason.
    pub passed_by: Vec<String>,
    /// Other lines that have a point at or before the moment that was asked for.
    pub other_lines: Vec<String>,
}

/// Writes the newest state at or before `at_ms` into `out`, a new file (0600, flushed to disk). Without a `line`, the line that started
/// last among those with such a state. The folder of `out` is worked in and has to have room for the file and its largest object.
///
/// # Errors
/// Nothing leads there, also not round what is damaged; a key is missing; the target or the disk refuses. `out` is gone then.
pub fn rebuild(
    target: &Target,
    at_ms: i64,
    line: Option<&str>,
    identities: Option<&Identities>,
    out: &Path,
    progress: &dyn Progress,
) -> Result<Rebuilt, PitrError> {
    let lines = listing(target)?;
    let nothing = |damaged| PitrError::NothingReaches { at_ms, damaged };
    let line = match line {
        Some(named) => lines
            .keys()
            .find(|line| line.as_str() == named)
            .ok_or_else(|| PitrError::NoLine {
                line: named.to_owned(),
            })?,
        None => choose(&lines, at_ms).ok_or_else(|| nothing(None))?,
    };
    let others = lines.iter().filter(|(other, objects)| {
        *other != line && reach(objects, &BTreeSet::new()).newest(at_ms).is_some()
    });
    let other_lines = others.map(|(other, _)| other.to_string()).collect();

    let place = out.parent().unwrap_or(Path::new("."));
    let scratch = Scratch::new(place).map_err(PitrError::here(place))?;
    let work = Work {
        target,
        line,
        identities,
        scratch: &scratch,
        progress,
    };
    let done = work.walk(&lines[line], at_ms, out);
    if done.is_err() {
        let _ = std::fs::remove_file(out);
    }
    let (steps, passed_by) = done?;
    let reached_ms = steps.last().map(|object| object.name.to_ms);
    Ok(Rebuilt {
        line: line.to_string(),
        reached_ms: reached_ms.ok_or_else(|| nothing(passed_by.last().cloned()))?,
        objects: steps.len(),
        bytes: steps.iter().map(|object| object.bytes).sum(),
        passed_by,
        other_lines,
    })
}

/// The file and what is known of its content.
struct State {
    file: File,
    key: Key,
    table: Table,
    at_ms: i64,
}

struct Work<'a> {
    target: &'a Target,
    line: &'a Line,
    identities: Option<&'a Identities>,
    scratch: &'a Scratch,
    progress: &'a dyn Progress,
}

impl Work<'_> {
    /// Gives the steps that were taken, and what was passed by.
    fn walk(
        &self,
        objects: &[Object],
        at_ms: i64,
        out: &Path,
    ) -> Result<(Vec<Object>, Vec<String>), PitrError> {
        let mut bad: BTreeSet<Name> = BTreeSet::new();
        let mut passed_by: Vec<String> = Vec::new();
        let mut taken: Vec<Object> = Vec::new();
        let mut state: Option<State> = None;
        loop {
            let reach = reach(objects, &bad);
            let Some(goal) = reach.newest(at_ms) else {
                return Err(PitrError::NothingReaches {
                    at_ms,
                    damaged: passed_by.pop(),
                });
            };
            let plan = reach.plan(goal);
            if !plan.starts_with(&taken) {
                (taken, state) = (Vec::new(), None);
            }
            let left = &plan[taken.len()..];
            self.progress
                .stage("rebuilding", left.iter().map(|object| object.bytes).sum());
            let Some(failed) = self.take(left, &mut taken, &mut state, out)? else {
                if let Some(state) = &state {
                    self.check(state, out)?;
                }
                return Ok((taken, passed_by));
            };
            bad.insert(failed.0);
            passed_by.push(failed.1.to_string());
        }
    }

    /// What was proved is what stands in the file, to the last page, and it is on the disk.
    fn check(&self, state: &State, out: &Path) -> Result<(), PitrError> {
        self.progress.stage("checking", 0);
        let mut file = &state.file;
        file.sync_all().map_err(PitrError::here(out))?;
        file.seek(SeekFrom::Start(0))
            .map_err(PitrError::here(out))?;
        let mut reader = BufReader::with_capacity(256 * 1024, file);
        let lock = lock_page(state.table.page_size());
        let mut page = vec![0; state.table.page_size() as usize];
        for (number, hash) in (1..).zip(state.table.hashes()) {
            reader.read_exact(&mut page).map_err(PitrError::here(out))?;
            if number != lock && state.key.hash(&page) != *hash {
                let odd = io::Error::other(format!("page {number} is not as it was written"));
                return Err(PitrError::here(out)(odd));
            }
        }
        Ok(())
    }

    /// Takes step after step; gives the first that has to be gone round.
    fn take(
        &self,
        steps: &[Object],
        taken: &mut Vec<Object>,
        state: &mut Option<State>,
        out: &Path,
    ) -> Result<Option<(Name, PitrError)>, PitrError> {
        for step in steps {
            if self.progress.is_stopped() {
                return Err(PitrError::Stopped);
            }
            match self.step(*step, state, out) {
                Ok(()) => taken.push(*step),
                Err(error) if error.can_be_gone_round() => return Ok(Some((step.name, error))),
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    fn step(&self, step: Object, state: &mut Option<State>, out: &Path) -> Result<(), PitrError> {
        let key = step.name.key(self.line);
        let fetched = self.scratch.join("object");
        let _ = std::fs::remove_file(&fetched);
        self.target
            .get_to(&key, &fetched, &mut |bytes| self.progress.advance(bytes))?;
        if step.name.is_base() {
            // A base that turns out to be damaged leaves a file that is worth nothing.
            *state = None;
            *state = Some(self.base(&key, step.name, &fetched, out)?);
        } else if let Some(state) = state {
            let proved = self.prove(&key, step.name, &fetched, state)?;
            self.apply(&key, step.name, &fetched, state, out)?;
            state.table = proved;
            state.at_ms = step.name.to_ms;
        }
        Ok(())
    }

    fn open(
        &self,
        key: &str,
        name: Name,
        fetched: &Path,
    ) -> Result<Decoder<Box<dyn Read>>, PitrError> {
        let file = File::open(fetched).map_err(PitrError::here(fetched))?;
        let opened = seal::reader(BufReader::new(file), name.is_sealed, self.identities)
            .map_err(|error| PitrError::of_seal(key, error))?;
        let decoder = Decoder::open(opened, name.is_sealed)
            .map_err(|error| PitrError::of_reading(key, error))?;
        let header = decoder.header();
        if header.line != *self.line || header.name != name {
            return Err(damaged(key, "inside it says that it is another object"));
        }
        Ok(decoder)
    }

    /// All pages into an empty file.
    fn base(&self, key: &str, name: Name, fetched: &Path, out: &Path) -> Result<State, PitrError> {
        let mut decoder = self.open(key, name, fetched)?;
        let header = decoder.header().clone();
        let file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(out)
            .map_err(PitrError::here(out))?;
        let mut table = Table::empty(header.page_size, header.pages);
        write_pages(key, &mut decoder, &file, out, |number, page| {
            table.set(number, header.key.hash(page));
        })?;
        self.prove_root(key, &header, &table)?;
        Ok(State {
            file,
            key: header.key,
            table,
            at_ms: header.name.to_ms,
        })
    }

    /// What the state will be after this increment, if it is sound and fits to the state that is there.
    fn prove(
        &self,
        key: &str,
        name: Name,
        fetched: &Path,
        state: &State,
    ) -> Result<Table, PitrError> {
        let mut decoder = self.open(key, name, fetched)?;
        let header = decoder.header().clone();
        let fits = header.key == state.key
            && header.page_size == state.table.page_size()
            && header.name.from_ms == Some(state.at_ms)
            && header.from_root == Some(state.table.root(&state.key));
        if !fits {
            return Err(damaged(key, "it does not follow the state before it"));
        }
        let mut table = state.table.clone();
        table.resize(header.pages);
        let mut page = Vec::new();
        while let Some(number) = decoder
            .next_page(&mut page)
            .map_err(|error| PitrError::of_reading(key, error))?
        {
            table.set(number, header.key.hash(&page));
        }
        self.prove_root(key, &header, &table)?;
        Ok(table)
    }

    fn prove_root(&self, key: &str, header: &Header, table: &Table) -> Result<(), PitrError> {
        if table.root(&header.key) == header.to_root {
            return Ok(());
        }
        Err(damaged(key, "its pages do not make the state it promises"))
    }

    fn apply(
        &self,
        key: &str,
        name: Name,
        fetched: &Path,
        state: &State,
        out: &Path,
    ) -> Result<(), PitrError> {
        let mut decoder = self.open(key, name, fetched)?;
        write_pages(key, &mut decoder, &state.file, out, |_, _| {})
    }
}

/// Writes every page to its place, and gives the file the length that the header says.
fn write_pages(
    key: &str,
    decoder: &mut Decoder<Box<dyn Read>>,
    file: &File,
    out: &Path,
    mut visit: impl FnMut(u32, &[u8]),
) -> Result<(), PitrError> {
    let header = decoder.header();
    let size = u64::from(header.page_size);
    let length = u64::from(header.pages) * size;
    let mut writer = BufWriter::with_capacity(256 * 1024, file);
    let mut page = Vec::new();
    // Where the object before this one ended is not where this one begins.
    let mut next = u64::MAX;
    loop {
        let number = decoder.next_page(&mut page);
        let number = number.map_err(|error: Unusable| PitrError::of_reading(key, error))?;
        let Some(number) = number else { break };
        let place = u64::from(number - 1) * size;
        if next != place {
            writer
                .seek(SeekFrom::Start(place))
                .map_err(PitrError::here(out))?;
        }
        writer.write_all(&page).map_err(PitrError::here(out))?;
        next = place + size;
        visit(number, &page);
    }
    writer.flush().map_err(PitrError::here(out))?;
    file.set_len(length).map_err(PitrError::here(out))
}

fn damaged(key: &str, why: &str) -> PitrError {
    PitrError::Damaged {
        key: key.to_owned(),
        why: why.to_owned(),
    }
}
