//! What is known of a backup, beside it at every target.
//!
//! A backup exists once its manifest does: the manifest is written last, when the file was read back and compared. It holds nothing
//! secret: sizes, hashes, row counts, public keys. Here: its form, and what is believed of one that comes from elsewhere. Not here: making
//! one (`make`) and comparing a file with one.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::id::BackupId;

/// The form that this program writes.
pub const FORMAT: u32 = 1;

/// Why a manifest is not believed.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Not JSON of this form.
    #[error("the manifest cannot be read")]
    Unreadable(#[source] serde_json::Error),
    /// A later program wrote it.
    #[error(
        "the manifest has form {format}, this program knows up to {FORMAT}; hint: use the version of `ops-sidecar` that made the backup, or a newer one"
    )]
    Newer {
        /// The form it has.
        format: u32,
    },
    /// It says something that no backup of this name can say.
    #[error("the manifest is not to be believed: {0}")]
    Odd(&'static str),
}

/// Everything that is known of one backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The form; [`FORMAT`].
    pub format: u32,
    /// The name.
    pub id: String,
    /// Everything that was acknowledged before this moment is inside (RFC 3339, UTC).
    pub at: String,
    /// The version of the program that made it.
    pub version: String,
    /// The file as it lies at the target.
    pub file: FilePart,
    /// The database in it.
    pub database: DatabasePart,
    /// How far each audit chain had come.
    pub chains: Vec<ChainEnd>,
    /// Whether a secret key is needed to open it.
    pub encrypted: bool,
    /// The public keys that it was encrypted to.
    pub recipients: Vec<String>,
    /// How long copying, checking and sealing took, in milliseconds.
    pub took_ms: u64,
}

/// The file as it lies at the target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilePart {
    /// Its name, beside the manifest.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, in hex.
    pub sha256: String,
}

/// The database inside the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabasePart {
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of its image, in hex.
    pub sha256: String,
    /// Bytes in a page.
    pub page_size: u32,
    /// Pages.
    pub pages: u32,
    /// Version of the schema.
    pub schema: u32,
    /// The oldest schema whose programs can read it.
    pub compatible_from: u32,
    /// How often this state had been restored.
    pub restore_epoch: u64,
    /// Rows of each table.
    pub rows: BTreeMap<String, u64>,
}

/// The end of an audit chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainEnd {
    /// A tenant's opaque id, `env` or `system`.
    pub chain: String,
    /// Number of its newest record.
    pub rows: u64,
    /// Hash of its newest record, in hex.
    pub head: String,
    /// What was wrong with the chain when the backup was made, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

impl ChainEnd {
    /// The chain and what is wrong with it, in words for people.
    pub(super) fn broken(&self) -> Option<String> {
        let problem = self.problem.as_ref()?;
        Some(format!(
            "the audit chain `{}` is not whole: {problem}",
            self.chain
        ))
    }
}

/// The chains among these that are not whole, in words for people; `None` when all are.
pub(super) fn broken(chains: &[ChainEnd]) -> Option<String> {
    let broken: Vec<String> = chains.iter().filter_map(ChainEnd::broken).collect();
    (!broken.is_empty()).then(|| broken.join("; "))
}

/// What is looked at before anything else: a later form may have other fields.
#[derive(Deserialize)]
struct Form {
    format: u32,
}

impl Manifest {
    /// Reads what lies under `id` at a target. Fields that this program does not know are passed by.
    ///
    /// # Errors
    /// It cannot be read, is of a later form, or says what no backup of this name can say (a file elsewhere, say).
    pub fn parse(id: &BackupId, bytes: &[u8]) -> Result<Manifest, ManifestError> {
        let form: Form = serde_json::from_slice(bytes).map_err(ManifestError::Unreadable)?;
        if form.format > FORMAT {
            return Err(ManifestError::Newer {
                format: form.format,
            });
        }
        let manifest: Manifest =
            serde_json::from_slice(bytes).map_err(ManifestError::Unreadable)?;
        manifest.believable(id).map_err(ManifestError::Odd)?;
        Ok(manifest)
    }

