//! Is the home folder there, ours, and closed to others?

use std::io;
use std::path::PathBuf;

use shared::paths::Home;

use super::typed::{as_user, path};
use super::{Check, Hint, Typed};

const ID: &str = "home";

/// What the file system says about the home folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum HomeFacts {
    Missing,
    /// Something else has its name.
    NotAFolder,
    Unreadable(String),
    Folder(Folder),
}

/// The owner's side of a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Folder {
    /// Somebody else's, with their user id; `None` if it is ours.
    pub(super) foreign_owner: Option<u32>,
    /// Its permissions let others put files into it.
    pub(super) open_to_others: bool,
    /// Why we may not make files in it, if we may not.
    pub(super) locked: Option<Locked>,
}

/// Why nothing can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Locked {
    /// Its permissions.
    Permissions,
    /// Its disk is mounted for reading only.
    #[cfg_attr(
        not(unix),
        expect(dead_code, reason = "Windows does not tell the two apart")
    )]
    Disk,
}

pub(super) fn look(home: &Home) -> HomeFacts {
    match std::fs::metadata(home.root()) {
        Ok(about) if about.is_dir() => HomeFacts::Folder(folder(home, &about)),
        Ok(_) => HomeFacts::NotAFolder,
        Err(error) if error.kind() == io::ErrorKind::NotFound => HomeFacts::Missing,
        Err(error) => HomeFacts::Unreadable(error.to_string()),
    }
}

#[cfg(unix)]
fn folder(home: &Home, about: &std::fs::Metadata) -> Folder {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    use rustix::fs::{Access, access};
    use rustix::io::Errno;

    let me = rustix::process::geteuid().as_raw();
    let needed = Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK;
    Folder {
        foreign_owner: Some(about.uid()).filter(|owner| *owner != me),
        open_to_others: about.permissions().mode() & 0o022 != 0,
        locked: access(home.root(), needed).err().map(|error| match error {
            Errno::ROFS => Locked::Disk,
            _ => Locked::Permissions,
        }),
    }
}

/// Windows: a user's data folder is closed to other users already.
#[cfg(not(unix))]
fn folder(_home: &Home, about: &std::fs::Metadata) -> Folder {
    Folder {
        foreign_owner: None,
        open_to_others: false,
        locked: about
            .permissions()
            .readonly()
            .then_some(Locked::Permissions),
    }
}

/// `made_at_start`: nothing needs to be in the home beforehand, because the store comes from the environment.
pub(super) fn judge(facts: &HomeFacts, home: &Home, typed: &Typed, made_at_start: bool) -> Check {
    let shown = home.root().display();
    match facts {
        HomeFacts::Missing if made_at_start => {
            Check::fine(ID, format!("`{shown}` is made at the first start"))
        }
        HomeFacts::Missing => Check::error(
            ID,
            format!("`{shown}` is not there yet"),
            Hint::run(
                "make it, with a key and a state file",
                typed.command("init"),
            ),
        ),
        HomeFacts::NotAFolder => Check::error(
            ID,
            format!("`{shown}` is a file, not a folder"),
            Hint::run("move it away and make the home", moved(home, typed)),
        ),
        HomeFacts::Unreadable(why) => Check::error(
            ID,
            format!("`{shown}` cannot be looked at: {why}"),
            Hint::run(
                "see who may enter it, and run this as its owner",
                format!("ls -ld {}", path(home.root())),
            ),
        ),
        HomeFacts::Folder(folder) => judge_folder(folder, home, typed),
    }
}

fn moved(home: &Home, typed: &Typed) -> String {
    let mut aside = home.root().as_os_str().to_owned();
    aside.push(".old");
    let verb = if cfg!(windows) { "move" } else { "mv" };
    format!(
        "{verb} {} {} && {}",
        path(home.root()),
        path(&PathBuf::from(aside)),
        typed.command("init")
    )
}

