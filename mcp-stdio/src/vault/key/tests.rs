//! Tests of `key`.

use proptest::prelude::*;

use super::super::testing::{WORDS, error_of, secret};
use super::*;

const TEXT: &str = "odmk1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0sk9hl4l";

fn known() -> MasterKey {
    MasterKey::from_bytes(Zeroizing::new(std::array::from_fn(|i| {
        u8::try_from(i).unwrap()
    })))
}

fn parsed(text: &str) -> Result<KeyText, KeyTextError> {
    KeyText::parse(&secret(text))
}

#[test]
fn a_key_has_the_text_and_the_id_it_always_had() {
    assert_eq!(known().to_text().expose(), TEXT);
    assert_eq!(known().id().as_str(), "9d77f8885a297ae3");
    assert_eq!(TEXT.len(), TEXT_CHARS);
}

#[test]
fn a_text_is_read_in_either_case_and_with_white_space_around_it() {
    for text in [
        TEXT.to_owned(),
        TEXT.to_uppercase(),
        format!(" \t{TEXT}\r\n"),
    ] {
        match parsed(&text).ok().unwrap() {
            KeyText::Random(key) => assert_eq!(key.id(), known().id()),
            KeyText::Passphrase(_) => unreachable!("no passphrase"),
        }
    }
}

#[test]
fn a_passphrase_is_one_only_when_it_says_so() {
    for text in [
        format!("passphrase:{WORDS}"),
        format!("passphrase: {WORDS} \n"),
    ] {
        match parsed(&text).ok().unwrap() {
            KeyText::Passphrase(words) => assert_eq!(words.expose(), WORDS),
            KeyText::Random(_) => unreachable!("a passphrase"),
        }
    }
    assert_eq!(error_of(parsed(WORDS)), KeyTextError::NeitherForm);
    assert_eq!(
        error_of(parsed("passphrase:short")),
        KeyTextError::Weak(Weak::Short(5))
    );
}

#[test]
fn what_is_no_key_says_why_and_is_not_repeated() {
    let mixed = TEXT.replace('q', "Q");
    let cases = [
        ("", KeyTextError::Empty),
        (" \n", KeyTextError::Empty),
        ("hunter2hunter2hunter2", KeyTextError::NeitherForm),
        ("age1qqqsyqcyq5rqwzqf", KeyTextError::NeitherForm),
        ("odmk", KeyTextError::NeitherForm),
        ("öäü", KeyTextError::NeitherForm),
        ("odmk1", KeyTextError::Checksum),
        ("odmk1hunter2hunter2", KeyTextError::Checksum),
        (&TEXT[..TEXT.len() - 1], KeyTextError::Checksum),
        (mixed.as_str(), KeyTextError::Checksum),
    ];
    for (text, expected) in cases {
        let error = error_of(parsed(text));
        assert_eq!(error, expected, "{text}");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}

#[test]
fn a_sound_text_of_another_length_is_refused() {
    let short = bech32::encode::<Bech32m>(Hrp::parse(HRP).unwrap(), &[7; 31]).unwrap();
    assert_eq!(error_of(parsed(&short)), KeyTextError::Length);
    let long = bech32::encode::<Bech32m>(Hrp::parse(HRP).unwrap(), &[7; 33]).unwrap();
    assert_eq!(error_of(parsed(&long)), KeyTextError::Length);
}

#[test]
fn two_keys_are_told_apart_and_one_is_the_same_as_itself() {
    let one = KeyText::Random(MasterKey::generate());
    assert!(one.is_same(&parsed(one.to_text().expose()).ok().unwrap()));
    assert!(!one.is_same(&KeyText::Random(MasterKey::generate())));
    assert!(!one.is_same(&KeyText::Passphrase(secret(WORDS))));
}

proptest! {
    #[test]
    fn every_key_comes_back_from_its_text(bytes in any::<[u8; 32]>()) {
        let key = MasterKey::from_bytes(Zeroizing::new(bytes));
        match parsed(key.to_text().expose()).ok().unwrap() {
            KeyText::Random(read) => prop_assert_eq!(read.bytes(), &bytes),
            KeyText::Passphrase(_) => unreachable!("no passphrase"),
        }
    }

    #[test]
    fn up_to_four_wrong_characters_are_always_found(
        places in proptest::collection::btree_set(PREFIX.len()..TEXT_CHARS, 1..=4),
        shift in 1_usize..32,
    ) {
        const ALPHABET: &[u8] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
        let mut text = TEXT.as_bytes().to_vec();
        for place in places {
            let now = ALPHABET.iter().position(|letter| *letter == text[place]).unwrap();
            text[place] = ALPHABET[(now + shift) % 32];
        }
        let text = String::from_utf8(text).unwrap();
        prop_assert_eq!(error_of(parsed(&text)), KeyTextError::Checksum);
    }
}
