use super::*;
use serde_json::json;

fn said(answer: Value) -> Decision {
    let mut request = CallToolRequestParams::new("orders_delete");
    request.request_state = Some("token".to_owned());
    request.input_responses = Some(BTreeMap::from([(CONFIRM.to_owned(), answer)]));
    brought(&request).unwrap().1
}

#[test]
fn only_a_ticked_box_is_a_yes() {
    assert_eq!(
        said(json!({"action": "accept", "content": {"confirm": true}})),
        Decision::Yes
    );
    for no in [
        json!({"action": "accept", "content": {"confirm": false}}),
        json!({"action": "accept", "content": {"confirm": "true"}}),
        json!({"action": "accept", "content": {}}),
        json!({"action": "accept"}),
        json!({"action": "decline", "content": {"confirm": true}}),
        json!({"action": "cancel"}),
    ] {
        assert_eq!(said(no.clone()), Decision::No, "{no}");
    }
}

#[test]
fn an_answer_that_is_none_is_silence() {
    for garbage in [
        json!(null),
        json!(true),
        json!({"action": "perhaps"}),
        json!([]),
    ] {
        assert_eq!(said(garbage.clone()), Decision::Silent, "{garbage}");
    }
    let mut request = CallToolRequestParams::new("orders_delete");
    assert!(brought(&request).is_none());
    request.request_state = Some("token".to_owned());
    assert_eq!(brought(&request).unwrap().1, Decision::Silent);
}

#[test]
fn a_client_that_only_opens_addresses_has_no_forms() {
    let capability = |value: Value| serde_json::from_value(value).unwrap();
    assert!(has_forms(&capability(json!({}))));
    assert!(has_forms(&capability(json!({"form": {}, "url": {}}))));
    assert!(!has_forms(&capability(json!({"url": {}}))));
}

#[test]
fn the_question_is_one_box_without_a_dialect() {
    let question = Question {
        title: "Delete order 7?".to_owned(),
        text: "- order: it goes".to_owned(),
    };
    let form = json!(form(&question));
    assert_eq!(form["method"], "elicitation/create");
    let schema = &form["params"]["requestedSchema"];
    assert_eq!(
        *schema,
        json!({"type": "object", "properties": {"confirm": {"type": "boolean", "title": "Delete order 7?"}}, "required": ["confirm"]})
    );
    let message = form["params"]["message"].as_str().unwrap();
    assert!(
        message.starts_with("Delete order 7?\n\n- order"),
        "{message}"
    );
}
