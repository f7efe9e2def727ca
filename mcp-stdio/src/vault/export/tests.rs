//! Tests of `export`. The cheapest scrypt where the work is not what is tested.

use super::super::key::MasterKey;
use super::super::testing::{WORDS, error_of, secret};
use super::*;

fn exported(key: &KeyText, work_factor: u8) -> Vec<u8> {
    seal_with(key, &secret(WORDS), work_factor).unwrap()
}

fn why(result: Result<Secret, VaultError>) -> &'static str {
    match error_of(result) {
        VaultError::Export { why, fix } => {
            assert!(!fix.is_empty());
            why
        }
        other => unreachable!("{other}"),
    }
}

#[test]
fn a_key_comes_out_of_its_export_as_it_went_in() {
    for key in [
        KeyText::Random(MasterKey::generate()),
        KeyText::Passphrase(secret("another four words here")),
    ] {
        let export = seal(&key, &secret(WORDS)).unwrap();
        let text = std::str::from_utf8(&export).unwrap();
        assert!(
            text.starts_with("-----BEGIN AGE ENCRYPTED FILE-----\n"),
            "{text}"
        );
        assert!(!text.contains("odmk1") && !text.contains("words"));
        assert_eq!(open(&export, &secret(WORDS)).unwrap(), key.to_text());
    }
}

#[test]
fn a_wrong_passphrase_is_told_from_a_damaged_export() {
    let mut export = exported(&KeyText::Random(MasterKey::generate()), 4);
    let wrong = open(&export, &secret("incorrect horse battery"));
    assert_eq!(why(wrong), "does not open with this passphrase");
    assert!(why(open(b"odmk1qqq", &secret(WORDS))).contains("no armoured age file"));
    assert!(why(open(b"", &secret(WORDS))).contains("no armoured age file"));
    let cut = export.len() / 2;
    export.truncate(cut);
    why(open(&export, &secret(WORDS)));
}

#[test]
fn every_changed_character_is_refused() {
    let export = exported(&KeyText::Random(MasterKey::generate()), 2);
    for at in 0..export.len() {
        let mut changed = export.clone();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        // In base64 the last character may carry bits that mean nothing.
        if let Ok(opened) = open(&changed, &secret(WORDS)) {
            assert_eq!(opened, open(&export, &secret(WORDS)).unwrap(), "{at}");
        }
    }
}

#[test]
fn an_export_that_would_hang_the_machine_is_refused_at_once() {
    let export = exported(&KeyText::Random(MasterKey::generate()), 2);
    let armored = ArmoredReader::new(&export[..]);
    let mut raw = Vec::new();
    std::io::BufReader::new(armored)
        .read_to_end(&mut raw)
        .unwrap();
    // `-> scrypt SALT 2`: the cost stands in the clear.
    let at = raw.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let end = at + raw[at..].iter().position(|byte| *byte == b'\n').unwrap();
    let mut hostile = raw[..end - 1].to_vec();
    hostile.extend_from_slice(b"40");
    hostile.extend_from_slice(&raw[end..]);
    let refused = open(&hostile, &secret(WORDS));
    assert_eq!(why(refused), "asks for more work than an honest one does");
}

#[test]
fn an_export_to_somebodys_public_key_is_not_one_of_ours() {
    let identity = age::x25519::Identity::generate();
    let foreign = age::encrypt(&identity.to_public(), b"odmk1").unwrap();
    let refused = open(&foreign, &secret(WORDS));
    assert_eq!(why(refused), "is not encrypted to a passphrase");
}

#[test]
fn a_passphrase_that_could_be_guessed_guards_no_export() {
    let key = KeyText::Random(MasterKey::generate());
    let refused = error_of(seal(&key, &secret("short")));
    assert_eq!(refused.code(), "weak_passphrase");
}
