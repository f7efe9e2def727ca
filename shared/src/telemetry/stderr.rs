//! stderr for a log that must never hold up the program.
//!
//! Some clients start a server with a pipe for stderr and never read it. When that pipe is full, a write blocks for ever,
//! and with it whatever was about to log: the whole session, at any level but the quietest. So a line is written when it
//! can be and lost when it cannot; how many were lost is said before the next one that goes through. A terminal, a file
//! and a pipe that somebody reads always can. Windows cannot be asked; there a line is simply written.

use std::io::{self, Write};

use parking_lot::Mutex;

/// What a pipe takes without blocking once it has said that it is writable: a page on Linux. macOS says so for 512 bytes, and takes
/// longer lines in one go unless it is nearly full.
const AT_A_TIME: usize = 4096;

/// Lines lost since the last one that went through.
static LOST: Mutex<u64> = Mutex::new(0);

/// Writes one line per call to `write`, or loses it.
#[derive(Debug)]
pub(super) struct Patient<W = io::Stderr>(W);

/// A writer for one line.
pub(super) fn patient() -> Patient {
    Patient(io::stderr())
}

impl<W: Write + Writable> Patient<W> {
    /// The lock is held over asking and writing: two who ask at once would both be told yes for one place.
    fn line(&mut self, line: &[u8], lost: &Mutex<u64>) -> io::Result<()> {
        let mut lost = lost.lock();
        if !self.0.is_writable() {
            *lost += 1;
            return Ok(());
        }
        if *lost > 0 {
            writeln!(self.0, "{lost} lines of log were lost: nobody read them")?;
            *lost = 0;
        }
        for part in line.chunks(AT_A_TIME) {
            if !self.0.is_writable() {
                *lost += 1;
                return Ok(());
            }
            self.0.write_all(part)?;
        }
        Ok(())
    }
}

impl<W: Write + Writable> Write for Patient<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.line(line, &LOST)?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Where a write can be told to block before it does.
pub(super) trait Writable {
    /// Whether a write of up to [`AT_A_TIME`] bytes returns at once. Yes when nobody can tell.
    fn is_writable(&self) -> bool;
}

#[cfg(unix)]
impl<T: std::os::fd::AsFd> Writable for T {
    fn is_writable(&self) -> bool {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let mut asked = [PollFd::new(self, PollFlags::OUT)];
        let at_once = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // A reader that is gone makes the pipe "writable": the write fails at once and harms nobody.
        poll(&mut asked, Some(&at_once)) != Ok(0)
    }
}

#[cfg(not(unix))]
impl Writable for io::Stderr {
    fn is_writable(&self) -> bool {
        true
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::{PipeReader, PipeWriter, Read as _, pipe};

    use super::*;

    fn full() -> (PipeReader, Patient<PipeWriter>, Mutex<u64>) {
        let (reader, writer) = pipe().expect("a pipe");
        let mut patient = Patient(writer);
        let lost = Mutex::new(0);
        while *lost.lock() == 0 {
            patient
                .line(&[b'x'; 1000], &lost)
                .expect("the reader is there");
        }
        (reader, patient, lost)
    }

    #[test]
    fn a_pipe_that_nobody_reads_takes_what_it_can_and_then_loses_lines_instead_of_waiting() {
        let (_reader, mut patient, lost) = full();
        for _ in 0..10_000 {
            patient.line(&[b'y'; 10_000], &lost).unwrap();
        }
        assert_eq!(*lost.lock(), 10_001);
    }

    #[test]
    fn how_many_lines_were_lost_is_said_as_soon_as_somebody_reads() {
        let (mut reader, mut patient, lost) = full();
        patient.line(b"lost too\n", &lost).unwrap();
        reader.read_exact(&mut [0; 20_000]).unwrap();
        patient.line(b"here again\n", &lost).unwrap();
        drop(patient);
        let mut rest = String::new();
        reader.read_to_string(&mut rest).unwrap();
        assert!(
            rest.ends_with("2 lines of log were lost: nobody read them\nhere again\n"),
            "{rest}"
        );
        assert_eq!(*lost.lock(), 0);
    }

    #[test]
    fn a_reader_that_is_gone_is_an_error_and_no_wait() {
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        assert!(Patient(writer).line(b"x", &Mutex::new(0)).is_err());
    }
}
