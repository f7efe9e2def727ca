//! Tests of `key_file`.

use super::super::testing::secret;
use super::*;

fn refusal(result: Result<impl Sized, VaultError>) -> (String, String) {
    match result.err() {
        Some(VaultError::KeyFile { why, fix, .. }) => (why, fix),
        Some(other) => unreachable!("{other}"),
        None => unreachable!("no error"),
    }
}

#[test]
fn what_was_written_is_read_and_nothing_is_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("master.key");
    assert!(!check(&path).unwrap());
    assert!(read(&path).unwrap().is_none());
    write(&path, &secret("odmk1text")).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"odmk1text\n");
    assert!(check(&path).unwrap());
    assert_eq!(read(&path).unwrap(), Some(secret("odmk1text")));
    write(&path, &secret("another")).unwrap();
    assert_eq!(read(&path).unwrap(), Some(secret("another")));
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn with_mode(mode: u32) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("my key");
        std::fs::write(&path, "odmk1text").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        (folder, path)
    }

    #[test]
    fn a_key_is_written_for_its_owner_alone() {
        let (_folder, path) = with_mode(0o644);
        write(&path, &secret("odmk1text")).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_others_can_read_is_refused_with_the_command_that_mends_it() {
        for mode in [0o640, 0o604, 0o644, 0o660, 0o620, 0o601, 0o777] {
            let (_folder, path) = with_mode(mode);
            let (why, fix) = refusal(read(&path));
            assert!(why.contains(&format!("{mode:04o}")), "{why}");
            assert_eq!(fix, format!("chmod 600 '{}'", path.display()));
        }
        for mode in [0o600, 0o400, 0o700] {
            let (_folder, path) = with_mode(mode);
            assert!(check(&path).unwrap(), "{mode:o}");
        }
    }

    #[test]
    fn a_link_a_folder_and_a_pipe_are_no_key_files() {
        let (folder, path) = with_mode(0o600);
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(refusal(read(&link)).0.contains("symbolic link"));
        assert!(refusal(read(folder.path())).0.contains("regular file"));
        assert!(
            refusal(read_named(folder.path()))
                .0
                .contains("regular file")
        );
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )
        .unwrap();
        assert!(refusal(read(&pipe)).0.contains("regular file"));
        assert!(refusal(read_named(&pipe)).0.contains("regular file"));
        // A secret that a container mounts is a link to a file of another mode.
        assert_eq!(read_named(&link).unwrap(), secret("odmk1text"));
    }

    #[test]
    fn another_users_file_is_refused_and_not_taken_away_from_them() {
        let (_folder, path) = with_mode(0o600);
        // Only the superuser can give a file away.
        let other = rustix::fs::Uid::from_raw(4242);
        if rustix::fs::chown(&path, Some(other), None).is_err() {
            return;
        }
        let (why, fix) = refusal(read(&path));
        assert!(why.contains("4242"), "{why}");
        // Taking the file away from its owner would lock the owner out.
        assert!(fix.contains("as the user whose key it is"), "{fix}");
    }
}

#[test]
fn an_empty_a_large_and_a_binary_file_are_errors_and_not_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("named");
    let asked = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        refusal(read_named(&path)).0
    };
    assert_eq!(asked(b""), "is empty");
    assert_eq!(asked(b" \n\t"), "is empty");
    assert_eq!(asked(&[b'a'; 70_000]), "is larger than 64 KiB");
    assert_eq!(asked(b"\xff\xfe"), "is not valid UTF-8");
    std::fs::write(&path, "  odmk1text \r\n").unwrap();
    assert_eq!(read_named(&path).unwrap(), secret("odmk1text"));
    std::fs::remove_file(&path).unwrap();
    assert_eq!(refusal(read_named(&path)).0, "does not exist");
}
