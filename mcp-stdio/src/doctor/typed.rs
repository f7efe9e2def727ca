//! Commands as a person would type them, here, for this home.
//!
//! Here: the name under which this program was called, the flags that lead to the same home, and quoting for the platform's shell. A
//! remedy that works only in another folder, or on another home, is none.

use std::path::{Path, PathBuf};

use shared::env::Source;
use shared::paths::Home;

pub(super) use crate::shell::shell_word as word;

/// How this program was called.
#[derive(Clone, Debug)]
pub struct Typed {
    program: PathBuf,
    /// Flags that every command needs to mean the same home and key.
    always: Vec<String>,
}

impl Typed {
    /// `program` as it was called (the first word of the command line) or, for a bare name found in `PATH`, where it is.
    #[must_use]
    pub fn new(called: Option<&Path>, exe: &Path, home: &Home, key_file: Option<&Path>) -> Typed {
        let with_folder = called.filter(|path| path.components().count() > 1);
        let program = with_folder.and_then(|path| std::path::absolute(path).ok());
        let mut always = Vec::new();
        // A home from the environment is named, too: the terminal in which the remedy is typed may not know the variable.
        if *home.source() != Source::Default {
            always.extend(["--home".to_owned(), path(home.root())]);
        }
        if let Some(file) = key_file {
            let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
            always.extend(["--master-key-file".to_owned(), path(&file)]);
        }
        Typed {
            program: program.unwrap_or_else(|| exe.to_owned()),
            always,
        }
    }

    /// The program's own file.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// A command of this program. `words` are typed as they stand.
    #[must_use]
    pub fn command(&self, words: &str) -> String {
        let mut all = vec![path(&self.program)];
        all.extend(self.always.iter().cloned());
        all.push(words.to_owned());
        all.join(" ")
    }

    /// A command of the program `name` that was installed beside this one, for the same home; its bare name if there is none.
    #[must_use]
    pub fn sibling(&self, name: &str, home: &Home, words: &str) -> String {
        let beside = self.beside(name);
        let program = beside.map_or_else(|| name.to_owned(), |file| path(&file));
        let mut all = vec![program];
        if *home.source() != Source::Default {
            all.extend(["--home".to_owned(), path(home.root())]);
        }
        all.push(words.to_owned());
        all.join(" ")
    }

    /// The file of another program in this one's folder.
    #[must_use]
    pub fn beside(&self, name: &str) -> Option<PathBuf> {
        let file = self
            .program
            .with_file_name(format!("{name}{}", std::env::consts::EXE_SUFFIX));
        file.is_file().then_some(file)
    }
}

/// A path as one word of a command.
#[must_use]
pub(super) fn path(path: &Path) -> String {
    word(&path.to_string_lossy())
}

/// A command that needs the administrator's rights. On many machines root has no `sudo`, and needs none.
pub(super) fn as_root(command: &str) -> String {
    if cfg!(windows) || is_root() {
        command.to_owned()
    } else {
        format!("sudo {command}")
    }
}

/// A command run as the user with this id.
pub(super) fn as_user(id: u32, command: &str) -> String {
    if cfg!(target_os = "linux") && is_root() {
        format!("runuser -u \"$(id -un {id})\" -- {command}")
    } else {
        format!("sudo -u '#{id}' {command}")
    }
}

#[cfg(unix)]
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}

/// A flag with its value: joined where the value alone would look like a flag.
#[must_use]
pub(super) fn flag(name: &str, value: &str) -> String {
    if value.starts_with('-') {
        format!("{name}={}", word(value))
    } else {
        format!("{name} {}", word(value))
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
