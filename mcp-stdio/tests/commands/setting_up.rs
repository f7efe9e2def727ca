//! `init`: safe to run again, at the same time, and after a crash.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use crate::kit::{WORDS, golden_json, json, refused};
use crate::support::{Home, sandbox};

fn key_of(home: &Home) -> String {
    fs::read_to_string(home.path().join("master.key")).unwrap()
}

fn forget_state(home: &Home) {
    for name in ["state.db", "state.db-wal", "state.db-shm"] {
        let _ = fs::remove_file(home.path().join(name));
    }
}

#[test]
fn the_first_run_makes_everything_and_says_what_to_do_next() {
    let home = Home::new();
    let done = home.run(&["init", "--json"]).fine();
    golden_json("init", &home, &done.stdout);
    assert!(key_of(&home).starts_with("odmk1"));
    let said = Home::new().run(&["init"]).fine().stdout;
    assert!(
        said.contains("store add --name") && said.contains("install --client"),
        "{said}"
    );
}

#[cfg(unix)]
#[test]
fn the_key_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    home.run(&["init"]).fine();
    let about = fs::metadata(home.path().join("master.key")).unwrap();
    assert_eq!(about.permissions().mode() & 0o777, 0o600);
}

#[test]
fn the_second_run_changes_nothing_and_says_so() {
    let home = Home::new();
    home.run(&["init"]).fine();
    let before = key_of(&home);
    let again = home.run(&["init", "--json"]).fine();
    golden_json("init-again", &home, &again.stdout);
    assert!(
        home.run(&["init"])
            .fine()
            .stdout
            .contains("nothing changed")
    );
    assert_eq!(key_of(&home), before);
    let records = json(home.run(&["audit", "list", "--json"]));
    assert_eq!(records["records"].as_array().unwrap().len(), 1);
}

