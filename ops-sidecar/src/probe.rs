//! The client half of `ops-sidecar health`: one plain HTTP request to the running sidecar.
//!
//! By hand on a blocking socket, because a health check is run every few seconds for years: it should start nothing, read little, and
//! end in time.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// For connecting, and for each read: a healthy sidecar answers in a millisecond, and probes usually allow a second or two.
const PATIENCE: Duration = Duration::from_secs(1);
/// More than any health answer has.
const MAX_ANSWER_BYTES: u64 = 256 * 1024;

/// What the sidecar said.
#[derive(Debug)]
pub(crate) struct Answer {
    /// HTTP status.
    pub(crate) status: u16,
    /// The body, as it came.
    pub(crate) body: String,
}

/// Where to reach a server that listens on `listen`: a wildcard address is reached over loopback.
pub(crate) fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// Asks for `path`.
pub(crate) fn get(address: SocketAddr, path: &str) -> io::Result<Answer> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )?;
    let mut text = String::new();
    stream.take(MAX_ANSWER_BYTES).read_to_string(&mut text)?;
    parse(&text).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            "what listens there does not speak HTTP",
        )
    })
}

/// Our server sends health answers whole, with a length; after `Connection: close` the body ends with the stream.
fn parse(text: &str) -> Option<Answer> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok()?;
    Some(Answer {
        status,
        body: body.to_owned(),
    })
}

/// One line for people: the status and, if there are any, the reasons.
pub(crate) fn summary(answer: &Answer) -> String {
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let status = body["status"]
        .as_str()
        .map_or_else(|| format!("HTTP {}", answer.status), str::to_owned);
    let reasons: Vec<&str> = body["reasons"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|reason| reason["summary"].as_str())
        .collect();
    if reasons.is_empty() {
        status
    } else {
        format!("{status}: {}", reasons.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_is_reached_over_loopback() {
        assert_eq!(
            reachable("0.0.0.0:1".parse().expect("an address")).to_string(),
            "127.0.0.1:1"
        );
        assert_eq!(
            reachable("[::]:1".parse().expect("an address")).to_string(),
            "[::1]:1"
        );
        assert_eq!(
            reachable("10.0.0.5:1".parse().expect("an address")).to_string(),
            "10.0.0.5:1"
        );
    }

    #[test]
    fn an_answer_is_read_and_rubbish_is_not() {
        let answer = parse("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 2\r\n\r\n{}")
            .expect("an answer");
        assert_eq!((answer.status, answer.body.as_str()), (503, "{}"));
        for rubbish in [
            "",
            "SSH-2.0-OpenSSH\r\n\r\n",
            "HTTP/1.1 ab\r\n\r\n",
            "HTTP/1.1 200",
        ] {
            assert!(parse(rubbish).is_none(), "{rubbish}");
        }
    }

    #[test]
    fn the_summary_names_the_reasons() {
        let body = r#"{"status":"not_ready","reasons":[{"id":"a","summary":"the disk is full"},{"summary":"so is the cup"}]}"#;
        assert_eq!(
            summary(&Answer {
                status: 503,
                body: body.to_owned()
            }),
            "not_ready: the disk is full; so is the cup"
        );
        assert_eq!(
            summary(&Answer {
                status: 502,
                body: "<html>".to_owned()
            }),
            "HTTP 502"
        );
    }
}
