//! Every fault, through the wire, as a client meets it; and that each is known to have struck.

use std::pin::pin;
use std::time::{Duration, Instant};

use orderdesk_sandbox::{Fault, Options, RetryHeader, Rule, Sandbox, seed};
use serde_json::json;

use crate::client::{Desk, Reply, send};

const ORDER: &str = "/orders/7001001";

/// Asks for an order while `fault` lies in wait; it must have struck once.
async fn struck_by(desk: &Desk, fault: Fault) -> Result<Reply, reqwest::Error> {
    let ticket = desk.sandbox.faults().next(fault);
    let reply = send(desk.request("GET", ORDER)).await;
    assert_eq!(ticket.fired(), 1);
    assert!(desk.sandbox.requests().last().unwrap().fault.is_some());
    reply
}

#[tokio::test]
async fn too_many_requests_with_either_header_with_none_and_with_any_body() {
    let desk = Desk::open().await;
    let usual = struck_by(&desk, Fault::too_many_requests(7)).await.unwrap();
    assert_eq!(
        (
            usual.status,
            usual.header("x-retry-after"),
            usual.header("x-tokens-remaining")
        ),
        (429, Some("7"), Some("0"))
    );
    let standard = Fault::TooManyRequests {
        retry_after: "3".to_owned(),
        header: RetryHeader::RetryAfter,
        body: Some(String::new()),
    };
    let standard = struck_by(&desk, standard).await.unwrap();
    assert_eq!(
        (
            standard.header("retry-after"),
            standard.header("x-retry-after"),
            standard.text.as_str()
        ),
        (Some("3"), None, "")
    );
    let silent = struck_by(&desk, Fault::too_many_requests_without_header())
        .await
        .unwrap();
    assert_eq!(
        (
            silent.status,
            silent.header("retry-after"),
            silent.header("x-retry-after")
        ),
        (429, None, None)
    );
    let html = Fault::TooManyRequests {
        retry_after: "1".to_owned(),
        header: RetryHeader::default(),
        body: Some("<html>slow down</html>".to_owned()),
    };
    assert!(
        struck_by(&desk, html)
            .await
            .unwrap()
            .header("content-type")
            .unwrap()
            .starts_with("text/html")
    );
}

#[tokio::test]
async fn an_html_page_stands_for_a_proxy_in_trouble() {
    let desk = Desk::open().await;
    for status in [500, 502, 503, 504] {
        let reply = struck_by(&desk, Fault::server_error(status)).await.unwrap();
        assert!(reply.status == status && reply.text.starts_with("<html>"));
        assert!(reply.header("x-tokens-remaining").is_some());
    }
}

