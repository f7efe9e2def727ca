//! The server against clients that mean harm, or do it: through a real socket, at the real binary.

mod support;

use std::io::Write;
use std::time::{Duration, Instant};

use support::{Sidecar, TOKEN, read_answer, time_until_closed};

fn sidecar() -> (tempfile::TempDir, Sidecar) {
    let home = tempfile::tempdir().expect("a home");
    let sidecar = Sidecar::start(home.path());
    (home, sidecar)
}

/// A request with these header lines, host included, so that tests can leave it out.
fn request(method: &str, target: &str, lines: &[&str]) -> String {
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    format!("{method} {target} HTTP/1.1\r\n{lines}Connection: close\r\n\r\n")
}

#[test]
fn a_request_for_another_host_is_misdirected_wherever_the_host_stands() {
    let (_home, sidecar) = sidecar();
    let misdirected = [
        request("GET", "/health", &["Host: evil.example"]),
        request("GET", "/health", &["Host: localhost@evil.example"]),
        request("GET", "/health", &["Host: localhost", "Host: localhost"]),
        request("GET", "http://evil.example/health", &["Host: localhost"]),
        request("GET", "/nowhere", &["Host: evil.example"]),
        "GET /health HTTP/1.0\r\n\r\n".to_owned(),
    ];
    for attack in misdirected {
        let answer = sidecar.ask(&attack);
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (421, "unknown_host"),
            "{attack}"
        );
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
    let absolute = request(
        "GET",
        &format!("http://{}/health", sidecar.address),
        &["Host: localhost"],
    );
    assert_eq!(sidecar.ask(&absolute).status, 200);
}

#[test]
fn a_request_without_any_host_is_refused() {
    let (_home, sidecar) = sidecar();
    let answer = sidecar.ask("GET /health HTTP/1.1\r\nConnection: close\r\n\r\n");
    assert!(matches!(answer.status, 400 | 421), "{answer:?}");
}

#[test]
fn a_page_of_another_origin_gets_nothing() {
    let (_home, sidecar) = sidecar();
    let host = format!("Host: {}", sidecar.address);
    for line in [
        "Origin: http://evil.example",
        "Origin: null",
        "Sec-Fetch-Site: cross-site",
    ] {
        let answer = sidecar.ask(&request("GET", "/health", &[&host, line]));
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (403, "foreign_origin"),
            "{line}"
        );
    }
    let own = format!("Origin: http://{}", sidecar.address);
    assert_eq!(
        sidecar
            .ask(&request("GET", "/health", &[&host, &own]))
            .status,
        200
    );
}

#[test]
fn wrong_addresses_and_methods_are_json_errors_with_the_house_headers() {
    let (_home, sidecar) = sidecar();
    let missing = sidecar.get("/healthz");
    assert_eq!(
        (missing.status, missing.code().as_str()),
        (404, "not_found")
    );
    let wrong = sidecar.ask(&request(
        "POST",
        "/health",
        &["Host: localhost", "Content-Length: 0"],
    ));
    assert_eq!(
        (wrong.status, wrong.code().as_str(), wrong.header("allow")),
        (405, "method_not_allowed", Some("GET,HEAD"))
    );
    for answer in [missing, wrong, sidecar.get("/health")] {
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("x-frame-options"), Some("DENY"));
        assert!(
            answer
                .header("content-security-policy")
                .is_some_and(|policy| policy.contains("default-src 'none'"))
        );
    }
}

#[test]
fn oversized_heads_and_bodies_are_refused() {
    let (_home, sidecar) = sidecar();
    let long = format!("X-Long: {}", "a".repeat(20_000));
    assert_eq!(
        sidecar
            .ask(&request("GET", "/health", &["Host: localhost", &long]))
            .status,
        431
    );
    let many: Vec<String> = (0..100).map(|index| format!("X-{index}: 1")).collect();
    let lines: Vec<&str> = std::iter::once("Host: localhost")
        .chain(many.iter().map(String::as_str))
        .collect();
    assert_eq!(sidecar.ask(&request("GET", "/health", &lines)).status, 431);
    let answer = sidecar.ask(&request(
        "GET",
        "/health",
        &["Host: localhost", "Content-Length: 100000"],
    ));
    assert_eq!((answer.status, answer.code().as_str()), (413, "too_large"));
}

