//! What may stand in `BACKUP_TARGETS`, what is meant by it, and that no secret in it is repeated.

use super::*;

fn parse(text: &str) -> Result<TargetSpec, String> {
    TargetSpec::parse(text, &Home::at("/home/shop/data"))
}

fn refused(text: &str) -> String {
    let why = parse(text).expect_err(text);
    assert!(why.contains("hint: "), "{text}: {why}");
    why
}

#[test]
fn each_form_has_its_name_and_says_whether_it_leaves_the_machine() {
    for (text, name, remote) in [
        ("local", "local", false),
        (" local ", "local", false),
        ("file:///mnt/backup", "file:///mnt/backup", false),
        ("file:///mnt/backup/", "file:///mnt/backup", false),
        ("FILE:///mnt/my backup", "file:///mnt/my%20backup", false),
        ("s3://bucket", "s3://bucket", true),
        ("s3://bucket/", "s3://bucket", true),
        ("s3://my.bucket/shop/one/", "s3://my.bucket/shop/one", true),
        ("gs://bucket/shop", "gs://bucket/shop", true),
        ("az://container/shop", "az://container/shop", true),
        (
            "abfss://container@account.dfs.core.windows.net/shop",
            "abfss://container@account.dfs.core.windows.net/shop",
            true,
        ),
    ] {
        let spec = parse(text).unwrap_or_else(|why| panic!("{text}: {why}"));
        assert_eq!((spec.name(), spec.is_remote()), (name, remote), "{text}");
    }
}

#[test]
fn local_is_the_backups_folder_of_the_home_and_the_only_one_that_is_made() {
    let place = |text| parse(text).unwrap().place;
    assert_eq!(
        place("local"),
        Place::Folder {
            path: "/home/shop/data/backups".into(),
            ours: true
        }
    );
    assert_eq!(
        place("file:///mnt/my%20backup/../other/"),
        Place::Folder {
            path: "/mnt/other".into(),
            ours: false
        }
    );
}

#[test]
fn a_prefix_is_read_as_it_is_meant() {
    let prefix = |text| match parse(text).unwrap().place {
        Place::Bucket { root, prefix, .. } => (root, prefix.to_string()),
        Place::Folder { .. } => panic!("a bucket"),
    };
    for text in ["s3://b/my shop/one", "s3://b/my%20shop/one/"] {
        assert_eq!(
            prefix(text),
            ("s3://b".to_owned(), "my shop/one".to_owned())
        );
    }
    assert_eq!(prefix("s3://b").1, "");
    assert_eq!(
        prefix("abfss://c@a.dfs.core.windows.net/p"),
        (
            "abfss://c@a.dfs.core.windows.net".to_owned(),
            "p".to_owned()
        )
    );
}

#[test]
fn a_secret_in_a_url_is_refused_and_not_repeated() {
    for text in [
        "s3://AKIACANARY:canary@bucket/prefix",
        "s3://canary@bucket",
        "az://container/p?sv=2026&sig=canary",
        "az://account:canary@container/p",
        "abfss://c:canary@account.dfs.core.windows.net/p",
        "https://user:canary@host/bucket",
        "s3://bucket/p#canary",
        "canary",
        "canary://x",
        "s3://bucket:canary/p",
    ] {
        let why = refused(text);
        assert!(!why.to_lowercase().contains("canary"), "{text}: {why}");
    }
}

#[test]
fn what_was_meant_is_named() {
    for (text, hint) in [
        ("", "not a target"),
        ("/mnt/backup", "`file://` and then the path"),
        ("file://mnt/backup", "three slashes"),
        ("file:///", "name a folder on it"),
        ("file:///home/shop/data/backups/", "write `local`"),
        ("file:///home/shop/data/backups/mine", "write `local`"),
        ("file:///C:/backup", "Windows paths"),
        ("C:\\backup", "Windows paths"),
        ("C:/backup", "Windows paths"),
        ("locl", "did you mean `local`?"),
        ("Local", "did you mean `local`?"),
        ("s3a://bucket", "did you mean `s3://`?"),
        ("gcs://bucket", "did you mean `gs://`?"),
        ("azure://bucket", "did you mean `az://`?"),
        ("fiel:///mnt", "did you mean `file://`?"),
        ("https://minio.example/bucket", "AWS_ENDPOINT_URL"),
        ("s3://minio.example:9000/bucket", "AWS_ENDPOINT_URL"),
        ("s3://", "without a bucket"),
        ("s3:///prefix", "without a bucket"),
        ("s3://buck et/p", "URL"),
        ("s3://bucket//a", "single slashes"),
        ("s3://bucket/a%00b", "single slashes"),
        ("sftp://host/folder", "unknown kind of target"),
    ] {
        let why = refused(text);
        assert!(why.contains(hint), "{text}: {why}");
    }
    refused(&format!("s3://bucket/{}", "a".repeat(PREFIX_MAX + 1)));
}
