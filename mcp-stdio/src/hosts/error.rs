//! What can go wrong with another program's configuration.
//!
//! Here: one variant per thing that happened, and for each what to do. In all of them the client's file is as it was before.

use std::io;
use std::path::PathBuf;

/// Why a client's configuration was not read or not changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// We know what to paste for this client, but not how to edit its file.
    #[error("{client} is configured by hand: its file is not one that we edit")]
    PrintOnly {
        /// The client's name.
        client: &'static str,
        /// Its id, as `--client` takes it.
        id: &'static str,
    },
    /// The environment names no home folder, so there is no place to look.
    #[error("no place to look for the configuration of {client}: `{variable}` is not set")]
    NoHome {
        /// The client's name.
        client: &'static str,
        /// The variable that would have helped.
        variable: &'static str,
    },
    /// The client's own folder is missing: it is not installed, or was never started.
    #[error("{client} does not seem to be installed: there is no folder `{}`", folder.display())]
    NotInstalled {
        /// The client's name.
        client: &'static str,
        /// Its id, as `--client` takes it.
        id: &'static str,
        /// The folder that it would have made.
        folder: PathBuf,
    },
    /// The entry's name is one that some clients refuse.
    #[error(
        "`{name}` cannot be the name of the entry: letters, digits, `-` and `_` only, 1 to 64 of them"
    )]
    BadName {
        /// What was asked for.
        name: String,
    },
    /// A client starts us in a folder of its own choice, so a relative command would not be found.
    #[error("the command `{}` is relative: clients start it from any folder", path.display())]
    RelativeCommand {
        /// The command.
        path: PathBuf,
    },
    /// Configuration files are UTF-8, this path is not.
    #[error("the command `{}` is not valid UTF-8 and cannot be written into a configuration file", path.display())]
    CommandNotText {
        /// The command.
        path: PathBuf,
    },
    /// A key was about to be written into another program's file.
    #[error("`{name}` is a secret: no key is ever written into another program's configuration")]
    SecretInEntry {
        /// The variable; its value is shown nowhere.
        name: String,
    },
    /// The file, or the folder it stands in, could not be read.
    #[error("`{}` could not be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file or its backup could not be written.
    #[error("`{}` could not be written", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A link that leads nowhere.
    #[error("`{}` is a link to something that does not exist", path.display())]
    DanglingLink {
        /// The link.
        path: PathBuf,
    },
    /// A folder, a pipe or a device stands where the file should be.
    #[error("`{}` is not a regular file", path.display())]
    NotAFile {
        /// What stands there.
        path: PathBuf,
    },
    /// No configuration is that long: something else stands there.
    #[error("`{}` is {size_bytes} bytes long: too large for a configuration file", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its length.
        size_bytes: u64,
    },
    /// The file is in another encoding than UTF-8.
    #[error("`{}` is not UTF-8 text", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
    },
    /// The file does not parse.
    #[error("`{}` cannot be parsed: line {line}, column {column}: {why}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Counted from one.
        line: usize,
        /// Counted from one.
        column: usize,
        /// What the parser said.
        why: String,
    },
    /// The file parses, but what we would write into is not what the client documents.
    #[error("`{}` has an unexpected shape: {what}", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// What is where, and what was expected.
        what: String,
    },
    /// An entry of our name describes a server that is not a local program.
    #[error("`{}` already has an entry `{name}` for another kind of server", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The entry's name.
        name: String,
    },
    /// The edit would have changed more than our entry. Ours to fix; the file was not touched.
    #[error("`{}` is laid out in a way that cannot be edited without changing more than our entry", path.display())]
    WouldDamage {
        /// The file.
        path: PathBuf,
    },
    /// Somebody else keeps changing the file.
    #[error("`{}` is being changed by another program", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
}

impl HostError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::PrintOnly { id, .. } => format!(
                "`mcp-stdio install --client {id} --print` shows what to paste and where"
            ),
            Self::NoHome { variable, .. } => format!("set `{variable}` to your home folder"),
            Self::NotInstalled { id, .. } => format!(
                "start the program once so that it makes its folder, or run `mcp-stdio install --client {id} --force` to make it now"
            ),
            Self::BadName { .. } => "choose a name like `orderdesk` or `orderdesk-2`".to_owned(),
            Self::RelativeCommand { .. } => "give the absolute path of the program".to_owned(),
            Self::CommandNotText { .. } => {
                "move the program to a folder with an ordinary name".to_owned()
            }
            Self::SecretInEntry { .. } => {
                "keep keys in the vault: `mcp-stdio init`, then `mcp-stdio store add`".to_owned()
            }
            Self::Read { .. } => "check that the file is yours and readable".to_owned(),
            Self::Write { .. } => {
                "check that the folder is yours and writable and that the disk has room".to_owned()
            }
            Self::DanglingLink { .. } => {
                "remove the link, or restore the file that it points to".to_owned()
            }
            Self::NotAFile { .. } | Self::TooLarge { .. } => {
                "look at what stands there, and move it away".to_owned()
            }
            Self::NotUtf8 { .. } => "save the file as UTF-8 and run the command again".to_owned(),
            Self::Syntax { .. } => {
                "mend the file at that place (the client cannot read it either), or add the entry by hand: see `--print`"
                    .to_owned()
            }
            Self::Shape { .. } | Self::WouldDamage { .. } => {
                "add the entry by hand: `--print` shows it".to_owned()
            }
            Self::Foreign { .. } => {
                "remove that entry in the client, or install under another name with `--name`".to_owned()
            }
            Self::Busy { .. } => "close the client, or wait a moment, and run the command again".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_says_what_where_and_what_to_do() {
        let path = || PathBuf::from("/home/ada/.cursor/mcp.json");
        let system = || io::Error::other("disk on fire");
        let (client, id) = ("Cursor", "cursor");
        let all = [
            HostError::PrintOnly { client, id },
            HostError::NoHome {
                client,
                variable: "HOME",
            },
            HostError::NotInstalled {
                client,
                id,
                folder: path(),
            },
            HostError::BadName {
                name: "a b".to_owned(),
            },
            HostError::RelativeCommand { path: path() },
            HostError::CommandNotText { path: path() },
            HostError::SecretInEntry {
                name: "X".to_owned(),
            },
            HostError::Read {
                path: path(),
                source: system(),
            },
            HostError::Write {
                path: path(),
                source: system(),
            },
            HostError::DanglingLink { path: path() },
            HostError::NotAFile { path: path() },
            HostError::TooLarge {
                path: path(),
                size_bytes: 1,
            },
            HostError::NotUtf8 { path: path() },
            HostError::Syntax {
                path: path(),
                line: 1,
                column: 2,
                why: "x".to_owned(),
            },
            HostError::Shape {
                path: path(),
                what: "x".to_owned(),
            },
            HostError::Foreign {
                path: path(),
                name: "x".to_owned(),
            },
            HostError::WouldDamage { path: path() },
            HostError::Busy { path: path() },
        ];
        for refusal in all {
            let (text, hint) = (refusal.to_string(), refusal.hint());
            assert!(!hint.is_empty() && !hint.ends_with('.'), "{text}: {hint}");
            assert!(
                !text.contains("disk on fire"),
                "the source speaks for itself: {text}"
            );
            assert!(text.contains('`') || text.contains(client), "{text}");
        }
    }
}
