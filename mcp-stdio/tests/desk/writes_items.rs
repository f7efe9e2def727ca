//! Items of an order: added, changed and removed, on good days and bad ones.

use std::sync::Arc;

use mcp_stdio::desk::model::OrderItemId;
use mcp_stdio::desk::write::{AddItem, Change, RemoveItem, UpdateItem, Verdict};
use orderdesk_sandbox::{Fault, seed};
use serde_json::{Value, json};

use crate::bad_days::{
    done_but_unanswered, edit, fact, kit_with, not_done_and_over, object, order, told, writes,
};
use crate::kit::{Kit, ORDER, order_id};

fn mug() -> AddItem {
    AddItem {
        order: order_id(ORDER),
        item: object(
            json!({"name": "Extra Mug", "code": "MUG-X", "price": "9.50", "quantity": 2, "variation_list": {"Colour": "Red"}}),
        ),
    }
}

fn items(kit: &Kit) -> Vec<Value> {
    order(kit, ORDER)["order_items"].as_array().unwrap().clone()
}

fn mugs(kit: &Kit) -> usize {
    let is_mug = |item: &&Value| item["code"] == "MUG-X";
    items(kit).iter().filter(is_mug).count()
}

/// The first item of the first order.
fn first(kit: &Kit) -> OrderItemId {
    OrderItemId::parse(items(kit)[0]["id"].as_str().unwrap()).unwrap()
}

fn update(kit: &Kit, changes: Value) -> UpdateItem {
    UpdateItem {
        order: order_id(ORDER),
        item: first(kit),
        changes: object(changes),
    }
}

fn removal(kit: &Kit) -> RemoveItem {
    RemoveItem {
        order: order_id(ORDER),
        item: first(kit),
    }
}

#[tokio::test]
async fn an_added_item_is_told_with_its_new_id_and_the_others_stay() {
    let kit = Kit::new().await;
    let before = items(&kit);
    let outcome = kit.carry_out(mug()).await.unwrap();
    let after = items(&kit);
    assert_eq!(outcome.verdict, Verdict::Done);
    assert_eq!(after[..before.len()], before[..]);
    assert_eq!(after.len(), before.len() + 1);
    assert_eq!(
        fact(&outcome, "order_item")["id"],
        after[before.len()]["id"]
    );
    assert!(
        outcome
            .diff
            .iter()
            .any(|d| d.path == "code" && d.after == "MUG-X")
    );
    assert_eq!(writes(&kit), 1);
    assert_eq!(kit.outcomes(), ["intent", "done"]);
}

#[tokio::test]
async fn an_item_whose_answer_got_lost_is_found_and_there_once() {
    for fault in done_but_unanswered() {
        let kit = kit_with(fault.clone(), 1).await;
        let outcome = told(&kit, mug()).await.unwrap();
        assert_eq!(outcome.verdict, Verdict::Done, "{fault:?}");
        assert_eq!(fact(&outcome, "order_item")["code"], "MUG-X", "{fault:?}");
        assert_eq!((mugs(&kit), writes(&kit)), (1, 1), "{fault:?}");
        assert_eq!(kit.outcomes(), ["intent", "done"], "{fault:?}");
    }
}

#[tokio::test]
async fn an_item_that_was_not_added_is_sent_again_when_the_attempt_is_over() {
    for fault in not_done_and_over() {
        let kit = kit_with(fault.clone(), 2).await;
        let outcome = told(&kit, mug()).await.unwrap();
        assert_eq!(outcome.verdict, Verdict::Done, "{fault:?}");
        assert_eq!((mugs(&kit), writes(&kit)), (1, 3), "{fault:?}");
        assert_eq!(kit.outcomes(), ["intent", "done"], "{fault:?}");
    }
}

#[tokio::test]
async fn an_item_that_nobody_answers_for_is_not_sent_twice_and_is_unknown() {
    for fault in [
        Fault::HangBefore,
        Fault::CutBefore,
        Fault::DoneLate { ms: 900 },
    ] {
        let kit = kit_with(fault.clone(), 1).await;
        let outcome = told(&kit, mug()).await.unwrap();
        assert_eq!(outcome.verdict, Verdict::Unknown, "{fault:?}");
        assert!(outcome.check.is_some_and(|check| check.contains(ORDER)));
        assert_eq!(writes(&kit), 1, "{fault:?}");
        assert_eq!(kit.outcomes(), ["intent", "unknown"], "{fault:?}");
    }
}

