//! Networks and servers that fail: how long that is waited for, what it is called, and that no secret gets into the text.

use std::fs::File;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use object_store::ClientOptions;
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use tokio::runtime::Handle;

use super::super::cloud::{self, Patience};
use super::super::{Kind, Target, TargetError};
use super::pretender::{Pretender, reply};
use super::{over, runtime};

/// Words that must not be in any text of ours.
const CANARIES: [&str; 4] = [
    "CANARYKEYID",
    "canary-secret",
    "canary-signature",
    "CANARY-STRING-TO-SIGN",
];

const QUICK: Patience = Patience {
    connect: Duration::from_millis(500),
    request: Duration::from_millis(250),
    total: Duration::from_secs(1),
    retries: 2,
    pause: Duration::from_millis(10),
};

fn refusal(status: &str, code: &str) -> Vec<u8> {
    let body = format!(
        "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>no canary-secret</Message><AWSAccessKeyId>CANARYKEYID</AWSAccessKeyId>\
         <StringToSign>CANARY-STRING-TO-SIGN</StringToSign><SignatureProvided>canary-signature</SignatureProvided></Error>"
    );
    reply(status, "", &body)
}

fn s3(address: &str, handle: &Handle) -> Target {
    let settings = AmazonS3Builder::new()
        .with_access_key_id("CANARYKEYID")
        .with_secret_access_key("canary-secret")
        .with_endpoint(address)
        .with_allow_http(true);
    let _entered = handle.enter();
    over(
        cloud::s3(settings, "s3://bucket", QUICK).unwrap(),
        "",
        handle,
    )
}

fn azure(address: &str, handle: &Handle) -> Target {
    let sas = [("sv", "2026-01-01"), ("sig", "canary-signature")];
    let settings = MicrosoftAzureBuilder::new()
        .with_account("account")
        .with_sas_authorization(sas.map(|(name, value)| (name.to_owned(), value.to_owned())))
        .with_endpoint(address.to_owned())
        .with_allow_http(true);
    let _entered = handle.enter();
    over(
        cloud::azure(settings, "az://container", QUICK).unwrap(),
        "",
        handle,
    )
}

fn google(address: &str, handle: &Handle) -> Target {
    let settings = GoogleCloudStorageBuilder::new()
        .with_config(GoogleConfigKey::BearerToken, "canary-secret")
        .with_base_url(address)
        .with_client_options(ClientOptions::new().with_allow_http(true));
    let _entered = handle.enter();
    over(
        cloud::google(settings, "gs://bucket", QUICK).unwrap(),
        "",
        handle,
    )
}

fn each(address: &str, handle: &Handle) -> [Target; 3] {
    [
        s3(address, handle),
        azure(address, handle),
        google(address, handle),
    ]
}

fn text(failed: &TargetError) -> String {
    let text = format!("{failed} {failed:?}");
    for canary in CANARIES {
        assert!(!text.contains(canary), "{text}");
    }
    assert!(
        !text.contains("127.0.0.1"),
        "a URL may hold a signature: {text}"
    );
    text
}

#[test]
fn what_servers_refuse_has_a_kind_a_hint_and_no_secret() {
    let runtime = runtime();
    for (status, code, kind, hint) in [
        (
            "403 Forbidden",
            "SignatureDoesNotMatch",
            Kind::Denied,
            "hint: check the credentials",
        ),
        (
            "403 Forbidden",
            "AccessDenied",
            Kind::Denied,
            "hint: these credentials must be allowed",
        ),
        (
            "403 Forbidden",
            "RequestTimeTooSkewed",
            Kind::Denied,
            "hint: the clock",
        ),
        (
            "401 Unauthorized",
            "NoAuth",
            Kind::Denied,
            "hint: check the credentials",
        ),
        (
            "404 Not Found",
            "NoSuchBucket",
            Kind::Other,
            "hint: make the bucket",
        ),
        (
            "404 Not Found",
            "ContainerNotFound",
            Kind::Other,
            "hint: make the bucket",
        ),
        (
            "503 Slow Down",
            "SlowDown",
            Kind::Away,
            "tried again by itself",
        ),
        (
            "500 Oops",
            "InternalError",
            Kind::Away,
            "tried again by itself",
        ),
        (
            "429 Too Many",
            "TooManyRequests",
            Kind::Away,
            "tried again by itself",
        ),
        (
            "507 Insufficient Storage",
            "XMinioStorageFull",
            Kind::Full,
            "hint: make room",
        ),
        (
            "400 Bad Request",
            "QuotaExceeded",
            Kind::Full,
            "hint: make room",
        ),
        (
            "400 Bad Request",
            "MalformedXML",
            Kind::Other,
            "hint: check the credentials",
        ),
    ] {
        let server = Pretender::start(move |_, _| refusal(status, code));
        for target in each(&server.address(), runtime.handle()) {
            for failed in [
                target.put("a", vec![1]).unwrap_err(),
                target.list("").unwrap_err(),
            ] {
                assert_eq!(failed.kind(), kind, "{code}: {failed}");
                let said = text(&failed);
                assert!(
                    said.contains(&status[..3]) && said.contains(code) && said.contains(hint),
                    "{code}: {said}"
                );
            }
        }
    }
}

