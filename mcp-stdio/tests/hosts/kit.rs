//! A made-up machine: a home folder with clients in it, on a platform of choice.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use mcp_stdio::hosts::{self, Client, Done, Entry, Folder, HostError, Places, Platform};
use shared::env::Vars;
use tempfile::TempDir;

/// The moment of every test.
pub(crate) fn now() -> Timestamp {
    "2026-11-21T15:30:00Z".parse().unwrap()
}

/// The client of an id.
pub(crate) fn client(id: &str) -> &'static Client {
    hosts::find(id).unwrap()
}

/// The clients whose files are edited.
pub(crate) fn edited() -> impl Iterator<Item = &'static Client> {
    hosts::CLIENTS.iter().filter(|client| client.is_edited())
}

/// Our entry as `install` would make it.
pub(crate) fn entry() -> Entry {
    Entry {
        name: "orderdesk".to_owned(),
        command: PathBuf::from("/opt/order desk/bin/mcp-stdio"),
        args: vec!["serve".to_owned()],
        env: vec![(
            "ORDERDESK_MCP_HOME".to_owned(),
            "/home/ada/.local/share/orderdesk-mcp".to_owned(),
        )],
    }
}

/// A user's home on some machine.
pub(crate) struct Machine {
    folder: TempDir,
    platform: Platform,
    vars: Vec<(&'static str, PathBuf)>,
}

impl Machine {
    /// A Linux machine on which no client was ever started.
    pub(crate) fn new() -> Machine {
        Machine::on(Platform::Linux)
    }

    /// The same on another platform.
    pub(crate) fn on(platform: Platform) -> Machine {
        let folder = tempfile::tempdir().unwrap();
        Machine {
            folder,
            platform,
            vars: Vec::new(),
        }
    }

    /// A machine on which a client's file holds `text`.
    pub(crate) fn holding(id: &str, text: impl AsRef<[u8]>) -> Machine {
        let machine = Machine::new();
        let path = machine.file(id);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        machine
    }

    /// Sets a variable to a folder below the home.
    pub(crate) fn set(mut self, variable: &'static str, below_home: &str) -> Machine {
        self.vars.push((variable, self.home().join(below_home)));
        self
    }

    /// The user's home folder.
    pub(crate) fn home(&self) -> &Path {
        self.folder.path()
    }

    /// Where its clients keep their files.
    pub(crate) fn places(&self) -> Places {
        let mut vars = vec![(self.platform.home_variable(), self.home().to_owned())];
        vars.extend(self.vars.iter().cloned());
        Places::on(self.platform, &Vars::from_pairs(vars))
    }

    /// A client's file.
    pub(crate) fn file(&self, id: &str) -> PathBuf {
        client(id).candidate(&self.places()).unwrap().file
    }

    /// What a client's file holds.
    pub(crate) fn text(&self, id: &str) -> String {
        fs::read_to_string(self.file(id)).unwrap()
    }

    /// Everything that stands beside a client's file, that included, by name.
    pub(crate) fn beside(&self, id: &str) -> Vec<String> {
        let folder = fs::read_dir(self.file(id).parent().unwrap()).unwrap();
        let mut names: Vec<String> = folder
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Installs our entry.
    pub(crate) fn install(&self, id: &str) -> Result<Done, HostError> {
        self.install_as(id, &entry())
    }

    /// Installs an entry.
    pub(crate) fn install_as(&self, id: &str, entry: &Entry) -> Result<Done, HostError> {
        hosts::install(client(id), &self.places(), entry, Folder::MustExist, now())
    }

    /// Takes our entry out.
    pub(crate) fn uninstall(&self, id: &str) -> Result<Done, HostError> {
        hosts::uninstall(client(id), &self.places(), "orderdesk", now())
    }

    /// The entry that stands in a client's file.
    pub(crate) fn installed(&self, id: &str) -> Option<Entry> {
        hosts::installed(client(id), &self.places(), "orderdesk").unwrap()
    }
}
