//! Is the home on a disk of this machine? A write-ahead log needs memory shared by all processes, which no network
//! file system and no folder shared into a virtual machine offers; SQLite does not notice and the file is damaged.
//!
//! Told by `statfs`. On Linux everything in user space has one number, so for that one the mount table names the kind:
//! `gocryptfs` or `ntfs-3g` are local and fine, `sshfs` and `virtiofs` are not.

use std::path::Path;

use super::StateError;

/// # Errors
/// [`StateError::NetworkFileSystem`] when `folder` must not hold the state file. A file system that cannot be
/// asked is taken for a local one: the question is a guard, not a gate.
pub(super) fn refuse_network(folder: &Path) -> Result<(), StateError> {
    match network_kind(folder) {
        Some(kind) => Err(StateError::NetworkFileSystem { kind }),
        None => Ok(()),
    }
}

/// Free bytes for this user, to tell a full disk from a broken one.
#[cfg(unix)]
pub(super) fn free_bytes(folder: &Path) -> Option<u64> {
    let about = rustix::fs::statvfs(folder).ok()?;
    Some(about.f_bavail.saturating_mul(about.f_frsize))
}

/// Windows reports a full disk as such; no second look is needed.
#[cfg(not(unix))]
pub(super) fn free_bytes(_folder: &Path) -> Option<u64> {
    None
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn network_kind(folder: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let magic = rustix::fs::statfs(folder).ok()?.f_type;
    match by_magic(magic.cast_unsigned() & 0xffff_ffff) {
        Magic::Local => None,
        Magic::Network(kind) => Some(kind.to_owned()),
        Magic::UserSpace => {
            let device = std::fs::metadata(folder).ok()?.dev();
            let mounts = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
            let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
            mounted_kind(&mounts, &format!("{major}:{minor}")).filter(|kind| is_network_fuse(kind))
        }
    }
}

/// `MNT_LOCAL` of `<sys/mount.h>`: set for disks of this machine.
#[cfg(target_os = "macos")]
fn network_kind(folder: &Path) -> Option<String> {
    const MNT_LOCAL: u32 = 0x1000;
    let about = rustix::fs::statfs(folder).ok()?;
    (about.f_flags & MNT_LOCAL == 0).then(|| "not local".to_owned())
}

/// A share of another Windows machine is named `\\server\share`; mapped drives resolve to that.
#[cfg(windows)]
fn network_kind(folder: &Path) -> Option<String> {
    use std::path::{Component, Prefix};
    let full = folder.canonicalize().ok()?;
    let Some(Component::Prefix(prefix)) = full.components().next() else {
        return None;
    };
    matches!(prefix.kind(), Prefix::UNC(..) | Prefix::VerbatimUNC(..)).then(|| "smb".to_owned())
}

#[cfg(not(any(
    target_os = "linux",
    target_os = "android",
    target_os = "macos",
    windows
)))]
fn network_kind(_folder: &Path) -> Option<String> {
    None
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[derive(Debug, PartialEq)]
enum Magic {
    Local,
    Network(&'static str),
    UserSpace,
}

/// Numbers from Linux's `include/uapi/linux/magic.h` and `man 2 statfs`; the field is 32 bits wide in them all.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn by_magic(magic: impl Into<u64>) -> Magic {
    match magic.into() {
        0x6969 => Magic::Network("nfs"),
        0x517b => Magic::Network("smb"),
        0xff53_4d42 => Magic::Network("cifs"),
        0xfe53_4d42 => Magic::Network("smb2"),
        0x0102_1997 => Magic::Network("9p"),
        0x5346_414f | 0x6b41_4653 => Magic::Network("afs"),
        0x00c3_6400 => Magic::Network("ceph"),
        0x7375_7245 => Magic::Network("coda"),
        0x0bd0_0bd0 => Magic::Network("lustre"),
        0x4750_4653 => Magic::Network("gpfs"),
        0x786f_4256 => Magic::Network("vboxsf"),
        0xbacb_acbc => Magic::Network("vmhgfs"),
        0x6573_5546 => Magic::UserSpace,
        _ => Magic::Local,
    }
}

/// The kind of the mount with this `major:minor`, from the lines of `/proc/self/mountinfo`: the third field, and the
/// first field after the lone dash.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn mounted_kind(mountinfo: &str, device: &str) -> Option<String> {
    mountinfo.lines().find_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        (before.split(' ').nth(2)? == device).then_some(())?;
        after.split(' ').next().map(str::to_owned)
    })
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn is_network_fuse(kind: &str) -> bool {
    const NETWORK: [&str; 12] = [
        "virtiofs",
        "sshfs",
        "rclone",
        "s3fs",
        "glusterfs",
        "ceph",
        "grpcfuse",
        "osxfs",
        "davfs",
        "gcsfuse",
        "smbnetfs",
        "vmhgfs-fuse",
    ];
    NETWORK.contains(&kind.strip_prefix("fuse.").unwrap_or(kind))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_disk_of_this_machine_is_fine() {
        let folder = tempfile::tempdir().unwrap();
        refuse_network(folder.path()).unwrap();
        assert!(free_bytes(folder.path()).is_some());
    }

    #[test]
    fn shares_are_refused_by_number() {
        assert_eq!(by_magic(0x6969_u32), Magic::Network("nfs"));
        assert_eq!(by_magic(0xff53_4d42_u32), Magic::Network("cifs"));
        assert_eq!(by_magic(0x0102_1997_u32), Magic::Network("9p"));
        assert_eq!(by_magic(0xef53_u32), Magic::Local, "ext4");
        assert_eq!(by_magic(0x0102_1994_u32), Magic::Local, "tmpfs");
        assert_eq!(by_magic(0x794c_7630_u32), Magic::Local, "overlay");
    }

    #[test]
    fn file_systems_in_user_space_are_told_apart_by_the_mount_table() {
        let mounts = "36 35 0:41 / /home rw,noatime shared:1 - fuse.sshfs me@host: rw\n\
                      37 35 0:42 / /safe rw - fuse.gocryptfs /secret rw\n\
                      38 35 0:43 / /share rw shared:3 master:2 - virtiofs tag rw\n";
        let network = |device| mounted_kind(mounts, device).filter(|kind| is_network_fuse(kind));
        assert_eq!(network("0:41").as_deref(), Some("fuse.sshfs"));
        assert_eq!(network("0:42"), None);
        assert_eq!(network("0:43").as_deref(), Some("virtiofs"));
        assert_eq!(network("0:99"), None);
    }
}
