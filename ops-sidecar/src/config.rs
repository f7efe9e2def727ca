//! The settings of this program, read once, before anything is opened.
//!
//! Here: from the command line and the environment to one plain struct, or to all mistakes together. Not here: what a setting may
//! be and where it comes from (`shared::env`).

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use shared::env::{Mistake, Owner, Settings, Vars};
use shared::paths::{Home, PathsError};
use shared::quota::tenant_limits;
use shared::secret::Secret;

use crate::backup;
use crate::checks::disk::Thresholds;
use crate::checks::quota;
use crate::http::serve::Limits;

/// Everything [`crate::run::run`] needs to know.
#[derive(Debug)]
pub struct Config {
    /// Where the state file lives.
    pub home: Home,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Host names this server answers to besides loopback's.
    pub allowed_hosts: Vec<String>,
    /// Opens the closed doors; without it they stay closed.
    pub admin_token: Option<Secret>,
    /// The settings themselves, for whoever shows them.
    pub settings: Settings,
    /// What a client may take.
    pub limits: Limits,
    /// Everything about backups.
    pub backup: backup::Settings,
}

/// What the command line may say about settings; the rest comes from the environment and the settings file.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--home`.
    pub home: Option<PathBuf>,
    /// Settings by their key, as text.
    pub settings: Vec<(&'static str, String)>,
}

/// The settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// There is no home folder to read the rest from.
    #[error(transparent)]
    Home(#[from] PathsError),
    /// One or more settings are wrong; all of them are here.
    #[error("{}", Listed(.0))]
    Mistakes(Vec<Mistake>),
}

impl Config {
    /// Reads everything; touches nothing but the settings file and the files of secrets.
    ///
    /// # Errors
    /// Every mistake that concerns this program, at once. The other binary's settings are accepted and ignored, and its secrets,
    /// the master key above all, are not even read.
    pub fn load(flags: &Flags, vars: &Vars) -> Result<Config, ConfigError> {
        let (config, mistakes) = Config::load_anyway(flags, vars)?;
        if mistakes.is_empty() {
            Ok(config)
        } else {
            Err(ConfigError::Mistakes(mistakes))
        }
    }

    /// As [`Config::load`], with defaults in place of what is wrong, for the command that shows both.
    ///
    /// # Errors
    /// Only without a home folder.
    pub fn load_anyway(flags: &Flags, vars: &Vars) -> Result<(Config, Vec<Mistake>), PathsError> {
        let home = Home::resolve(flags.home.as_deref(), vars)?;
        let loaded = Settings::load_for(Owner::Sidecar, &flags.settings, vars, &home);
        let mut mistakes = loaded.mistakes_for(Owner::Sidecar);
        let settings = loaded.settings;
        let (backup, more) = backup::Settings::read(&settings, &home);
        mistakes.extend(more);
        let config = Config {
            listen: settings.address("listen"),
            allowed_hosts: settings.list("allowed_hosts"),
            admin_token: settings.secret("admin_token"),
            limits: Limits::default(),
            backup,
            home,
            settings,
        };
        Ok((config, mistakes))
    }

    /// The size of the shared buckets, which this program only watches.
    #[must_use]
    pub fn quota_limits(&self) -> quota::Limits {
        let burst = u32::try_from(self.settings.count("store_burst")).unwrap_or(u32::MAX);
        let store = shared::quota::Limits {
            burst,
            per_second: self.settings.number("store_rate_per_second"),
        };
        quota::Limits {
            store,
            tenant: tenant_limits(self.settings.count("rate_limit_rpm")),
        }
    }

    /// From which share of the disk on somebody is told.
    #[must_use]
    pub fn disk_thresholds(&self) -> Thresholds {
        // The catalogue admits nothing above 100.
        let percent = |count| f64::from(u8::try_from(count).unwrap_or(100));
        Thresholds {
            warn_percent: percent(self.settings.count("disk_warn_percent")),
            fail_percent: percent(self.settings.count("disk_fail_percent")),
        }
    }

    /// How much space is kept in reserve for a full disk; 0 for none.
    #[must_use]
    pub fn ballast_bytes(&self) -> u64 {
        u64::try_from(self.settings.bytes("ballast")).unwrap_or(u64::MAX)
    }

    /// How long the audit keeps its records.
    #[must_use]
    pub fn audit_retention(&self) -> Duration {
        self.settings.duration("audit_retention")
    }
}

/// One mistake a line.
struct Listed<'a>(&'a [Mistake]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.0.iter().enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            write!(f, "{end}{mistake}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let home = tempfile::tempdir().expect("a temporary folder");
        let flags = Flags {
            home: Some(home.path().to_owned()),
            settings: Vec::new(),
        };
        Config::load(&flags, &Vars::from_pairs(pairs.iter().copied()))
    }

    #[test]
    fn nothing_set_listens_on_loopback_with_closed_doors() {
        let config = load(&[]).expect("the defaults are fine");
        assert_eq!(config.listen.to_string(), "127.0.0.1:9464");
        assert!(config.admin_token.is_none() && config.allowed_hosts.is_empty());
    }

    #[test]
    fn all_mistakes_come_at_once_one_a_line() {
        let error = load(&[
            ("ORDERDESK_MCP_LISTEN", "nowhere"),
            ("ORDERDESK_MCP_ADMIN_TOKN", "x"),
        ])
        .expect_err("two mistakes");
        let text = error.to_string();
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(
            text.contains("LISTEN") && text.contains("ORDERDESK_MCP_ADMIN_TOKEN"),
            "{text}"
        );
    }

    #[test]
    fn listening_beyond_this_machine_needs_consent_and_a_token() {
        let open = ("ORDERDESK_MCP_LISTEN", "0.0.0.0:9464");
        let consent = ("ORDERDESK_MCP_ALLOW_NON_LOOPBACK", "true");
        load(&[open]).expect_err("no consent");
        load(&[open, consent]).expect_err("no token");
        load(&[
            open,
            consent,
            ("ORDERDESK_MCP_ADMIN_TOKEN", "a-token-that-is-long-enough"),
        ])
        .expect("both");
    }
}
