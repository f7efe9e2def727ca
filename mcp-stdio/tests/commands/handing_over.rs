//! Keys in a command's hands: none is lost because nobody took it, none is written over, and none that stands in the wrong place is repeated.

use std::fs;
use std::process::{Command, Stdio};

use crate::kit::{add, ready, refused};
use crate::support::{Home, Output, sandbox};

/// A home whose key comes from the environment.
fn keyed_by_environment(home: Home) -> Home {
    let file = home.path().join("master.key");
    let key = fs::read_to_string(&file).unwrap();
    fs::remove_file(file).unwrap();
    home.set("MASTER_KEY", key.trim())
}

fn ran(command: &mut Command) -> Output {
    let output = command.stdin(Stdio::null()).output().unwrap();
    Output {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn a_new_key_that_nobody_would_get_never_counts() {
    let sandbox = sandbox();
    let home = ready(&sandbox);
    add(&home, &sandbox, 0, "My Shop").fine();
    let home = keyed_by_environment(home);
    for arguments in [
        &["key", "rotate", "--yes"][..],
        &["key", "rotate", "--yes", "--json"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let told = ran(home.command().args(arguments).stdout(writer));
        refused(&told, 1, "nobody would get");
        // A stdout that is closed is this device, too.
        let told = ran(home.command().args(arguments).stdout(Stdio::null()));
        refused(&told, 1, "nobody would get");
        home.run(&["store", "test"]).fine();
    }
    home.run(&["audit", "verify"]).fine();
}

#[test]
fn every_key_that_an_import_replaces_is_kept() {
    let sandbox = sandbox();
    let home = ready(&sandbox);
    let keys: Vec<String> = (0..6)
        .map(|_| {
            let other = Home::new();
            other.run(&["init"]).fine();
            fs::read_to_string(other.path().join("master.key")).unwrap()
        })
        .collect();
    let mut all = vec![fs::read_to_string(home.path().join("master.key")).unwrap()];
    // Several of them within one second, however slow the machine is.
    for key in keys {
        home.run_with(&["key", "import", "--force", "-"], &key)
            .fine();
        all.push(key);
    }
    let mut kept: Vec<String> = fs::read_dir(home.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().contains("master.key"))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    kept.sort();
    all.sort();
    assert_eq!(kept, all);
}

#[test]
fn a_key_in_the_wrong_place_is_not_repeated() {
    const KEY: &str = "tB7xK2mQ9vLr4WzN8cYp3HsD6fGj1ZaE5uXq";
    let sandbox = sandbox();
    let home = ready(&sandbox);
    let flag = format!("--{KEY}");
    let text = format!("\"{KEY}\"");
    let words = format!("my key {KEY}");
    for arguments in [
        &["init", "--name", KEY][..],
        &["store", "use", &flag],
        &["store", "test", KEY],
        &["store", "remove", &words, "--yes"],
        &["call", "stores_use", &text],
        &["key", "export", "--to", KEY],
    ] {
        let told = home.run(arguments);
        refused(&told, 2, "");
        assert!(!told.stderr.contains(KEY), "{}", told.stderr);
    }
    let config = home.path().join("config.toml");
    fs::write(&config, format!("{KEY} = 1\n")).unwrap();
    let told = home.run(&["store", "list"]);
    refused(&told, 2, "is not a setting");
    assert!(!told.stderr.contains(KEY), "{}", told.stderr);
    let bare = Home::new();
    refused(&bare.run(&["init", "--name", KEY]), 2, "looks like a key");
    assert!(!bare.path().join("master.key").exists());
}
