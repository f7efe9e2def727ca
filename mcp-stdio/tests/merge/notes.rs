//! Staff notes and history.

use mcp_stdio::desk::merge::notes::{
    ALL_NOTES_MAX, Added, HISTORY_NOTE_MAX, NoteError, SAFE, append, check_history, in_history,
    tidy,
};
use mcp_stdio::desk::model::{Fields, Object};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::object;

const NOW: &str = "2026-03-03 09:00:00";

fn order(notes: Value) -> Object {
    object(json!({"id": "1", "email": "a@example.com", "order_notes": notes, "order_total": 5}))
}

fn one(content: &str) -> Value {
    json!([{"date_added": "2026-03-02 15:00:00", "username": "Kim", "content": content}])
}

fn appended(order: &Object, content: &str) -> Object {
    match append(order, content, "Assistant", NOW).unwrap() {
        Added::New(order) => order,
        Added::AlreadyThere { date } => panic!("is there since {date}"),
    }
}

#[test]
fn a_note_stands_behind_the_others_and_the_order_is_sent_whole() {
    let next = appended(
        &order(one("gift wrap")),
        "  Call the customer\r\nbefore noon \u{7}",
    );
    assert_eq!(
        Value::Object(next),
        json!({"email": "a@example.com", "order_notes": [
            {"date_added": "2026-03-02 15:00:00", "username": "Kim", "content": "gift wrap"},
            {"date_added": NOW, "username": "Assistant", "content": "Call the customer\nbefore noon"},
        ]})
    );
}

#[test]
fn notes_that_php_wrote_as_nothing_or_with_a_gap_are_a_list() {
    for nothing in [json!([]), json!(""), Value::Null, json!({})] {
        assert_eq!(
            appended(&order(nothing), "x")["order_notes"]
                .as_array()
                .map(Vec::len),
            Some(1)
        );
    }
    let gap = json!({"0": {"content": "a"}, "2": {"content": "b"}});
    let next = appended(&order(gap), "c");
    let contents: Vec<&str> = next["order_notes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|note| note["content"].as_str().unwrap())
        .collect();
    assert_eq!(contents, ["a", "b", "c"]);
}

#[test]
fn the_same_text_is_not_added_twice_whatever_its_case_and_blanks() {
    let order = order(one("Gift  wrap\nplease"));
    for again in [
        "Gift wrap please",
        "GIFT WRAP PLEASE",
        " gift\twrap\r\nplease ",
    ] {
        let added = append(&order, again, "Someone else", NOW).unwrap();
        assert_eq!(
            added,
            Added::AlreadyThere {
                date: "2026-03-02 15:00:00".to_owned()
            },
            "{again}"
        );
    }
    appended(&order, "Gift wrap, please");
}

#[test]
fn a_note_that_does_not_fit_says_how_much_room_is_left() {
    let full = order(one(&"x".repeat(1_700)));
    appended(&full, &"y".repeat(99));
    let error = append(&full, &"y".repeat(100), "Assistant", NOW).unwrap_err();
    assert_eq!(
        error,
        NoteError::Full {
            needed: 100,
            left: 99
        }
    );
    let said = error.to_string();
    assert!(
        said.contains("room for 99") && said.contains("history"),
        "{said}"
    );
}

#[test]
fn notes_are_counted_as_php_writes_them() {
    // 300 letters beyond ASCII are 1,800 characters of JSON.
    let order = order(one(&"é".repeat(250)));
    appended(&order, &"é".repeat(40));
    assert!(matches!(
        append(&order, &"é".repeat(60), "Assistant", NOW),
        Err(NoteError::Full { needed: 360, .. })
    ));
}

#[test]
fn an_empty_note_and_notes_that_cannot_be_read_are_refused() {
    assert_eq!(
        append(&order(json!([])), " \n\u{0} ", "Assistant", NOW),
        Err(NoteError::Empty)
    );
    assert_eq!(
        append(&order(json!("one long text")), "x", "Assistant", NOW),
        Err(NoteError::Unreadable)
    );
    assert_eq!(
        append(&order(json!({"content": "x"})), "x", "Assistant", NOW),
        Err(NoteError::Unreadable)
    );
}

#[test]
fn an_entry_of_the_history_has_its_own_limit() {
    assert_eq!(check_history(&"é".repeat(HISTORY_NOTE_MAX)), Ok(()));
    assert_eq!(
        check_history(&"é".repeat(HISTORY_NOTE_MAX + 1)),
        Err(NoteError::TooLong { needed: 1_801 })
    );
    assert_eq!(check_history(" "), Err(NoteError::Empty));
}

#[test]
fn the_history_knows_a_text_again() {
    let entry =
        object(json!({"source_name": "Assistant", "note": "Checked  address", "date_added": NOW}));
    let history = [Fields::of(&entry)];
    assert!(in_history(&history, " checked ADDRESS\n"));
    assert!(!in_history(&history, "checked addresses"));
    assert!(!in_history(&[], "checked address"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn notes_are_only_ever_added_and_never_beyond_their_limits(
        old in proptest::collection::vec((0..600_usize, 0..4_usize), 0..6),
        new in (0..900_usize, 0..4_usize),
    ) {
        let text = |(length, letter): (usize, usize)| ["x", "é", "/", "\n🧦"][letter].repeat(length);
        let notes: Vec<Value> = old.iter().map(|part| json!({"date_added": NOW, "username": "Kim", "content": text(*part)})).collect();
        let order = order(Value::Array(notes.clone()));
        match append(&order, &text(new), "Assistant", NOW) {
            Ok(Added::New(next)) => {
                let all = next["order_notes"].as_array().unwrap();
                prop_assert_eq!(&all[..notes.len()], &notes[..]);
                prop_assert_eq!(all.len(), notes.len() + 1);
                prop_assert!(next["order_notes"].to_string().chars().count() <= ALL_NOTES_MAX);
                let texts: usize = all.iter().map(|note| note["content"].as_str().unwrap().chars().count()).sum();
                prop_assert!(texts < SAFE);
                // A second time it is there.
                let again = append(&next, &text(new), "Assistant", NOW);
                prop_assert_eq!(again, Ok(Added::AlreadyThere { date: NOW.to_owned() }));
            }
            Ok(Added::AlreadyThere { .. }) => {
                let known = |note: &Value| tidy(note["content"].as_str().unwrap()) == tidy(&text(new));
                prop_assert!(notes.iter().any(known));
            }
            Err(NoteError::Full { needed, left }) => prop_assert!(needed > left),
            Err(NoteError::Empty) => prop_assert!(new.0 == 0),
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
}
