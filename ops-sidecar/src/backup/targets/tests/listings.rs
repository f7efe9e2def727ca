//! Listings that have no end: servers that are broken, or that mean harm.

use std::io::Write;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use object_store::aws::AmazonS3Builder;
use object_store::memory::InMemory;
use tokio::runtime::Handle;

use super::super::bounds::Bounds;
use super::super::cloud::{self, Patience};
use super::super::{Kind, Target};
use super::pretender::{Pretender, reply, request};
use super::{bounded, folder_at, memory, runtime};

const FEW: Bounds = Bounds {
    objects: 2_000,
    time: Duration::from_secs(60),
};

fn s3(address: &str, bounds: Bounds, handle: &Handle) -> Target {
    let settings = AmazonS3Builder::new()
        .with_access_key_id("id")
        .with_secret_access_key("secret")
        .with_endpoint(address)
        .with_allow_http(true);
    let _entered = handle.enter();
    let patience = Patience {
        retries: 0,
        ..Patience::USUAL
    };
    let store = cloud::s3(settings, "s3://bucket", patience).unwrap();
    bounded(bounds, store, handle)
}

/// A page of ListObjectsV2 with these names, and another one behind it.
fn page(names: impl IntoIterator<Item = String>, next: Option<&str>) -> Vec<u8> {
    page_of(1, names, next)
}

/// The same of objects of that size.
fn page_of(size: u64, names: impl IntoIterator<Item = String>, next: Option<&str>) -> Vec<u8> {
    let contents: String = names
        .into_iter()
        .map(|name| {
            format!(
                "<Contents><Key>{name}</Key><Size>{size}</Size><LastModified>2026-11-21T21:40:11.000Z</LastModified></Contents>"
            )
        })
        .collect();
    let next = next.map_or_else(String::new, |token| {
        format!("<NextContinuationToken>{token}</NextContinuationToken>")
    });
    let body = format!(
        "<?xml version=\"1.0\"?><ListBucketResult><IsTruncated>true</IsTruncated>{contents}{next}</ListBucketResult>"
    );
    reply("200 OK", "", &body)
}

fn names(from: usize, count: usize) -> impl Iterator<Item = String> {
    (from..from + count).map(|at| format!("pitr/{at:012}"))
}

#[test]
fn pages_are_read_to_the_last() {
    let runtime = runtime();
    let server = Pretender::start(|at, seen| {
        assert_eq!(
            at > 0,
            seen.path.contains("continuation-token=next"),
            "{}",
            seen.path
        );
        page(names(at * 10, 10), (at < 3).then_some("next"))
    });
    let target = s3(&server.address(), FEW, runtime.handle());
    assert_eq!(target.list("pitr").unwrap().len(), 40);
}

#[test]
fn a_server_that_gives_the_same_page_for_ever_is_found_out() {
    let runtime = runtime();
    for straight in [0, 3] {
        let server =
            Pretender::start(move |at, _| page(names(at.min(straight) * 100, 100), Some("again")));
        let failed = s3(&server.address(), FEW, runtime.handle())
            .list("pitr")
            .unwrap_err();
        let text = failed.to_string();
        assert!(
            text.contains("`pitr`: the server lists the same objects again and again; hint: "),
            "{text}"
        );
        assert_eq!(failed.kind(), Kind::Other);
        assert!(
            server.methods().len() <= 4 * (straight + 2),
            "{}",
            server.methods().len()
        );
    }
}

#[test]
fn a_listing_has_so_many_objects_at_most_and_no_more_pages_are_asked_for() {
    let runtime = runtime();
    let server = Pretender::start(|at, _| page(names(at * 500, 500), Some("next")));
    let target = s3(&server.address(), FEW, runtime.handle());
    let mut visited = 0;
    let failed = target.each("pitr", &mut |_| visited += 1).unwrap_err();
    let text = failed.to_string();
    assert!(
        text.contains("more than 2000 objects are there; hint: "),
        "{text}"
    );
    assert_eq!((failed.kind(), visited), (Kind::Other, 2_000));
    assert_eq!(server.methods().len(), 5);
}

#[test]
fn objects_of_others_count_too() {
    let runtime = runtime();
    let server = Pretender::start(|at, _| {
        let strangers = (0..500).map(move |name| format!("pitr/not ours {}", at * 500 + name));
        page(strangers, Some("next"))
    });
    let failed = s3(&server.address(), FEW, runtime.handle())
        .list("pitr")
        .unwrap_err();
    assert!(failed.to_string().contains("more than 2000"), "{failed}");
}

#[test]
fn sizes_that_nothing_has_can_be_added_up_all_the_same() {
    let runtime = runtime();
    let server =
        Pretender::start(|at, _| page_of(u64::MAX, names(at * 10, 10), (at < 3).then_some("next")));
    let items = s3(&server.address(), FEW, runtime.handle())
        .list("pitr")
        .unwrap();
    let mut sizes = items.iter().map(|item| item.bytes);
    let sum = sizes.try_fold(0_u64, u64::checked_add);
    assert!(items.len() == 40 && sum.is_some(), "{sum:?}");
}

#[test]
fn empty_pages_without_end_have_one() {
    let runtime = runtime();
    let server = Pretender::start(|_, _| page(Vec::new(), Some("next")));
    let bounds = Bounds {
        time: Duration::from_millis(300),
        ..FEW
    };
    let began = Instant::now();
    let failed = s3(&server.address(), bounds, runtime.handle())
        .list("pitr")
        .unwrap_err();
    assert_eq!(failed.kind(), Kind::Away, "{failed}");
    assert!(failed.to_string().contains("no end after"), "{failed}");
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[test]
fn an_answer_that_never_ends_is_not_read_on() {
    let runtime = runtime();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let sent = Arc::new(AtomicUsize::new(0));
    let log = Arc::clone(&sent);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            request(&stream);
            let _ =
                stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n<ListBucketResult>");
            let much = [b' '; 64 * 1024];
            // Until the other side has had enough.
            while stream.write_all(&much).is_ok() {
                log.fetch_add(much.len(), Ordering::Relaxed);
            }
        }
    });
    let failed = s3(&address, FEW, runtime.handle())
        .list("pitr")
        .unwrap_err();
    assert_eq!(failed.kind(), Kind::Away, "{failed}");
    assert!(failed.to_string().contains("has no end"), "{failed}");
    // What was on its way in buffers is added.
    assert!(sent.load(Ordering::Relaxed) < 64 * 1024 * 1024);
}

#[test]
fn one_by_one_is_the_same_as_all_at_once() {
    let (runtime, folder) = (runtime(), tempfile::tempdir().unwrap());
    let few = bounded(FEW, Arc::new(InMemory::new()), runtime.handle());
    for target in [
        few,
        memory("my backups", runtime.handle()),
        folder_at(folder.path(), runtime.handle()),
    ] {
        for key in ["pitr/b/2", "pitr/a/1", "snapshots/c"] {
            target.put(key, vec![1]).unwrap();
        }
        let mut keys = Vec::new();
        target
            .each("pitr", &mut |item| keys.push(item.key))
            .unwrap();
        keys.sort_unstable();
        let listed = target.list("pitr").unwrap();
        assert!(listed.iter().map(|item| &item.key).eq(&keys));
        assert_eq!(keys, ["pitr/a/1", "pitr/b/2"]);
    }
}
