//! The home folder and the places in it.
//!
//! Here: which folder is home, and the name of everything in it, once. Not here: what the files hold. Both binaries resolve the same
//! home from the same inputs; if they did not, the sidecar would watch a state file that nobody writes.

use std::fs::DirBuilder;
use std::io;
use std::path::{Path, PathBuf};

use directories::BaseDirs;

use crate::env::{Source, Vars};

/// The environment variable that names the home folder.
pub const HOME_VARIABLE: &str = "ORDERDESK_MCP_HOME";

/// The folder's name inside the platform's data folder.
const FOLDER: &str = "orderdesk-mcp";

/// Why no home folder could be determined.
#[derive(Debug, thiserror::Error)]
pub enum PathsError {
    /// No home was named, and the platform knows no data folder for this user (a service user without a home, say).
    #[error(
        "no home folder: this user has no data folder; hint: name one with `--home` or `{HOME_VARIABLE}`"
    )]
    NoDataFolder,
    /// A relative path was given and the current folder is gone or unreadable.
    #[error("no home folder: `{}` is relative and the current folder cannot be read; hint: give an absolute path", path.display())]
    Relative {
        /// What was given.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// The home folder. Cheap to clone; nothing is created or read before [`Home::create`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    root: PathBuf,
    source: Source,
}

impl Home {
    /// The home at a known place.
    pub fn at(root: impl Into<PathBuf>) -> Home {
        Home {
            root: root.into(),
            source: Source::Default,
        }
    }

    /// The flag, else [`HOME_VARIABLE`], else `orderdesk-mcp` in the platform's data folder (`~/.local/share`,
    /// `~/Library/Application Support`, `%APPDATA%`). An empty value counts as not given: clients pass empty strings for
    /// fields a person left blank. A leading `~/` is the user's home, because client configurations are read by no shell.
    ///
    /// # Errors
    /// [`PathsError`] if nothing was given and the platform has no answer.
    pub fn resolve(flag: Option<&Path>, env: &Vars) -> Result<Home, PathsError> {
        let flag = flag.filter(|path| !path.as_os_str().is_empty());
        let variable = env.get(HOME_VARIABLE).map(Path::new);
        let (root, source) = match (flag, variable) {
            (Some(path), _) => (absolute(&expand_tilde(path))?, Source::Flag),
            (None, Some(path)) => (absolute(&expand_tilde(path))?, Source::Environment),
            (None, None) => (platform_home()?, Source::Default),
        };
        Ok(Home { root, source })
    }

    /// Makes the folder and its rooms, for the owner only (0700 on unix). Safe to repeat; a folder that exists keeps its
    /// permissions, they are its owner's decision.
    ///
    /// # Errors
    /// Whatever the file system says, for example that the disk is read-only or that a file stands in the way.
    pub fn create(&self) -> io::Result<()> {
        for folder in [
            self.root.clone(),
            self.run_dir(),
            self.logs_dir(),
            self.backups_dir(),
        ] {
            create_private(&folder)?;
        }
        Ok(())
    }

    /// The folder itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Who said that home is here.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The shared state file. Opened by `shared::state` through SQLite and by nothing else.
    #[must_use]
    pub fn state_db(&self) -> PathBuf {
        self.root.join("state.db")
    }

    /// The settings file that is read when no other is named.
    #[must_use]
    pub fn config_file(&self) -> PathBuf {
        self.root.join("config.toml")
    }

    /// One locked file per living process, and the locks of the state file.
    #[must_use]
    pub fn run_dir(&self) -> PathBuf {
        self.root.join("run")
    }

    /// Log files, for whoever writes some.
    #[must_use]
    pub fn logs_dir(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// The local place of backups.
    #[must_use]
    pub fn backups_dir(&self) -> PathBuf {
        self.root.join("backups")
    }

    /// What the making of backups works in and notes about itself: never read as a backup.
    #[must_use]
    pub fn backup_spool(&self) -> PathBuf {
        self.backups_dir().join("spool")
    }

    /// Copies of the state file that were made before its schema changed or a restore replaced it.
    #[must_use]
    pub fn kept_copies(&self) -> PathBuf {
        self.backups_dir().join("kept")
    }

    /// Held by the one process that makes, prunes or drills backups.
    #[must_use]
    pub fn backup_lock(&self) -> PathBuf {
        self.run_dir().join("backup.lock")
    }

    /// Held by the one process that ships what changed, second by second.
    #[must_use]
    pub fn pitr_lock(&self) -> PathBuf {
        self.run_dir().join("pitr.lock")
    }

    /// Space kept in reserve, given back when the disk is full.
    #[must_use]
    pub fn ballast(&self) -> PathBuf {
        self.root.join("ballast")
    }

    /// The master key, where it lies in a file at home; opened by the vault alone.
    #[must_use]
    pub fn master_key(&self) -> PathBuf {
        self.root.join("master.key")
    }

    /// The master key that a rotation is about to put in place.
    #[must_use]
    pub fn master_key_next(&self) -> PathBuf {
        self.root.join("master.key.next")
    }

    /// How long each audit chain was and how it ended, noted outside of the state file.
    #[must_use]
    pub fn audit_checkpoints(&self) -> PathBuf {
        self.logs_dir().join("audit-checkpoints.jsonl")
    }

    /// Held while the master key's files change.
    #[must_use]
    pub fn key_lock(&self) -> PathBuf {
        self.run_dir().join("key.lock")
    }

    /// Held shared by everyone who has the state file open, exclusively by whoever replaces it.
    #[must_use]
    pub fn gate_lock(&self) -> PathBuf {
        self.run_dir().join("gate.lock")
    }

    /// Held while the schema of the state file changes.
    #[must_use]
    pub fn migrate_lock(&self) -> PathBuf {
        self.run_dir().join("migrate.lock")
    }

    /// Held by the one process that prunes.
    #[must_use]
    pub fn housekeeping_lock(&self) -> PathBuf {
        self.run_dir().join("housekeeping.lock")
    }
}

/// `~` and `~/x` with the user's home in place of the tilde; everything else (also `~other`) as it is.
pub(crate) fn expand_tilde(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), BaseDirs::new()) {
        (Ok(rest), Some(dirs)) => dirs.home_dir().join(rest),
        _ => path.to_owned(),
    }
}

