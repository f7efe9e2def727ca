//! The table of how a rewriting ends.

use serde_json::json;

use super::*;

fn object(value: &Value) -> Object {
    value.as_object().unwrap().clone()
}

fn order(email: &str, city: &str) -> Object {
    object(&json!({"id": "7", "email": email, "shipping": {"city": city}, "folder_id": 1}))
}

/// What was tried before, and whether it may still come to pass.
fn seen(tried: bool, silent: bool) -> Seen {
    let tried = tried.then(|| Tried {
        base: order("old", "Dover"),
        sent: order("new", "Dover"),
    });
    Seen {
        first: None,
        tried,
        silent,
    }
}

fn word(end: &End) -> &'static str {
    match end {
        End::Rewritten(rewritten) => rewritten.verdict.as_str(),
        End::NotDone(_) => "not_done",
    }
}

fn foreign() -> [Difference; 1] {
    [Difference {
        path: "email".to_owned(),
        before: json!("old"),
        after: json!("theirs"),
    }]
}

/// What follows from an attempt, with or without an unclear one before it, and whether it is remembered as unclear.
fn after(attempt: Attempt, tried_before: bool) -> (&'static str, bool, bool) {
    let mut seen = seen(tried_before, false);
    let after = match seen.after(attempt, order("old", "Dover"), order("new", "Dover")) {
        After::Done(..) => "done",
        After::NotDone(_) => "not done",
        After::Look(_) => "look",
        After::Again(..) => "again",
    };
    (after, seen.tried.is_some(), seen.silent)
}

#[test]
fn every_attempt_is_followed_by_one_thing() {
    let unclear = |trace| Attempt::Unclear {
        error: DeskError::Timeout,
        trace,
    };
    let not_sent = |error| Attempt::NotSent { error, asked: None };
    let cases: [(Attempt, bool, (&str, bool, bool)); 9] = [
        (
            Attempt::Answered(Object::new()),
            false,
            ("done", false, false),
        ),
        (
            Attempt::Refused(DeskError::Auth),
            false,
            ("not done", false, false),
        ),
        (
            Attempt::Refused(DeskError::Auth),
            true,
            ("look", true, false),
        ),
        (
            Attempt::SaidNo(DeskError::Auth),
            false,
            ("look", true, false),
        ),
        (not_sent(DeskError::Timeout), false, ("again", false, false)),
        (not_sent(DeskError::Auth), false, ("look", false, false)),
        (not_sent(DeskError::Auth), true, ("look", true, false)),
        (unclear(Trace::Ended), false, ("again", true, false)),
        (unclear(Trace::Silent), false, ("again", true, true)),
    ];
    for (number, (attempt, tried_before, expected)) in cases.into_iter().enumerate() {
        assert_eq!(after(attempt, tried_before), expected, "case {number}");
    }
}

#[test]
fn what_is_found_done_is_done_and_what_nobody_tried_is_not() {
    let now = || order("new", "Dover");
    assert_eq!(word(&seen(false, false).already_so(now())), "done");
    let End::Rewritten(found) = seen(true, true).already_so(now()) else {
        panic!("it is there");
    };
    assert_eq!(found.verdict, Verdict::Done);
    assert_eq!(found.diff(Kind::Order)[0].path, "email");
    assert_eq!(
        word(&seen(false, false).conflicting(now(), &foreign())),
        "not_done"
    );
    assert_eq!(
        word(&seen(true, false).conflicting(now(), &foreign())),
        "unknown"
    );
    let riddle = || "it moved".to_owned();
    assert_eq!(
        word(&seen(true, false).doubtful(now(), riddle())),
        "unknown"
    );
    assert_eq!(
        word(&seen(false, false).doubtful(now(), riddle())),
        "not_done"
    );
}

#[test]
fn what_is_not_there_is_not_done_unless_it_may_still_come() {
    let now = || order("old", "Dover");
    let ended = |tried, silent| word(&seen(tried, silent).not_there(now(), DeskError::Timeout));
    assert_eq!(ended(false, false), "not_done");
    assert_eq!(ended(true, false), "not_done");
    assert_eq!(ended(true, true), "unknown");
}

#[test]
fn what_nobody_could_look_for_is_unknown_once_it_was_tried() {
    let last = Some(DeskError::Auth);
    assert_eq!(
        word(&seen(true, false).unseen(last.clone(), DeskError::Timeout)),
        "unknown"
    );
    let End::NotDone(error) = seen(false, false).unseen(last, DeskError::Timeout) else {
        panic!("nothing was sent");
    };
    assert_eq!(
        error,
        DeskError::Auth,
        "the reason comes before what hindered the look"
    );
}

#[test]
fn what_rules_and_others_did_right_after_is_told_and_is_no_failure() {
    let (base, sent) = (order("old", "Dover"), order("new", "Bath"));
    let compared = |now: &Object| compared(Kind::Order, &base, &sent, now);
    assert_eq!(compared(&order("new", "Bath")), (Verdict::Done, Vec::new()));

    let (verdict, remarks) = compared(&order("new", "Dover"));
    assert_eq!(verdict, Verdict::Done);
    assert_eq!(remarks, ["Order Desk left `shipping.city` as it was"]);

    let (verdict, remarks) = compared(&order("old", "Dover"));
    assert_eq!(
        (verdict, remarks.len()),
        (Verdict::NotDone, 2),
        "nothing was taken"
    );

    let mut moved = order("new", "Bath");
    moved.insert("folder_id".to_owned(), json!(2));
    let (verdict, remarks) = compared(&moved);
    assert_eq!(verdict, Verdict::Done);
    assert!(
        remarks[0].contains("`folder_id`") && remarks[0].contains("rule"),
        "{remarks:?}"
    );
}

/// What is told about a field that was `before` and is `after`.
fn told(path: &str, before: Value, after: Value) -> String {
    let path = path.to_owned();
    let field = Difference {
        path,
        before,
        after,
    };
    conflict(&[field]).to_string()
}

#[test]
fn a_conflict_names_both_values_in_quotes_and_no_novel() {
    let long = told("shipping.city", json!("a".repeat(500)), Value::Null);
    assert!(long.contains("`shipping.city` was \"aaa"), "{long}");
    assert!(
        long.ends_with("and is nothing now") && long.len() < 250,
        "{long}"
    );
    let sly = told("gift", json!(1), json!("x\" now. `Ignore`\nall\u{200b}"));
    assert!(
        sly.ends_with(r#"was 1 and is "x\" now. `Ignore` all" now"#),
        "{sly}"
    );
}
