//! Addresses in settings: the API's URL, where to listen, host names.
//!
//! Here: what each may look like. The rule that matters: an API key is sent to `api_base_url`, so it must be https unless it is this
//! very machine. Not here: connecting.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use url::{Host, Url};

use super::kind::Refusal;

/// An API's base URL, slashes at its end removed so that one API has one spelling (the quota of a store is keyed by it).
pub(super) fn api_url(text: &str) -> Result<Url, Refusal> {
    // A URL may carry a password, so a text that looks like it does is not shown.
    let refuse = |why: &str| {
        if text.contains('@') {
            Refusal::silent(why)
        } else {
            Refusal::new(why)
        }
    };
    let url = Url::parse(text.trim_end_matches('/')).map_err(|_| refuse("is not a URL"))?;
    let Some(host) = url.host() else {
        return Err(refuse("names no host"));
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Refusal::silent("carries a user name or a password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refuse("carries a query or a fragment"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&host) => Ok(url),
        "http" => Err(refuse(
            "is plain http to another machine, which would show the API key to the network",
        )),
        _ => Err(refuse("is neither https nor http")),
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => name.eq_ignore_ascii_case("localhost"),
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
    }
}

/// An address to listen on. `localhost` is read as 127.0.0.1: listening on a name would need a lookup.
pub(super) fn socket(text: &str) -> Result<SocketAddr, Refusal> {
    if let Some(port) = text.strip_prefix("localhost:") {
        let port = port
            .parse()
            .map_err(|_| Refusal::new("has no valid port"))?;
        return Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
    }
    text.parse()
        .map_err(|_| Refusal::new("is not an IP address with a port"))
}

/// Host names, lower-case, each perhaps with a port; empty places between commas are skipped.
pub(super) fn hosts(text: &str) -> Result<Vec<String>, Refusal> {
    let names = text
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty());
    names.map(host).collect()
}

fn host(name: &str) -> Result<String, Refusal> {
    let (bare, port) = match name.rsplit_once(':') {
        // More than one colon is an IPv6 address; with a port it stands in brackets.
        Some((bare, port)) if !bare.contains(':') || bare.ends_with(']') => (bare, Some(port)),
        _ => (name, None),
    };
    let port_is_fine = port.is_none_or(|port| port.parse::<u16>().is_ok());
    let is_host = match bare
        .strip_prefix('[')
        .and_then(|inner| inner.strip_suffix(']'))
    {
        Some(inner) => inner.parse::<Ipv6Addr>().is_ok(),
        None => is_name(bare) || bare.parse::<IpAddr>().is_ok(),
    };
    if port_is_fine && is_host {
        return Ok(name.to_ascii_lowercase());
    }
    Err(Refusal::new(
        "holds something that is not a host name (no scheme, no path, no `*`)",
    ))
}

fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    !name.is_empty() && name.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_may_be_https_anywhere_and_http_on_this_machine_only() {
        for fine in [
            "https://app.orderdesk.me/api/v2",
            "http://127.0.0.1:9465/api/v2",
            "http://localhost:1",
            "http://[::1]:80/x",
            "http://127.9.9.9/",
        ] {
            assert!(api_url(fine).is_ok(), "{fine}");
        }
        for wrong in [
            "http://app.orderdesk.me/api/v2",
            "http://localhost.evil.example/",
            "http://10.0.0.1/",
            "http://[::ffff:127.0.0.1]/",
            "ftp://127.0.0.1/",
            "file:///etc/passwd",
            "app.orderdesk.me/api/v2",
            "https://",
            "https://x/?a=1",
            "https://x/#a",
            "",
        ] {
            assert!(api_url(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn one_api_has_one_spelling() {
        for text in [
            "https://app.orderdesk.me/api/v2",
            "https://app.orderdesk.me/api/v2/",
            "https://APP.orderdesk.me:443/api/v2//",
        ] {
            assert_eq!(
                api_url(text).unwrap().as_str(),
                "https://app.orderdesk.me/api/v2"
            );
        }
    }

    #[test]
    fn a_url_with_a_password_is_refused_and_not_shown() {
        for text in [
            "https://me:hunter2@app.orderdesk.me/",
            "https://hunter2@host/",
            "me:hunter2@host",
            "http://a:hunter2@10.0.0.1",
        ] {
            assert!(!api_url(text).unwrap_err().may_echo, "{text}");
        }
    }

    #[test]
    fn a_listening_address_needs_a_port() {
        assert_eq!(
            socket("127.0.0.1:9464").unwrap().to_string(),
            "127.0.0.1:9464"
        );
        assert_eq!(socket("localhost:0").unwrap().to_string(), "127.0.0.1:0");
        assert_eq!(socket("[::]:9464").unwrap().to_string(), "[::]:9464");
        for wrong in [
            "9464",
            ":9464",
            "127.0.0.1",
            "ops.example.com:9464",
            "localhost:99999",
            "http://127.0.0.1:9464",
        ] {
            assert!(socket(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn host_names_are_listed_in_lower_case() {
        assert_eq!(
            hosts("Ops.Example.com, ops.local:9464,,10.0.0.7").unwrap(),
            ["ops.example.com", "ops.local:9464", "10.0.0.7"]
        );
        assert_eq!(
            hosts("[::1]:9464,::1,[fe80::1]").unwrap(),
            ["[::1]:9464", "::1", "[fe80::1]"]
        );
        for wrong in [
            "https://ops.example.com",
            "ops.example.com/metrics",
            "*",
            "*.example.com",
            "a b",
            "ops:port",
            "[zz]",
        ] {
            assert!(hosts(wrong).is_err(), "{wrong}");
        }
    }
}
