//! `audit`: the record can be read, taken away and checked.

use std::fs;
use std::ops::ControlFlow;
use std::time::Duration;

use shared::audit::{self, Actor};
use shared::paths;
use shared::state::tables::{meta, stores, tenants};
use shared::state::{Durability, Restore, State, replace};

use crate::kit::{add, golden_json, json, ready, refused};
use crate::support::{Home, sandbox};

fn with_history() -> Home {
    let sandbox = sandbox();
    let home = ready(&sandbox);
    add(&home, &sandbox, 0, "=My Shop").fine();
    home.run(&["store", "remove", "4242", "--yes"]).fine();
    home
}

#[test]
fn the_newest_records_are_listed_oldest_first() {
    let home = with_history();
    let listed = home.run(&["audit", "list", "--json"]).fine();
    golden_json("audit-list", &home, &listed.stdout);
    let text = home.run(&["audit", "list"]).fine().stdout;
    assert_eq!(text.lines().count(), 3, "{text}");
    let newest = json(home.run(&["audit", "list", "--limit", "1", "--json"]));
    assert_eq!(newest["records"][0]["action"], "store.removed");
}

#[test]
fn a_span_of_time_is_respected() {
    let home = with_history();
    let none = |arguments: &[&str]| {
        let listed = json(home.run(&[&["audit", "list", "--json"], arguments].concat()));
        listed["records"].as_array().unwrap().is_empty()
    };
    assert!(none(&["--until", "2026-01-01"]));
    assert!(none(&["--since", "2200-01-01T00:00:00Z"]));
    assert!(!none(&["--since", "1h"]));
    refused(
        &home.run(&["audit", "list", "--since", "soon"]),
        2,
        "is no time",
    );
}

#[test]
fn an_export_is_json_or_a_table_without_formulas() {
    let home = with_history();
    let exported = home.run(&["audit", "export", "--format", "json"]).fine();
    let listed = home.run(&["audit", "list", "--json"]).fine();
    assert_eq!(
        exported.stdout, listed.stdout,
        "the same records in the same shape"
    );
    let table = home
        .run(&["audit", "export", "--format", "csv"])
        .fine()
        .stdout;
    assert!(table.starts_with("chain,seq,at,"), "{table}");
    assert!(
        table.contains(",'=My Shop,") && table.lines().count() == 4,
        "{table}"
    );

    let file = home.path().with_file_name("audit.csv");
    let to = [
        "audit",
        "export",
        "--format",
        "csv",
        "--to",
        file.to_str().unwrap(),
    ];
    home.run(&to).fine();
    assert_eq!(fs::read_to_string(&file).unwrap(), table);
    refused(&home.run(&to), 2, "is there already");
    home.run(&[&to[..], &["--force"]].concat()).fine();
}

#[test]
fn a_sound_record_is_said_to_be_sound() {
    let home = with_history();
    let verified = home.run(&["audit", "verify", "--json"]).fine();
    golden_json("audit-verify", &home, &verified.stdout);
    let said = home.run(&["audit", "verify"]).fine().stdout;
    assert!(
        said.contains("tenant: sound, 3 records, 3 of 3 signatures checked"),
        "{said}"
    );
}

#[test]
fn records_that_are_gone_from_the_end_are_found() {
    let home = with_history();
    let state = ["state.db", "state.db-wal", "state.db-shm"];
    let earlier = home.path().with_file_name("earlier");
    fs::create_dir(&earlier).unwrap();
    for name in state {
        let _ = fs::copy(home.path().join(name), earlier.join(name));
    }
    let install = ["install", "--client", "other", "--print"];
    home.run(&install).fine();
    home.run_with(&["key", "export"], crate::kit::WORDS).fine();
    // The file of before is put back behind our back.
    for name in state {
        let _ = fs::remove_file(home.path().join(name));
        let _ = fs::copy(earlier.join(name), home.path().join(name));
    }
    let told = home.run(&["audit", "verify", "--json"]);
    assert_eq!(told.code, Some(1), "{}", told.stdout);
    golden_json("audit-verify-cut", &home, &told.stdout);
    assert!(told.stderr.contains("hint: "), "{}", told.stderr);
}

/// Puts back the state file as it was, the way `ops-sidecar backup restore` does.
fn restore_to_before(home: &Home, later: impl FnOnce()) {
    let place = paths::Home::at(home.path());
    let backup = place.backups_dir().join("backup.db");
    let copied = State::open(&place)
        .unwrap()
        .copy_to(&backup, &mut |_, _| ControlFlow::Continue(()))
        .unwrap();
    later();
    let restore = Restore {
        from: "backup 20260101T000000Z-abcdef",
        reached_ms: copied.at_ms,
        now_ms: copied.at_ms + 60_000,
        patience: Duration::from_secs(10),
        force: true,
    };
    replace(&place, &backup, &restore).unwrap();
}

