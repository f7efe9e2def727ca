//! Who can get at the files of secrets in the home folder.
//!
//! Asked with `lstat` alone: this program never opens them, and has no use for what they hold.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde::Serialize;
use shared::paths::Home;

use super::Draft;

/// Any permission for the group or for others.
const OTHERS: u32 = 0o077;

/// What can be told about a file without opening it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyFile {
    /// There is none; the master key is kept elsewhere, or nothing is sealed.
    #[default]
    Absent,
    /// For its owner alone.
    Private,
    /// Its permissions let others at it.
    Exposed,
    /// It is another user's.
    Foreign,
    /// It is a link, a folder or something else that is not a file.
    NotAFile,
    /// The system does not say.
    Unknown,
}

/// The files of secrets in the home folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HomeFacts {
    /// `master.key`.
    pub master_key: KeyFile,
    /// `master.key.next`, which exists while a key is rotated.
    pub master_key_next: KeyFile,
}

/// Looks; never opens anything.
#[must_use]
pub fn look(home: &Home) -> HomeFacts {
    HomeFacts {
        master_key: ask(&home.master_key()),
        master_key_next: ask(&home.master_key_next()),
    }
}

fn ask(path: &Path) -> KeyFile {
    let about = match std::fs::symlink_metadata(path) {
        Ok(about) => about,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return KeyFile::Absent,
        Err(_) => return KeyFile::Unknown,
    };
    if !about.is_file() {
        KeyFile::NotAFile
    } else if about.uid() != rustix::process::geteuid().as_raw() {
        KeyFile::Foreign
    } else if about.mode() & OTHERS != 0 {
        KeyFile::Exposed
    } else {
        KeyFile::Private
    }
}

/// A key that others could have read must be taken for known to them. The servers refuse such a file until it is mended.
#[must_use]
pub fn judge(facts: &HomeFacts) -> Vec<Draft> {
    let files = [
        ("master.key", facts.master_key),
        ("master.key.next", facts.master_key_next),
    ];
    // One finding for both: who mends one looks at the other.
    let worst = files.into_iter().find_map(|(name, file)| draft(name, file));
    worst.into_iter().collect()
}

fn draft(name: &str, file: KeyFile) -> Option<Draft> {
    let finding =
        |summary: String, hint: String| Some(Draft::fail("home.master_key_exposed", summary, hint));
    match file {
        KeyFile::Exposed => finding(
            format!("`{name}` in the home folder can be reached by other users of this machine"),
            format!(
                "run `chmod 600 {name}` there; if others use this machine, run `mcp-stdio key rotate` as well"
            ),
        ),
        KeyFile::Foreign => finding(
            format!("`{name}` in the home folder belongs to another user"),
            format!(
                "run `chown` to give `{name}` to the user of this program, then `chmod 600 {name}`"
            ),
        ),
        KeyFile::NotAFile => finding(
            format!("`{name}` in the home folder is a link or a folder, not a file"),
            format!(
                "put the key itself there, or name its real place with `ORDERDESK_MCP_MASTER_KEY_FILE`, and remove `{name}`"
            ),
        ),
        KeyFile::Absent | KeyFile::Private | KeyFile::Unknown => None,
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn home() -> (tempfile::TempDir, Home) {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::at(folder.path());
        (folder, home)
    }

    fn with_mode(mode: u32) -> HomeFacts {
        let (_folder, home) = home();
        fs::write(home.master_key(), "never read").expect("a file");
        fs::set_permissions(home.master_key(), Permissions::from_mode(mode)).expect("a mode");
        look(&home)
    }

    #[test]
    fn a_home_without_a_key_file_is_fine() {
        let (_folder, home) = home();
        assert_eq!(look(&home), HomeFacts::default());
        assert_eq!(judge(&look(&home)), []);
    }

    #[test]
    fn a_key_file_for_its_owner_alone_is_fine_also_one_that_nobody_may_open() {
        for mode in [0o600, 0o400, 0o000] {
            assert_eq!(with_mode(mode).master_key, KeyFile::Private, "{mode:o}");
            assert_eq!(judge(&with_mode(mode)), [], "{mode:o}");
        }
    }

    #[test]
    fn a_key_file_that_others_can_reach_is_a_failure_with_the_command_that_mends_it() {
        for mode in [0o640, 0o604, 0o620, 0o610] {
            let [draft] = judge(&with_mode(mode)).try_into().expect("one finding");
            assert_eq!(draft.id, "home.master_key_exposed", "{mode:o}");
            assert!(draft.hint.contains("`chmod 600 master.key`"), "{draft:?}");
        }
    }

    #[test]
    fn a_link_is_not_followed() {
        let (folder, home) = home();
        let real = folder.path().join("real");
        fs::write(&real, "never read").expect("a file");
        fs::set_permissions(&real, Permissions::from_mode(0o600)).expect("a mode");
        std::os::unix::fs::symlink(&real, home.master_key()).expect("a link");
        assert_eq!(look(&home).master_key, KeyFile::NotAFile);
        assert_eq!(judge(&look(&home)).len(), 1);
    }

    #[test]
    fn the_file_of_a_rotation_under_way_counts_too() {
        let (_folder, home) = home();
        fs::write(home.master_key_next(), "never read").expect("a file");
        fs::set_permissions(home.master_key_next(), Permissions::from_mode(0o644)).expect("a mode");
        assert!(judge(&look(&home))[0].summary.contains("master.key.next"));
    }
}
