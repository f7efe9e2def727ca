//! The promises, kept by servers that others have written: run by `scripts/e2e/targets.py`, which starts them.
//!
//! Likewise disks that are full or read-only. `ORDERDESK_E2E_TARGETS` is a comma list of target URLs; addresses and credentials are in the clouds' own variables, as in production.

use std::time::Duration;

use shared::env::Vars;
use shared::paths::Home;
use tokio::runtime::Handle;

use super::super::{Kind, Target, TargetSpec};
use super::{conformance, runtime};

fn targets(handle: &Handle) -> Vec<Target> {
    let environment = Vars::from_process();
    let urls = environment
        .get("ORDERDESK_E2E_TARGETS")
        .expect("the runner names the targets");
    let urls = urls.to_str().unwrap();
    let home = Home::at("/nowhere");
    let open = |url: &str| {
        let spec = TargetSpec::parse(url, &home).unwrap();
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
#[ignore = "needs servers; scripts/e2e/targets.py runs it over those that know conditional writes"]
fn one_of_many_who_store_at_once_wins() {
    let runtime = runtime();
    for target in targets(runtime.handle()) {
        conformance::one_of_many_wins(&target);
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

#[test]
#[ignore = "needs a small disk; scripts/e2e/targets.py runs it on one"]
fn a_full_disk_is_full_and_keeps_what_it_has() {
    let (runtime, scratch) = (runtime(), tempfile::tempdir().unwrap());
    let large = scratch.path().join("large");
    std::fs::write(&large, conformance::patterned(4 * 1024 * 1024)).unwrap();
    for target in targets(runtime.handle()) {
        target.put("snapshots/kept", b"kept".to_vec()).unwrap();
        let full = target
            .put_file("snapshots/large", &large, &mut |_| {})
            .unwrap_err();
        assert_eq!(full.kind(), Kind::Full, "{full}");
        assert!(full.to_string().contains("hint: make room"), "{full}");
        assert_eq!(target.list("").unwrap().len(), 1);
        assert_eq!(
            target.sweep("", Duration::ZERO).unwrap(),
            0,
            "it cleaned up behind itself"
        );
        assert_eq!(target.get("snapshots/kept").unwrap(), b"kept");
    }
}

#[test]
#[ignore = "needs a read-only disk; scripts/e2e/targets.py runs it on one"]
fn a_read_only_disk_is_denied_and_can_be_read() {
    let runtime = runtime();
    for target in targets(runtime.handle()) {
        let denied = target.put("snapshots/a", b"a".to_vec()).unwrap_err();
        assert_eq!(denied.kind(), Kind::Denied, "{denied}");
        assert_eq!(
            target.delete("snapshots/kept").unwrap_err().kind(),
            Kind::Denied
        );
        assert_eq!(target.get("snapshots/kept").unwrap(), b"kept");
    }
}