#[test]
fn after_a_restore_the_record_is_sound_and_says_so_and_a_later_cut_is_found() {
    let home = with_history();
    let export = || home.run_with(&["key", "export"], crate::kit::WORDS).fine();
    restore_to_before(&home, || drop(export()));
    let verified = home.run(&["audit", "verify", "--json"]).fine();
    golden_json("audit-verify-restored", &home, &verified.stdout);
    let said = home.run(&["audit", "verify"]).fine().stdout;
    assert!(
        said.contains("the state file was restored at ")
            && said.contains(" from backup 20260101T000000Z-abcdef, to what it was at "),
        "{said}"
    );
    let doctor = home.run(&["doctor", "--json"]);
    let doctor: serde_json::Value = serde_json::from_str(&doctor.stdout).unwrap();
    let checks = doctor["checks"].as_array().unwrap();
    let audit = checks.iter().find(|check| check["id"] == "audit").unwrap();
    assert_eq!(audit["ok"], true, "{audit}");
    let summary = audit["summary"].as_str().unwrap();
    assert!(
        summary.contains("the state file was restored at "),
        "{summary}"
    );

    let earlier = fs::read(home.state_db()).unwrap();
    export();
    fs::write(home.state_db(), earlier).unwrap();
    let told = home.run(&["audit", "verify", "--json"]);
    assert_eq!(told.code, Some(1), "{}", told.stdout);
    assert!(told.stdout.contains("tail_cut"), "{}", told.stdout);
}

#[test]
fn without_a_key_only_what_belongs_to_no_key_is_shown() {
    let home = with_history();
    fs::remove_file(home.path().join("master.key")).unwrap();
    let listed = json(home.run(&["audit", "list", "--json"]));
    assert_eq!(listed["records"], serde_json::json!([]));
    let verified = home.run(&["audit", "verify", "--json"]).fine();
    golden_json("audit-verify-without-key", &home, &verified.stdout);
}

/// The seal of an older copy opens, and a row that is gone has none: the records know.
#[test]
fn a_removed_shop_that_was_put_back_behind_the_program_is_found_and_mended() {
    let sandbox = sandbox();
    let home = ready(&sandbox);
    add(&home, &sandbox, 0, "My Shop").fine();
    let row = own_stores(&home).remove(0);
    home.run(&["store", "remove", "My Shop", "--yes"]).fine();
    let state = State::open(&paths::Home::at(home.path())).unwrap();
    let put_back = state.write("test", Durability::Full, |writing| {
        assert!(stores::insert(writing, &row)?);
        meta::bump_vault_revision(writing)
    });
    put_back.unwrap();
    drop(state);

    let told = home.run(&["audit", "verify", "--json"]);
    assert_eq!(told.code, Some(1), "{}", told.stdout);
    golden_json("audit-verify-stores-differ", &home, &told.stdout);
    assert!(told.stderr.contains("hint: "), "{}", told.stderr);
    let said = home.run(&["doctor"]).stdout;
    assert!(said.contains("has left other stores"), "{said}");

    home.run(&["store", "remove", "My Shop", "--yes"]).fine();
    home.run(&["audit", "verify"]).fine();
}

fn own_stores(home: &Home) -> Vec<stores::Row> {
    let state = State::open(&paths::Home::at(home.path())).unwrap();
    let rows = state.read("test", |reading| {
        let tenant = tenants::all(reading)?.remove(0);
        stores::of_tenant(reading, &tenant.id)
    });
    rows.unwrap()
}

/// The system's chain tells of everybody's prunings, by the tenant's id.
#[test]
fn that_another_tenants_records_were_pruned_is_not_shown() {
    let home = with_history();
    let file = home.path().with_file_name("theirs.key");
    let theirs = ["--master-key-file", file.to_str().unwrap()];
    home.run(&[&theirs[..], &["init"]].concat()).fine();
    let state = State::open(&paths::Home::at(home.path())).unwrap();
    let tomorrow = jiff::Timestamp::now().as_millisecond() + 86_400_000;
    let pruned = audit::prune(&state, tomorrow, &Actor::cli(), tomorrow).unwrap();
    assert_eq!(pruned.rows, 4);
    drop(state);

    let pruned_targets = |flags: &[&str]| -> Vec<String> {
        let list = json(home.run(&[flags, &["audit", "list", "--json"]].concat()));
        let records = list["records"].as_array().unwrap().iter();
        let pruned = records.filter(|record| record["action"] == "audit.pruned");
        pruned
            .map(|record| record["target"].as_str().unwrap().to_owned())
            .collect()
    };
    let own_id = |flags: &[&str]| {
        let shown = json(home.run(&[flags, &["key", "show-id", "--json"]].concat()));
        shown["tenant"]["id"].as_str().unwrap().to_owned()
    };
    for flags in [&[][..], &theirs] {
        assert_eq!(pruned_targets(flags), [own_id(flags)]);
        let exported = home.run(&[flags, &["audit", "export", "--format", "csv"]].concat());
        let exported = exported.fine().stdout;
        assert_eq!(exported.matches("audit.pruned").count(), 1, "{exported}");
    }
}
