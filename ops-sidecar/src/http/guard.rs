//! Who may talk to this server at all: the Host, the Origin and the Fetch Metadata of a request.
//!
//! A server on loopback is reachable from every web page the user opens: a page's host name can be made to point to 127.0.0.1 (DNS
//! rebinding), and any page may fire requests at `http://localhost`. So a request must name a host that we know, in its header and in an
//! absolute request target alike, and a browser must have made it from our own pages. Not here: tokens (`auth`).

use std::net::SocketAddr;

use axum::extract::{Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::Response;

use super::answer;

/// Names under which a server on loopback is always reachable.
const LOOPBACK_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Longest host name DNS knows; also bounds the work spent on hostile headers.
const MAX_NAME_BYTES: usize = 253;

/// The names this server answers to: lower case, without port, IPv6 in brackets.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    names: Vec<String>,
}

/// Why a request is turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No host, several hosts, or one we do not answer to.
    Host,
    /// A browser says that a page of another origin sent this.
    Origin,
}

impl Guard {
    /// Loopback names, the address listened on (unless it is a wildcard), and the operator's own names.
    pub(crate) fn new(listen: SocketAddr, allowed: &[String]) -> Guard {
        let mut names: Vec<String> = LOOPBACK_NAMES.iter().map(ToString::to_string).collect();
        if !listen.ip().is_unspecified() {
            names.push(match listen {
                SocketAddr::V4(address) => address.ip().to_string(),
                SocketAddr::V6(address) => format!("[{}]", address.ip()),
            });
        }
        names.extend(allowed.iter().filter_map(|name| host_name(name)));
        Guard { names }
    }

    /// Looks at everything in a request that says where it comes from and whom it believes to talk to.
    pub(crate) fn check(
        &self,
        method: &Method,
        target: &Uri,
        headers: &HeaderMap,
    ) -> Result<(), Refusal> {
        let host = sole(headers, HOST.as_str()).ok_or(Refusal::Host)?;
        if !self.knows(host)
            || target
                .authority()
                .is_some_and(|authority| !self.knows(authority.as_str()))
        {
            return Err(Refusal::Host);
        }
        if headers.contains_key(ORIGIN)
            && !sole(headers, ORIGIN.as_str()).is_some_and(|origin| is_same_origin(origin, host))
        {
            return Err(Refusal::Origin);
        }
        if is_foreign_fetch(method, headers) {
            Err(Refusal::Origin)
        } else {
            Ok(())
        }
    }

    fn knows(&self, authority: &str) -> bool {
        host_name(authority).is_some_and(|name| self.names.contains(&name))
    }
}

/// The middleware: 421 for a host that is not ours, 403 for a foreign page.
pub(crate) async fn admit(
    State(guard): State<std::sync::Arc<Guard>>,
    request: Request,
    next: Next,
) -> Response {
    match guard.check(request.method(), request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(Refusal::Host) => answer::error(
            StatusCode::MISDIRECTED_REQUEST,
            "unknown_host",
            "this server does not answer to the host name in the request",
            "use http://localhost or http://127.0.0.1, or add the name to ORDERDESK_MCP_ALLOWED_HOSTS",
        ),
        Err(Refusal::Origin) => answer::error(
            StatusCode::FORBIDDEN,
            "foreign_origin",
            "a web page of another origin sent this request",
            "open this server's own address in the browser, or ask with a program",
        ),
    }
}

/// The value of a header that must not stand there twice.
fn sole<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    if values.next().is_some() {
        None
    } else {
        first.to_str().ok()
    }
}

/// The host of `host`, `host:port`, `[v6]` or `[v6]:port` in lower case; `None` for anything else, user info included.
pub(crate) fn host_name(authority: &str) -> Option<String> {
    let (name, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let end = rest.find(']')?;
            rest[..end].parse::<std::net::Ipv6Addr>().ok()?;
            (&authority[..end + 2], &rest[end + 1..])
        }
        None => {
            let end = authority.find(':').unwrap_or(authority.len());
            (&authority[..end], &authority[end..])
        }
    };
    let port_is_fine = port.is_empty()
        || port
            .strip_prefix(':')
            .is_some_and(|digits| digits.parse::<u16>().is_ok());
    let name_is_fine = name.starts_with('[') || is_dns_name(name);
    (port_is_fine && name_is_fine).then(|| name.to_ascii_lowercase())
}

fn is_dns_name(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    !name.is_empty() && name.len() <= MAX_NAME_BYTES && name.bytes().all(is_letter)
}

/// Whether the page that sent this was served under the very host and port it now asks.
fn is_same_origin(origin: &str, host: &str) -> bool {
    let authority = origin
        .strip_prefix("http://")
        .or_else(|| origin.strip_prefix("https://"));
    authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
}