#[test]
fn many_at_once_make_one_key_and_one_tenant() {
    let home = Home::new();
    let running: Vec<_> = (0..6)
        .map(|_| {
            home.command()
                .args(["init", "--json"])
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut tenants = Vec::new();
    let mut changed = 0;
    for child in running {
        let output = child.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{told}");
        let done: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        changed += i32::from(done["changed"] == true);
        tenants.push(done["tenant"]["id"].clone());
    }
    tenants.dedup();
    assert_eq!((changed, tenants.len()), (1, 1));
}

#[test]
fn a_crash_between_the_key_and_the_tenant_is_healed_by_running_it_again() {
    let home = Home::new();
    home.run(&["init"]).fine();
    // What is on the disk when it died right after writing the key.
    let key = key_of(&home);
    forget_state(&home);
    let done = json(home.run(&["init", "--json"]));
    assert_eq!(done["changed"], true);
    assert_eq!(key_of(&home), key);
    home.run(&["store", "list"]).fine();
}

#[test]
fn killed_at_any_moment_the_next_run_makes_a_home_that_works() {
    for step in 0..12 {
        let home = Home::new();
        let mut child = home
            .command()
            .arg("init")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::park_timeout(Duration::from_micros(step * 1500));
        let _ = child.kill();
        child.wait().unwrap();
        home.run(&["init"]).fine();
        home.run(&["store", "list"]).fine();
        assert!(
            home.run(&["init"])
                .fine()
                .stdout
                .contains("nothing changed")
        );
    }
}

#[test]
fn a_home_whose_key_is_missing_gets_no_new_one_unasked() {
    let home = Home::new();
    home.run(&["init"]).fine();
    let key = home.path().join("master.key");
    let aside = home.path().join("elsewhere");
    fs::rename(&key, &aside).unwrap();
    let told = home.run(&["init"]);
    refused(&told, 2, "its master key is not here");
    assert!(told.stderr.contains("--new-tenant") && told.stderr.contains("key import"));
    assert!(!key.exists());

    let anew = json(home.run(&["init", "--new-tenant", "--json"]));
    assert_eq!(anew["changed"], true);
    assert_ne!(fs::read(&key).unwrap(), fs::read(&aside).unwrap());
}

#[test]
fn a_second_tenant_gets_its_key_in_the_file_that_was_named() {
    let sandbox = sandbox();
    let home = crate::kit::ready(&sandbox);
    crate::kit::add(&home, &sandbox, 0, "Mine").fine();
    let file = home.path().with_file_name("other.key");
    let file = file.to_str().unwrap();
    let other = json(home.run(&["init", "--master-key-file", file, "--json"]));
    assert_eq!(
        (&other["changed"], &other["key_source"]),
        (&true.into(), &"flag".into())
    );
    let listed = home
        .run(&["store", "list", "--master-key-file", file])
        .fine();
    assert_eq!(listed.stdout, "", "one tenant sees nothing of another");
    let audit = home
        .run(&["audit", "list", "--master-key-file", file])
        .fine();
    assert!(!audit.stdout.contains("Mine"), "{}", audit.stdout);
    assert!(home.run(&["store", "list"]).fine().stdout.contains("Mine"));
}

#[test]
fn a_passphrase_is_kept_nowhere_and_opens_the_home_from_the_environment() {
    let home = Home::new();
    let made = home
        .run_with(&["init", "--passphrase"], &format!("{WORDS}\n"))
        .fine();
    assert!(
        made.stderr.contains("ORDERDESK_MCP_MASTER_KEY"),
        "{}",
        made.stderr
    );
    assert!(!made.said().contains("kettles"));
    assert!(!home.path().join("master.key").exists());
    crate::support::sweep::sweep(&home.path(), &["kettles"], &[]);

    refused(&home.run(&["store", "list"]), 2, "there is no master key");
    refused(
        &home.run(&["init", "--passphrase"]),
        2,
        "its master key is not here",
    );
    let home = home.set("MASTER_KEY", &format!("passphrase:{WORDS}"));
    home.run(&["store", "list"]).fine();
    let again = json(home.run(&["init", "--passphrase", "--json"]));
    assert_eq!(
        (&again["changed"], &again["key_source"]),
        (&false.into(), &"environment".into())
    );
}

#[test]
fn a_weak_passphrase_is_refused_before_anything_is_made() {
    let home = Home::new();
    let told = home.run_with(&["init", "--passphrase"], "hunter2\n");
    refused(&told, 2, "the passphrase is too weak");
    assert!(!told.said().contains("hunter2"));
    refused(
        &home.run_with(&["init", "--passphrase"], "\n"),
        2,
        "is empty",
    );
    let anew = json(home.run(&["init", "--json"]));
    assert_eq!(anew["changed"], true, "nothing of the refused one is left");
}

#[test]
fn a_key_that_is_there_is_not_joined_by_another_kind() {
    let home = Home::new();
    home.run(&["init"]).fine();
    let told = home.run_with(&["init", "--passphrase"], &format!("{WORDS}\n"));
    refused(&told, 2, "there is a master key already");
    let both = home.run(&["init", "--passphrase", "--keyring"]);
    assert_eq!(both.code, Some(2), "{}", both.stderr);
}

#[test]
fn a_key_from_the_environment_gets_its_tenant_and_no_file() {
    let first = Home::new();
    first.run(&["init"]).fine();
    let home = Home::new().set("MASTER_KEY", key_of(&first).trim());
    let done = json(home.run(&["init", "--json"]));
    assert_eq!(
        (&done["changed"], &done["key_source"]),
        (&true.into(), &"environment".into())
    );
    assert!(!home.path().join("master.key").exists());
}

#[test]
fn a_wrong_key_in_the_environment_is_named_by_its_place_and_never_shown() {
    let home = Home::new().set("MASTER_KEY", "odmk1hunter2hunter2");
    let told = home.run(&["init"]);
    assert_eq!(told.code, Some(2), "{}", told.stderr);
    assert!(
        told.stderr.contains("ORDERDESK_MCP_MASTER_KEY"),
        "{}",
        told.stderr
    );
    assert!(!told.said().contains("hunter2"));
}

#[cfg(unix)]
#[test]
fn a_key_that_others_can_read_is_refused_with_the_command_that_mends_it() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    home.run(&["init"]).fine();
    let path = home.path().join("master.key");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    for command in [
        &["init"][..],
        &["store", "list"],
        &["key", "show-id"],
        &["key", "rotate"],
    ] {
        let told = home.run(command);
        refused(&told, 2, "the key file");
        let command = format!("chmod 600 {}", path.display());
        assert!(told.stderr.contains(&command), "{}", told.stderr);
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    home.run(&["store", "list"]).fine();
}

#[test]
fn a_home_that_cannot_be_made_is_said_with_a_way_out() {
    let home = Home::new();
    fs::create_dir(home.path()).unwrap();
    fs::write(home.path().join("run"), "a file stands here").unwrap();
    refused(&home.run(&["init"]), 1, "folder");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
}

#[cfg(unix)]
#[test]
fn a_home_that_may_not_be_written_to_stays_as_it_is() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    fs::create_dir(home.path()).unwrap();
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o500)).unwrap();
    if fs::write(home.path().join("probe"), "").is_ok() {
        // The superuser may write everywhere: there is nothing to see.
        return;
    }
    let told = home.run(&["init"]);
    assert_eq!(told.code, Some(1), "{}", told.stderr);
    assert!(told.stderr.contains("hint: "), "{}", told.stderr);
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}

