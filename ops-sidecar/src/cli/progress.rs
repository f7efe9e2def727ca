//! How far long work has come, on a terminal; in a pipe there is nothing of this.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use parking_lot::Mutex;

use crate::backup::Progress;

/// A bar for the stage under way, and a line for each stage that ended. Draws to stderr, so that stdout stays a result.
pub(super) struct Bar {
    bar: ProgressBar,
    under_way: Mutex<Option<Stage>>,
}

struct Stage {
    name: &'static str,
    since: Instant,
}

/// Redraws that often by itself, so that a stage whose end cannot be told is seen to live.
const TICK: Duration = Duration::from_millis(120);

impl Bar {
    /// Shows something only if a person looks at stderr.
    pub(super) fn new() -> Bar {
        let target = if std::io::stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        Bar::on(target)
    }

    fn on(target: ProgressDrawTarget) -> Bar {
        Bar {
            bar: ProgressBar::with_draw_target(None, target),
            under_way: Mutex::new(None),
        }
    }

    /// Does something that writes to the terminal itself.
    pub(super) fn suspend(&self, work: impl FnOnce()) {
        self.bar.suspend(work);
    }

    /// The line of a stage that has ended.
    fn close(&self, ended: Option<Stage>) {
        if let Some(stage) = ended {
            let seconds = stage.since.elapsed().as_secs_f64();
            self.bar
                .println(format!("{:<12} {seconds:.1} s", stage.name));
        }
    }
}

impl Progress for Bar {
    fn stage(&self, name: &'static str, total: u64) {
        let now = Stage {
            name,
            since: Instant::now(),
        };
        self.close(self.under_way.lock().replace(now));
        // Each of these may draw: the look first, and no ticks before there is a stage, or a bar of nothing is seen.
        self.bar.set_style(style(total));
        self.bar.set_message(name);
        self.bar.set_length(total);
        self.bar.reset();
        if !self.bar.is_hidden() {
            self.bar.enable_steady_tick(TICK);
        }
    }

    fn advance(&self, by: u64) {
        self.bar.inc(by);
    }

    fn done(&self) {
        self.close(self.under_way.lock().take());
        self.bar.finish_and_clear();
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        // An error is about to be printed: the bar must not stand in its way.
        self.bar.finish_and_clear();
    }
}

/// A bar where the end is known, else a spinner.
fn style(total: u64) -> ProgressStyle {
    let template = if total == 0 {
        "{msg:<12} {spinner} {elapsed}"
    } else {
        "{msg:<12} [{bar:30}] {percent:>3} % {eta:>4} left"
    };
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_follow_each_other_and_each_starts_from_nothing() {
        let bar = Bar::on(ProgressDrawTarget::hidden());
        bar.stage("copying", 100);
        bar.advance(60);
        assert_eq!(
            (bar.bar.position(), bar.bar.message().as_str()),
            (60, "copying")
        );
        bar.stage("checking", 0);
        assert_eq!(
            (bar.bar.position(), bar.bar.message().as_str()),
            (0, "checking")
        );
        bar.done();
        assert!(bar.bar.is_finished() && bar.under_way.lock().is_none());
    }

    #[test]
    fn both_looks_can_be_drawn() {
        for total in [0, 5] {
            let template = style(total);
            drop(ProgressBar::hidden().with_style(template));
        }
    }
}
