//! Ctrl-C while a secret is asked for.
//!
//! A terminal that does not echo keeps not echoing when its program is killed, and not every shell mends that. So from the first
//! hidden prompt on the signal is caught: at a prompt it ends the question, the terminal is put right, and the command ends by itself;
//! anywhere else it ends the process as it always does.

use std::io;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

/// What shells give a command that Ctrl-C has ended: 128 and the number of the signal.
pub(super) const EXIT_CODE: i32 = 130;

/// Whether a hidden prompt stands on the terminal now.
static ASKING: AtomicBool = AtomicBool::new(false);

/// Whether a prompt was ended by Ctrl-C, and the command is on its way out.
static LEAVING: AtomicBool = AtomicBool::new(false);

/// How long an interrupted prompt has to put the terminal right. A signal that was sent from elsewhere ends no prompt: then the process
/// ends as it is.
const TIME_TO_LEAVE: Duration = Duration::from_millis(200);

/// Runs `ask`, which turns the echo off and puts it right when it returns.
pub(super) fn held<T>(ask: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(listen);
    ASKING.store(true, Ordering::SeqCst);
    let answer = ask();
    let interrupted = |error: &io::Error| error.kind() == io::ErrorKind::Interrupted;
    LEAVING.store(answer.as_ref().is_err_and(interrupted), Ordering::SeqCst);
    ASKING.store(false, Ordering::SeqCst);
    answer
}

/// Catches the signal from here on. Without a thread the signal keeps its own way: worse for the terminal, no worse for the data.
fn listen() {
    let (ready, caught) = channel();
    let body = move || drop(end_on_signals(&ready));
    if std::thread::Builder::new()
        .name("ctrl-c".to_owned())
        .spawn(body)
        .is_ok()
    {
        let _ = caught.recv();
    }
}

fn end_on_signals(ready: &Sender<()>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut signals = Signals::catch()?;
        let _ = ready.send(());
        while signals.next().await {
            if ASKING.load(Ordering::SeqCst) {
                tokio::time::sleep(TIME_TO_LEAVE).await;
            }
            if !LEAVING.load(Ordering::SeqCst) {
                std::process::exit(EXIT_CODE);
            }
        }
        Ok(())
    })
}

#[cfg(unix)]
struct Signals(tokio::signal::unix::Signal);

#[cfg(unix)]
impl Signals {
    fn catch() -> io::Result<Signals> {
        let kind = tokio::signal::unix::SignalKind::interrupt();
        tokio::signal::unix::signal(kind).map(Signals)
    }

    async fn next(&mut self) -> bool {
        self.0.recv().await.is_some()
    }
}

#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn catch() -> io::Result<Signals> {
        tokio::signal::windows::ctrl_c().map(Signals)
    }

    async fn next(&mut self) -> bool {
        self.0.recv().await.is_some()
    }
}