/// Not even the superuser may write there.
#[cfg(target_os = "linux")]
#[test]
fn a_home_on_a_read_only_place_is_said_to_be_one() {
    for command in [&["init"][..], &["key", "show-id"]] {
        let told = Home::new().run(&[&["--home", "/sys/orderdesk"], command].concat());
        refused(&told, 1, "read-only");
    }
}

#[test]
fn a_home_that_was_mistyped_is_said_to_be_empty_and_is_not_made() {
    let home = Home::new();
    for command in [
        &["store", "list"][..],
        &["store", "add", "--name", "x", "--id", "1"],
        &["store", "test"],
        &["store", "remove", "x", "--yes"],
        &["audit", "list"],
        &["audit", "verify"],
        &["key", "rotate", "--yes"],
        &["key", "export"],
    ] {
        refused(&home.run(command), 2, "nothing is set up in");
        assert!(!home.path().exists(), "{command:?}");
    }
}

#[test]
fn a_mistake_in_the_settings_ends_it_before_anything_is_made() {
    let home = Home::new().set("HTTP_TIMEOUT", "soon");
    let told = home.run(&["init"]);
    assert_eq!(told.code, Some(2), "{}", told.stderr);
    assert!(told.stderr.contains("HTTP_TIMEOUT") && told.stderr.contains("hint: "));
    assert!(!home.path().exists());
}

/// A hint that leads to another home than the command did would make a second one there.
#[test]
fn commands_in_a_hint_name_the_home_that_was_named() {
    let home = Home::new();
    let other = home.path().with_file_name("it's another");
    let other = other.to_str().unwrap();
    let told = home.run(&["--home", other, "store", "list"]);
    refused(&told, 2, "nothing is set up");
    let quoted = other.replace('\'', "'\\''");
    let init = format!("`mcp-stdio --home '{quoted}' init`");
    assert!(told.stderr.contains(&init), "{}", told.stderr);
    let told = home.run(&["store", "list"]);
    assert!(told.stderr.contains("`mcp-stdio init`"), "{}", told.stderr);
}

#[cfg(unix)]
#[test]
fn a_home_that_is_a_file_is_said_to_be_none() {
    let home = Home::new();
    let file = home.path().with_file_name("file");
    fs::write(&file, "").unwrap();
    let told = home.run(&["--home", file.to_str().unwrap(), "init"]);
    refused(&told, 2, "config.toml");
    assert!(
        told.stderr.contains("choose a home folder"),
        "{}",
        told.stderr
    );
}
