//! What only folder targets do: disks that are not there, full or read-only, permissions, links, and what killed runs leave.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::Duration;

use shared::paths::Home;

use super::super::target::SMALL;
use super::super::{Kind, Target, TargetSpec};
use super::{folder_at, runtime};

#[test]
fn a_disk_that_is_not_mounted_is_away_and_nothing_is_written_where_it_belongs() {
    let (runtime, mnt) = (runtime(), tempfile::tempdir().unwrap());
    let unmounted = mnt.path().join("backup/shop");
    let target = folder_at(&unmounted, runtime.handle());
    for away in [
        target.put("snapshots/a", b"x".to_vec()).unwrap_err(),
        target.get("snapshots/a").unwrap_err(),
        target.delete("snapshots/a").unwrap_err(),
        target.list("snapshots").unwrap_err(),
        target.sweep("", Duration::ZERO).unwrap_err(),
    ] {
        assert_eq!(away.kind(), Kind::Away, "{away}");
        assert!(away.is_transient());
        assert!(away.to_string().contains("hint: mount the disk"), "{away}");
    }
    assert!(fs::read_dir(mnt.path()).unwrap().next().is_none());
}

#[test]
fn the_home_s_own_folder_is_made_for_the_owner_only() {
    let (runtime, root) = (runtime(), tempfile::tempdir().unwrap());
    let home = Home::at(root.path().join("home"));
    let spec = TargetSpec::parse("local", &home).unwrap();
    let target = Target::open(&spec, runtime.handle().clone()).unwrap();
    assert_eq!(target.list("snapshots").unwrap(), []);
    target.put("snapshots/deep/a.json", b"{}".to_vec()).unwrap();
    let mode = |path: &str| {
        let path = home.backups_dir().join(path);
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    };
    assert_eq!(
        ["", "snapshots", "snapshots/deep", "snapshots/deep/a.json"].map(mode),
        [0o700, 0o700, 0o700, 0o600]
    );
    assert!(!target.is_remote());
}

#[test]
fn what_others_put_there_is_passed_over() {
    let (runtime, folder) = (runtime(), tempfile::tempdir().unwrap());
    let target = folder_at(folder.path(), runtime.handle());
    target.put("snapshots/a.json", b"{}".to_vec()).unwrap();
    for name in ["lost+found", ".Trash-1000", "System Volume Information"] {
        fs::create_dir(folder.path().join(name)).unwrap();
        fs::write(folder.path().join(name).join("x"), "x").unwrap();
    }
    for name in [
        ".DS_Store",
        "notes of mine.txt",
        "desktop.ini~",
        "snapshots/.nfs0001",
        "snapshots/ä",
    ] {
        fs::write(folder.path().join(name), "x").unwrap();
    }
    assert_eq!(target.list("").unwrap().len(), 1);
}

#[test]
fn links_are_neither_listed_nor_followed_nor_replaced() {
    let (runtime, folder, outside) = (
        runtime(),
        tempfile::tempdir().unwrap(),
        tempfile::tempdir().unwrap(),
    );
    let target = folder_at(folder.path(), runtime.handle());
    fs::write(outside.path().join("secret"), "of somebody else").unwrap();
    symlink(outside.path(), folder.path().join("snapshots")).unwrap();
    symlink(outside.path().join("secret"), folder.path().join("linked")).unwrap();
    assert_eq!(target.list("").unwrap(), []);
    for refused in [
        target.put("snapshots/a", b"x".to_vec()).unwrap_err(),
        target.get("snapshots/secret").unwrap_err(),
        target.get("linked").unwrap_err(),
        target.put("linked", b"x".to_vec()).unwrap_err(),
        target.delete("snapshots/secret").unwrap_err(),
    ] {
        assert!(
            refused.to_string().contains("is a symbolic link; hint:"),
            "{refused}"
        );
    }
    assert_eq!(
        fs::read_to_string(outside.path().join("secret")).unwrap(),
        "of somebody else"
    );
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
}

#[test]
fn the_folder_itself_may_be_a_link_as_its_owner_put_it() {
    let (runtime, place) = (runtime(), tempfile::tempdir().unwrap());
    fs::create_dir(place.path().join("real")).unwrap();
    symlink(place.path().join("real"), place.path().join("link")).unwrap();
    let target = folder_at(&place.path().join("link"), runtime.handle());
    target.put("snapshots/a", b"x".to_vec()).unwrap();
    assert_eq!(target.list("snapshots").unwrap().len(), 1);
}

#[test]
fn what_a_killed_run_left_is_not_listed_and_is_swept_when_it_is_old() {
    let (runtime, folder) = (runtime(), tempfile::tempdir().unwrap());
    let target = folder_at(folder.path(), runtime.handle());
    target.put("pitr/line/a", b"x".to_vec()).unwrap();
    let left = folder.path().join("pitr/line/.arriving-Xy12Zz");
    fs::write(&left, "half").unwrap();
    assert_eq!(target.list("pitr").unwrap().len(), 1);
    assert_eq!(target.sweep("pitr", Duration::from_secs(3600)).unwrap(), 0);
    let hours_ago = std::time::SystemTime::now() - Duration::from_secs(7200);
    File::options()
        .write(true)
        .open(&left)
        .unwrap()
        .set_modified(hours_ago)
        .unwrap();
    assert_eq!(target.sweep("pitr", Duration::from_secs(3600)).unwrap(), 1);
    assert!(!left.exists());
    assert_eq!(target.get("pitr/line/a").unwrap(), b"x");
}

#[test]
fn an_upload_that_fails_leaves_nothing() {
    let (runtime, folder) = (runtime(), tempfile::tempdir().unwrap());
    let target = folder_at(folder.path(), runtime.handle());
    let missing = target
        .put_file("snapshots/a", &folder.path().join("none"), &mut |_| {})
        .unwrap_err();
    assert_eq!(missing.kind(), Kind::Missing, "{missing}");
    // A folder cannot be read as a file: the error comes in the middle.
    let failed = target
        .put_file("snapshots/a", folder.path(), &mut |_| {})
        .unwrap_err();
    assert_eq!(failed.kind(), Kind::Other, "{failed}");
    assert_eq!(target.list("").unwrap(), []);
    let left = walk(folder.path());
    assert_eq!(left, [folder.path().join("snapshots")]);
}

fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(walk(&path));
        }
        found.push(path);
    }
    found
}

#[test]
fn a_file_where_the_folder_should_be_is_said_so() {
    let (runtime, folder) = (runtime(), tempfile::tempdir().unwrap());
    let file = folder.path().join("file");
    fs::write(&file, "x").unwrap();
    let refused = folder_at(&file, runtime.handle())
        .put("a", vec![1])
        .unwrap_err();
    assert!(
        refused.to_string().ends_with("it is not a folder"),
        "{refused}"
    );
}

#[test]
fn a_small_object_that_is_huge_is_refused_before_memory_is_full() {
    let (runtime, folder) = (runtime(), tempfile::tempdir().unwrap());
    let target = folder_at(folder.path(), runtime.handle());
    let huge = File::create(folder.path().join("huge")).unwrap();
    huge.set_len(SMALL + 1).unwrap();
    let refused = target.get("huge").unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("larger than such an object can be"),
        "{refused}"
    );
}
