//! Stock, on good days and bad ones: no count is lost, none is counted twice, and no other field is blanked.

use std::sync::Arc;

use mcp_stdio::desk::model::InventoryItemId;
use mcp_stdio::desk::write::{
    Adjust, AdjustStock, Change, CreateInventoryItem, RemoveInventoryItem, UpdateInventoryItem,
    Verdict, Which,
};
use orderdesk_sandbox::{Fault, Rule, seed};
use serde_json::{Value, json};

use crate::bad_days::{
    done_but_unanswered, fact, kit_with, not_done_and_over, object, stock, told, writes,
};
use crate::kit::Kit;

/// The first seeded item: `TOTE-NAT`, 34 in stock.
pub(crate) const TOTE: u64 = seed::FIRST_INVENTORY_ITEM;

fn code(code: &str) -> Which {
    Which::Code(code.to_owned())
}

fn id(id: u64) -> Which {
    Which::Id(InventoryItemId::parse(&id.to_string()).unwrap())
}

fn fewer(count: i64) -> AdjustStock {
    AdjustStock {
        which: code("TOTE-NAT"),
        by: Adjust::Delta(-count),
    }
}

pub(crate) fn set(kit: &Kit, id: u64, name: &str, value: Value) {
    let store = kit.sandbox.store(0).store_id;
    let edited = kit.sandbox.edit_inventory_item(&store, id, |item| {
        item.insert(name.to_owned(), value);
    });
    assert!(edited, "there is an item {id}");
}

/// The item without what Order Desk itself writes.
pub(crate) fn lasting(kit: &Kit, id: u64) -> Value {
    let mut item = stock(kit, id);
    item.as_object_mut().unwrap().shift_remove("date_updated");
    item
}

#[tokio::test]
async fn a_count_is_changed_and_nothing_else_of_the_item() {
    let kit = Kit::new().await;
    let mut expected = lasting(&kit, TOTE);
    let outcome = kit.carry_out(fewer(5)).await.unwrap();
    expected["stock"] = json!(29);
    assert_eq!(lasting(&kit, TOTE), expected);
    assert_eq!(outcome.verdict, Verdict::Done);
    assert_eq!(
        (&outcome.diff[0].before, &outcome.diff[0].after),
        (&json!(34), &json!(29))
    );
    assert_eq!(fact(&outcome, "inventory_item")["stock"], 29);
    assert_eq!(writes(&kit), 1);
    assert_eq!(kit.outcomes(), ["intent", "done"]);
    let record = &kit.records()[0];
    assert_eq!(record.target.as_deref(), Some("inventory item 61001"));
}

#[tokio::test]
async fn a_count_below_nothing_is_made_and_remarked_on() {
    let kit = Kit::new().await;
    let outcome = kit.carry_out(fewer(40)).await.unwrap();
    assert_eq!(stock(&kit, TOTE)["stock"], -6);
    assert!(
        outcome
            .remarks
            .iter()
            .any(|remark| remark.contains("negative"))
    );
}

#[tokio::test]
async fn an_exact_count_that_is_there_already_is_not_sent() {
    let kit = Kit::new().await;
    let change = || AdjustStock {
        which: id(TOTE),
        by: Adjust::SetTo(34),
    };
    let outcome = kit.carry_out(change()).await.unwrap();
    assert_eq!((outcome.verdict, writes(&kit)), (Verdict::Done, 0));
    let preview = change().preview(&kit.shop()).await.unwrap();
    assert!(preview.diff.is_empty());
}

#[tokio::test]
async fn a_count_whose_answer_got_lost_is_counted_once() {
    for fault in done_but_unanswered() {
        let kit = kit_with(fault.clone(), 1).await;
        let outcome = told(&kit, fewer(5)).await.unwrap();
        assert_eq!(outcome.verdict, Verdict::Done, "{fault:?}");
        assert_eq!(
            (stock(&kit, TOTE)["stock"].as_i64(), writes(&kit)),
            (Some(29), 1),
            "{fault:?}"
        );
        assert_eq!(kit.outcomes(), ["intent", "done"], "{fault:?}");
    }
}

#[tokio::test]
async fn a_count_that_was_not_made_is_sent_again_and_counted_once() {
    let mut faults = not_done_and_over().to_vec();
    // The late one writes the same count; it may be there before we look again.
    faults.extend([Fault::HangBefore, Fault::DoneLate { ms: 600 }]);
    for fault in faults {
        let kit = kit_with(fault.clone(), 1).await;
        let outcome = told(&kit, fewer(5)).await.unwrap();
        assert_eq!(outcome.verdict, Verdict::Done, "{fault:?}");
        assert_eq!(stock(&kit, TOTE)["stock"], 29, "{fault:?}");
        assert!(writes(&kit) <= 2, "{fault:?}");
        assert_eq!(kit.outcomes(), ["intent", "done"], "{fault:?}");
    }
}