#[test]
fn a_missing_bucket_is_no_missing_object() {
    let runtime = runtime();
    let server = Pretender::start(|_, seen| match seen.method.as_str() {
        "HEAD" => b"HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n".to_vec(),
        _ => refusal("404 Not Found", "NoSuchBucket"),
    });
    let failed = s3(&server.address(), runtime.handle())
        .get("a")
        .unwrap_err();
    assert_eq!(failed.kind(), Kind::Other, "{failed}");
}

#[test]
fn a_word_that_is_no_code_is_not_passed_on() {
    let runtime = runtime();
    let server = Pretender::start(|_, _| refusal("400 Bad Request", "canary-secret"));
    let failed = s3(&server.address(), runtime.handle())
        .list("")
        .unwrap_err();
    assert!(text(&failed).contains("the server said 400;"), "{failed}");
}

#[test]
fn a_dead_network_is_away_within_its_bounds() {
    let runtime = runtime();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    // Nobody serves port 1.
    for port in [silent.local_addr().unwrap().port(), 1] {
        let address = format!("http://127.0.0.1:{port}");
        std::thread::scope(|scope| {
            for target in each(&address, runtime.handle()) {
                scope.spawn(move || is_away_in_time(&target));
            }
        });
    }
}

fn is_away_in_time(target: &Target) {
    let began = Instant::now();
    for failed in [
        target.put("a", vec![1]).unwrap_err(),
        target.get("a").unwrap_err(),
        target.list("").unwrap_err(),
    ] {
        assert_eq!(failed.kind(), Kind::Away, "{failed}");
        assert!(failed.is_transient());
        text(&failed);
    }
    let bound = 3 * (QUICK.total + 2 * QUICK.request);
    assert!(began.elapsed() < bound, "{:?}", began.elapsed());
}

#[test]
fn a_hiccup_is_not_noticed() {
    let runtime = runtime();
    let server = Pretender::start(|at, _| match at {
        0 => refusal("503 Slow Down", "SlowDown"),
        1 => Vec::new(),
        _ => reply("200 OK", "etag: \"e\"\r\n", ""),
    });
    s3(&server.address(), runtime.handle())
        .put("a", vec![1])
        .unwrap();
    assert_eq!(server.methods(), ["PUT", "PUT", "PUT"]);
}

#[test]
fn an_upload_whose_answer_was_lost_is_found_to_be_there() {
    let runtime = runtime();
    let headers = "etag: \"e\"\r\nlast-modified: Sat, 21 Nov 2026 21:40:11 GMT\r\n";
    let server = Pretender::start(move |at, seen| match (at, seen.method.as_str()) {
        (0, _) => Vec::new(),
        (_, "PUT") => refusal("412 Precondition Failed", "PreconditionFailed"),
        (_, "HEAD") => {
            format!("HTTP/1.1 200 OK\r\nconnection: close\r\n{headers}content-length: 4\r\n\r\n")
                .into_bytes()
        }
        _ => reply(
            "206 Partial Content",
            &format!("{headers}content-range: bytes 0-3/4\r\n"),
            "mine",
        ),
    });
    let target = s3(&server.address(), runtime.handle());
    target.put("a", b"mine".to_vec()).unwrap();
    assert_eq!(server.methods()[..2], ["PUT", "PUT"]);
    let other = target.put("a", b"hers".to_vec()).unwrap_err();
    assert_eq!(other.kind(), Kind::Exists, "{other}");
}

