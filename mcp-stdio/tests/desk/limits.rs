//! One quota for all windows, and one for each tenant.

use std::time::Duration;

use mcp_stdio::desk::{Access, StoreId};
use orderdesk_sandbox::Options;
use shared::quota::Limits;
use shared::secret::Secret;

use crate::kit::{Kit, ORDER, order_id};

/// Our share of the documented limits, as the settings have it by default.
const OURS: Limits = Limits {
    burst: 19,
    per_second: 2.9,
};

#[tokio::test]
async fn a_burst_against_the_documented_limit_is_never_refused() {
    let mut kit = Kit::with(Options::default()).await;
    kit.config.limits = OURS;
    let (one, other) = (kit.shop(), kit.shop());
    let ids: Vec<_> = (7_001_001..7_001_027)
        .map(|id| order_id(&id.to_string()))
        .collect();
    let reads = ids.iter().enumerate().map(|(index, id)| {
        if index % 2 == 0 {
            one.order(id, false)
        } else {
            other.order(id, false)
        }
    });
    for read in futures_util::future::join_all(reads).await {
        read.unwrap();
    }
    assert_eq!(kit.statuses(), [200; 26]);
}

#[tokio::test]
async fn processes_draw_from_one_bucket_and_who_would_wait_too_long_is_told_without_a_request() {
    let mut kit = Kit::new().await;
    kit.config.limits = Limits {
        burst: 3,
        per_second: 0.1,
    };
    kit.config.total_deadline = Duration::from_secs(1);
    let (one, other) = (kit.shop(), kit.shop());
    for id in ["7001001", "7001002", "7001003"] {
        one.order(&order_id(id), false).await.unwrap();
    }
    let error = other.order(&order_id("7001004"), false).await.unwrap_err();
    assert_eq!(error.code(), "too_busy");
    assert!(error.retry_after().unwrap() > Duration::from_secs(5));
    assert_eq!(kit.sent(), 3);
}

#[tokio::test]
async fn what_is_served_from_the_cache_costs_no_token() {
    let mut kit = Kit::new().await;
    kit.config.limits = Limits {
        burst: 1,
        per_second: 0.01,
    };
    kit.config.total_deadline = Duration::from_secs(1);
    let shop = kit.shop();
    for _ in 0..20 {
        shop.order(&order_id(ORDER), false).await.unwrap();
    }
    assert_eq!(kit.sent(), 1);
}

#[tokio::test]
async fn a_retry_takes_a_token_of_its_own() {
    let mut kit = Kit::new().await;
    kit.config.limits = Limits {
        burst: 2,
        per_second: 0.01,
    };
    kit.config.total_deadline = Duration::from_secs(3);
    kit.sandbox
        .faults()
        .add(orderdesk_sandbox::Rule::new(orderdesk_sandbox::Fault::CutBefore).always());
    let error = kit.shop().order(&order_id(ORDER), false).await.unwrap_err();
    assert_eq!(error.code(), "too_busy");
    assert_eq!(kit.sent(), 2);
}

#[tokio::test]
async fn tokens_that_somebody_else_took_are_noticed() {
    let mut kit = Kit::with(Options::default()).await;
    kit.config.limits = OURS;
    let desk = kit.desk();
    kit.sandbox.drain_tokens("4242", 16);
    desk.shop(kit.access())
        .order(&order_id(ORDER), false)
        .await
        .unwrap();
    let levels = desk.quota_levels().unwrap();
    let level = levels
        .iter()
        .find(|level| level.store_key == kit.access().store_key())
        .unwrap();
    assert!(level.available_tokens < 6.0, "{level:?}");
}

#[tokio::test]
async fn stores_do_not_share_a_bucket() {
    let mut kit = Kit::with(Options {
        stores: 2,
        ..crate::kit::wide_open()
    })
    .await;
    kit.config.limits = Limits {
        burst: 1,
        per_second: 0.01,
    };
    kit.config.total_deadline = Duration::from_secs(1);
    let desk = kit.desk();
    desk.shop(kit.access()).settings(false).await.unwrap();
    let second = kit.sandbox.store(1);
    let access = Access {
        store_id: StoreId::parse(&second.store_id).unwrap(),
        api_key: Secret::new(second.api_key),
        ..kit.access()
    };
    let settings = desk.shop(access).settings(false).await.unwrap();
    assert_eq!(settings.value.name(), second.name.as_str());
}

#[tokio::test]
async fn never_more_than_three_requests_of_one_process_are_under_way_at_a_store() {
    let latency = Duration::from_millis(20);
    let kit = Kit::with(Options {
        latency,
        ..crate::kit::wide_open()
    })
    .await;
    let shop = kit.shop();
    let ids: Vec<_> = (7_001_001..7_001_013)
        .map(|id| order_id(&id.to_string()))
        .collect();
    futures_util::future::join_all(ids.iter().map(|id| shop.order(id, false))).await;
    let together = kit.requests().iter().map(|request| request.in_flight).max();
    assert_eq!((kit.sent(), together), (12, Some(3)));
}

#[tokio::test]
async fn a_tenants_requests_are_counted_over_all_its_windows_and_stores() {
    let mut kit = Kit::with(Options {
        stores: 2,
        ..crate::kit::wide_open()
    })
    .await;
    kit.config.tenant_limits = Some(Limits {
        burst: 2,
        per_second: 0.01,
    });
    let second = kit.sandbox.store(1);
    let other_store = Access {
        store_id: StoreId::parse(&second.store_id).unwrap(),
        api_key: Secret::new(second.api_key),
        ..kit.access()
    };
    kit.shop().settings(false).await.unwrap();
    kit.desk().shop(other_store).settings(false).await.unwrap();
    let error = kit.shop().order(&order_id(ORDER), false).await.unwrap_err();
    assert_eq!(error.code(), "rate_limited");
    assert!(error.hint().contains("RATE_LIMIT_RPM"), "{}", error.hint());
    assert!(error.retry_after().unwrap() > Duration::from_secs(60));
    assert_eq!(kit.sent(), 2);
}

#[tokio::test]
async fn a_tenant_that_has_used_up_its_share_takes_nothing_from_another_or_from_the_store() {
    let mut kit = Kit::new().await;
    kit.config.limits = OURS;
    kit.config.tenant_limits = Some(Limits {
        burst: 1,
        per_second: 0.01,
    });
    let greedy = kit.shop();
    greedy.settings(false).await.unwrap();
    for _ in 0..30 {
        greedy.settings(true).await.unwrap_err();
    }
    let other = Access {
        tenant: "other".into(),
        ..kit.access()
    };
    let settings = kit.desk().shop(other).settings(false).await.unwrap();
    assert_eq!((settings.cached, kit.sent()), (false, 2));
}

#[tokio::test]
async fn a_short_wait_for_the_tenants_bucket_is_waited_out() {
    let mut kit = Kit::new().await;
    kit.config.tenant_limits = Some(Limits {
        burst: 1,
        per_second: 20.0,
    });
    let shop = kit.shop();
    for _ in 0..5 {
        shop.settings(true).await.unwrap();
    }
    assert_eq!(kit.sent(), 5);
}

#[tokio::test]
async fn what_is_served_from_the_cache_costs_a_tenant_nothing() {
    let mut kit = Kit::new().await;
    kit.config.tenant_limits = Some(Limits {
        burst: 1,
        per_second: 0.01,
    });
    let shop = kit.shop();
    for _ in 0..20 {
        shop.order(&order_id(ORDER), false).await.unwrap();
    }
    assert_eq!(kit.sent(), 1);
}