#[tokio::test]
async fn an_order_between_two_attempts_is_counted_as_well() {
    let kit = kit_with(Fault::too_many_requests(1), 1).await;
    let writer = kit.writer();
    let counting = tokio::spawn(async move { writer.carry_out(Arc::new(fewer(5)), None).await });
    kit.until_sent(3).await;
    set(&kit, TOTE, "stock", json!(33));
    set(&kit, TOTE, "location", json!("Shelf B"));
    let outcome = counting.await.unwrap().unwrap();
    assert_eq!(outcome.verdict, Verdict::Done);
    assert_eq!(
        stock(&kit, TOTE)["stock"],
        28,
        "the newest count is the base"
    );
    assert_eq!(stock(&kit, TOTE)["location"], "Shelf B");
}

#[tokio::test]
async fn an_order_after_a_lost_answer_makes_the_count_unknown_and_it_is_not_sent_again() {
    let kit = kit_with(Fault::HangAfter, 1).await;
    let writer = kit.writer();
    let counting = tokio::spawn(async move { writer.carry_out(Arc::new(fewer(5)), None).await });
    kit.until_sent(3).await;
    let counted = async {
        while stock(&kit, TOTE)["stock"] != 29 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), counted)
        .await
        .unwrap();
    set(&kit, TOTE, "stock", json!(28));
    let outcome = counting.await.unwrap().unwrap();
    assert_eq!(outcome.verdict, Verdict::Unknown);
    assert!(outcome.check.is_some());
    assert!(
        outcome
            .remarks
            .iter()
            .any(|remark| remark.contains("was 34, was to be 29, and is 28")),
        "{:?}",
        outcome.remarks
    );
    assert_eq!(
        (stock(&kit, TOTE)["stock"].as_i64(), writes(&kit)),
        (Some(28), 1)
    );
    assert_eq!(kit.outcomes(), ["intent", "unknown"]);
}

#[tokio::test]
async fn sixteen_windows_that_count_at_once_lose_no_count() {
    let kit = Kit::new().await;
    let counting = (0..16).map(|_| {
        let writer = kit.writer();
        async move {
            writer
                .carry_out(Arc::new(fewer(2)), None)
                .await
                .unwrap()
                .verdict
        }
    });
    let done = futures_util::future::join_all(counting).await;
    assert!(done.iter().all(|verdict| *verdict == Verdict::Done));
    assert_eq!(stock(&kit, TOTE)["stock"], 34 - 32);
}

#[tokio::test]
async fn a_count_that_changed_after_the_preview_is_a_conflict() {
    let kit = Kit::new().await;
    let preview = fewer(5).preview(&kit.shop()).await.unwrap();
    set(&kit, TOTE, "stock", json!(33));
    let error = kit
        .writer()
        .carry_out(Arc::new(fewer(5)), Some(preview))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "conflict");
    assert_eq!(
        (writes(&kit), stock(&kit, TOTE)["stock"].as_i64()),
        (0, Some(33))
    );
}

#[tokio::test]
async fn a_code_must_be_exactly_the_one_of_exactly_one_item() {
    let kit = Kit::new().await;
    for wrong in ["tote-nat", "TOTE", "NOWHERE"] {
        let change = AdjustStock {
            which: code(wrong),
            by: Adjust::Delta(1),
        };
        let error = kit.carry_out(change).await.unwrap_err();
        assert_eq!(error.code(), "bad_request", "{wrong}");
        assert!(error.to_string().contains(wrong), "{error}");
    }
    assert_eq!(writes(&kit), 0);
}

#[tokio::test]
async fn an_update_keeps_what_it_does_not_name() {
    let kit = Kit::new().await;
    let mut expected = lasting(&kit, TOTE);
    let change = UpdateInventoryItem {
        which: id(TOTE),
        changes: object(json!({"price": 17.5, "metadata": {"bin": "7"}})),
    };
    let outcome = kit.carry_out(change).await.unwrap();
    expected["price"] = json!(17.5);
    expected["metadata"] = json!({"bin": "7"});
    assert_eq!(lasting(&kit, TOTE), expected);
    assert_eq!((outcome.verdict, outcome.diff.len()), (Verdict::Done, 2));
}

fn creation() -> CreateInventoryItem {
    CreateInventoryItem {
        item: object(json!({"name": "Linen Towel", "code": "TOWEL-1", "price": 12, "stock": 8})),
    }
}

/// The ids of the items with the code of [`creation`].
async fn towels(kit: &Kit) -> Vec<String> {
    let query = mcp_stdio::desk::model::InventoryQuery {
        codes: vec!["TOWEL-1".to_owned()],
        ..Default::default()
    };
    let page = kit.shop().inventory(&query, true).await.unwrap().value;
    page.items
        .iter()
        .map(|item| item.id().into_owned())
        .collect()
}

