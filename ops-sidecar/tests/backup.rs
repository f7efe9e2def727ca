//! Making, listing, proving and pruning backups with the real binary.

mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use shared::state::State;
use support::backup::{Desk, golden};
use support::{Sidecar, whole_file};

#[test]
fn a_backup_is_made_listed_and_verified_and_each_answer_has_its_shape() {
    let desk = Desk::new().sealed().with_targets(&["local", "one"]);
    let made = desk.backup(&["run", "--json"]).code(0);
    assert_eq!(made.out.lines().count(), 1, "one line: {}", made.out);
    assert_eq!(made.err, "");
    insta::assert_json_snapshot!("run", shape(&desk, &made.out));
    let identity = desk.path("identity");
    let identity = identity.to_str().expect("a path");
    for (name, words) in [
        ("list", vec!["list", "--json"]),
        ("list_points", vec!["list", "--points", "--json"]),
        ("verify", vec!["verify", "--latest", "--json"]),
        (
            "verify_opened",
            vec!["verify", "--all", "--json", "--identity", identity],
        ),
        ("verify_pitr", vec!["verify", "--pitr", "--json"]),
        ("drill", vec!["drill", "--json", "--identity", identity]),
        ("prune", vec!["prune", "--json"]),
        ("prune_dry_run", vec!["prune", "--dry-run", "--json"]),
    ] {
        let said = desk.backup(&words).code(0);
        assert_eq!(said.err, "", "{name}");
        insta::assert_json_snapshot!(name, shape(&desk, &said.out));
    }
}

fn shape(desk: &Desk, out: &str) -> serde_json::Value {
    let mut value = golden(&serde_json::from_str(out).expect("json"));
    // The public key differs each time.
    let key = desk
        .settings()
        .into_iter()
        .find(|(key, _)| key.ends_with("RECIPIENTS"));
    if let (Some((_, key)), Some(backups)) = (
        key,
        value.get_mut("backups").and_then(|all| all.as_array_mut()),
    ) {
        for backup in backups {
            assert_eq!(backup["recipients"], serde_json::json!([key]));
            backup["recipients"] = serde_json::json!(["[key]"]);
        }
    }
    value
}

#[test]
fn a_backup_is_made_beside_a_running_sidecar_and_without_a_terminal_or_a_user_home() {
    let desk = Desk::new().with("BACKUP_SCHEDULE", "off");
    let _sidecar = Sidecar::start_with(desk.home().root(), &[("BACKUP_SCHEDULE", "off")]).ready();
    let id = desk.run();
    assert!(desk.backup(&["list"]).code(0).out.contains(&id));
}

#[test]
fn a_run_that_reaches_only_some_targets_is_no_success_and_names_those_it_missed() {
    let desk = Desk::new().sealed().with_targets(&["one", "two"]);
    fs::remove_dir(desk.path("two")).expect("the disk is not mounted");
    let said = desk.backup(&["run", "--json"]).code(1);
    let said = said.told(&["error: the backup is not on `file://[here]/two`"]);
    let made = said.json();
    assert_eq!(made["verified"], false);
    assert_eq!(made["targets"][0]["verified"], true);
    assert_eq!(made["targets"][1]["verified"], false);
    // What is complete on the first target counts there.
    let id = made["id"].as_str().expect("an id");
    assert!(desk.backup(&["list"]).code(0).out.contains(id));
}

#[test]
fn a_run_without_a_state_file_says_so_and_prints_no_result() {
    let desk = Desk::empty();
    let said = desk.backup(&["run", "--json"]).code(1);
    assert_eq!(said.out, "");
    said.told(&["so there is nothing to back up", "hint:"]);
}

#[test]
fn an_unencrypted_backup_is_remarked_upon_every_time() {
    let desk = Desk::new();
    desk.backup(&["run"])
        .code(0)
        .told(&["note: the backup is not encrypted", "BACKUP_RECIPIENTS"]);
}

#[test]
fn a_target_that_is_away_does_not_keep_the_others_from_being_listed() {
    let desk = Desk::new().sealed().with_targets(&["one", "two"]);
    let id = desk.run();
    fs::rename(desk.path("two"), desk.path("elsewhere")).expect("the disk is gone");
    let said = desk.backup(&["list"]).code(0);
    assert!(said.out.contains(&id), "{}", said.out);
    said.told(&["note: ", "[here]/two"]);
    let listed = desk.backup(&["list", "--json"]).code(0).json();
    assert_eq!(listed["targets"][1]["ok"], false);
    assert_eq!(
        listed["backups"][0]["targets"][0],
        desk_target(&desk, "one")
    );
    fs::rename(desk.path("one"), desk.path("gone-as-well")).expect("the disk is gone");
    desk.backup(&["list"]).code(1);
}

