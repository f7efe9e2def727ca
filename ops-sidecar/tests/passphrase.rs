//! An identity that a passphrase protects, where nobody sits at a terminal. (On one: `scripts/e2e/age.py`, with the file of another program.)

mod support;

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;

use age::{Encryptor, scrypt};
use support::backup::{Desk, records_in};

const WORDS: &str = " nine wet badgers under a hedge";

/// A desk with a sealed backup; the identity that opens it is protected.
fn desk() -> Desk {
    let desk = Desk::new().sealed().with_targets(&["one"]);
    desk.run();
    let mut to = scrypt::Recipient::new(WORDS.to_owned().into());
    to.set_work_factor(2);
    let plain = fs::read(desk.path("identity")).expect("an identity");
    let encryptor = Encryptor::with_recipients(std::iter::once(&to as &dyn age::Recipient));
    let encryptor = encryptor.expect("a recipient");
    let mut writer = encryptor.wrap_output(Vec::new()).expect("a header");
    writer.write_all(&plain).expect("sealed");
    let sealed = writer.finish().expect("sealed");
    let path = desk.path("identity.age");
    fs::write(&path, sealed).expect("a file");
    fs::set_permissions(path, Permissions::from_mode(0o600)).expect("a mode");
    fs::write(desk.path("words"), format!("{WORDS}\r\n")).expect("a file");
    fs::write(desk.path("wrong"), WORDS.trim()).expect("a file");
    fs::write(desk.path("two"), "one\ntwo\n").expect("a file");
    desk
}

#[test]
fn a_file_answers_for_the_passphrase_in_every_command_that_opens_backups() {
    let desk = desk();
    let place = |name: &str| desk.path(name).display().to_string();
    let (identity, words, to) = (place("identity.age"), place("words"), place("back.db"));
    let keys = ["--identity", &identity, "--passphrase-file", &words];
    for command in [
        vec!["restore", "--latest", "--to", &to],
        vec!["verify", "--latest"],
        vec!["verify", "--pitr"],
        vec!["drill"],
    ] {
        desk.backup(&[command, keys.to_vec()].concat()).code(0);
    }
    assert_eq!(records_in(&desk.path("back.db")), 3);
    // The settings may name such a file as well.
    let mut command = desk.command(&["backup", "drill", "--passphrase-file", &words]);
    command.env("ORDERDESK_MCP_BACKUP_IDENTITY_FILE", &identity);
    desk.ask(command).code(0);
}

#[test]
fn without_a_terminal_or_with_another_passphrase_it_is_refused_with_the_way_out() {
    let desk = desk();
    let place = |name: &str| desk.path(name).display().to_string();
    let identity = place("identity.age");
    let restore = |also: &[&str]| {
        let to = place("back.db");
        let words = ["restore", "--latest", "--to", &to, "--identity", &identity];
        desk.backup(&[&words[..], also].concat()).code(1)
    };
    restore(&[]).told(&["protected by a passphrase", "hint:", "--passphrase-file"]);
    let other = place("wrong");
    let refused = restore(&["--passphrase-file", &other]).told(&["does not open", "hint:"]);
    assert!(!refused.err.contains("badgers"), "{}", refused.err);
    let refused = restore(&["--passphrase-file", &place("two")]).told(&["only line", "hint:"]);
    assert!(!refused.err.contains("one\n"), "{}", refused.err);
    restore(&["--passphrase-file", &place("nowhere")]).told(&["cannot read the passphrase"]);
    assert!(!desk.path("back.db").exists());
    // From the settings it is as if there were none.
    let mut command = desk.command(&["backup", "restore", "--latest"]);
    command.env("ORDERDESK_MCP_BACKUP_IDENTITY_FILE", &identity);
    desk.ask(command)
        .code(1)
        .told(&["of no use", "--passphrase-file", "it is encrypted"]);
}
