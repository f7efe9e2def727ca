//! What can go wrong at a target, sorted by what a person or a retry can do about it.
//!
//! Here: the error of this room and its words. Not here: how a cloud's answer becomes one ([`super::blame`]). The text is made of our own
//! words, a status and a code: never of what a server or a library said, which may carry URLs with signatures or echo credentials.

use std::io;

/// What to do when there is no bucket.
pub(super) const BUCKET: &str = "make the bucket or container first; ops-sidecar makes none";

/// What kind of trouble it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// There is no such object.
    Missing,
    /// There is one already, and it is another.
    Exists,
    /// The target does not let us: credentials, permissions, a read-only disk.
    Denied,
    /// The target cannot be reached or does not answer in time; also a folder whose disk is not mounted.
    Away,
    /// There is no room left: disk, quota.
    Full,
    /// Anything else.
    Other,
}

/// Something failed at a target. Says what, where and why, and what to do; never a credential.
#[derive(Debug, thiserror::Error)]
#[error("target `{target}`: cannot {doing}: {why}{}", hinted(.hint))]
pub struct TargetError {
    kind: Kind,
    target: String,
    doing: String,
    why: String,
    hint: Option<&'static str>,
}

impl TargetError {
    pub(super) fn new(kind: Kind, target: &str, doing: String, why: impl Into<String>) -> Self {
        TargetError {
            kind,
            target: target.to_owned(),
            doing,
            why: why.into(),
            hint: None,
        }
    }

    pub(super) fn hint(self, hint: &'static str) -> Self {
        TargetError {
            hint: Some(hint),
            ..self
        }
    }

    /// Not an object is missing but what it would be in.
    pub(super) fn because_of_the_bucket(self) -> Self {
        TargetError {
            kind: Kind::Other,
            ..self.hint(BUCKET)
        }
    }

    /// From the file system: of a local target, or of the file on this side of a transfer.
    pub(super) fn io(target: &str, doing: String, error: &io::Error) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::NotFound => Kind::Missing,
            io::ErrorKind::AlreadyExists => Kind::Exists,
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Kind::Denied,
            io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::FileTooLarge => Kind::Full,
            io::ErrorKind::TimedOut
            | io::ErrorKind::StaleNetworkFileHandle
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable => Kind::Away,
            _ => Kind::Other,
        };
        let failed = TargetError::new(kind, target, doing, error.to_string());
        match kind {
            Kind::Full => failed.hint("make room there, or keep fewer backups (BACKUP_KEEP_…)"),
            Kind::Denied => {
                failed.hint("the user that runs ops-sidecar must be able to write there")
            }
            Kind::Away => failed.hint("is the disk or share there still mounted?"),
            Kind::Missing | Kind::Exists | Kind::Other => failed,
        }
    }

    /// What kind of trouble it was.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether the same call may succeed later without anybody doing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.kind == Kind::Away
    }
}

fn hinted(hint: &Option<&'static str>) -> String {
    hint.map_or_else(String::new, |hint| format!("; hint: {hint}"))
}
