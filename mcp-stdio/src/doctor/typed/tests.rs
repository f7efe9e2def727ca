//! Commands that a shell takes as they were meant.

use super::*;
use shared::env::Vars;

fn home(flag: Option<&str>) -> Home {
    Home::resolve(flag.map(Path::new), &Vars::default()).unwrap()
}

fn typed(called: &str, home: &Home) -> Typed {
    Typed::new(Some(Path::new(called)), Path::new("/exe"), home, None)
}

#[test]
fn a_command_names_the_program_as_it_was_called_and_the_home_it_meant() {
    let named = home(Some("/my homes/a"));
    assert_eq!(
        typed("/opt/bin/mcp-stdio", &named).command("init"),
        "/opt/bin/mcp-stdio --home '/my homes/a' init"
    );
    assert_eq!(
        typed("/opt/bin/mcp-stdio", &home(None)).command("init"),
        "/opt/bin/mcp-stdio init"
    );
}

#[test]
fn a_bare_name_becomes_the_file_and_a_relative_one_absolute() {
    assert_eq!(typed("mcp-stdio", &home(None)).command("init"), "/exe init");
    let here = std::env::current_dir().unwrap().join("target/mcp-stdio");
    assert_eq!(
        typed("target/mcp-stdio", &home(None)).program(),
        here.as_path()
    );
}

#[test]
fn a_key_file_from_the_command_line_is_named_again() {
    let typed = Typed::new(None, Path::new("/exe"), &home(None), Some(Path::new("/k")));
    assert_eq!(typed.command("doctor"), "/exe --master-key-file /k doctor");
}

#[test]
fn a_word_is_one_word_for_the_shell_whatever_is_in_it() {
    for text in [
        "plain",
        "",
        "two words",
        "it's",
        "$(rm -rf /)",
        "`x`",
        "a\"b\\c",
        "Bücher & Co",
        "*",
    ] {
        let script = format!("printf %s {}", word(text));
        let said = std::process::Command::new("sh")
            .args(["-c", &script])
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&said.stdout), text, "{script}");
    }
    assert_eq!(flag("--name", "My Shop"), "--name 'My Shop'");
    assert_eq!(flag("--name", "-x"), "--name=-x");
}
