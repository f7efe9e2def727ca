//! `key`: one key works at any time, and it leaves the machine only sealed.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::kit::{WORDS, add, golden_json, json, ready, refused};
use crate::support::{Home, sandbox};

fn key_id(home: &Home) -> Value {
    json(home.run(&["key", "show-id", "--json"]))["key_id"].clone()
}

fn key_text(home: &Home) -> String {
    fs::read_to_string(home.path().join("master.key"))
        .unwrap()
        .trim()
        .to_owned()
}

#[test]
fn the_id_says_which_key_it_is_and_gives_nothing_away() {
    let home = Home::new();
    refused(&home.run(&["key", "show-id"]), 2, "there is no master key");
    home.run(&["init"]).fine();
    let shown = home.run(&["key", "show-id", "--json"]).fine();
    golden_json("key-show-id", &home, &shown.stdout);
    assert!(!shown.said().contains("odmk1"));
    let elsewhere = Home::new().set("MASTER_KEY", &key_text(&home));
    assert_eq!(
        key_id(&elsewhere),
        key_id(&home),
        "the same on every machine, tenant or not"
    );
    assert!(json(elsewhere.run(&["key", "show-id", "--json"]))["tenant"].is_null());
}

#[test]
fn a_rotation_with_a_key_file_is_silent_and_the_old_key_opens_nothing() {
    let sandbox = sandbox();
    let home = ready(&sandbox);
    add(&home, &sandbox, 0, "My Shop").fine();
    let (old_id, old) = (key_id(&home), key_text(&home));
    let rotated = home.run(&["key", "rotate", "--json"]).fine();
    golden_json("key-rotate", &home, &rotated.stdout);
    assert!(!rotated.said().contains("odmk1"));
    assert_ne!(key_id(&home), old_id);
    assert!(!home.path().join("master.key.next").exists());
    home.run(&["store", "test"]).fine();

    fs::write(home.path().join("master.key"), old).unwrap();
    refused(&home.run(&["store", "list"]), 2, "no tenant for this key");
}

