//! The name of a backup.
//!
//! Here: `20261121T214011Z-3f9a1c`, the second in UTC and six random hex digits, so that names sort by time and two machines never make
//! the same one; and the keys under which a target keeps its parts. Not here: what the parts hold (`manifest`).

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// The folder of backups at every target.
pub const FOLDER: &str = "snapshots/";
/// What the key of a manifest ends with.
const MANIFEST: &str = ".json";
/// `20261121T214011Z`.
const STAMP: &str = "%Y%m%dT%H%M%SZ";
const STAMP_CHARACTERS: usize = 16;
const RANDOM_DIGITS: usize = 6;

/// The name of a backup. Sorts by time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BackupId(String);

/// A text is not the name of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is not the id of a backup; hint: an id looks like `20261121T214011Z-3f9a1c`, `ops-sidecar backup list` shows them"
)]
pub struct NoBackupId;

impl BackupId {
    /// A new name for a backup that begins at `now_ms` (since 1970).
    #[must_use]
    pub fn new(now_ms: i64) -> BackupId {
        let at = Timestamp::from_millisecond(now_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        BackupId(format!(
            "{}-{:06x}",
            at.to_zoned(TimeZone::UTC).strftime(STAMP),
            fastrand::u32(..1 << 24)
        ))
    }

    /// The second at which it began.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        moment(&self.0).expect("whoever made the id has checked it")
    }

    /// Where a target keeps its manifest.
    #[must_use]
    pub fn manifest_key(&self) -> String {
        format!("{FOLDER}{self}{MANIFEST}")
    }

    /// Where a target keeps its file, which is encrypted or not.
    #[must_use]
    pub fn file_key(&self, encrypted: bool) -> String {
        format!("{FOLDER}{}", self.file_name(encrypted))
    }

    /// The name of its file.
    #[must_use]
    pub fn file_name(&self, encrypted: bool) -> String {
        let extension = if encrypted { "zst.age" } else { "zst" };
        format!("{self}.db.{extension}")
    }

    /// The backup whose manifest is kept under `key`, if it is one.
    #[must_use]
    pub fn of_manifest_key(key: &str) -> Option<BackupId> {
        key.strip_prefix(FOLDER)?
            .strip_suffix(MANIFEST)?
            .parse()
            .ok()
    }

    /// The backup that `key` is a part of: its manifest or its file.
    #[must_use]
    pub fn of_key(key: &str) -> Option<BackupId> {
        let (id, _) = key.strip_prefix(FOLDER)?.split_once('.')?;
        let id: BackupId = id.parse().ok()?;
        let is_part =
            [id.manifest_key(), id.file_key(true), id.file_key(false)].contains(&key.to_owned());
        is_part.then_some(id)
    }
}

impl fmt::Display for BackupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Strict: an id becomes a part of paths and URLs.
impl FromStr for BackupId {
    type Err = NoBackupId;

    fn from_str(text: &str) -> Result<BackupId, NoBackupId> {
        let (stamp, random) = text.split_once('-').ok_or(NoBackupId)?;
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let random_is_fine = random.len() == RANDOM_DIGITS && random.bytes().all(is_hex);
        if stamp.len() != STAMP_CHARACTERS || !random_is_fine || moment(text).is_none() {
            return Err(NoBackupId);
        }
        Ok(BackupId(text.to_owned()))
    }
}

fn moment(text: &str) -> Option<Timestamp> {
    let stamp = text.get(..STAMP_CHARACTERS)?;
    let shape = |(place, byte): (usize, u8)| match place {
        8 => byte == b'T',
        15 => byte == b'Z',
        _ => byte.is_ascii_digit(),
    };
    if !stamp.bytes().enumerate().all(shape) {
        return None;
    }
    let at = DateTime::strptime(STAMP, stamp).ok()?;
    Some(at.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT_MS: i64 = 1_795_297_211_999;

    #[test]
    fn an_id_says_the_second_and_is_read_back() {
        let id = BackupId::new(AT_MS);
        assert!(id.to_string().starts_with("20261121T214011Z-"), "{id}");
        assert_eq!(id.to_string().len(), 23);
        assert_eq!(id.to_string().parse::<BackupId>(), Ok(id.clone()));
        assert_eq!(id.at().as_second(), AT_MS / 1000);
    }

    #[test]
    fn ids_sort_by_time() {
        let ids: Vec<BackupId> = (0..50).map(|n| BackupId::new(AT_MS + n * 1000)).collect();
        assert!(ids.is_sorted());
    }

    #[test]
    fn what_could_become_another_path_is_no_id() {
        for wrong in [
            "",
            "latest",
            "../20261121T214011Z-3f9a1c",
            "20261121T214011Z-3f9a1c/..",
            "20261121T214011Z-3F9A1C",
            "20261121T214011Z-3f9a1",
            "20261121T214011Z-3f9a1cc",
            "20261321T214011Z-3f9a1c",
            "20261121T256011Z-3f9a1c",
            "2026112 T214011Z-3f9a1c",
            "20261121t214011z-3f9a1c",
            "20261121T214011Z_3f9a1c",
            "２0261121T214011Z-3f9a1c",
        ] {
            assert_eq!(wrong.parse::<BackupId>(), Err(NoBackupId), "{wrong}");
        }
    }

    #[test]
    fn keys_lead_back_to_the_id_and_foreign_ones_nowhere() {
        let id = BackupId::new(AT_MS);
        assert_eq!(
            BackupId::of_manifest_key(&id.manifest_key()),
            Some(id.clone())
        );
        for key in [id.manifest_key(), id.file_key(true), id.file_key(false)] {
            assert_eq!(BackupId::of_key(&key), Some(id.clone()), "{key}");
        }
        for foreign in [
            format!("{FOLDER}{id}.db"),
            format!("{FOLDER}{id}.json.tmp"),
            format!("{FOLDER}x/{id}.json"),
            format!("{id}.json"),
            "snapshots/readme.txt".to_owned(),
        ] {
            assert_eq!(BackupId::of_key(&foreign), None, "{foreign}");
            assert_eq!(BackupId::of_manifest_key(&foreign), None, "{foreign}");
        }
    }
}