/// Browsers label what they send. A page elsewhere may link to us (a navigation), but not load from us and never change anything.
fn is_foreign_fetch(method: &Method, headers: &HeaderMap) -> bool {
    let value = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let is_foreign = matches!(value("sec-fetch-site"), Some("cross-site" | "same-site"));
    let is_link = value("sec-fetch-mode") == Some("navigate")
        && matches!(*method, Method::GET | Method::HEAD);
    is_foreign && !is_link
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    use super::*;

    fn guard() -> Guard {
        Guard::new(
            "127.0.0.1:9464".parse().expect("an address"),
            &["Ops.Example.com".to_owned()],
        )
    }

    fn check(target: &str, headers: &[(&'static str, &str)]) -> Result<(), Refusal> {
        check_method(&Method::GET, target, headers)
    }

    fn check_method(
        method: &Method,
        target: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<(), Refusal> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                HeaderName::from_static(name),
                HeaderValue::from_str(value).expect("a header value"),
            );
        }
        guard().check(method, &target.parse().expect("a target"), &map)
    }

    #[test]
    fn our_own_names_are_known_with_and_without_a_port_in_any_case() {
        for host in [
            "localhost",
            "LOCALHOST:9464",
            "127.0.0.1",
            "127.0.0.1:1",
            "[::1]:9464",
            "ops.example.com",
            "OPS.example.COM:443",
        ] {
            assert_eq!(check("/health", &[("host", host)]), Ok(()), "{host}");
        }
    }

    #[test]
    fn a_foreign_missing_or_doubled_host_is_misdirected() {
        let hosts = [
            "evil.example",
            "localhost.evil.example",
            "localhost@evil.example",
            "evil@localhost",
            "",
            "localhost:99999",
            "localhost:",
            "::1",
            "[::1",
            "[localhost]",
            "127.0.0.1.",
            "0x7f.1",
            "local host",
        ];
        for host in hosts {
            assert_eq!(
                check("/health", &[("host", host)]),
                Err(Refusal::Host),
                "{host}"
            );
        }
        assert_eq!(check("/health", &[]), Err(Refusal::Host));
        assert_eq!(
            check("/health", &[("host", "localhost"), ("host", "localhost")]),
            Err(Refusal::Host)
        );
    }

    #[test]
    fn an_absolute_target_must_name_us_too() {
        assert_eq!(
            check("http://evil.example/health", &[("host", "localhost")]),
            Err(Refusal::Host)
        );
        assert_eq!(
            check(
                "http://localhost:9464/health",
                &[("host", "localhost:9464")]
            ),
            Ok(())
        );
    }

    #[test]
    fn only_pages_of_this_very_origin_may_ask() {
        let host = ("host", "localhost:9464");
        assert_eq!(
            check("/", &[host, ("origin", "http://localhost:9464")]),
            Ok(())
        );
        for origin in [
            "http://evil.example",
            "null",
            "",
            "http://localhost:3000",
            "file://localhost:9464",
            "http://localhost:9464@evil.example",
        ] {
            assert_eq!(
                check("/", &[host, ("origin", origin)]),
                Err(Refusal::Origin),
                "{origin}"
            );
        }
    }

    #[test]
    fn a_link_from_elsewhere_works_and_a_foreign_fetch_does_not() {
        let host = ("host", "localhost");
        let site = ("sec-fetch-site", "cross-site");
        assert_eq!(
            check("/", &[host, site, ("sec-fetch-mode", "navigate")]),
            Ok(())
        );
        assert_eq!(
            check("/", &[host, site, ("sec-fetch-mode", "no-cors")]),
            Err(Refusal::Origin)
        );
        assert_eq!(
            check_method(
                &Method::POST,
                "/",
                &[host, site, ("sec-fetch-mode", "navigate")]
            ),
            Err(Refusal::Origin)
        );
        assert_eq!(check("/", &[host, ("sec-fetch-site", "none")]), Ok(()));
        assert_eq!(
            check("/", &[host, ("sec-fetch-site", "same-origin")]),
            Ok(())
        );
    }

    #[test]
    fn a_wildcard_address_does_not_become_a_name() {
        let guard = Guard::new("0.0.0.0:9464".parse().expect("an address"), &[]);
        assert!(!guard.knows("0.0.0.0:9464"));
        assert!(
            Guard::new("10.0.0.5:9464".parse().expect("an address"), &[]).knows("10.0.0.5:9464")
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_the_host_parser_panic_or_return_what_is_no_host(text in "\\PC{0,60}") {
            if let Some(name) = host_name(&text) {
                prop_assert!(!name.contains(['@', '/', ' ', '?', '#']));
                prop_assert!(text.to_ascii_lowercase().starts_with(&name));
            }
        }
    }
}
