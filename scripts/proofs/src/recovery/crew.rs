//! The writers as their parent sees them: started, listened to, killed, and others started in their place.

use std::io::{BufRead as _, BufReader};
use std::ops::Range;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::{JoinHandle, spawn};

use anyhow::Context as _;

use super::model::Life;
use super::writer::Told;

/// How writers write.
#[derive(Debug, Clone)]
pub(super) struct Habits {
    pub(super) home: PathBuf,
    /// Between two deeds, in milliseconds.
    pub(super) pause_ms: Range<u64>,
    /// Every so many deeds a writer empties the write-ahead log; none: SQLite does it when it wants.
    pub(super) checkpoints: Option<u64>,
}

/// Writers at work. All of them are killed in the end; they are made for it.
#[derive(Debug)]
pub(super) struct Crew {
    habits: Habits,
    started: usize,
    at_work: Vec<Writer>,
    gone: Vec<Life>,
}

#[derive(Debug)]
struct Writer {
    child: Child,
    listener: JoinHandle<Life>,
}

impl Crew {
    pub(super) fn start(habits: Habits, writers: usize) -> anyhow::Result<Self> {
        let mut crew = Self {
            habits,
            started: 0,
            at_work: Vec::new(),
            gone: Vec::new(),
        };
        for _ in 0..writers {
            crew.one_more()?;
        }
        Ok(crew)
    }

    fn one_more(&mut self) -> anyhow::Result<()> {
        self.started += 1;
        let name = format!("w{:04}", self.started);
        let Range { start, end } = self.habits.pause_ms;
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["write", "--name", &name])
            .arg("--home")
            .arg(&self.habits.home)
            .args(["--from-ms", &start.to_string(), "--to-ms", &end.to_string()]);
        if let Some(every) = self.habits.checkpoints {
            command.args(["--checkpoints", &every.to_string()]);
        }
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start ourselves as a writer")?;
        let told = BufReader::new(child.stdout.take().context("a writer has no stdout")?);
        let listener = spawn(move || {
            let mut life = Life::new(name);
            for line in told.lines().map_while(Result::ok) {
                if let Some(told) = Told::of(&line) {
                    life.enter(told);
                }
            }
            life
        });
        self.at_work.push(Writer { child, listener });
        Ok(())
    }

    /// Kills one of them and starts another.
    pub(super) fn replace_one(&mut self) -> anyhow::Result<()> {
        let victim = self
            .at_work
            .swap_remove(fastrand::usize(..self.at_work.len()));
        self.gone.push(bury(victim)?);
        self.one_more()
    }

    /// Kills the rest: everything that all of them ever told.
    pub(super) fn finish(mut self) -> anyhow::Result<Vec<Life>> {
        for writer in &mut self.at_work {
            writer.child.kill()?;
        }
        for writer in std::mem::take(&mut self.at_work) {
            self.gone.push(bury(writer)?);
        }
        Ok(std::mem::take(&mut self.gone))
    }
}

fn bury(mut writer: Writer) -> anyhow::Result<Life> {
    writer.child.kill()?;
    writer.child.wait()?;
    writer
        .listener
        .join()
        .map_err(|_| anyhow::anyhow!("a listener panicked"))
}

/// A proof that fails leaves nobody behind.
impl Drop for Crew {
    fn drop(&mut self) {
        for writer in &mut self.at_work {
            let _ = writer.child.kill();
            let _ = writer.child.wait();
        }
    }
}