    /// The text that is kept at the targets.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("texts and numbers are JSON");
        bytes.push(b'\n');
        bytes
    }

    /// The name.
    #[must_use]
    pub fn backup_id(&self) -> BackupId {
        self.id.parse().expect("checked when it was read or made")
    }

    /// Everything that was acknowledged before this moment is inside; milliseconds since 1970.
    #[must_use]
    pub fn at_ms(&self) -> i64 {
        self.moment().map_or(0, Timestamp::as_millisecond)
    }

    /// Whether all audit chains in it were whole when it was made. One that is not takes no other's place.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.chains.iter().all(|chain| chain.problem.is_none())
    }

    /// Where a target keeps the file.
    #[must_use]
    pub fn file_key(&self) -> String {
        self.backup_id().file_key(self.encrypted)
    }

    fn moment(&self) -> Option<Timestamp> {
        self.at.parse().ok()
    }

    fn believable(&self, id: &BackupId) -> Result<(), &'static str> {
        let is_hash = |text: &str| {
            text.len() == 64
                && text
                    .bytes()
                    .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        if self.format == 0 {
            return Err("it has no form");
        }
        if self.id != id.to_string() {
            return Err("it is another backup's");
        }
        if self.file.name != id.file_name(self.encrypted) {
            return Err("its file has another name than its id says");
        }
        if !is_hash(&self.file.sha256) || !is_hash(&self.database.sha256) {
            return Err("a hash is none");
        }
        if u64::from(self.database.page_size) * u64::from(self.database.pages)
            != self.database.bytes
        {
            return Err("pages and size of the database contradict each other");
        }
        if self.moment().is_none() {
            return Err("its moment is none");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "20261121T214011Z-3f9a1c";

    fn manifest() -> Manifest {
        Manifest {
            format: FORMAT,
            id: ID.to_owned(),
            at: "2026-11-21T21:40:11.042Z".to_owned(),
            version: "0.1.0".to_owned(),
            file: FilePart {
                name: format!("{ID}.db.zst.age"),
                bytes: 40_961,
                sha256: "a1".repeat(32),
            },
            database: DatabasePart {
                bytes: 4096 * 52,
                sha256: "b2".repeat(32),
                page_size: 4096,
                pages: 52,
                schema: 7,
                compatible_from: 6,
                restore_epoch: 0,
                rows: BTreeMap::from([("audit".to_owned(), 12), ("meta".to_owned(), 3)]),
            },
            chains: vec![ChainEnd {
                chain: "system".to_owned(),
                rows: 12,
                head: "c3".repeat(32),
                problem: None,
            }],
            encrypted: true,
            recipients: vec![
                "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p".to_owned(),
            ],
            took_ms: 120,
        }
    }

    fn id() -> BackupId {
        ID.parse().unwrap()
    }

    #[test]
    fn a_manifest_looks_like_this_and_is_read_back() {
        let bytes = manifest().to_bytes();
        insta::assert_snapshot!(String::from_utf8(bytes.clone()).unwrap());
        let read = Manifest::parse(&id(), &bytes).unwrap();
        assert_eq!(read, manifest());
        assert_eq!(read.file_key(), format!("snapshots/{ID}.db.zst.age"));
        assert_eq!(read.at_ms(), 1_795_297_211_042);
    }

    #[test]
    fn fields_of_later_programs_are_passed_by() {
        let mut json = serde_json::to_value(manifest()).unwrap();
        json["colour"] = "blue".into();
        json["database"]["collation"] = 7.into();
        let bytes = serde_json::to_vec(&json).unwrap();
        assert_eq!(Manifest::parse(&id(), &bytes).unwrap(), manifest());
    }

    #[test]
    fn a_later_form_is_refused_whatever_else_it_holds() {
        let error = Manifest::parse(&id(), br#"{"format": 2, "all": "new"}"#).unwrap_err();
        assert!(
            matches!(error, ManifestError::Newer { format: 2 }),
            "{error}"
        );
    }

    #[test]
    fn a_manifest_that_points_elsewhere_or_contradicts_itself_is_not_believed() {
        type Change = fn(&mut Manifest);
        let changes: [Change; 8] = [
            |m| m.format = 0,
            |m| m.id = "20261121T214011Z-ffffff".to_owned(),
            |m| m.file.name = "../../state.db".to_owned(),
            |m| m.file.name = "20261121T214011Z-ffffff.db.zst.age".to_owned(),
            |m| m.encrypted = false,
            |m| m.file.sha256 = "A1".repeat(32),
            |m| m.database.pages = 51,
            |m| m.at = "yesterday".to_owned(),
        ];
        for change in changes {
            let mut odd = manifest();
            change(&mut odd);
            let error = Manifest::parse(&id(), &odd.to_bytes()).unwrap_err();
            assert!(matches!(error, ManifestError::Odd(_)), "{error}");
        }
    }

    #[test]
    fn a_cut_manifest_is_unreadable() {
        let bytes = manifest().to_bytes();
        for end in [0, 1, bytes.len() / 2, bytes.len() - 3] {
            let error = Manifest::parse(&id(), &bytes[..end]).unwrap_err();
            assert!(matches!(error, ManifestError::Unreadable(_)), "{error}");
        }
    }
}