fn platform_home() -> Result<PathBuf, PathsError> {
    let dirs = BaseDirs::new().ok_or(PathsError::NoDataFolder)?;
    Ok(dirs.data_dir().join(FOLDER))
}

fn absolute(path: &Path) -> Result<PathBuf, PathsError> {
    std::path::absolute(path).map_err(|source| PathsError::Relative {
        path: path.to_owned(),
        source,
    })
}

fn create_private(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(flag: Option<&str>, variable: Option<&str>) -> PathBuf {
        let env = Vars::from_pairs(variable.map(|value| (HOME_VARIABLE, value)));
        Home::resolve(flag.map(Path::new), &env)
            .unwrap()
            .root()
            .to_owned()
    }

    #[test]
    fn the_flag_wins_over_the_variable_and_both_over_the_platform() {
        assert_eq!(resolve(Some("/a"), Some("/b")), Path::new("/a"));
        assert_eq!(resolve(None, Some("/b")), Path::new("/b"));
        assert!(resolve(None, None).ends_with(FOLDER));
    }

    #[test]
    fn a_home_knows_who_named_it() {
        let source = |flag: Option<&str>, variable: Option<&str>| {
            let env = Vars::from_pairs(variable.map(|value| (HOME_VARIABLE, value)));
            let home = Home::resolve(flag.map(Path::new), &env).unwrap();
            home.source().clone()
        };
        assert_eq!(source(Some("/a"), Some("/b")), Source::Flag);
        assert_eq!(source(None, Some("/b")), Source::Environment);
        assert_eq!(source(Some(""), None), Source::Default);
    }

    #[test]
    fn an_empty_value_counts_as_not_given() {
        assert_eq!(resolve(Some(""), Some("/b")), Path::new("/b"));
        assert!(resolve(None, Some("")).ends_with(FOLDER));
    }

    #[test]
    fn a_tilde_is_the_users_home_and_not_a_folder_of_that_name() {
        let home = BaseDirs::new().unwrap().home_dir().to_owned();
        assert_eq!(resolve(None, Some("~/desk")), home.join("desk"));
        assert_eq!(expand_tilde(Path::new("~")), home);
        assert_eq!(expand_tilde(Path::new("~other/x")), Path::new("~other/x"));
        assert_eq!(expand_tilde(Path::new("/a/~/b")), Path::new("/a/~/b"));
    }

    #[test]
    fn a_relative_home_is_pinned_to_where_the_process_started() {
        assert_eq!(
            resolve(Some("desk"), None),
            std::env::current_dir().unwrap().join("desk")
        );
    }

    #[test]
    fn a_home_is_created_once_and_again() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().join("deep/home"));
        home.create().unwrap();
        home.create().unwrap();
        for place in [home.run_dir(), home.logs_dir(), home.backups_dir()] {
            assert!(place.is_dir(), "{}", place.display());
        }
        assert!(!home.state_db().exists());
    }

    #[test]
    fn a_file_in_the_way_is_an_error_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("home");
        std::fs::write(&path, "mine").unwrap();
        Home::at(&path).create().unwrap_err();
        assert_eq!(std::fs::read(&path).unwrap(), b"mine");
    }

    #[cfg(unix)]
    #[test]
    fn a_new_home_is_for_its_owner_and_an_old_one_keeps_its_permissions() {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().join("new"));
        home.create().unwrap();
        assert_eq!((mode(home.root()), mode(&home.run_dir())), (0o700, 0o700));

        std::fs::set_permissions(home.root(), std::fs::Permissions::from_mode(0o750)).unwrap();
        home.create().unwrap();
        assert_eq!(mode(home.root()), 0o750);
    }
}
