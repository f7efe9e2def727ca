//! Moves between folders, on good days and bad ones: a folder's rules must not be started twice.

use std::sync::Arc;

use mcp_stdio::desk::model::OrderId;
use mcp_stdio::desk::write::{Change, MoveOrders, Verdict, Weight};
use orderdesk_sandbox::{Fault, MoveRule, Options, Rule, seed};
use serde_json::{Value, json};

use crate::bad_days::{
    done_but_unanswered, edit, fact, kit_with, not_done_and_over, order, told, verdicts, writes,
};
use crate::kit::{Kit, order_id, wide_open};

/// Three of the newest orders, which lie in New.
const NEW: [&str; 3] = ["7001060", "7001059", "7001058"];

fn move_to(folder: &str, ids: &[&str]) -> MoveOrders {
    MoveOrders {
        ids: ids.iter().map(|id| order_id(id)).collect(),
        folder: folder.to_owned(),
    }
}

fn folder(kit: &Kit, id: &str) -> i64 {
    order(kit, id)["folder_id"].as_i64().unwrap()
}

/// How often the order's history tells of a move into `name`.
fn times_moved(kit: &Kit, id: &str, name: &str) -> usize {
    let history = order(kit, id)["order_history"].as_array().unwrap().clone();
    let moved = |entry: &&Value| entry["note"].as_str().unwrap().contains(name);
    history.iter().filter(moved).count()
}

#[tokio::test]
async fn orders_are_moved_once_and_the_way_back_is_told() {
    let kit = Kit::new().await;
    edit(&kit, NEW[2], "folder_id", json!(seed::FOLDER_HOLD));
    let outcome = kit.carry_out(move_to(" prepared", &NEW)).await.unwrap();
    assert_eq!(outcome.verdict, Verdict::Done);
    assert!(
        NEW.iter()
            .all(|id| folder(&kit, id) == seed::FOLDER_PREPARED)
    );
    assert_eq!(
        fact(&outcome, "undo"),
        &json!([
            {"order_ids": [NEW[0], NEW[1]], "folder": seed::FOLDER_NEW.to_string()},
            {"order_ids": [NEW[2]], "folder": seed::FOLDER_HOLD.to_string()},
        ])
    );
    assert_eq!(outcome.diff[0].path, "orders[7001060].folder");
    assert_eq!(outcome.diff[0].before, "New");
    assert_eq!(outcome.rows[2].row["folder"], "Prepared");
    assert_eq!(writes(&kit), 1);
    assert_eq!(kit.outcomes(), ["intent", "done"]);
    let sent = kit
        .requests()
        .into_iter()
        .find(|request| request.method == "POST")
        .unwrap();
    let sent: Value = serde_json::from_str(&sent.body).unwrap();
    assert_eq!(
        sent["order_id_list"],
        json!([7_001_060, 7_001_059, 7_001_058])
    );
    assert_eq!(sent["destination_folder_id"], seed::FOLDER_PREPARED);
}

