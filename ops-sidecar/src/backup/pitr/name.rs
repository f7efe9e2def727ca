//! What the objects of recovery are called, and what their names alone say.
//!
//! A key is `pitr/<line>/<to>-<from>-<level>.inc.<ext>`: every plan, every retention and every search for gaps works on a listing, without
//! fetching anything. Names are claims; what an object really is stands inside of it and is proved when it is applied.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;

use super::level::Level;

/// The folder of all lines in a target.
pub(super) const FOLDER: &str = "pitr";
/// Milliseconds in names have this many digits, so that names sort as times do (until the year 2286).
const DIGITS: usize = 13;
/// Hex digits that tell apart lines that started in the same second.
const SUFFIX: usize = 6;
const STAMP: &str = "%Y%m%dT%H%M%SZ";
const STAMP_LENGTH: usize = 16;

/// A series of points that provably follow each other. Lines are ordered by when they started.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Line(Arc<str>);

impl Line {
    /// A new line that sorts behind `previous`, even when the clock has been set back since that one started.
    #[must_use]
    pub fn start(now_ms: i64, previous: Option<&Line>) -> Line {
        let now = now_ms.div_euclid(1000);
        let second = previous.map_or(now, |previous| now.max(previous.second() + 1));
        let at = Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH);
        let suffix = fastrand::u32(..) & 0x00ff_ffff;
        Line(format!("{}-{suffix:06x}", at.strftime(STAMP)).into())
    }

    /// As it stands in keys.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn second(&self) -> i64 {
        let stamp = &self.0[..STAMP_LENGTH];
        jiff::civil::DateTime::strptime(STAMP, stamp)
            .ok()
            .and_then(|at| at.to_zoned(jiff::tz::TimeZone::UTC).ok())
            .map_or(0, |at| at.timestamp().as_second())
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is no name of this room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a name of recovery to a moment")]
pub struct NotOurs;

impl FromStr for Line {
    type Err = NotOurs;

    fn from_str(text: &str) -> Result<Line, NotOurs> {
        let (stamp, suffix) = text.split_once('-').ok_or(NotOurs)?;
        let is_hex = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
        if stamp.len() != STAMP_LENGTH || suffix.len() != SUFFIX || !suffix.bytes().all(is_hex) {
            return Err(NotOurs);
        }
        let line = Line(text.into());
        let at = Timestamp::from_second(line.second()).map_err(|_| NotOurs)?;
        // Whatever does not come back as it went in is no stamp of ours.
        (at.strftime(STAMP).to_string() == stamp)
            .then_some(line)
            .ok_or(NotOurs)
    }
}

/// One object: the pages that lead from one point to another, or all pages of one point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    /// The point it leads to.
    pub to_ms: i64,
    /// The point it starts from; a base starts from nothing.
    pub from_ms: Option<i64>,
    /// Which series it belongs to.
    pub level: Level,
    /// Whether it is encrypted.
    pub is_sealed: bool,
}

impl Name {
    /// Whether it holds all pages.
    #[must_use]
    pub fn is_base(&self) -> bool {
        self.from_ms.is_none()
    }

    /// Its key in a target.
    #[must_use]
    pub fn key(&self, line: &Line) -> String {
        format!("{FOLDER}/{line}/{self}")
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:0DIGITS$}-", self.to_ms)?;
        match self.from_ms {
            Some(from_ms) => write!(f, "{from_ms:0DIGITS$}-")?,
            None => f.write_str("base-")?,
        }
        let extension = if self.is_sealed { "zst.age" } else { "zst" };
        write!(f, "{}.inc.{extension}", self.level.letter())
    }
}

impl FromStr for Name {
    type Err = NotOurs;