#[test]
fn rubbish_and_smuggling_are_refused_and_harm_nobody() {
    let (_home, sidecar) = sidecar();
    let rubbish = [
        "\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n".to_owned(),
        "SSH-2.0-OpenSSH_9.2\r\n\r\n".to_owned(),
        "GET /health HTTP/9.9\r\nHost: localhost\r\n\r\n".to_owned(),
        request(
            "GET",
            "/health",
            &["Host: localhost", "Content-Length: 5", "Content-Length: 6"],
        ),
        request(
            "GET",
            "/health",
            &["Host: localhost", "Transfer-Encoding: rot13"],
        ),
        request("GET", "/hea lth", &["Host: localhost"]),
        request("GET", "/health", &["Host: localhost", "X-Nul: a\0b"]),
    ];
    for attack in rubbish {
        let answer = sidecar.ask(&attack);
        assert!(
            matches!(answer.status, 400 | 413 | 501 | 505),
            "{attack:?}: {answer:?}"
        );
    }
    assert_eq!(sidecar.get("/health").status, 200);
}

#[test]
fn silent_and_half_requests_are_cut_in_time() {
    let (_home, sidecar) = sidecar();
    for start in ["", "GET /health HTTP/1.1\r\nHost: loc"] {
        let mut stream = sidecar.connect();
        stream
            .write_all(start.as_bytes())
            .expect("the server reads");
        let open_for = time_until_closed(&mut stream);
        assert!(
            open_for < Duration::from_secs(9),
            "`{start}` was kept for {open_for:?}"
        );
    }
}

#[test]
fn a_client_that_trickles_its_head_is_cut_in_time() {
    let (_home, sidecar) = sidecar();
    let mut stream = sidecar.connect();
    let since = Instant::now();
    stream
        .write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        .expect("the server reads");
    while stream.write_all(b"a").is_ok() {
        assert!(since.elapsed() < Duration::from_secs(15), "still open");
        support::pause();
    }
}

#[test]
fn hundreds_of_silent_clients_delay_the_others_but_do_not_lock_them_out() {
    let (_home, sidecar) = sidecar();
    let silent: Vec<_> = (0..300).map(|_| sidecar.connect()).collect();
    assert_eq!(sidecar.get("/health").status, 200);
    drop(silent);
}

#[test]
fn one_connection_serves_many_requests() {
    let (_home, sidecar) = sidecar();
    let mut stream = sidecar.connect();
    let one = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let last = request("GET", "/health/live", &["Host: localhost"]);
    stream
        .write_all(format!("{one}{one}{last}").as_bytes())
        .expect("the server reads");
    let answer = read_answer(&mut stream);
    assert_eq!(
        format!("{}{}", answer.head, answer.body)
            .matches("HTTP/1.1 200 OK")
            .count(),
        3
    );
}

#[test]
fn closed_doors_open_for_the_token_only() {
    let home = tempfile::tempdir().expect("a home");
    let sidecar = Sidecar::start_with(home.path(), &[("ADMIN_TOKEN", TOKEN)]);
    let missing = sidecar.get("/health/detailed");
    assert_eq!(
        (missing.status, missing.code().as_str()),
        (401, "unauthorized")
    );
    assert_eq!(
        missing.header("www-authenticate"),
        Some("Bearer realm=\"ops-sidecar\"")
    );
    let wrong = sidecar.ask(&request(
        "GET",
        "/health/detailed",
        &["Host: localhost", "Authorization: Bearer wrong"],
    ));
    assert_eq!(wrong.status, 401);
    assert_eq!(sidecar.get_with_token("/health/detailed").status, 200);
    assert!(!wrong.body.contains(TOKEN));
}

#[test]
fn without_a_token_closed_doors_say_how_to_open_them() {
    let (_home, sidecar) = sidecar();
    let answer = sidecar.get_with_token("/health/detailed");
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (403, "no_admin_token")
    );
    assert!(answer.body.contains("ORDERDESK_MCP_ADMIN_TOKEN"));
}

#[test]
fn beyond_loopback_the_metrics_need_the_token_too() {
    let home = tempfile::tempdir().expect("a home");
    let mut command = support::ops_sidecar(home.path());
    command
        .env("ORDERDESK_MCP_ADMIN_TOKEN", TOKEN)
        .env("ORDERDESK_MCP_ALLOW_NON_LOOPBACK", "true");
    let sidecar = Sidecar::spawn_on(command, "0.0.0.0:0");
    assert_eq!(sidecar.get("/metrics").status, 401);
    assert_eq!(sidecar.get_with_token("/metrics").status, 200);
    assert_eq!(sidecar.get("/health").status, 200);
}
