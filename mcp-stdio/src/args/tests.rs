//! Arguments as models write them: what is understood, what is refused, and that every mistake is told.

use super::*;

const DECLARED: &[Argument] = &[
    Argument::required("order_id", Kind::Text, "the id"),
    Argument::optional("limit", Kind::Count(1, 500), ""),
    Argument::optional("fresh", Kind::Flag, ""),
    Argument::optional("detail", Kind::Word(&["summary", "full"]), ""),
    Argument::optional("fields", Kind::Words, ""),
    Argument::optional("search_start_date", Kind::Text, ""),
];

fn check(given: &Value) -> Result<Args, Vec<String>> {
    Args::check(DECLARED, given.as_object()).map_err(|error| match error {
        ToolError::Arguments(mistakes) => mistakes,
        other => panic!("{other:?}"),
    })
}

#[test]
fn types_are_understood_in_the_forms_that_models_write_them() {
    let args = check(&json!({"order_id": 7, "limit": "20", "fresh": "true", "detail": "FULL", "fields": "id, email"})).unwrap();
    assert_eq!(args.text("order_id"), Some("7"));
    assert_eq!(args.count("limit"), Some(20));
    assert!(args.flag("fresh"));
    assert_eq!(args.text("detail"), Some("full"));
    assert_eq!(args.words("fields"), ["id", "email"]);
    assert_eq!(
        check(&json!({"order_id": "7", "limit": 20.0}))
            .unwrap()
            .count("limit"),
        Some(20)
    );
}

#[test]
fn null_and_blank_count_as_not_given() {
    let args = check(&json!({"order_id": "7", "limit": null, "detail": " "})).unwrap();
    assert_eq!((args.count("limit"), args.text("detail")), (None, None));
    assert_eq!(
        check(&json!({"order_id": ""})).unwrap_err(),
        ["`order_id` is missing"]
    );
    assert_eq!(check(&json!({})).unwrap_err(), ["`order_id` is missing"]);
}

#[test]
fn nothing_in_a_list_or_an_object_is_nothing() {
    const CHANGES: &[Argument] = &[
        Argument::required("changes", Kind::Object, ""),
        Argument::required("rows", Kind::Objects(5), ""),
        Argument::required("ids", Kind::Ids(5), ""),
    ];
    for given in [
        json!({"changes": {}, "rows": [], "ids": []}),
        json!({"changes": "{}", "rows": "[]", "ids": ","}),
    ] {
        let error = Args::check(CHANGES, given.as_object()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`changes` is missing; `rows` is missing; `ids` is missing"
        );
    }
}

#[test]
fn a_misspelt_name_is_an_error_that_says_the_right_one() {
    for (given, meant) in [
        ("oder_id", "order_id"),
        ("Limit", "limit"),
        ("start_date", "search_start_date"),
        ("feilds", "fields"),
    ] {
        let mistakes = check(&json!({"order_id": 7, given: 1})).unwrap_err();
        assert_eq!(
            mistakes,
            [format!(
                "`{given}` is not an argument of this tool; did you mean `{meant}`?"
            )]
        );
    }
    assert!(
        check(&json!({"order_id": 7, "zzz": 1})).unwrap_err()[0]
            .contains("it takes `order_id`, `limit`")
    );
}

#[test]
fn every_mistake_is_told_at_once() {
    let mistakes =
        check(&json!({"limit": 501, "fresh": "yes", "detail": "all", "fields": [[]], "colour": 1}))
            .unwrap_err();
    assert_eq!(mistakes.len(), 6, "{mistakes:?}");
}

#[test]
fn what_is_too_big_is_refused() {
    assert!(
        check(&json!({"order_id": "7".repeat(1001)})).unwrap_err()[0].contains("longer than 1000")
    );
    assert!(
        check(&json!({"order_id": 7, "fields": vec!["id"; 101]})).unwrap_err()[0]
            .contains("more than 100")
    );
    for limit in [json!(0), json!(-1), json!(1.5), json!(1e300), json!([])] {
        assert!(check(&json!({"order_id": 7, "limit": limit})).is_err());
    }
}

#[test]
fn the_schema_allows_nothing_else_and_carries_no_number_formats() {
    let schema = Value::Object(input_schema(DECLARED));
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["required"], json!(["order_id"]));
    assert_eq!(
        schema["properties"]["limit"],
        json!({"type": "integer", "minimum": 1, "maximum": 500})
    );
    let text = schema.to_string();
    assert!(!text.contains("format") && !text.contains("$schema"));
}

