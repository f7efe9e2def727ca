//! Lines of bounded length, read on a thread of their own.
//!
//! Here: cutting stdin into lines and keeping only the ends of one that is too long. Not here: what a line means. A plain
//! thread reads because a blocked read on a runtime's thread pool cannot be cancelled and would hold up the end of the
//! process for as long as the client keeps stdin open. The queue to the runtime is short: when nobody takes lines, the thread
//! stops reading, and the client feels it.

use std::io::{BufRead, BufReader, ErrorKind, Read};

use tokio::sync::mpsc;

/// Lines that wait for the runtime. Few, because each may be as long as the limit.
const QUEUE: usize = 8;

/// How much of each end of an oversized line is kept: enough to find its `id`, wherever the client writes it.
pub(super) const KEPT_END_BYTES: usize = 1024;

/// What the reader found up to a line feed or the end of the input.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A whole line without its line end. The last line of an input may lack the line feed.
    Whole(Vec<u8>),
    /// A line beyond the limit; its first and last bytes.
    TooLong { head: Vec<u8>, tail: Vec<u8> },
}

/// Reads lines of at most `limit` bytes until the input ends. A read error counts as the end.
pub(super) fn spawn(
    input: Box<dyn Read + Send>,
    limit: usize,
) -> std::io::Result<mpsc::Receiver<Line>> {
    let (sender, receiver) = mpsc::channel(QUEUE);
    std::thread::Builder::new()
        .name("stdin".to_owned())
        .spawn(move || {
            let mut lines = Lines::new(input, limit);
            while let Some(line) = lines.next() {
                if sender.blocking_send(line).is_err() {
                    return;
                }
            }
        })?;
    Ok(receiver)
}

struct Lines<R> {
    input: BufReader<R>,
    limit: usize,
}

impl<R: Read> Lines<R> {
    fn new(input: R, limit: usize) -> Lines<R> {
        Lines {
            input: BufReader::with_capacity(64 * 1024, input),
            limit,
        }
    }

    fn next(&mut self) -> Option<Line> {
        let mut pending = Pending::default();
        loop {
            let available = match self.input.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => &[],
            };
            if available.is_empty() {
                return pending.finish_at_end();
            }
            let line_end = available.iter().position(|byte| *byte == b'\n');
            let part = &available[..line_end.unwrap_or(available.len())];
            pending.push(part, self.limit);
            let used = part.len() + usize::from(line_end.is_some());
            self.input.consume(used);
            if line_end.is_some() {
                return Some(pending.finish());
            }
        }
    }
}

/// A line that has not ended yet.
#[derive(Default)]
struct Pending {
    bytes: Vec<u8>,
    tail: Option<Vec<u8>>,
}

impl Pending {
    fn push(&mut self, part: &[u8], limit: usize) {
        if self.tail.is_none() && self.bytes.len() + part.len() <= limit {
            self.bytes.extend_from_slice(part);
            return;
        }
        let mut tail = self
            .tail
            .take()
            .unwrap_or_else(|| last(&self.bytes).to_vec());
        let head_room = KEPT_END_BYTES
            .saturating_sub(self.bytes.len())
            .min(part.len());
        self.bytes.extend_from_slice(&part[..head_room]);
        self.bytes.truncate(KEPT_END_BYTES);
        self.bytes.shrink_to_fit();
        tail.extend_from_slice(last(part));
        self.tail = Some(last(&tail).to_vec());
    }

    fn finish(self) -> Line {
        match self.tail {
            Some(tail) => Line::TooLong {
                head: self.bytes,
                tail,
            },
            None => Line::Whole(self.bytes),
        }
    }

    fn finish_at_end(self) -> Option<Line> {
        let nothing = self.bytes.is_empty() && self.tail.is_none();
        (!nothing).then(|| self.finish())
    }
}

fn last(bytes: &[u8]) -> &[u8] {
    &bytes[bytes.len().saturating_sub(KEPT_END_BYTES)..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: &[u8], limit: usize) -> Vec<Line> {
        let mut lines = Lines::new(input, limit);
        std::iter::from_fn(|| lines.next()).collect()
    }

    fn whole(text: &str) -> Line {
        Line::Whole(text.as_bytes().to_vec())
    }

    #[test]
    fn the_last_line_counts_without_its_line_feed() {
        assert_eq!(lines(b"a\nb", 10), [whole("a"), whole("b")]);
        assert_eq!(lines(b"a\n\n", 10), [whole("a"), whole("")]);
        assert_eq!(lines(b"", 10), []);
    }

    #[test]
    fn a_line_of_exactly_the_limit_is_whole_and_the_next_byte_is_too_much() {
        assert_eq!(lines(b"12345\n", 5), [whole("12345")]);
        assert!(matches!(lines(b"123456\n", 5)[..], [Line::TooLong { .. }]));
    }

    #[test]
    fn an_oversized_line_keeps_both_ends_and_the_next_line_is_unharmed() {
        let mut input = b"HEAD".to_vec();
        input.extend(std::iter::repeat_n(b'x', 300_000));
        input.extend(b"TAIL\nnext\n");
        let found = lines(&input, 1000);
        let Line::TooLong { head, tail } = &found[0] else {
            panic!("{found:?}")
        };
        assert!(head.starts_with(b"HEAD") && head.len() <= KEPT_END_BYTES);
        assert!(tail.ends_with(b"TAIL") && tail.len() <= KEPT_END_BYTES);
        assert_eq!(found[1], whole("next"));
    }

    #[test]
    fn an_oversized_last_line_without_line_feed_is_reported() {
        assert!(matches!(lines(&[b'x'; 50], 10)[..], [Line::TooLong { .. }]));
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_below_the_limit_comes_out_as_it_went_in(parts in proptest::collection::vec("[^\n]{0,40}", 0..20)) {
            let input = parts.iter().map(|part| format!("{part}\n")).collect::<String>();
            let expected: Vec<Line> = parts.iter().map(|part| whole(part)).collect();
            proptest::prop_assert_eq!(lines(input.as_bytes(), 1000), expected);
        }
    }
}