/// As answers show it.
fn desk_target(_desk: &Desk, name: &str) -> String {
    format!("file://[here]/{name}")
}

#[test]
fn a_target_is_chosen_by_its_name_and_a_wrong_one_is_bad_usage() {
    let desk = Desk::new().sealed().with_targets(&["local", "one"]);
    desk.run();
    let listed = desk.backup(&["list", "--json", "--target", "local"]);
    assert_eq!(
        listed.code(0).json()["backups"][0]["targets"],
        serde_json::json!(["local"])
    );
    desk.backup(&["list", "--target", "loca"])
        .code(2)
        .told(&["`loca` is no backup target", "`local`"]);
}

#[test]
fn a_damaged_or_hostile_manifest_is_shown_as_unusable_and_stops_nothing() {
    let desk = Desk::new().sealed().with_targets(&["one"]);
    let id = desk.run();
    let folder = desk.path("one").join("snapshots");
    let hostile = fs::read_to_string(folder.join(format!("{id}.json"))).expect("a manifest");
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).expect("a file");
    write("20200101T000000Z-00000a.json", "{\"format\": 1, \u{1b}[31m");
    write("20200101T000000Z-00000b.json", "{\"format\": 99}");
    write("20200101T000000Z-00000c.json", &hostile);
    let pointing = hostile
        .replace(&format!("{id}.db"), "../../home/state.db")
        .replace(&id, "20200101T000000Z-00000d");
    write("20200101T000000Z-00000d.json", &pointing);
    let orphan = hostile.replace(&id, "20200101T000000Z-00000e");
    write("20200101T000000Z-00000e.json", &orphan);
    write("notes.txt", "not ours");
    let said = desk.backup(&["list"]).code(0);
    assert!(
        said.out.contains(&id) && !said.out.contains('\u{1b}'),
        "{}",
        said.out
    );
    assert_eq!(said.out.matches("unusable at").count(), 5, "{}", said.out);
    let listed = desk.backup(&["list", "--json"]).code(0).json();
    assert_eq!(listed["backups"].as_array().map(Vec::len), Some(1));
    desk.backup(&["verify", "--all"]).code(1);
    desk.backup(&["verify", "--latest"]).code(0);
}

#[test]
fn without_the_secret_key_a_backup_is_read_back_and_said_to_be_unopened() {
    let desk = Desk::new().sealed().with_targets(&["one"]);
    desk.run();
    let said = desk.backup(&["verify", "--latest"]).code(0);
    assert!(said.out.contains("not opened: no identity"), "{}", said.out);
    let said = desk.backup(&["verify", "--latest", "--json"]).json();
    assert_eq!(
        (&said["backups"][0]["opened"], &said["ok"]),
        (&false.into(), &true.into())
    );
}

#[test]
fn a_changed_byte_is_found_with_and_without_the_secret_key() {
    let desk = Desk::new().sealed().with_targets(&["one", "two"]);
    let id = desk.run();
    desk.flip(&desk.file("two", &id));
    let identity = desk.path("identity");
    let identity = identity.to_str().expect("a path");
    for more in [vec![], vec!["--identity", identity]] {
        let words = [vec!["verify", "--id", id.as_str(), "--json"], more].concat();
        let said = desk.backup(&words).code(1).json();
        assert_eq!(said["ok"], false);
        assert_eq!(said["backups"][0]["targets"][0]["verified"], true);
        let problem = said["backups"][0]["targets"][1]["error"].as_str();
        assert!(
            problem.is_some_and(|why| why.contains("another hash")),
            "{said}"
        );
    }
}

#[test]
fn keys_that_do_not_fit_or_that_others_can_read_are_told_apart() {
    let desk = Desk::new().sealed().with_targets(&["one"]);
    desk.run();
    desk.key("other");
    let verify = |name: &str| {
        let path = desk.path(name);
        desk.backup(&[
            "verify",
            "--latest",
            "--identity",
            path.to_str().expect("a path"),
        ])
    };
    assert!(
        verify("other")
            .code(1)
            .out
            .contains("encrypted to other keys")
    );
    verify("missing").code(1).told(&["missing"]);
    fs::set_permissions(desk.path("identity"), Permissions::from_mode(0o644)).expect("a mode");
    verify("identity")
        .code(1)
        .told(&["can be read by others", "chmod 600"]);
    fs::set_permissions(desk.path("identity"), Permissions::from_mode(0o600)).expect("a mode");
    assert!(
        verify("identity")
            .code(0)
            .out
            .contains("good: read back, opened")
    );
}

