//! The room's tests: what every target promises (`conformance`), held by a folder, by memory and, when `scripts/e2e/targets.py` runs them, by
//! servers of others; then what only folders do, how long a dead network is waited for, listings without an end, and that no secret gets into a text.

mod conformance;
mod faults;
mod folders;
mod listings;
mod pretender;
mod servers;

use std::path::Path;
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::memory::InMemory;
use shared::paths::Home;
use tokio::runtime::Handle;

use super::bounds::Bounds;
use super::bucket::Bucket;
use super::target::Store;
use super::{Target, TargetSpec};

/// A runtime as the program has it.
pub(super) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
}

/// A folder target at `path`, which must be there.
pub(super) fn folder_at(path: &Path, handle: &Handle) -> Target {
    let url = url::Url::from_file_path(path).unwrap();
    let spec = TargetSpec::parse(url.as_str(), &Home::at("/nowhere")).unwrap();
    Target::open(&spec, handle.clone()).unwrap()
}

/// The code for clouds over a store in memory, which forgets nothing and refuses nothing.
pub(super) fn memory(prefix: &str, handle: &Handle) -> Target {
    over(Arc::new(InMemory::new()), prefix, handle)
}

/// The code for clouds over any store.
pub(super) fn over(store: Arc<dyn ObjectStore>, prefix: &str, handle: &Handle) -> Target {
    named("s3://memory", store, prefix, handle)
}

/// The same with other bounds.
pub(super) fn bounded(bounds: Bounds, store: Arc<dyn ObjectStore>, handle: &Handle) -> Target {
    let bucket = Bucket {
        name: "s3://memory".to_owned(),
        store,
        prefix: "".into(),
        bounds,
    };
    Target {
        store: Arc::new(Store::Bucket(bucket)),
        handle: handle.clone(),
        is_remote: true,
    }
}

/// The same under a name of its own: for the tests of whoever ships to several.
pub(in crate::backup) fn named(
    name: &str,
    store: Arc<dyn ObjectStore>,
    prefix: &str,
    handle: &Handle,
) -> Target {
    Target {
        store: Arc::new(Store::Bucket(Bucket {
            name: name.to_owned(),
            store,
            prefix: prefix.into(),
            bounds: Bounds::USUAL,
        })),
        handle: handle.clone(),
        is_remote: true,
    }
}

#[test]
fn a_folder_keeps_the_promises() {
    let (runtime, folder) = (runtime(), tempfile::tempdir().unwrap());
    let target = folder_at(folder.path(), runtime.handle());
    conformance::every_promise_holds(&target);
    conformance::one_of_many_wins(&target);
}

#[test]
fn a_folder_with_a_space_in_its_name_keeps_them_too() {
    let (runtime, folder) = (runtime(), tempfile::tempdir().unwrap());
    let path = folder.path().join("my backups, 2026 #1 100%");
    std::fs::create_dir(&path).unwrap();
    conformance::every_promise_holds(&folder_at(&path, runtime.handle()));
}

#[test]
fn the_code_for_clouds_keeps_the_promises() {
    let runtime = runtime();
    let target = memory("", runtime.handle());
    conformance::every_promise_holds(&target);
    conformance::one_of_many_wins(&target);
    conformance::every_promise_holds(&memory("my backups/shop", runtime.handle()));
}

#[test]
fn two_hosts_in_one_bucket_do_not_see_each_other_unless_one_prefix_is_inside_the_other() {
    let runtime = runtime();
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let (one, other) = (
        over(Arc::clone(&store), "shop/one", runtime.handle()),
        over(store, "shop/one-more", runtime.handle()),
    );
    one.put("snapshots/a", b"of one".to_vec()).unwrap();
    other.put("snapshots/a", b"of the other".to_vec()).unwrap();
    assert_eq!(one.get("snapshots/a").unwrap(), b"of one");
    assert_eq!(other.list("").unwrap().len(), 1);
    one.delete("snapshots/a").unwrap();
    assert_eq!(other.get("snapshots/a").unwrap(), b"of the other");
}