#[test]
fn a_redirect_carries_no_backup_to_another_host() {
    let runtime = runtime();
    let elsewhere = Pretender::start(|_, _| reply("200 OK", "etag: \"e\"\r\n", ""));
    let location = format!("location: {}/a\r\n", elsewhere.address());
    let server = Pretender::start(move |_, _| reply("307 Temporary Redirect", &location, ""));
    let failed = s3(&server.address(), runtime.handle())
        .put("a", vec![1])
        .unwrap_err();
    assert!(
        text(&failed).contains("is the region (AWS_REGION)"),
        "{failed}"
    );
    assert_eq!(elsewhere.methods(), [""; 0]);
}

#[test]
fn an_object_that_comes_short_is_no_object_and_leaves_no_file() {
    let (runtime, folder) = (runtime(), tempfile::tempdir().unwrap());
    let headers = "etag: \"e\"\r\nlast-modified: Sat, 21 Nov 2026 21:40:11 GMT\r\n";
    let server = Pretender::start(move |_, seen| {
        match seen.method.as_str() {
        "HEAD" => format!("HTTP/1.1 200 OK\r\nconnection: close\r\n{headers}content-length: 9\r\n\r\n").into_bytes(),
        _ => format!("HTTP/1.1 206 Partial Content\r\nconnection: close\r\n{headers}content-range: bytes 0-8/9\r\ncontent-length: 9\r\n\r\nhalf")
            .into_bytes(),
    }
    });
    let file = folder.path().join("back");
    let failed = s3(&server.address(), runtime.handle())
        .get_to("a", &file, &mut |_| {})
        .unwrap_err();
    assert_eq!(failed.kind(), Kind::Away, "{failed}");
    assert!(!file.exists());
}

#[test]
fn an_upload_in_parts_that_breaks_is_taken_back() {
    let (runtime, folder) = (runtime(), tempfile::tempdir().unwrap());
    let file = folder.path().join("large");
    File::create(&file)
        .unwrap()
        .set_len(6 * 1024 * 1024)
        .unwrap();
    let begun =
        "<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>";
    let server = Pretender::start(move |_, seen| match seen.method.as_str() {
        "HEAD" => b"HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n".to_vec(),
        "POST" if seen.path.contains("?uploads") => reply("200 OK", "", begun),
        "PUT" if seen.body.len() == 5 * 1024 * 1024 => reply("200 OK", "etag: \"p\"\r\n", ""),
        "DELETE" => reply("204 No Content", "", ""),
        _ => refusal("403 Forbidden", "AccessDenied"),
    });
    let mut sent = 0;
    let failed = s3(&server.address(), runtime.handle())
        .put_file("a", &file, &mut |by| sent += by)
        .unwrap_err();
    assert_eq!(
        (failed.kind(), sent),
        (Kind::Denied, 5 * 1024 * 1024),
        "{failed}"
    );
    assert_eq!(server.methods(), ["HEAD", "POST", "PUT", "PUT", "DELETE"]);
}

#[test]
fn nothing_is_sent_in_the_clear_unless_that_is_allowed() {
    let runtime = runtime();
    let server = Pretender::start(|_, _| reply("200 OK", "etag: \"e\"\r\n", ""));
    for (allowed, sent) in [("false", false), ("true", true), ("1", true), ("YES", true)] {
        let settings = AmazonS3Builder::new()
            .with_access_key_id("CANARYKEYID")
            .with_secret_access_key("canary-secret")
            .with_endpoint(server.address())
            .with_config("aws_allow_http".parse().unwrap(), allowed);
        let store = cloud::s3(settings, "s3://bucket", QUICK).unwrap();
        match over(store, "", runtime.handle()).put("a", vec![1]) {
            Ok(()) => assert!(sent, "{allowed}"),
            Err(failed) => assert!(
                !sent && text(&failed).contains("AWS_ALLOW_HTTP"),
                "{failed}"
            ),
        }
    }
    assert_eq!(server.methods().len(), 3);
}

#[test]
fn nothing_shows_what_a_client_holds() {
    let runtime = runtime();
    let target = s3("http://127.0.0.1:1", runtime.handle());
    assert_eq!(format!("{target:?}"), "Target(\"s3://memory\")");
}
