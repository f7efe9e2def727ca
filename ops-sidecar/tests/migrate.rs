//! `ops-sidecar migrate`: what it says, its exit codes, and what it leaves.

mod support;

use std::fs;
use std::path::Path;
use std::process::Output;

use shared::paths::Home;
use shared::state::tables::epochs;
use shared::state::{Durability, State};
use support::{ops_sidecar, whole_file};

/// Exit code, stdout, stderr; the home and the time of a copy are masked.
fn run(home: &Path, arguments: &[&str]) -> (i32, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = ops_sidecar(home)
        .arg("migrate")
        .args(arguments)
        .output()
        .expect("the binary starts");
    let text = |bytes: Vec<u8>| {
        let text = String::from_utf8(bytes).expect("text");
        mask_times(&text.replace(&home.display().to_string(), "[home]"))
    };
    (
        status.code().expect("an exit code"),
        text(stdout),
        text(stderr),
    )
}

/// `20261121T214011Z` becomes `[time]`.
fn mask_times(text: &str) -> String {
    let is_time = |word: &str| {
        word.len() == 16
            && word.ends_with('Z')
            && word.as_bytes()[8] == b'T'
            && word[..8].bytes().all(|byte| byte.is_ascii_digit())
    };
    let word = |at: usize| text.get(at..at + 16).filter(|word| is_time(word));
    match (0..text.len()).find_map(word) {
        Some(time) => text.replace(time, "[time]"),
        None => text.to_owned(),
    }
}

/// All that a command said, for a golden file.
fn shown((code, stdout, stderr): (i32, String, String)) -> String {
    format!("exit {code}\n--- stdout\n{stdout}--- stderr\n{stderr}")
}

fn filled() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a home");
    let state = State::open(&Home::at(folder.path())).expect("a new file");
    let bumped = state.write("test", Durability::Full, |writing| {
        epochs::bump(writing, "shop")
    });
    bumped.expect("written");
    folder
}

fn epoch(home: &Path) -> u64 {
    let state = State::open(&Home::at(home)).expect("the file");
    let epoch = state.read("test", |reading| epochs::read(reading, "shop"));
    epoch.expect("read")
}

#[test]
fn each_word_says_what_it_found_and_what_it_did() {
    let empty = tempfile::tempdir().expect("a home");
    let none = shown(run(empty.path(), &["status"]));
    assert!(
        !empty.path().join("state.db").exists(),
        "looking makes nothing"
    );
    let folder = filled();
    let home = folder.path();
    let story = [
        ("status without a file", none),
        ("status", shown(run(home, &["status"]))),
        ("up, with nothing to do", shown(run(home, &["up"]))),
        ("down", shown(run(home, &["down", "--to", "1"]))),
        ("status of an older file", shown(run(home, &["status"]))),
        ("up", shown(run(home, &["up"]))),
        (
            "to where there is no way",
            shown(run(home, &["down", "--to", "9"])),
        ),
    ];
    let story: Vec<String> = story
        .iter()
        .map(|(name, shown)| format!("=== {name}\n{shown}"))
        .collect();
    insta::assert_snapshot!("migrate", story.join("\n"));
    assert_eq!(epoch(home), 1);
}

#[test]
fn each_word_has_a_shape_for_programs() {
    let folder = filled();
    let home = folder.path();
    let story: Vec<String> = [
        vec!["status", "--json"],
        vec!["down", "--to", "2", "--json"],
        vec!["status", "--json"],
        vec!["up", "--json"],
        vec!["up", "--json"],
    ]
    .iter()
    .map(|words| {
        let (code, stdout, stderr) = run(home, words);
        assert_eq!((code, stderr.as_str()), (0, ""), "{words:?}");
        format!("=== {}\n{stdout}", words.join(" "))
    })
    .collect();
    insta::assert_snapshot!("migrate_json", story.join("\n"));
    let kept = fs::read_dir(Home::at(home).kept_copies()).expect("copies");
    assert_eq!(kept.count(), 2, "one of each way");
}

#[test]
fn going_down_waits_for_nobody_for_ever_and_says_who_has_the_file() {
    let folder = filled();
    let sidecar = support::Sidecar::start(folder.path());
    sidecar.until("/health", |answer| {
        answer.json()["status"] == "ok" || answer.status == 200
    });
    let (code, stdout, stderr) = run(folder.path(), &["down", "--to", "1", "--wait", "0s"]);
    assert_eq!((code, stdout.as_str()), (1, ""), "{stderr}");
    assert!(stderr.contains("is in use by "), "{stderr}");
    assert!(stderr.contains("hint: "), "{stderr}");
    let kept = Home::at(folder.path()).kept_copies();
    assert!(!kept.exists(), "nothing was begun");
    assert_eq!(epoch(folder.path()), 1);
}

#[test]
fn bad_usage_costs_exit_code_2() {
    let folder = filled();
    for words in [
        &["down"][..],
        &["down", "--to", "0"],
        &["down", "--to", "x"],
        &["down", "--to", "1", "--wait", "soon"],
        &["sideways"],
        &["down", "--to", "9"],
    ] {
        let (code, _, stderr) = run(folder.path(), words);
        assert_eq!(code, 2, "{words:?}: {stderr}");
    }
}

/// The schema number stands at byte 60 of the file's header; the key is spelt otherwise so that the file admits nobody.
#[test]
fn a_file_that_shuts_this_program_out_is_told_with_the_command_that_helps() {
    let folder = filled();
    let file = folder.path().join("state.db");
    let mut bytes = whole_file(&Home::at(folder.path()));
    bytes[60..64].copy_from_slice(&4_u32.to_be_bytes());
    fs::write(&file, &bytes).expect("written");
    let (code, stdout, _) = run(folder.path(), &["status"]);
    assert_eq!(code, 0, "it admits older programs");
    assert!(stdout.contains("by a newer program"), "{stdout}");
    assert_eq!(epoch(folder.path()), 1);

    let mut bytes = whole_file(&Home::at(folder.path()));
    let needle = b"compatible_from";
    for at in 0..bytes.len() - needle.len() {
        if bytes[at..].starts_with(needle) {
            bytes[at..at + needle.len()].copy_from_slice(b"compatible_with");
        }
    }
    fs::write(&file, &bytes).expect("written");
    for words in [&["status"][..], &["up"], &["down", "--to", "1"]] {
        let (code, _, stderr) = run(folder.path(), words);
        assert_eq!(code, 1, "{words:?}: {stderr}");
        assert!(
            stderr.contains("`ops-sidecar migrate down --to 3`"),
            "{stderr}"
        );
    }
    assert_eq!(fs::read(&file).expect("the file"), bytes);
}

#[test]
fn help_is_as_agreed() {
    for words in [
        &["--help"][..],
        &["status", "--help"],
        &["up", "--help"],
        &["down", "--help"],
    ] {
        let (code, shown, _) = run(Path::new("/nowhere"), words);
        assert_eq!(code, 0);
        let name = words.join("_").replace("--", "");
        insta::assert_snapshot!(format!("help_migrate_{name}"), shown);
    }
}