proptest::proptest! {
    #[test]
    fn no_number_makes_it_panic(number: f64) {
        let _ = check(&json!({"order_id": number, "limit": number, "fresh": number}));
    }
}

const WRITING: &[Argument] = &[
    Argument::optional("changes", Kind::Object, ""),
    Argument::optional("rows", Kind::Objects(3), ""),
    Argument::optional("delta", Kind::Integer(-1000, 1000), ""),
    Argument::optional("note", Kind::LongText(20), ""),
    Argument::optional("order_ids", Kind::Ids(3), ""),
];

fn write(given: &Value) -> Result<Args, Vec<String>> {
    Args::check(WRITING, given.as_object()).map_err(|error| match error {
        ToolError::Arguments(mistakes) => mistakes,
        other => panic!("{other:?}"),
    })
}

#[test]
fn objects_are_understood_as_objects_and_as_text_and_keep_what_is_in_them() {
    let changes = json!({"email": null, "shipping": {"city": ""}, "quantity": "2"});
    for given in [changes.clone(), Value::from(changes.to_string())] {
        let args = write(&json!({"changes": given})).unwrap();
        assert_eq!(args.object("changes"), changes.as_object());
        // One row stands for a list of one.
        let args = write(&json!({"rows": given})).unwrap();
        assert_eq!(args.objects("rows").len(), 1);
    }
    let rows = json!([{"a": 1}, r#"{"a": 2}"#]);
    for given in [rows.clone(), Value::from(rows.to_string())] {
        let args = write(&json!({"rows": given})).unwrap();
        assert_eq!(args.objects("rows")[1]["a"], 2);
    }
}

#[test]
fn what_is_no_object_is_refused_and_so_are_too_many() {
    for wrong in [json!("email=a"), json!([1]), json!(7), json!(true)] {
        let mistakes = write(&json!({"changes": wrong})).unwrap_err();
        assert_eq!(mistakes, ["`changes` must be an object"], "{wrong}");
    }
    let mistakes = write(&json!({"rows": [1]})).unwrap_err();
    assert_eq!(mistakes, ["`rows` must be a list of objects"]);
    let many = json!([{"a": 1}, {"a": 1}, {"a": 1}, {"a": 1}]);
    let mistakes = write(&json!({"rows": many})).unwrap_err();
    assert_eq!(mistakes, ["`rows` has 4 rows; at most 3 at once"]);
}

#[test]
fn amounts_have_a_sign() {
    for (given, meant) in [
        (json!(-5), -5),
        (json!("+5"), 5),
        (json!(" -7 "), -7),
        (json!(3.0), 3),
        (json!("0"), 0),
    ] {
        let args = write(&json!({"delta": given})).unwrap();
        assert_eq!(args.integer("delta"), Some(meant), "{given}");
    }
    for wrong in [
        json!(1.5),
        json!(1001),
        json!("five"),
        json!(-1e300),
        json!([]),
    ] {
        assert!(write(&json!({"delta": wrong})).is_err(), "{wrong}");
    }
}

#[test]
fn a_note_keeps_its_lines_and_says_how_much_too_long_it_is() {
    let args = write(&json!({"note": " one\ntwo "})).unwrap();
    assert_eq!(args.text("note"), Some("one\ntwo"));
    let mistakes = write(&json!({"note": "é".repeat(21)})).unwrap_err();
    assert_eq!(mistakes, ["`note` is longer than 20 characters: it has 21"]);
}

#[test]
fn ids_come_as_lists_numbers_and_text_and_count_once() {
    for given in [json!(["7", "8", "7"]), json!([7, 8]), json!("7, 8,8")] {
        let args = write(&json!({"order_ids": given})).unwrap();
        assert_eq!(args.words("order_ids"), ["7", "8"], "{given}");
    }
    let one = write(&json!({"order_ids": 7})).unwrap();
    assert_eq!(one.words("order_ids"), ["7"]);
    let mistakes = write(&json!({"order_ids": [1, 2, 3, 4]})).unwrap_err();
    assert_eq!(mistakes, ["`order_ids` has 4 entries; at most 3 at once"]);
    assert!(write(&json!({"order_ids": [[]]})).is_err());
}