#[tokio::test]
async fn an_item_is_created_once_and_told_with_its_id() {
    let kit = Kit::new().await;
    let outcome = kit.carry_out(creation()).await.unwrap();
    let there = towels(&kit).await;
    assert_eq!(there.len(), 1);
    assert_eq!(fact(&outcome, "inventory_item")["id"].to_string(), there[0]);
    let again = kit.carry_out(creation()).await.unwrap();
    assert!(
        again
            .remarks
            .iter()
            .any(|remark| remark.starts_with("already there"))
    );
    let mut other = creation();
    other.item.insert("price".to_owned(), json!(13));
    let error = kit.carry_out(other).await.unwrap_err();
    assert!(error.to_string().contains(&there[0]), "{error}");
    assert_eq!((writes(&kit), towels(&kit).await.len()), (1, 1));
}

#[tokio::test]
async fn a_creation_on_a_bad_day_makes_one_item() {
    let mut faults = done_but_unanswered().to_vec();
    faults.extend(not_done_and_over());
    faults.push(Fault::MissingData);
    for fault in faults {
        let kit = kit_with(fault.clone(), 1).await;
        let outcome = told(&kit, creation()).await.unwrap();
        assert_eq!(outcome.verdict, Verdict::Done, "{fault:?}");
        assert_eq!(
            fact(&outcome, "inventory_item")["code"],
            "TOWEL-1",
            "{fault:?}"
        );
        assert_eq!(towels(&kit).await.len(), 1, "{fault:?}");
        assert_eq!(kit.outcomes(), ["intent", "done"], "{fault:?}");
    }
}

#[tokio::test]
async fn only_the_named_item_is_removed() {
    for fault in done_but_unanswered() {
        let kit = kit_with(fault.clone(), 1).await;
        let removal = RemoveInventoryItem {
            which: code("MUG-1"),
        };
        let outcome = told(&kit, removal).await.unwrap();
        assert_eq!(outcome.verdict, Verdict::Done, "{fault:?}");
        assert_eq!(fact(&outcome, "inventory_item")["code"], "MUG-1");
        let store = kit.sandbox.store(0).store_id;
        let left = (TOTE..TOTE + 14).filter(|id| kit.sandbox.inventory_item(&store, *id).is_some());
        assert_eq!((left.count(), writes(&kit)), (13, 1), "{fault:?}");
    }
}

#[tokio::test]
async fn an_item_that_lost_its_code_while_we_waited_is_not_touched() {
    for removes in [false, true] {
        let kit = Kit::new().await;
        let rule = Rule::new(Fault::Delay { ms: 150 }).on("GET", "/inventory-items/*");
        kit.sandbox.faults().add(rule);
        let writer = kit.writer();
        let change: Arc<dyn Change> = if removes {
            Arc::new(RemoveInventoryItem {
                which: code("TOTE-NAT"),
            })
        } else {
            Arc::new(fewer(5))
        };
        let writing = tokio::spawn(async move { writer.carry_out(change, None).await });
        kit.until_sent(2).await;
        set(&kit, TOTE, "code", json!("TOTE-OLD"));
        let error = writing.await.unwrap().unwrap_err();
        assert_eq!(error.code(), "conflict");
        assert_eq!(
            (writes(&kit), stock(&kit, TOTE)["stock"].as_i64()),
            (0, Some(34))
        );
    }
}

#[tokio::test]
async fn a_creation_that_nobody_answers_is_unknown_and_may_be_asked_for_again() {
    let kit = kit_with(Fault::HangBefore, 1).await;
    let outcome = told(&kit, creation()).await.unwrap();
    assert_eq!((outcome.verdict, writes(&kit)), (Verdict::Unknown, 1));
    assert!(outcome.check.unwrap().contains("TOWEL-1"));
    let again = kit.carry_out(creation()).await.unwrap();
    assert_eq!(
        (again.verdict, towels(&kit).await.len()),
        (Verdict::Done, 1)
    );
}

#[tokio::test]
async fn an_agreement_to_a_creation_is_void_once_it_is_there() {
    let kit = Kit::new().await;
    let before = creation().preview(&kit.shop()).await.unwrap();
    kit.carry_out(creation()).await.unwrap();
    let after = creation().preview(&kit.shop()).await.unwrap();
    assert_ne!(before.basis, after.basis);
}

#[tokio::test]
async fn a_preview_shows_what_is_there_now_whatever_was_read_before() {
    let kit = Kit::new().await;
    let shop = kit.shop();
    for which in [id(TOTE), code("TOTE-NAT")] {
        let change = AdjustStock {
            which,
            by: Adjust::Delta(-1),
        };
        for count in [50, 60] {
            set(&kit, TOTE, "stock", json!(count));
            let preview = change.preview(&shop).await.unwrap();
            assert_eq!(preview.diff[0].before, json!(count), "{change:?}");
        }
    }
}
