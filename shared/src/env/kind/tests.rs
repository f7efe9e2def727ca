//! What each kind accepts, refuses, and prints.

use super::*;
use proptest::prelude::*;

/// One kind of each shape.
const KINDS: [Kind; 17] = [
    Kind::Path,
    Kind::Secret { min_length: 4 },
    Kind::KeyText,
    Kind::Name { max_chars: 60 },
    Kind::Digits,
    Kind::Flag,
    Kind::Count {
        min: 0,
        max: u64::MAX,
    },
    Kind::Number {
        min: f64::MIN,
        max: f64::MAX,
    },
    Kind::Duration {
        min_ms: 0,
        max_ms: u64::MAX,
    },
    Kind::Bytes {
        min: 0,
        max: u64::MAX,
    },
    Kind::Names,
    Kind::Hosts,
    Kind::ApiUrl,
    Kind::Targets,
    Kind::Recipients,
    Kind::Schedule,
    Kind::Choice(&["warn", "info"]),
];

#[test]
fn switches_are_read_as_people_write_them() {
    for (text, expected) in [
        ("TRUE", true),
        ("1", true),
        ("yes", true),
        ("on", true),
        ("No", false),
        ("0", false),
        ("off", false),
    ] {
        assert_eq!(Kind::Flag.parse(text), Ok(Value::Flag(expected)), "{text}");
    }
    assert!(Kind::Flag.parse("enabled").is_err());
}

#[test]
fn ids_are_digits_and_nothing_that_could_become_a_path() {
    assert_eq!(
        Kind::Digits.parse(" 4242 "),
        Ok(Value::Text("4242".to_owned()))
    );
    for wrong in [
        "../store",
        "42/43",
        "",
        "-1",
        "4.2",
        "٤٢",
        "123456789012345678901",
    ] {
        assert!(Kind::Digits.parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn ranges_include_their_ends() {
    let kind = Kind::Count { min: 1, max: 3 };
    assert_eq!(
        ["0", "1", "3", "4"].map(|text| kind.parse(text).is_ok()),
        [false, true, true, false]
    );
    let kind = Kind::Duration {
        min_ms: 10,
        max_ms: 1000,
    };
    assert_eq!(
        ["9ms", "10ms", "1s", "1001ms"].map(|text| kind.parse(text).is_ok()),
        [false, true, true, false]
    );
    let kind = Kind::Bytes {
        min: 1024,
        max: 4096,
    };
    assert_eq!(
        ["1023", "1KiB", "4096B", "5KiB"].map(|text| kind.parse(text).is_ok()),
        [false, true, true, false]
    );
}

#[test]
fn a_secret_is_trimmed_and_must_be_able_to_stand_in_a_header() {
    let kind = Kind::Secret { min_length: 4 };
    assert_eq!(
        kind.parse("abcd\r\n"),
        Ok(Value::Secret(Secret::new("abcd".to_owned())))
    );
    for wrong in ["abc", "ab cd", "ab\ncd", "äbcd", "ab\u{7f}cd"] {
        assert!(!kind.parse(wrong).unwrap_err().may_echo, "{wrong}");
    }
}

#[test]
fn a_master_key_may_be_a_passphrase_and_is_never_echoed() {
    assert_eq!(
        Kind::KeyText.parse(" passphrase:two words, ünd mehr\n"),
        Ok(Value::Secret(Secret::new(
            "passphrase:two words, ünd mehr".to_owned()
        )))
    );
    for wrong in ["", "two\nlines", "a\u{7}bell"] {
        assert!(
            !Kind::KeyText.parse(wrong).unwrap_err().may_echo,
            "{wrong:?}"
        );
    }
    assert!(Kind::KeyText.is_secret());
}

#[test]
fn a_name_is_one_line_of_a_length_that_people_can_read() {
    let kind = Kind::Name { max_chars: 4 };
    assert_eq!(kind.parse(" Über "), Ok(Value::Text("Über".to_owned())));
    for wrong in ["", "Übers", "a\nb"] {
        assert!(kind.parse(wrong).is_err(), "{wrong:?}");
    }
}

proptest! {
    #[test]
    fn a_printed_value_is_read_back_to_the_same(text in "[ -~]{1,40}|[0-9]{1,9}(ms|s|m|KiB|\\.5)?|(https?://)?[a-z0-9.]{1,12}(:[0-9]{1,4})?", kind in 0..KINDS.len()) {
        let kind = KINDS[kind];
        if let Ok(value) = kind.parse(&text) && !kind.is_secret() {
            prop_assert_eq!(kind.parse(&value.to_string()), Ok(value));
        }
    }

    #[test]
    fn a_secret_is_never_printed(text in "[!-~]{12,40}") {
        let value = Kind::Secret { min_length: 4 }.parse(&text).unwrap();
        prop_assert_eq!(format!("{value} {value:?}"), "[secret] Secret([secret])");
    }

    #[test]
    fn no_text_makes_a_kind_panic(text in "\\PC*", kind in 0..KINDS.len()) {
        let _ = KINDS[kind].parse(&text);
    }
}

#[test]
fn names_come_with_commas_in_any_case_and_count_once() {
    assert_eq!(
        Kind::Names.parse(" orders, Shipments,,orders "),
        Ok(Value::List(vec![
            "orders".to_owned(),
            "shipments".to_owned()
        ]))
    );
    let many = vec!["a"; 200].join(",");
    assert!(Kind::Names.parse(&many).is_ok(), "one name, said often");
    for wrong in [
        "",
        ",",
        "orders shipments",
        "orders;items",
        "órders",
        "../x",
    ] {
        assert!(Kind::Names.parse(wrong).is_err(), "{wrong}");
    }
    let many: Vec<String> = (0..101).map(|n| format!("n{n}")).collect();
    assert!(Kind::Names.parse(&many.join(",")).is_err());
}