#[test]
fn killed_at_any_moment_a_rotation_leaves_one_key_that_opens_everything() {
    let sandbox = sandbox();
    let home = ready(&sandbox);
    add(&home, &sandbox, 0, "My Shop").fine();
    for step in 0..10 {
        let mut child = home
            .command()
            .args(["key", "rotate"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::park_timeout(Duration::from_micros(step * 2000));
        let _ = child.kill();
        child.wait().unwrap();
        let tested = json(home.run(&["store", "test", "--json"]));
        assert_eq!(tested["stores"][0]["ok"], true, "killed after {step}");
        home.run(&["audit", "verify"]).fine();
    }
    // Whatever was left behind is no hindrance.
    home.run(&["key", "rotate"]).fine();
    home.run(&["store", "test"]).fine();
    assert!(!home.path().join("master.key.next").exists());
}

#[test]
fn a_key_from_the_environment_is_shown_before_it_counts() {
    let sandbox = sandbox();
    let first = ready(&sandbox);
    add(&first, &sandbox, 0, "My Shop").fine();
    let key = key_text(&first);
    fs::remove_file(first.path().join("master.key")).unwrap();

    let old = first.set("MASTER_KEY", &key);
    let told = old.run(&["key", "rotate"]);
    refused(&told, 2, "Is the new key stored?");
    old.run(&["store", "test"]).fine();

    let rotated = old.run(&["key", "rotate", "--yes", "--json"]).fine();
    golden_json("key-rotate-shown", &old, &rotated.stdout);
    let new: Value = serde_json::from_str(&rotated.stdout).unwrap();
    refused(&old.run(&["store", "list"]), 2, "no tenant for this key");
    let new = old.set("MASTER_KEY", new["new_key"].as_str().unwrap());
    new.run(&["store", "test"]).fine();

    let printed = new.run(&["key", "rotate", "--yes"]).fine();
    assert!(
        printed.stdout.starts_with("odmk1"),
        "alone on stdout, for a script"
    );
    assert_eq!(printed.stdout.lines().count(), 1);
}

#[test]
fn a_rotation_to_a_passphrase_reads_it_and_prints_nothing_of_it() {
    let sandbox = sandbox();
    let home = ready(&sandbox);
    add(&home, &sandbox, 0, "My Shop").fine();
    let weak = home.run_with(&["key", "rotate", "--passphrase"], "hunter2\n");
    refused(&weak, 2, "the passphrase is too weak");
    let rotated = home
        .run_with(&["key", "rotate", "--passphrase"], WORDS)
        .fine();
    assert!(!rotated.said().contains("kettles"));
    home.run(&["store", "test"]).fine();
    assert_eq!(key_text(&home), format!("passphrase:{WORDS}"));
}

#[test]
fn a_key_moves_to_another_machine_sealed_with_a_passphrase() {
    let home = Home::new();
    home.run(&["init"]).fine();
    let file = home.path().with_file_name("my-key.age");
    let path = file.to_str().unwrap();
    let exported = home
        .run_with(&["key", "export", "--to", path], WORDS)
        .fine();
    assert_eq!(exported.stdout, "");
    let text = fs::read_to_string(&file).unwrap();
    assert!(
        text.starts_with("-----BEGIN AGE ENCRYPTED FILE-----"),
        "{text}"
    );
    assert!(!text.contains("odmk1"));

    let other = Home::new();
    let wrong = other.run_with(&["key", "import", path], "seven brass kettles hum at dawn");
    refused(&wrong, 2, "does not open with this passphrase");
    let imported = other
        .run_with(&["key", "import", path, "--json"], WORDS)
        .fine();
    golden_json("key-import", &other, &imported.stdout);
    assert_eq!(key_id(&other), key_id(&home));
    let again = other.run_with(&["key", "import", path, "--json"], WORDS);
    assert_eq!(json(again)["changed"], false);
    let made = json(other.run(&["init", "--json"]));
    assert_eq!(
        made["changed"], true,
        "the imported key gets a tenant when asked to"
    );
}

#[test]
fn an_export_replaces_no_file_unasked_and_is_for_its_owner_only() {
    let home = Home::new();
    home.run(&["init"]).fine();
    let file = home.path().with_file_name("my-key.age");
    let path = file.to_str().unwrap();
    fs::write(&file, "mine").unwrap();
    refused(
        &home.run_with(&["key", "export", "--to", path], WORDS),
        2,
        "is there already",
    );
    assert_eq!(fs::read(&file).unwrap(), b"mine");
    home.run_with(&["key", "export", "--to", path, "--force"], WORDS)
        .fine();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let words = home.path().with_file_name("words.txt");
    fs::write(&words, format!("{WORDS}\n")).unwrap();
    let to_stdout = [
        "key",
        "export",
        "--passphrase-file",
        words.to_str().unwrap(),
    ];
    let printed = home.run(&to_stdout).fine();
    assert!(printed.stdout.starts_with("-----BEGIN AGE"));
    refused(&home.run(&["key", "export"]), 2, "is empty");
    refused(&home.run_with(&["key", "export"], "short\n"), 2, "hint: ");
}

#[test]
fn an_import_keeps_another_key_aside_and_only_when_forced() {
    let (first, home) = (Home::new(), Home::new());
    first.run(&["init"]).fine();
    home.run(&["init"]).fine();
    let (old, new) = (key_text(&home), key_text(&first));
    let told = home.run_with(&["key", "import", "-"], &new);
    refused(&told, 2, "there is another master key already");
    assert_eq!(key_text(&home), old);

    let forced = home
        .run_with(&["key", "import", "-", "--force", "--json"], &new)
        .fine();
    let aside: Value = serde_json::from_str(&forced.stdout).unwrap();
    let aside = aside["kept_aside"].as_str().unwrap();
    assert_eq!(fs::read_to_string(aside).unwrap().trim(), old);
    assert_eq!(key_text(&home), new);
    assert!(aside.contains("master.key.2"), "{aside}");
}

#[test]
fn what_holds_no_key_is_refused_without_being_shown() {
    let home = Home::new();
    for text in [
        "hunter2",
        "odmk1hunter2hunter2",
        "passphrase:hunter2",
        "",
        "-----BEGIN AGE hunter2",
    ] {
        let told = home.run_with(&["key", "import", "-"], text);
        assert_eq!(told.code, Some(2), "{text}: {}", told.stderr);
        assert!(!told.said().contains("hunter2"), "{}", told.stderr);
    }
    refused(
        &home.run(&["key", "import", "/no/such/file"]),
        1,
        "/no/such/file",
    );
    assert!(!home.path().join("master.key").exists());
}

#[test]
fn whatever_is_done_to_the_key_is_in_the_audit() {
    let home = Home::new();
    home.run(&["init"]).fine();
    home.run_with(&["key", "export"], WORDS).fine();
    home.run(&["key", "rotate"]).fine();
    let listed = json(home.run(&["audit", "list", "--json"]));
    let actions: Vec<&str> = listed["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["action"].as_str().unwrap())
        .collect();
    assert_eq!(actions, ["tenant.created", "key.exported", "key.rotated"]);
    home.run(&["audit", "verify"]).fine();
}