#[tokio::test]
async fn the_way_back_leads_back() {
    let kit = Kit::new().await;
    let outcome = kit.carry_out(move_to("Hold", &NEW)).await.unwrap();
    let undo = fact(&outcome, "undo")[0].clone();
    let ids: Vec<&str> = undo["order_ids"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    kit.carry_out(move_to(undo["folder"].as_str().unwrap(), &ids))
        .await
        .unwrap();
    assert!(NEW.iter().all(|id| folder(&kit, id) == seed::FOLDER_NEW));
}

#[tokio::test]
async fn orders_that_are_there_or_nowhere_are_named_and_not_sent() {
    let kit = Kit::new().await;
    edit(&kit, NEW[1], "folder_id", json!(seed::FOLDER_PREPARED));
    let ids = ["7999999", NEW[1], NEW[0], NEW[1]];
    let preview = move_to("Prepared", &ids)
        .preview(&kit.shop())
        .await
        .unwrap();
    assert_eq!(preview.diff.len(), 1);
    assert!(
        preview
            .remarks
            .iter()
            .any(|remark| remark.contains("already: 7001059"))
    );
    let outcome = kit.carry_out(move_to("Prepared", &ids)).await.unwrap();
    assert_eq!(verdicts(&outcome), ["not_done", "done", "done"]);
    assert_eq!(outcome.rows[1].why.as_deref(), Some("already there"));
    assert_eq!(
        fact(&outcome, "undo"),
        &json!([{"order_ids": [NEW[0]], "folder": "50101"}])
    );
    let again = kit.carry_out(move_to("Prepared", &NEW[..2])).await.unwrap();
    assert_eq!((again.verdict, writes(&kit)), (Verdict::Done, 1));
    assert_eq!(fact(&again, "undo"), &json!([]));
    let missing = kit
        .carry_out(move_to("Prepared", &["7999999"]))
        .await
        .unwrap_err();
    assert_eq!(missing.code(), "not_found");
}

#[tokio::test]
async fn an_unknown_folder_is_asked_for_once_more_and_then_refused_with_the_list() {
    let kit = Kit::new().await;
    let writer = kit.writer();
    writer.shop().settings(false).await.unwrap();
    kit.sandbox.forget_requests();
    let change = Arc::new(move_to("Shipped", &NEW));
    let error = writer.carry_out(change, None).await.unwrap_err();
    let said = error.to_string();
    assert!(
        said.contains("`Shipped`") && said.contains("Needs Attention (50106)"),
        "{said}"
    );
    assert_eq!(kit.lines(), ["GET /store"]);
}

#[tokio::test]
async fn a_move_whose_answer_got_lost_is_found_done_and_was_sent_once() {
    for fault in done_but_unanswered() {
        let kit = kit_with(fault.clone(), 1).await;
        let outcome = told(&kit, move_to("Hold", &NEW)).await.unwrap();
        assert_eq!(outcome.verdict, Verdict::Done, "{fault:?}");
        assert_eq!(
            (writes(&kit), times_moved(&kit, NEW[0], "Hold")),
            (1, 1),
            "{fault:?}"
        );
        assert_eq!(fact(&outcome, "undo")[0]["folder"], "50101", "{fault:?}");
        assert_eq!(kit.outcomes(), ["intent", "done"], "{fault:?}");
    }
}

#[tokio::test]
async fn a_move_that_was_not_made_is_sent_again_and_made_once() {
    for fault in not_done_and_over() {
        let kit = kit_with(fault.clone(), 2).await;
        let outcome = told(&kit, move_to("Hold", &NEW)).await.unwrap();
        assert_eq!(outcome.verdict, Verdict::Done, "{fault:?}");
        assert_eq!(
            (writes(&kit), times_moved(&kit, NEW[0], "Hold")),
            (3, 1),
            "{fault:?}"
        );
        assert_eq!(kit.outcomes(), ["intent", "done"], "{fault:?}");
    }
}

#[tokio::test]
async fn a_move_that_may_still_come_is_not_sent_a_second_time() {
    for fault in [
        Fault::HangBefore,
        Fault::CutBefore,
        Fault::DoneLate { ms: 60_000 },
    ] {
        let kit = kit_with(fault.clone(), 1).await;
        let outcome = told(&kit, move_to("Hold", &NEW)).await.unwrap();
        assert_eq!(verdicts(&outcome), ["unknown"; 3], "{fault:?}");
        let check = outcome.check.expect("it says what to look at");
        assert!(check.contains(NEW[0]), "{check}");
        assert_eq!(writes(&kit), 1, "{fault:?}");
        assert_eq!(kit.outcomes(), ["intent", "unknown"], "{fault:?}");
    }
}

#[tokio::test]
async fn a_move_that_says_success_and_moves_nothing_is_told_as_it_is() {
    let kit = kit_with(Fault::MoveNothing, 1).await;
    let outcome = told(&kit, move_to("Hold", &NEW)).await.unwrap();
    assert_eq!(verdicts(&outcome), ["not_done"; 3]);
    assert_eq!(fact(&outcome, "undo"), &json!([]));
    assert_eq!(outcome.rows[0].row["folder"], "New");
    assert_eq!(writes(&kit), 1);
    assert_eq!(kit.outcomes(), ["intent", "failed"]);
}

#[tokio::test]
async fn a_move_whose_answer_names_no_order_is_looked_for() {
    let kit = kit_with(Fault::MissingData, 1).await;
    let outcome = told(&kit, move_to("Hold", &NEW)).await.unwrap();
    assert_eq!(verdicts(&outcome), ["done"; 3]);
    assert_eq!(fact(&outcome, "undo")[0]["folder"], "50101");
    assert_eq!(kit.outcomes(), ["intent", "done"]);
}

#[tokio::test]
async fn a_refused_move_is_told_in_order_desks_words() {
    let kit = kit_with(Fault::error_on_200("Folder Not Found"), 1).await;
    let outcome = told(&kit, move_to("Hold", &NEW)).await.unwrap();
    assert_eq!(verdicts(&outcome), ["not_done"; 3]);
    let why = outcome.rows[0].why.clone().unwrap();
    assert!(why.contains("Folder Not Found"), "{why}");
}

#[tokio::test]
async fn an_order_that_a_rule_moves_on_is_told_where_it_is_and_moved_once() {
    let rule = MoveRule {
        into: seed::FOLDER_PREPARED,
        then: seed::FOLDER_CLOSED,
        after_ms: 0,
    };
    let options = Options {
        rules: vec![rule],
        ..wide_open()
    };
    let kit = Kit::with(options).await;
    let outcome = kit.carry_out(move_to("Prepared", &NEW[..1])).await.unwrap();
    assert_eq!(outcome.verdict, Verdict::Done);
    assert_eq!(outcome.rows[0].row["folder"], "Closed");
    assert!(outcome.rows[0].why.as_ref().unwrap().contains("`Closed`"));
    assert_eq!(times_moved(&kit, NEW[0], "Prepared"), 1);
    assert_eq!(fact(&outcome, "undo")[0]["folder"], "50101");
}

#[tokio::test]
async fn a_move_without_an_answer_whose_order_is_elsewhere_is_unknown_and_never_repeated() {
    let rule = MoveRule {
        into: seed::FOLDER_PREPARED,
        then: seed::FOLDER_CLOSED,
        after_ms: 0,
    };
    let options = Options {
        rules: vec![rule],
        ..wide_open()
    };
    let kit = Kit::with(options).await;
    kit.sandbox
        .faults()
        .add(Rule::new(Fault::CutAfter).on("POST", "/move-orders"));
    let outcome = told(&kit, move_to("Prepared", &NEW[..1])).await.unwrap();
    assert_eq!(outcome.verdict, Verdict::Unknown);
    assert!(outcome.check.as_ref().unwrap().contains(NEW[0]));
    assert_eq!(
        (writes(&kit), times_moved(&kit, NEW[0], "Prepared")),
        (1, 1)
    );
    assert_eq!(kit.outcomes(), ["intent", "unknown"]);
}

#[tokio::test]
async fn a_move_that_was_agreed_to_from_another_folder_is_a_conflict() {
    let kit = Kit::new().await;
    let change = move_to("Prepared", &NEW);
    let preview = change.preview(&kit.shop()).await.unwrap();
    edit(&kit, NEW[1], "folder_id", json!(seed::FOLDER_HOLD));
    let error = kit
        .writer()
        .carry_out(Arc::new(change), Some(preview))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "conflict");
    assert!(
        error.to_string().contains("orders[7001059].folder") && error.to_string().contains("Hold"),
        "{error}"
    );
    assert_eq!(writes(&kit), 0);
}