#[tokio::test]
async fn success_on_the_line_and_error_in_the_envelope() {
    let desk = Desk::open().await;
    let reply = struck_by(&desk, Fault::error_on_200("Order Not Found"))
        .await
        .unwrap();
    assert_eq!(reply.refused(), (200, "Order Not Found"));
    let own = struck_by(&desk, Fault::answer(418, r#"{"odd": true}"#))
        .await
        .unwrap();
    assert_eq!((own.status, &own.json["odd"]), (418, &json!(true)));
}

#[tokio::test]
async fn a_hang_or_a_cut_before_the_work_changes_nothing() {
    let desk = Desk::open().await;
    for fault in [Fault::HangBefore, Fault::CutBefore] {
        let ticket = desk.sandbox.faults().next(fault);
        let request = desk
            .request("DELETE", ORDER)
            .timeout(Duration::from_millis(700));
        assert!(send(request).await.is_err());
        assert_eq!(ticket.fired(), 1);
        assert_eq!(desk.sandbox.requests().last().unwrap().status, 0);
    }
    assert_eq!(desk.get(ORDER).await.status, 200);
}

#[tokio::test]
async fn a_hang_or_a_cut_after_the_work_loses_only_the_answer() {
    let desk = Desk::open().await;
    desk.sandbox.faults().next(Fault::CutAfter);
    assert!(send(desk.request("DELETE", ORDER)).await.is_err());
    assert!(
        desk.sandbox.order("4242", 7_001_001).is_none(),
        "gone although nobody was told"
    );

    let ticket = desk.sandbox.faults().next(Fault::HangAfter);
    let mut request = pin!(send(desk.request("DELETE", "/orders/7001002")));
    let gone = async {
        while desk.sandbox.order("4242", 7_001_002).is_some() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = &mut request => panic!("a hung request was answered"),
        () = gone => {}
    }
    assert_eq!(
        (
            ticket.fired(),
            desk.sandbox.requests().last().unwrap().status
        ),
        (1, 0)
    );
}

#[tokio::test]
async fn a_body_can_stop_half_way_be_cut_json_or_come_in_drips() {
    let desk = Desk::open().await;
    desk.sandbox.faults().next(Fault::CutBody);
    let begun = desk.request("GET", ORDER).send().await.unwrap();
    assert_eq!(begun.status(), 200);
    assert!(begun.text().await.is_err(), "the second half never comes");
    let cut = struck_by(&desk, Fault::TruncatedJson).await.unwrap();
    assert!(
        cut.status == 200 && cut.json.is_null() && cut.text.starts_with(r#"{"status":"success""#)
    );
    let drips = struck_by(
        &desk,
        Fault::Trickle {
            bytes: 4_096,
            ms: 1,
        },
    )
    .await
    .unwrap();
    assert_eq!(drips.ok()["order"]["id"], "7001001");
    let ticket = desk
        .sandbox
        .faults()
        .next(Fault::Trickle { bytes: 1, ms: 50 });
    let impatient = desk.request("GET", ORDER).timeout(Duration::from_secs(1));
    assert!(send(impatient).await.err().unwrap().is_timeout());
    assert_eq!(ticket.fired(), 1);
}

#[tokio::test]
async fn types_can_be_wrong_or_merely_other() {
    let desk = Desk::open().await;
    assert_eq!(
        struck_by(&desk, Fault::WrongTypes).await.unwrap().ok()["order"],
        42
    );
    let mixed = struck_by(&desk, Fault::MixedTypes).await.unwrap().ok();
    assert_eq!(
        (
            &mixed["order"]["id"],
            mixed["order"]["folder_id"].is_string()
        ),
        (&json!(7_001_001), true)
    );
    assert!(
        struck_by(&desk, Fault::MissingData)
            .await
            .unwrap()
            .ok()
            .get("order")
            .is_none()
    );
    let old = struck_by(&desk, Fault::TimingInMessage).await.unwrap().ok();
    assert!(
        old["message"].as_str().unwrap().ends_with("seconds")
            && old.get("execution_time").is_none()
    );
}

#[tokio::test]
async fn totals_can_lie() {
    let desk = Desk::open().await;
    desk.sandbox
        .faults()
        .add(Rule::new(Fault::total_records("0")).on("GET", "/orders"));
    let list = desk.get("/orders?limit=5").await.ok();
    assert_eq!(
        (
            &list["total_records"],
            list["orders"].as_array().unwrap().len()
        ),
        (&json!("0"), 5)
    );
}

#[tokio::test]
async fn a_redirect_points_elsewhere_and_a_careful_client_does_not_follow() {
    let desk = Desk::open().await;
    let elsewhere = Sandbox::start(Options::default()).await.unwrap();
    let reply = struck_by(
        &desk,
        Fault::redirect(&format!("{}/store", elsewhere.base_url())),
    )
    .await
    .unwrap();
    assert_eq!(
        (reply.status, reply.header("location")),
        (
            302,
            Some(format!("{}/store", elsewhere.base_url()).as_str())
        )
    );
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn a_move_can_claim_success_and_move_nothing() {
    let desk = Desk::open().await;
    desk.sandbox.faults().next(Fault::MoveNothing);
    let body = json!({"order_id_list": [seed::ON_HOLD], "destination_folder_name": "Closed"});
    assert_eq!(
        desk.call("POST", "/move-orders", &body).await.ok()["message"],
        "1 Orders Moved"
    );
    assert_eq!(
        desk.order(seed::ON_HOLD).await["folder_id"],
        seed::FOLDER_HOLD
    );
}

#[tokio::test]
async fn delay_and_latency_make_answers_late() {
    let desk = Desk::with(Options {
        latency: Duration::from_millis(30),
        ..Options::default()
    })
    .await;
    desk.sandbox.faults().next(Fault::Delay { ms: 40 });
    let started = Instant::now();
    desk.get(ORDER).await.ok();
    assert!(started.elapsed() >= Duration::from_millis(70));
}

#[tokio::test]
async fn one_request_can_bring_its_own_fault() {
    let desk = Desk::open().await;
    let request = desk.request("GET", ORDER).header(
        "X-Sandbox-Fault",
        r#"{"kind": "server_error", "status": 503}"#,
    );
    assert_eq!(send(request).await.unwrap().status, 503);
    assert_eq!(desk.get(ORDER).await.status, 200);
}

#[tokio::test]
async fn a_misspelt_fault_in_the_header_is_refused_not_ignored() {
    let desk = Desk::open().await;
    let reply = send(
        desk.request("GET", ORDER)
            .header("X-Sandbox-Fault", "sever_error"),
    )
    .await
    .unwrap();
    assert_eq!(reply.status, 400);
    assert!(reply.text.contains("sever_error"), "{}", reply.text);
}

#[tokio::test]
async fn rules_from_a_file_follow_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("faults.json");
    std::fs::write(
        &path,
        r#"[{"fault": {"kind": "server_error", "status": 500}, "path": "/orders/*", "times": 0}]"#,
    )
    .unwrap();
    let desk = Desk::with(Options {
        faults: Some(path.clone()),
        ..Options::default()
    })
    .await;
    assert_eq!(
        (
            desk.get(ORDER).await.status,
            desk.get("/store").await.status
        ),
        (500, 200)
    );

    std::fs::write(
        &path,
        r#"[{"fault": {"kind": "server_error", "status": 503}, "path": "/store", "times": 0}]"#,
    )
    .unwrap();
    assert_eq!(
        (
            desk.get(ORDER).await.status,
            desk.get("/store").await.status
        ),
        (200, 503)
    );

    std::fs::write(&path, "[{").unwrap();
    assert_eq!(
        desk.get("/store").await.status,
        503,
        "a broken file keeps the last good rules"
    );
}

#[tokio::test]
async fn a_useless_fault_file_is_named_at_the_start() {
    let missing = Options {
        faults: Some("/nowhere/faults.json".into()),
        ..Options::default()
    };
    let error = Sandbox::start(missing).await.unwrap_err().to_string();
    assert!(
        error.contains("/nowhere/faults.json") && error.contains("hint:"),
        "{error}"
    );
}
