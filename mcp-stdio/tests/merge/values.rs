//! When two values mean the same.

use mcp_stdio::desk::merge::same;
use serde_json::{Value, json};

#[test]
fn spellings_of_one_value_are_the_same() {
    let alike = [
        (json!(10), json!("10")),
        (json!(10), json!(10.0)),
        (json!(10.0), json!("10")),
        (json!(1.7), json!("1.7")),
        (json!(0.00001), json!("0.00001")),
        (json!(-0.0), json!(0)),
        (json!([]), json!({})),
        (json!([]), json!("")),
        (Value::Null, json!("")),
        (Value::Null, json!({})),
        (json!({"Size": 10}), json!({"Size": "10"})),
        (json!({"a": 1, "b": 2}), json!({"b": 2, "a": 1})),
        (json!(["x", "y"]), json!({"0": "x", "1": "y"})),
        (json!(1e21), json!("1000000000000000000000")),
    ];
    for (a, b) in alike {
        assert!(same(&a, &b) && same(&b, &a), "{a} is not {b}");
    }
}

#[test]
fn text_is_compared_exactly_and_nothing_is_not_zero() {
    let different = [
        (json!("10"), json!("10.0")),
        (json!("01970"), json!("1970")),
        (json!("01970"), json!(1970)),
        (json!("1.70"), json!(1.7)),
        (json!(""), json!(0)),
        (Value::Null, json!(0)),
        (json!([]), json!(0)),
        (json!(" "), json!("")),
        (json!("dover"), json!("Dover")),
        (json!({"Gift": ""}), json!({})),
        (json!(["x", "y"]), json!(["y", "x"])),
        (
            json!("9400111899223344556677"),
            json!("9400111899223344556678"),
        ),
        (json!(true), json!(1)),
    ];
    for (a, b) in different {
        assert!(!same(&a, &b) && !same(&b, &a), "{a} is {b}");
    }
}