#[test]
fn a_drill_notes_what_it_found_and_a_damaged_backup_fails_it() {
    let desk = Desk::new().sealed().with_targets(&["one"]);
    let id = desk.run();
    let identity = desk.path("identity");
    let words = [
        "drill",
        "--json",
        "--identity",
        identity.to_str().expect("a path"),
    ];
    let before = whole_file(&desk.home());
    assert_eq!(desk.backup(&words).code(0).json()["verified"], true);
    desk.flip(&desk.file("one", &id));
    let said = desk.backup(&words).code(1).json();
    assert_eq!(said["verified"], false);
    assert!(
        said["error"]
            .as_str()
            .is_some_and(|why| why.contains("another hash")),
        "{said}"
    );
    let journal = fs::read_to_string(desk.home().backup_spool().join("journal.json"));
    let journal: serde_json::Value =
        serde_json::from_str(&journal.expect("a journal")).expect("json");
    assert_eq!(journal["drills"].as_array().map(Vec::len), Some(2));
    assert_eq!(journal["last_good_drill"]["id"], id.as_str());
    assert_eq!(
        fs::read(desk.home().state_db()).expect("the state file"),
        before
    );
}

#[test]
fn a_drill_without_the_secret_key_is_no_failed_drill() {
    let desk = Desk::new().sealed().with_targets(&["one"]);
    desk.run();
    let said = desk.backup(&["drill"]).code(1);
    assert!(
        said.err.contains("`--identity FILE`"),
        "{}{}",
        said.out,
        said.err
    );
    let journal = fs::read_to_string(desk.home().backup_spool().join("journal.json"));
    let journal: serde_json::Value =
        serde_json::from_str(&journal.expect("a journal")).expect("json");
    assert_eq!(journal["drills"].as_array().map_or(0, Vec::len), 0);
}

#[test]
fn verifying_with_the_secret_key_counts_as_a_drill_and_without_it_does_not() {
    let desk = Desk::new().sealed().with_targets(&["one"]);
    desk.run();
    let drills = || {
        let text = fs::read_to_string(desk.home().backup_spool().join("journal.json"));
        let journal: serde_json::Value =
            serde_json::from_str(&text.expect("a journal")).expect("json");
        journal["drills"].as_array().map_or(0, Vec::len)
    };
    desk.backup(&["verify", "--latest"]).code(0);
    assert_eq!(drills(), 0);
    let identity = desk.path("identity");
    let identity = identity.to_str().expect("a path");
    desk.backup(&["verify", "--latest", "--identity", identity])
        .code(0);
    assert_eq!(drills(), 1);
}

#[test]
fn a_running_sidecar_with_a_key_at_hand_makes_a_drill_by_itself() {
    let desk = Desk::new().sealed().with_targets(&["one"]);
    let id = desk.run();
    let identity = desk.path("identity");
    let mut command = desk.command(&[]);
    command
        .env("ORDERDESK_MCP_BACKUP_IDENTITY_FILE", &identity)
        .env("ORDERDESK_MCP_BACKUP_SCHEDULE", "off");
    let sidecar = Sidecar::spawn(command);
    let journal = desk.home().backup_spool().join("journal.json");
    sidecar.until("/health/live", |_| {
        let text = fs::read_to_string(&journal).unwrap_or_default();
        let journal: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        journal["last_good_drill"]["id"] == id.as_str()
    });
}

#[test]
fn a_running_sidecar_whose_backups_are_not_encrypted_needs_no_key_for_a_drill() {
    let desk = Desk::new();
    let id = desk.run();
    let sidecar = Sidecar::start_with(desk.home().root(), &[("BACKUP_SCHEDULE", "off")]);
    let journal = desk.home().backup_spool().join("journal.json");
    sidecar.until("/health/live", |_| {
        let text = fs::read_to_string(&journal).unwrap_or_default();
        let journal: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        journal["last_good_drill"]["id"] == id.as_str()
    });
}

#[test]
fn a_damaged_journal_keeps_no_command_from_working() {
    let desk = Desk::new().sealed().with_targets(&["one"]);
    desk.run();
    let journal = desk.home().backup_spool().join("journal.json");
    fs::write(&journal, "{").expect("a file");
    desk.backup(&["list"]).code(0);
    desk.run();
    let identity = desk.path("identity");
    let identity = identity.to_str().expect("a path");
    desk.backup(&["drill", "--identity", identity]).code(0);
    drop(State::open(&desk.home()).expect("the state file is as it was"));
}
