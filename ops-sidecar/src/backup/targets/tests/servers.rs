//! The promises, kept by servers that others have written: run by `scripts/e2e/targets.py`, which starts them.
//!
//! `ORDERDESK_E2E_TARGETS` is a comma list of target URLs; addresses and credentials are in the clouds' own variables, as in production.

use super::super::*;
use super::{conformance, runtime};
use shared::paths::Home;

fn targets(handle: &Handle) -> Vec<Target> {
    let urls = std::env::var("ORDERDESK_E2E_TARGETS").expect("the runner names the targets");
    let home = Home::at("/nowhere");
    let open = |url: &str| {
        let spec = TargetSpec::parse(url, &home).unwrap();
        assert!(spec.is_remote());
        Target::open(&spec, handle.clone()).unwrap()
    };
    urls.split(',').map(open).collect()
}

#[test]
#[ignore = "needs servers; scripts/e2e/targets.py runs it"]
fn the_servers_keep_the_promises() {
    let runtime = runtime();
    for target in targets(runtime.handle()) {
        conformance::every_promise_holds(&target);
        println!("{}: every promise holds", target.name());
    }
}

#[test]
#[ignore = "needs servers; scripts/e2e/targets.py runs it with credentials that are wrong"]
fn wrong_credentials_are_denied_by_the_servers() {
    let runtime = runtime();
    for target in targets(runtime.handle()) {
        for denied in [
            target.put("a", vec![1]).unwrap_err(),
            target.list("").unwrap_err(),
            target.get("a").unwrap_err(),
        ] {
            assert_eq!(denied.kind(), Kind::Denied, "{denied}");
            println!("{denied}");
        }
    }
}

#[test]
#[ignore = "needs servers; scripts/e2e/targets.py runs it with buckets that are not there"]
fn a_bucket_that_is_not_there_is_no_missing_object() {
    let runtime = runtime();
    for target in targets(runtime.handle()) {
        for refused in [
            target.put("a", vec![1]).unwrap_err(),
            target.list("").unwrap_err(),
            target.get("a").unwrap_err(),
        ] {
            assert_eq!(refused.kind(), Kind::Other, "{refused}");
            assert!(
                refused.to_string().contains("hint: make the bucket"),
                "{refused}"
            );
        }
    }
}
