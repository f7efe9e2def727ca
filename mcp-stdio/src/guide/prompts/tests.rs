//! The prompts without a wire: what they say, what they refuse, and what a hostile value cannot do.

use proptest::prelude::*;
use rmcp::model::ContentBlock;
use serde_json::json;

use super::*;

fn everything() -> Permissions {
    Permissions::default()
}

fn get_with(name: &str, arguments: &Value) -> Result<String, String> {
    let mut request = GetPromptRequestParams::new(name);
    request.arguments = arguments.as_object().cloned();
    let result = get(&request, &everything()).map_err(|error| error.message.into_owned())?;
    let ContentBlock::Text(text) = &result.messages[0].content else {
        panic!("not text")
    };
    Ok(text.text.clone())
}

/// What stands in the fence, read back.
fn in_fence(text: &str) -> Value {
    let fence: Vec<&str> = text.split("```").collect();
    assert_eq!(fence.len(), 3, "one fence, closed once: {text}");
    serde_json::from_str(fence[1].strip_prefix("json\n").unwrap()).unwrap()
}

/// Every argument filled in.
fn filled(recipe: &Recipe, value: &str) -> Value {
    recipe
        .slots()
        .map(|slot| (slot.name.to_owned(), json!(value)))
        .collect::<Map<_, _>>()
        .into()
}

#[test]
fn every_prompt_names_its_tools_and_no_others() {
    let names: Vec<&str> = tools::ALL.iter().map(|tool| tool.name).collect();
    for recipe in &ALL {
        let mut text = recipe.text(&BTreeMap::new());
        for slot in recipe.arguments {
            text.push_str(&recipe.text(&BTreeMap::from([(slot.name, "x".to_owned())])));
        }
        for tool in recipe.tools {
            assert!(
                text.contains(&format!("`{tool}`")),
                "{}: {tool}",
                recipe.name
            );
        }
        for tool in names.iter().filter(|tool| !recipe.tools.contains(tool)) {
            // Named as what may be there, with what to do when it is not.
            let optional = recipe.name == "ship_these" && *tool == "shipments_batch_add";
            assert!(
                optional || !text.contains(&format!("`{tool}`")),
                "{}: {tool}",
                recipe.name
            );
        }
    }
}

#[test]
fn every_tool_that_a_prompt_needs_exists() {
    for recipe in &ALL {
        for tool in recipe.tools {
            assert!(tools::find(tool).is_some(), "{}: {tool}", recipe.name);
        }
    }
}

#[test]
fn a_prompt_that_changes_something_says_to_ask_first() {
    for (name, arguments) in [
        ("put_on_hold", json!({"order": "1", "reason": "art"})),
        ("ship_these", json!({"shipments": "1 1Z9 UPS"})),
    ] {
        let text = get_with(name, &arguments).unwrap();
        assert!(
            text.contains("dry_run")
                && text.contains("confirm_token")
                && text.contains("outcome=unknown"),
            "{text}"
        );
    }
    assert!(
        !get_with("stock_check", &json!({}))
            .unwrap()
            .contains("dry_run")
    );
}

#[test]
fn steps_follow_what_was_given() {
    let with = get_with("stock_check", &json!({"code": "MUG-1"})).unwrap();
    assert!(
        with.contains("`inventory_list`") && !with.contains("largest shortage"),
        "{with}"
    );
    let without = get_with("stock_check", &json!({"code": " "})).unwrap();
    assert!(
        !without.contains("`inventory_list`") && without.contains("largest shortage"),
        "{without}"
    );
    assert!(!without.contains("```"), "nothing was given: {without}");
    assert!(
        get_with("stock_check", &json!({"store": "Demo"}))
            .unwrap()
            .contains("Pass `store`")
    );
}

#[test]
fn mistakes_are_told_all_at_once_with_what_was_meant() {
    assert_eq!(
        get_with("put_on_hold", &json!({"oder": "1", "until": ["x"]})).unwrap_err(),
        "`oder` is no argument of this prompt; did you mean `order`?; `until` must be text; `order` is missing; `reason` is missing"
    );
    assert_eq!(
        get_with("dayly_summary", &json!({})).unwrap_err(),
        "unknown prompt `dayly_summary`; did you mean `daily_summary`?"
    );
    assert!(
        get_with("zzz", &json!({}))
            .unwrap_err()
            .contains("prompts/list")
    );
    let long = "x".repeat(4_001);
    assert_eq!(
        get_with("where_is_my_order", &json!({"query": long})).unwrap_err(),
        "`query` is longer than 4000 characters"
    );
    assert_eq!(
        in_fence(&get_with("where_is_my_order", &json!({"query": 1042})).unwrap())["query"],
        "1042"
    );
}

proptest! {
    /// A person may paste what a stranger wrote: it stays one line of JSON, whatever is in it.
    #[test]
    fn no_value_leaves_its_fence(value in "x(\\PC|[`\\n\\r\u{202e}\u{200b}\"\\\\]){0,200}") {
        let cleaned = clean::text(&value).trim().to_owned();
        for recipe in &ALL {
            let text = get_with(recipe.name, &filled(recipe, &value)).unwrap();
            let fenced = in_fence(&text);
            for slot in recipe.slots() {
                prop_assert_eq!(&fenced[slot.name], &json!(cleaned));
            }
            let fence = text.split("```").nth(1).unwrap_or_default();
            prop_assert_eq!(fence.lines().count(), 2, "{}", text);
        }
    }
}
