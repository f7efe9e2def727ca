//! Every page of help, and what holds for all commands.

use std::path::Path;

use crate::support::{Home, golden};

/// The words that lead to each command, as the pages of help name them.
fn commands(home: &Home, words: &[String], all: &mut Vec<Vec<String>>) {
    let page = help(home, words);
    let below = page.split("\nCommands:\n").nth(1).unwrap_or_default();
    for line in below.lines().take_while(|line| !line.is_empty()) {
        let name = line.split_whitespace().next().unwrap();
        if name == "help" {
            continue;
        }
        let words: Vec<String> = words.iter().cloned().chain([name.to_owned()]).collect();
        all.push(words.clone());
        commands(home, &words, all);
    }
}

fn all_commands(home: &Home) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    commands(home, &[], &mut all);
    all
}

fn help(home: &Home, words: &[String]) -> String {
    let mut arguments: Vec<&str> = words.iter().map(String::as_str).collect();
    arguments.push("--help");
    home.run(&arguments).fine().stdout
}

#[test]
fn every_page_of_help_is_as_its_golden_file_says() {
    let home = Home::new();
    let all = all_commands(&home);
    assert!(all.len() > 20, "{all:?}");
    for words in &all {
        let name = format!("help/{}.txt", words.join("-"));
        golden(&name, &help(&home, words));
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/help");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let name = name.trim_end_matches(".txt");
        assert!(
            all.iter().any(|words| words.join("-") == name),
            "{name} is gone"
        );
    }
}

#[test]
fn every_page_of_help_has_an_example() {
    let home = Home::new();
    for words in all_commands(&home) {
        assert!(help(&home, &words).contains("\nExamples:\n"), "{words:?}");
    }
}

#[test]
fn no_page_of_help_offers_a_secret_as_an_argument() {
    let home = Home::new();
    for words in all_commands(&home) {
        let page = help(&home, &words);
        for flag in [
            "--key ",
            "--api-key",
            "--master-key ",
            "--passphrase <",
            "--token",
        ] {
            assert!(!page.contains(flag), "{words:?} has {flag}");
        }
    }
}

#[test]
fn every_command_refuses_what_it_does_not_know() {
    let home = Home::new();
    for words in all_commands(&home) {
        let mut arguments: Vec<&str> = words.iter().map(String::as_str).collect();
        arguments.push("--no-such-flag");
        let told = home.run(&arguments);
        assert_eq!(
            (told.code, told.stdout.as_str()),
            (Some(2), ""),
            "{words:?}"
        );
    }
    assert!(
        !home.path().exists(),
        "nothing is made for a command that was not understood"
    );
}

#[test]
fn a_secret_in_the_wrong_place_is_refused_and_not_repeated() {
    const KEY: &str = "odmk1qzry9x8gf2tvdw0s3jn54khce6mua7lqpzry9x8gf2tvdw0s3jn54khce6";
    let home = Home::new();
    for wrong in [
        &["init", "--passphrase", KEY][..],
        &["init", "--passphrase", "hunter2 hunter2"],
        &["key", "rotate", "--passphrase", KEY],
        &["key", KEY],
        &["key", "import", KEY],
        &["key", "import", "passphrase:hunter2 hunter2 hunter2"],
        &["key", "export", KEY],
        &["key", "export", "--passphrase-file", KEY],
        &["store", KEY],
        &["store", "test", "My Shop", KEY],
        &[
            "store",
            "add",
            "--name",
            "a",
            "--id",
            "1",
            "--key-file",
            KEY,
        ],
        &["store", "add", "--name", "a", "--id", KEY],
        &["init", "--master-key-file", KEY],
        &["init", "--no-such-flag=hunter2"],
    ] {
        let told = home.run(wrong);
        let said = told.said();
        assert_eq!(told.code, Some(2), "{wrong:?}: {said}");
        assert!(
            !said.contains(KEY) && !said.contains("hunter2"),
            "{wrong:?}: {said}"
        );
    }
    assert!(!Path::new(KEY).exists());
}

#[test]
fn completions_are_printed_for_every_shell() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = home.run(&["completions", shell]).fine().stdout;
        assert!(
            script.contains("completions") && script.len() > 1000,
            "{shell}"
        );
        assert!(
            !script.contains("api-key") && !script.contains("apikey"),
            "{shell}"
        );
    }
    assert_eq!(home.run(&["completions", "sh"]).code, Some(2));
    assert!(!home.path().exists());
}

#[test]
fn results_are_alone_on_stdout_and_a_pipe_hears_no_remarks() {
    let home = Home::new();
    assert_eq!(home.run(&["init"]).fine().stderr, "");
    for command in [
        &["store", "list"][..],
        &["key", "rotate"],
        &["audit", "verify"],
        &["config"],
    ] {
        assert_eq!(home.run(command).fine().stderr, "", "{command:?}");
    }
}

/// What the tab key offers after `line` in a real bash that has sourced our script.
#[cfg(target_os = "linux")]
fn offered(script: &Path, line: &str) -> String {
    let ask = r#"source "$1"; read -r -a COMP_WORDS <<<"$2"; [[ $2 == *" " ]] && COMP_WORDS+=("")
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        $(complete -p mcp-stdio | sed 's/.*-F \([^ ]*\).*/\1/') mcp-stdio "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        echo "${COMPREPLY[*]}""#;
    let output = std::process::Command::new("bash")
        .args(["--norc", "-c", ask, "bash"])
        .arg(script)
        .arg(line)
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn the_tab_key_completes_commands_flags_and_clients_in_bash() {
    let home = Home::new();
    let script = home.path().with_file_name("completions.bash");
    std::fs::write(&script, home.run(&["completions", "bash"]).fine().stdout).unwrap();
    for (line, word) in [
        ("mcp-stdio st", "store"),
        ("mcp-stdio store ", "remove"),
        ("mcp-stdio store add --key", "--key-file"),
        ("mcp-stdio --home /tmp store a", "add"),
        ("mcp-stdio install --client cl", "claude-code"),
        ("mcp-stdio audit export --format ", "csv"),
        ("mcp-stdio key show-id --j", "--json"),
    ] {
        let offered = offered(&script, line);
        assert!(
            offered.split_whitespace().any(|offer| offer == word),
            "{line}: {offered}"
        );
    }
}