#[tokio::test]
async fn many_orders_are_read_by_pages_and_moved_by_hundreds() {
    let kit = Kit::with(Options {
        orders: 260,
        ..wide_open()
    })
    .await;
    let ids: Vec<OrderId> = (0..250)
        .map(|n| order_id(&(seed::FIRST_ORDER + n).to_string()))
        .collect();
    let change = MoveOrders {
        ids,
        folder: "Needs Attention".to_owned(),
    };
    assert_eq!(change.weight(), Weight::Bulk(250));
    let outcome = kit.carry_out(change).await.unwrap();
    assert_eq!((outcome.verdict, outcome.rows.len()), (Verdict::Done, 250));
    assert_eq!(writes(&kit), 3);
    let reads = kit.sent() - writes(&kit);
    assert!(
        reads <= 5,
        "the store, one page before and one after each: {:?}",
        kit.lines()
    );
    let target = kit.records()[0].target.clone().unwrap();
    assert!(target.starts_with("orders 7001"), "{target}");
    assert_eq!(target.split(", ").count(), 100, "every one is named");
}

#[tokio::test]
async fn a_move_that_a_rule_takes_back_is_not_made_again() {
    let rule = MoveRule {
        into: seed::FOLDER_HOLD,
        then: seed::FOLDER_NEW,
        after_ms: 0,
    };
    for (fault, verdict) in [
        (Fault::CutAfter, Verdict::Unknown),
        (Fault::TimingInMessage, Verdict::NotDone),
    ] {
        let options = Options {
            rules: vec![rule],
            ..wide_open()
        };
        let kit = Kit::with(options).await;
        let on_moves = Rule::new(fault.clone()).on("POST", "/move-orders");
        kit.sandbox.faults().add(on_moves);
        let outcome = told(&kit, move_to("Hold", &NEW[..1])).await.unwrap();
        assert_eq!(outcome.verdict, verdict, "{fault:?}");
        assert_eq!(outcome.rows[0].row["folder"], "New", "{fault:?}");
        assert_eq!((writes(&kit), times_moved(&kit, NEW[0], "Hold")), (1, 1));
    }
}