#[tokio::test]
async fn an_item_of_somebody_else_is_not_taken_for_ours() {
    let kit = kit_with(Fault::server_error(500), 1).await;
    let mut theirs = items(&kit);
    theirs.push(
        json!({"id": "9199999", "name": "Theirs", "code": "THEIRS", "price": 1, "quantity": 1}),
    );
    let writer = kit.writer();
    let adding = tokio::spawn(async move { writer.carry_out(Arc::new(mug()), None).await });
    kit.until_sent(2).await;
    edit(&kit, ORDER, "order_items", Value::from(theirs));
    let outcome = adding.await.unwrap().unwrap();
    // Theirs may have come before or after our look; in no case is it called ours.
    assert_ne!(fact(&outcome, "order_item")["code"], "THEIRS");
    assert!(mugs(&kit) <= 1);
    assert_eq!(outcome.verdict == Verdict::Done, mugs(&kit) == 1);
}

#[tokio::test]
async fn what_is_no_item_is_refused_before_anything_is_sent() {
    let kit = Kit::new().await;
    let nameless = AddItem {
        order: order_id(ORDER),
        item: object(json!({"code": "MUG-X"})),
    };
    assert_eq!(
        kit.carry_out(nameless).await.unwrap_err().code(),
        "bad_changes"
    );
    assert_eq!((kit.sent(), kit.outcomes().len()), (0, 0));
    let nowhere = AddItem {
        order: order_id("7999999"),
        ..mug()
    };
    assert_eq!(
        kit.carry_out(nowhere).await.unwrap_err().code(),
        "not_found"
    );
    assert_eq!(writes(&kit), 0);
}

#[tokio::test]
async fn an_update_changes_what_was_named_and_keeps_what_nobody_documented() {
    let kit = Kit::new().await;
    let odd = seed::UNDOCUMENTED.to_string();
    let before = order(&kit, &odd)["order_items"][0].clone();
    let update = UpdateItem {
        order: order_id(&odd),
        item: OrderItemId::parse(before["id"].as_str().unwrap()).unwrap(),
        changes: object(json!({"quantity": 7, "metadata": {"print_sku": "P-1"}})),
    };
    let outcome = kit.carry_out(update).await.unwrap();
    let after = order(&kit, &odd)["order_items"][0].clone();
    assert_eq!(outcome.verdict, Verdict::Done);
    let mut expected = before;
    expected["quantity"] = json!(7);
    assert_eq!(expected["metadata"], json!([]), "an empty map of PHP");
    expected["metadata"] = json!({"print_sku": "P-1"});
    assert_eq!(after["customs_code"], "6109.10");
    assert_eq!(after, expected);
    assert_eq!(writes(&kit), 1);
}

#[tokio::test]
async fn an_update_of_an_item_survives_bad_answers() {
    for fault in done_but_unanswered() {
        let kit = kit_with(fault.clone(), 1).await;
        let outcome = told(&kit, update(&kit, json!({"quantity": 9})))
            .await
            .unwrap();
        assert_eq!(outcome.verdict, Verdict::Done, "{fault:?}");
        assert_eq!(items(&kit)[0]["quantity"], 9, "{fault:?}");
        assert_eq!(writes(&kit), 1, "{fault:?}");
    }
    for fault in not_done_and_over() {
        let kit = kit_with(fault.clone(), 1).await;
        let outcome = told(&kit, update(&kit, json!({"quantity": 9})))
            .await
            .unwrap();
        assert_eq!(outcome.verdict, Verdict::Done, "{fault:?}");
        assert_eq!(items(&kit)[0]["quantity"], 9, "{fault:?}");
        assert_eq!(kit.outcomes(), ["intent", "done"], "{fault:?}");
    }
}