    fn from_str(text: &str) -> Result<Name, NotOurs> {
        let (stem, extension) = text.split_once(".inc.").ok_or(NotOurs)?;
        let is_sealed = match extension {
            "zst.age" => true,
            "zst" => false,
            _ => return Err(NotOurs),
        };
        let mut parts = stem.split('-');
        let (Some(to), Some(from), Some(level), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(NotOurs);
        };
        let from_ms = if from == "base" {
            None
        } else {
            Some(moment(from)?)
        };
        let name = Name {
            to_ms: moment(to)?,
            from_ms,
            level: Level::of_letter(level).ok_or(NotOurs)?,
            is_sealed,
        };
        let is_forward = name.from_ms.is_none_or(|from_ms| from_ms < name.to_ms);
        (is_forward && name.is_base() == (name.level == Level::Day))
            .then_some(name)
            .ok_or(NotOurs)
    }
}

fn moment(text: &str) -> Result<i64, NotOurs> {
    if text.len() != DIGITS || !text.bytes().all(|c| c.is_ascii_digit()) {
        return Err(NotOurs);
    }
    text.parse().map_err(|_| NotOurs)
}

/// The line and the name in a key, if it is one of ours: a foreign file in the folder is nobody's business.
#[must_use]
pub(super) fn parse_key(key: &str) -> Option<(Line, Name)> {
    let (line, name) = key
        .strip_prefix(FOLDER)?
        .strip_prefix('/')?
        .split_once('/')?;
    Some((line.parse().ok()?, name.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOON: i64 = 1_795_262_400_000;

    #[test]
    fn a_key_says_line_points_and_level() {
        let line = Line::start(NOON, None);
        let name = Name {
            to_ms: NOON,
            from_ms: Some(NOON - 600),
            level: Level::Second,
            is_sealed: true,
        };
        let key = name.key(&line);
        assert!(key.starts_with("pitr/20261121T120000Z-"), "{key}");
        assert!(
            key.ends_with("/1795262400000-1795262399400-s.inc.zst.age"),
            "{key}"
        );
        assert_eq!(parse_key(&key), Some((line, name)));
    }

    #[test]
    fn what_is_not_ours_is_not_taken_for_an_object() {
        for foreign in [
            "pitr/20261121T120000Z-00ab12/README",
            "pitr/20261121T120000Z-00ab12/1795262400000-base-s.inc.zst",
            "pitr/20261121T120000Z-00ab12/1795262400000-1795262400000-s.inc.zst",
            "pitr/20261121T120000Z-00ab12/1795262400000-1795262399400-d.inc.zst",
            "pitr/20261121T120000Z-00ab12/1795262400000-1795262399400-s.inc.gz",
            "pitr/20261121T120000Z-00ab12/+795262400000-base-d.inc.zst",
            "pitr/20261321T120000Z-00ab12/1795262400000-base-d.inc.zst",
            "pitr/20261121T120000Z-00AB12/1795262400000-base-d.inc.zst",
            "pitr/../1795262400000-base-d.inc.zst",
            "snapshots/20261121T120000Z-00ab12/1795262400000-base-d.inc.zst",
        ] {
            assert_eq!(parse_key(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn a_new_line_sorts_behind_the_previous_one_whatever_the_clock_says() {
        let first = Line::start(NOON, None);
        let second = Line::start(NOON - 3_600_000, Some(&first));
        let third = Line::start(NOON + 5_000, Some(&second));
        assert!(first < second && second < third, "{first} {second} {third}");
    }

    proptest! {
        #[test]
        fn names_come_back_and_sort_as_their_times(to in 1_000_000_000_000i64..9_999_999_999_999, gap in 1i64..100_000, level in 0usize..5) {
            let level = Level::ALL[level];
            let name = |to_ms: i64| Name {
                to_ms,
                from_ms: (level != Level::Day).then_some(to_ms - gap),
                level,
                is_sealed: gap % 2 == 0,
            };
            let text = name(to).to_string();
            prop_assert_eq!(text.parse::<Name>(), Ok(name(to)));
            prop_assert!(text < name(to + 1).to_string());
        }

        #[test]
        fn no_text_makes_parsing_fail_in_any_other_way(text in "\\PC{0,60}") {
            let _ = parse_key(&format!("{FOLDER}/{text}"));
            let _ = text.parse::<Line>();
        }
    }
}
