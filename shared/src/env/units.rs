//! Numbers with and without units, as people write them.
//!
//! Here: reading `15s`, `500ms`, `4MiB`, `2.9`, and printing them back in the shortest exact form. Not here: ranges. A bare number of a
//! time span is in seconds and of a size in bytes, because that is what a name such as `HTTP_TIMEOUT=30` is taken to mean.

use std::time::Duration;

use super::kind::Refusal;

/// Time units and their length in milliseconds, the longest first.
const TIME_UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Size units and their number of bytes. The decimal ones are read, never printed.
const SIZE_UNITS: [(&str, u64); 7] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

/// The longest time span that is read: 100 years, far from any overflow.
const MAX_MS: f64 = 100.0 * 366.0 * 86_400_000.0;

/// The largest size that is read: 2^53, the last whole number that a fraction can be multiplied to exactly.
const MAX_BYTES: f64 = 9_007_199_254_740_992.0;

pub(super) fn count(text: &str) -> Result<u64, Refusal> {
    text.parse()
        .map_err(|_| Refusal::new("is not a whole number"))
}

pub(super) fn number(text: &str) -> Result<f64, Refusal> {
    let number: f64 = text.parse().map_err(|_| Refusal::new("is not a number"))?;
    if !number.is_finite() {
        return Err(Refusal::new("is not a finite number"));
    }
    Ok(number)
}

pub(super) fn duration(text: &str) -> Result<Duration, Refusal> {
    let (amount, unit) = split(text);
    let unit = if unit.is_empty() { "s" } else { unit };
    let known = TIME_UNITS.iter().find(|(name, _)| *name == unit);
    let (Some(amount), Some((_, unit_ms))) = (amount, known) else {
        return Err(Refusal::new("is not a time span"));
    };
    let ms = whole(amount, *unit_ms, MAX_MS)
        .ok_or_else(|| Refusal::new("is not a time span in whole milliseconds below 100 years"))?;
    Ok(Duration::from_millis(ms))
}

pub(super) fn bytes(text: &str) -> Result<u64, Refusal> {
    let (amount, unit) = split(text);
    let unit = if unit.is_empty() { "B" } else { unit };
    let known = SIZE_UNITS
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(unit));
    let (Some(amount), Some((_, unit_bytes))) = (amount, known) else {
        return Err(Refusal::new("is not a size"));
    };
    whole(amount, *unit_bytes, MAX_BYTES)
        .ok_or_else(|| Refusal::new("is not a whole number of bytes"))
}

/// The span in the largest unit that says it exactly.
pub(super) fn print_duration(span: Duration) -> String {
    let ms = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    let exact = TIME_UNITS
        .iter()
        .find(|(_, unit_ms)| ms >= *unit_ms && ms.is_multiple_of(*unit_ms));
    match exact {
        Some((name, unit_ms)) => format!("{}{name}", ms / unit_ms),
        None => "0s".to_owned(),
    }
}

/// The size in the largest binary unit that says it exactly.
pub(super) fn print_bytes(bytes: u64) -> String {
    let exact = SIZE_UNITS
        .iter()
        .find(|(name, unit)| name.ends_with("iB") && bytes >= *unit && bytes.is_multiple_of(*unit));
    match exact {
        Some((name, unit)) => format!("{}{name}", bytes / unit),
        None => format!("{bytes}B"),
    }
}

/// `15 s` → (15, "s"). Only digits and one point make a number here: no signs, no exponents.
fn split(text: &str) -> (Option<f64>, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    (text[..end].parse().ok(), text[end..].trim_start())
}

/// `amount` × `unit` if that is a whole number up to `limit`; half a byte is a slip. The tolerance is for fractions that binary
/// numbers cannot say exactly: `1.1s` is 1100 ms.
fn whole(amount: f64, unit: u64, limit: f64) -> Option<u64> {
    let product = amount * unit as f64;
    let rounded = product.round();
    let is_whole = (product - rounded).abs() <= 1e-6;
    (is_whole && rounded <= limit).then_some(rounded as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ms(text: &str) -> Option<u64> {
        duration(text).ok().map(|span| span.as_millis() as u64)
    }

    #[test]
    fn time_spans_are_read_with_units_and_bare_numbers_are_seconds() {
        for (text, expected) in [
            ("15s", 15_000),
            ("500ms", 500),
            ("2m", 120_000),
            ("1h", 3_600_000),
            ("1d", 86_400_000),
            ("30", 30_000),
            ("1.5s", 1_500),
            ("1.1 s", 1_100),
            ("0", 0),
        ] {
            assert_eq!(ms(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn sizes_are_read_with_units_and_bare_numbers_are_bytes() {
        for (text, expected) in [
            ("4MiB", 4 << 20),
            ("4 mib", 4 << 20),
            ("1.5KiB", 1536),
            ("4MB", 4_000_000),
            ("1kb", 1_000),
            ("512", 512),
            ("7B", 7),
        ] {
            assert_eq!(bytes(text).ok(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "",
            "s",
            "-5s",
            "+5s",
            "1e3s",
            "5 parsecs",
            "0x10",
            "1.2.3s",
            "NaN",
            "inf",
            "0.0001s",
            "99999999999d",
            "5s5s",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
        for text in [
            "",
            "MiB",
            "-1",
            "1.5B",
            "1e9",
            "4 MIBS",
            "99999999999999999999",
        ] {
            assert!(bytes(text).is_err(), "{text}");
        }
        assert!(number("NaN").is_err() && number("inf").is_err() && number("2,9").is_err());
        assert!(count("2.0").is_err() && count("-1").is_err());
    }

    proptest! {
        #[test]
        fn a_printed_span_is_read_back(span_ms in 0u64..3_000_000_000_000) {
            let span = Duration::from_millis(span_ms);
            prop_assert_eq!(duration(&print_duration(span)).unwrap(), span);
        }

        #[test]
        fn a_printed_size_is_read_back(size in 0u64..(1 << 50)) {
            prop_assert_eq!(bytes(&print_bytes(size)).unwrap(), size);
        }

        #[test]
        fn no_text_makes_the_readers_panic(text in "\\PC*") {
            let _ = (duration(&text), bytes(&text), number(&text), count(&text));
        }
    }
}