#[tokio::test]
async fn what_is_so_already_is_not_sent() {
    let kit = Kit::new().await;
    let name = items(&kit)[0]["name"].clone();
    let outcome = kit
        .carry_out(update(&kit, json!({"name": name})))
        .await
        .unwrap();
    assert_eq!((outcome.verdict, outcome.diff.len()), (Verdict::Done, 0));
    assert_eq!(writes(&kit), 0);
}

#[tokio::test]
async fn only_the_named_item_is_removed_and_what_went_is_told() {
    let kit = Kit::new().await;
    kit.carry_out(mug()).await.unwrap();
    let before = items(&kit);
    let preview = removal(&kit).preview(&kit.shop()).await.unwrap();
    assert!(preview.diff.iter().any(|d| d.before == before[0]["name"]));
    let change = Arc::new(removal(&kit));
    let outcome = kit.writer().carry_out(change, Some(preview)).await.unwrap();
    assert_eq!(outcome.verdict, Verdict::Done);
    assert_eq!(fact(&outcome, "order_item")["id"], before[0]["id"]);
    assert_eq!(items(&kit), before[1..]);
}

#[tokio::test]
async fn a_removal_whose_answer_got_lost_is_found_done() {
    for fault in done_but_unanswered() {
        let kit = kit_with(fault.clone(), 1).await;
        let removal = removal(&kit);
        let id = removal.item.to_string();
        let outcome = told(&kit, removal).await.unwrap();
        assert_eq!(outcome.verdict, Verdict::Done, "{fault:?}");
        assert!(items(&kit).iter().all(|item| item["id"] != id.as_str()));
        assert_eq!(writes(&kit), 1, "{fault:?}");
        assert_eq!(kit.outcomes(), ["intent", "done"], "{fault:?}");
    }
}

#[tokio::test]
async fn a_word_of_success_or_a_404_is_no_proof_of_a_removal() {
    let said = r#"{"status":"success","message":"Order Item Deleted"}"#;
    let page = Fault::Answer {
        status: 404,
        body: "<html>404</html>".to_owned(),
        content_type: "text/html".to_owned(),
    };
    for (fault, verdict) in [
        (Fault::answer(200, said), Verdict::Unknown),
        (Fault::answer(200, "{}"), Verdict::Done),
        (page, Verdict::NotDone),
    ] {
        let kit = kit_with(fault.clone(), 1).await;
        let removal = removal(&kit);
        let id = removal.item.to_string();
        let told = told(&kit, removal).await;
        let there = items(&kit).iter().any(|item| item["id"] == id.as_str());
        assert_eq!(there, verdict != Verdict::Done, "{fault:?}");
        match told {
            Ok(outcome) => assert_eq!(outcome.verdict, verdict, "{fault:?}"),
            Err(error) => assert_eq!(
                (error.code(), verdict),
                ("not_found", Verdict::NotDone),
                "{fault:?}"
            ),
        }
    }
}

#[tokio::test]
async fn an_item_that_changed_after_the_preview_is_not_removed() {
    let kit = Kit::new().await;
    let preview = removal(&kit).preview(&kit.shop()).await.unwrap();
    let mut edited = items(&kit);
    edited[0]["quantity"] = json!(99);
    edit(&kit, ORDER, "order_items", Value::from(edited));
    let change = Arc::new(removal(&kit));
    let error = kit
        .writer()
        .carry_out(change, Some(preview))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "conflict");
    assert_eq!(writes(&kit), 0);
}

#[tokio::test]
async fn an_item_that_is_not_there_is_not_found() {
    let kit = Kit::new().await;
    let nothing = RemoveItem {
        order: order_id(ORDER),
        item: OrderItemId::parse("1").unwrap(),
    };
    assert_eq!(
        kit.carry_out(nothing).await.unwrap_err().code(),
        "not_found"
    );
    assert_eq!((writes(&kit), kit.outcomes().len()), (0, 0));
}

#[tokio::test]
async fn an_agreement_to_an_item_is_void_once_it_is_there() {
    let kit = Kit::new().await;
    let before = mug().preview(&kit.shop()).await.unwrap();
    assert_eq!(before, mug().preview(&kit.shop()).await.unwrap());
    kit.carry_out(mug()).await.unwrap();
    let after = mug().preview(&kit.shop()).await.unwrap();
    assert_ne!(before.basis, after.basis);
}
