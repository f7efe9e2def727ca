//! Judgements about what the stores answered.

use std::path::Path;
use std::time::Duration;

use shared::paths::Home;

use super::super::Level;
use super::*;

fn typed() -> Typed {
    Typed::new(None, Path::new("/exe"), &Home::at("/h"), None)
}

fn probed(name: &str, base_url: &str, outcome: Result<(), DeskError>) -> Probed {
    Probed {
        name: (!name.is_empty()).then(|| name.to_owned()),
        store_id: StoreId::parse("4242").unwrap(),
        base_url: base_url.parse().unwrap(),
        outcome,
        skew: None,
    }
}

const REAL: &str = "https://app.orderdesk.me/api/v2";

fn silent() -> Result<(), DeskError> {
    Err(DeskError::Unreachable {
        why: "the connection was refused",
    })
}

fn command(check: Check) -> String {
    check.hint.unwrap().command.unwrap()
}

#[test]
fn whoever_answers_is_reachable_whatever_the_answer_is() {
    let limited = DeskError::RateLimited {
        by: Limiter::OrderDesk,
        retry_after: Duration::from_secs(1),
    };
    for outcome in [Ok(()), Err(DeskError::Auth), Err(limited)] {
        assert!(judge_api(&[probed("a", REAL, outcome)], None, &typed()).ok);
    }
    let check = judge_api(&[probed("My Shop", REAL, silent())], None, &typed());
    assert_eq!(
        check.summary,
        "`My Shop` (store 4242) at https://app.orderdesk.me/api/v2: Order Desk cannot be reached: the connection was refused"
    );
}

#[test]
fn one_silent_address_among_several_is_found() {
    let stores = [
        probed("a", REAL, Ok(())),
        probed("b", "http://127.0.0.1:9/api/v2", silent()),
    ];
    assert!(!judge_api(&stores, None, &typed()).ok);
}

#[test]
fn the_remedy_fits_the_address() {
    let far = probed("a", REAL, silent());
    let here = probed("a", "http://127.0.0.1:9465/api/v2", silent());
    let new: Url = "http://127.0.0.1:9466/api/v2".parse().unwrap();
    let ask =
        |store: &Probed, wanted| command(judge_api(std::slice::from_ref(store), wanted, &typed()));
    assert!(ask(&far, None).starts_with("curl -sS "));
    assert!(ask(&far, None).ends_with("https://app.orderdesk.me/api/v2/test"));
    assert_eq!(ask(&here, None), "orderdesk-sandbox --port 9465");
    assert_eq!(
        ask(&here, Some(&new)),
        "/exe store add --replace --name a --id 4242 --api-base-url http://127.0.0.1:9466/api/v2"
    );
    assert_eq!(ask(&here, Some(&here.base_url)), ask(&here, None));
    let busy = Err(DeskError::Upstream {
        status: 502,
        html: true,
    });
    assert_eq!(ask(&probed("a", REAL, busy), None), "/exe doctor");
}

#[test]
fn our_own_spent_quota_says_nothing_about_the_address() {
    let spent = Err(DeskError::TooBusy {
        wait: Duration::from_secs(1),
    });
    let check = judge_api(&[probed("a", REAL, spent)], None, &typed());
    assert_eq!((check.ok, check.level), (false, Level::Warning));
}

#[test]
fn every_store_whose_key_is_refused_is_added_again() {
    let stores = [
        probed("My Shop", REAL, Err(DeskError::Auth)),
        probed("b", REAL, Ok(())),
        probed("-c", REAL, Err(DeskError::Auth)),
    ];
    let check = judge_credentials(&stores, &typed());
    assert!(
        check
            .summary
            .starts_with("`My Shop` (store 4242), `-c` (store 4242): "),
        "{check:?}"
    );
    #[cfg(unix)]
    assert_eq!(
        command(check),
        "/exe store add --replace --name 'My Shop' --id 4242 --api-base-url https://app.orderdesk.me/api/v2 && \
         /exe store add --replace --name=-c --id 4242 --api-base-url https://app.orderdesk.me/api/v2"
    );
}

#[test]
fn the_key_of_the_environment_is_corrected_where_it_is_set() {
    let check = judge_credentials(&[probed("", REAL, Err(DeskError::Auth))], &typed());
    assert!(check.summary.contains("from the environment"), "{check:?}");
    let hint = check.hint.unwrap();
    assert!(hint.say.contains("ORDERDESK_MCP_API_KEY"), "{hint}");
}

#[test]
fn a_store_that_gave_no_answer_leaves_its_key_unknown() {
    let check = judge_credentials(&[probed("a", REAL, silent())], &typed());
    assert_eq!((check.ok, check.level), (false, Level::Warning));
}

#[test]
fn the_clock_may_be_two_minutes_off_and_not_a_second_more() {
    let judged = |seconds: i64| {
        let mut store = probed("a", REAL, Ok(()));
        store.skew = Some(SignedDuration::from_secs(seconds));
        judge_clock(&[probed("b", REAL, Ok(())), store])
    };
    assert!(judged(120).ok && judged(-120).ok);
    assert_eq!(
        judged(121).summary,
        "this machine's clock is 2 minutes ahead of Order Desk's"
    );
    assert_eq!(
        judged(-7200).summary,
        "this machine's clock is 2 hours behind Order Desk's"
    );
    assert!(judge_clock(&[probed("a", REAL, Ok(()))]).ok);
}
