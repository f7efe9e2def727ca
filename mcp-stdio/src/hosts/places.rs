//! Where a platform keeps its programs' settings.
//!
//! Here: the folders that clients' files are found under, computed from a captured environment and a platform that is handed in, so that
//! all three platforms are tested on one. Not here: which client uses which folder ([`super::client`]).

use std::path::{Path, PathBuf};

use shared::env::Vars;

/// The operating systems that clients differ on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// Linux, and other systems that follow the XDG base directories.
    Linux,
    /// macOS.
    MacOs,
    /// Windows.
    Windows,
}

impl Platform {
    /// The one this program was built for.
    #[must_use]
    pub const fn current() -> Platform {
        if cfg!(windows) {
            Platform::Windows
        } else if cfg!(target_os = "macos") {
            Platform::MacOs
        } else {
            Platform::Linux
        }
    }

    /// The variable that names the user's home folder.
    #[must_use]
    pub const fn home_variable(self) -> &'static str {
        match self {
            Platform::Windows => "USERPROFILE",
            Platform::Linux | Platform::MacOs => "HOME",
        }
    }
}

/// The folders of one user on one platform.
#[derive(Clone, Debug)]
pub struct Places {
    platform: Platform,
    home: Option<PathBuf>,
    vars: Vars,
}

impl Places {
    /// This platform's folders, as the environment names them.
    #[must_use]
    pub fn new(vars: &Vars) -> Places {
        Places::on(Platform::current(), vars)
    }

    /// A given platform's folders.
    #[must_use]
    pub fn on(platform: Platform, vars: &Vars) -> Places {
        Places {
            platform,
            home: folder(vars, platform.home_variable()),
            vars: vars.clone(),
        }
    }

    /// Which platform these are the folders of.
    #[must_use]
    pub fn platform(&self) -> Platform {
        self.platform
    }

    /// The user's home folder; `None` for a user without one.
    #[must_use]
    pub fn home(&self) -> Option<&Path> {
        self.home.as_deref()
    }

    /// What a client's own variable names (`CODEX_HOME`, say). A relative path would depend on the folder the client is started in, so it
    /// counts as not set.
    #[must_use]
    pub fn named(&self, variable: &str) -> Option<PathBuf> {
        folder(&self.vars, variable)
    }

    /// `~/.config`, or what `XDG_CONFIG_HOME` says, on every platform: for programs that follow XDG everywhere.
    #[must_use]
    pub fn xdg_config(&self) -> Option<PathBuf> {
        self.named("XDG_CONFIG_HOME")
            .or_else(|| self.below_home(&[".config"]))
    }

    /// Where the platform keeps an application's settings: `~/.config`, `~/Library/Application Support`, `%APPDATA%`.
    #[must_use]
    pub fn app_config(&self) -> Option<PathBuf> {
        match self.platform {
            Platform::Linux => self.xdg_config(),
            Platform::MacOs => self.below_home(&["Library", "Application Support"]),
            Platform::Windows => self
                .named("APPDATA")
                .or_else(|| self.below_home(&["AppData", "Roaming"])),
        }
    }

    /// `%LOCALAPPDATA%`; nothing on the other platforms.
    #[must_use]
    pub fn local_app_data(&self) -> Option<PathBuf> {
        if self.platform != Platform::Windows {
            return None;
        }
        self.named("LOCALAPPDATA")
            .or_else(|| self.below_home(&["AppData", "Local"]))
    }

    fn below_home(&self, parts: &[&str]) -> Option<PathBuf> {
        let mut path = self.home.clone()?;
        path.extend(parts);
        Some(path)
    }
}

/// A variable that names an absolute folder. The check is the platform's that we run on: elsewhere a made-up environment may say
/// `C:\Users\x`, which no other platform calls absolute, hence the drive letter.
fn folder(vars: &Vars, variable: &str) -> Option<PathBuf> {
    let path = PathBuf::from(vars.get(variable)?);
    let drive = path
        .to_str()
        .is_some_and(|text| text.as_bytes().get(1) == Some(&b':'));
    (path.is_absolute() || drive).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_folder_counts_as_not_set() {
        let vars = Vars::from_pairs([("HOME", "/home/x"), ("XDG_CONFIG_HOME", "conf")]);
        let places = Places::on(Platform::Linux, &vars);
        assert_eq!(places.xdg_config(), Some(PathBuf::from("/home/x/.config")));
    }

    #[test]
    fn a_user_without_a_home_has_no_places() {
        let places = Places::on(Platform::MacOs, &Vars::default());
        assert_eq!(places.home(), None);
        assert_eq!(places.app_config(), None);
    }

    #[test]
    fn windows_folders_fall_back_to_the_profile() {
        let places = Places::on(
            Platform::Windows,
            &Vars::from_pairs([("USERPROFILE", r"C:\Users\x")]),
        );
        let profile = PathBuf::from(r"C:\Users\x");
        assert_eq!(
            places.app_config(),
            Some(profile.join("AppData").join("Roaming"))
        );
        assert_eq!(
            places.local_app_data(),
            Some(profile.join("AppData").join("Local"))
        );
    }
}