fn judge_folder(folder: &Folder, home: &Home, typed: &Typed) -> Check {
    let shown = home.root().display();
    if let Some(owner) = folder.foreign_owner {
        // Opening the state file as another user (root above all) would leave files in it that its owner cannot write.
        return Check::error(
            ID,
            format!("`{shown}` belongs to another user (id {owner}); nothing in it is opened"),
            Hint::run(
                "look at it as its owner",
                as_user(owner, &typed.command("doctor")),
            ),
        );
    }
    match folder.locked {
        Some(Locked::Disk) => {
            return Check::error(
                ID,
                format!("`{shown}` is on a disk that is mounted for reading only"),
                Hint::run(
                    "systems do that after an error of the disk. See which one it is, look for its error in the system's log, then mount it \
                     for writing again (mount -o remount,rw and its mount point)",
                    format!("df {}", path(home.root())),
                ),
            );
        }
        Some(Locked::Permissions) => {
            return Check::error(
                ID,
                format!("`{shown}` may not be written"),
                Hint::run(
                    "let its owner write",
                    format!("chmod u+rwx {}", path(home.root())),
                ),
            );
        }
        None => {}
    }
    if folder.open_to_others {
        return Check::error(
            ID,
            format!(
                "`{shown}` may be written by other users: they could put another key or state file into it"
            ),
            Hint::run(
                "close it to them",
                format!("chmod go-w {}", path(home.root())),
            ),
        );
    }
    Check::fine(ID, format!("`{shown}` ({})", home.source()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const OURS: Folder = Folder {
        foreign_owner: None,
        open_to_others: false,
        locked: None,
    };

    fn judged(facts: &HomeFacts) -> Check {
        let home = Home::at("/h");
        let typed = Typed::new(None, Path::new("/exe"), &home, None);
        judge(facts, &home, &typed, false)
    }

    fn command(facts: &HomeFacts) -> String {
        judged(facts).hint.unwrap().command.unwrap()
    }

    #[test]
    fn a_home_of_ours_is_fine_and_a_missing_one_is_made_by_init() {
        assert!(judged(&HomeFacts::Folder(OURS)).ok);
        assert_eq!(command(&HomeFacts::Missing), "/exe init");
    }

    #[test]
    fn a_missing_home_is_fine_where_the_first_start_makes_it() {
        let home = Home::at("/h");
        let typed = Typed::new(None, Path::new("/exe"), &home, None);
        assert!(judge(&HomeFacts::Missing, &home, &typed, true).ok);
    }

    #[cfg(unix)]
    #[test]
    fn each_wrong_folder_has_its_command() {
        let folder = |folder| HomeFacts::Folder(folder);
        assert_eq!(
            command(&folder(Folder {
                foreign_owner: Some(1000),
                locked: Some(Locked::Permissions),
                ..OURS
            })),
            as_user(1000, "/exe doctor")
        );
        assert_eq!(
            command(&folder(Folder {
                locked: Some(Locked::Permissions),
                ..OURS
            })),
            "chmod u+rwx /h"
        );
        assert_eq!(
            command(&folder(Folder {
                open_to_others: true,
                ..OURS
            })),
            "chmod go-w /h"
        );
        assert_eq!(command(&HomeFacts::NotAFolder), "mv /h /h.old && /exe init");
    }

    #[cfg(unix)]
    #[test]
    fn a_real_folder_is_seen_as_it_is() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().join("home"));
        assert_eq!(look(&home), HomeFacts::Missing);
        home.create().unwrap();
        assert_eq!(look(&home), HomeFacts::Folder(OURS));
        std::fs::set_permissions(home.root(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let HomeFacts::Folder(seen) = look(&home) else {
            panic!("a folder")
        };
        assert!(seen.open_to_others);
        assert_eq!(
            look(&Home::at(file_in(folder.path()))),
            HomeFacts::NotAFolder
        );
    }

    #[cfg(unix)]
    fn file_in(folder: &Path) -> PathBuf {
        let path = folder.join("file");
        std::fs::write(&path, "x").unwrap();
        path
    }
}
