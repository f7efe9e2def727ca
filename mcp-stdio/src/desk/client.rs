//! HTTP to Order Desk: one attempt, one answer.
//!
//! Here: the only HTTP clients of the process, one for https and one for a simulator on this machine, built on first use (loading
//! certificates takes longer than a server may take to start) and kept, with their connections. They follow no redirect (the key would
//! travel along), ask no proxy, speak https to everyone but loopback, send content headers only with a body, and bound size and time of
//! what comes back. Not here: judging the answer
//! (`classify`), trying again (`retry`). Nothing in this file logs: headers carry the key, bodies carry customers.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;
use shared::clock::Clock;
use tokio::sync::OnceCell;
use url::{Host, Url};

use super::error::DeskError;
use super::request::{Method, Request};
use super::{Access, Config, quote, retry};

/// The most bytes of one answer. Five hundred full orders are a few MB; what is larger is no answer.
const MAX_BODY_BYTES: usize = 32 * 1024 * 1024;

/// As Order Desk's API etiquette asks: a unique, recognisable name.
const USER_AGENT: &str = concat!("orderdesk-mcp/", env!("CARGO_PKG_VERSION"));

const BEFORE_ANSWER: &str = "the connection broke before an answer came";
const WITHIN_ANSWER: &str = "the connection broke before the whole answer was there";

/// What came back, whatever it means.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// `X-Tokens-Remaining`.
    pub(crate) remaining: Option<u32>,
    /// `X-Retry-After`, else `Retry-After`.
    pub(crate) retry_after: Option<Duration>,
    /// `Date`: the sender's clock, to the second.
    pub(crate) date: Option<Timestamp>,
    pub(crate) body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) struct Unanswered {
    pub(crate) error: DeskError,
    pub(crate) reached: Reached,
}

/// How far a request came that has no whole answer. A write that may have arrived is not repeated blindly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reached {
    /// There was no connection: nothing has left.
    Nobody,
    /// It may have arrived, and may still be worked on: that the connection is gone tells nothing about the other side.
    Perhaps,
    /// An answer had begun.
    Answered,
}

impl From<Unanswered> for DeskError {
    fn from(unanswered: Unanswered) -> DeskError {
        unanswered.error
    }
}

/// The process's connections to Order Desk.
pub(crate) struct Client {
    http_timeout: Duration,
    connect_timeout: Duration,
    clock: Arc<dyn Clock>,
    https: OnceCell<reqwest::Client>,
    loopback: OnceCell<reqwest::Client>,
}

impl Client {
    pub(crate) fn new(config: &Config, clock: Arc<dyn Clock>) -> Client {
        Client {
            http_timeout: config.http_timeout,
            connect_timeout: config.http_connect_timeout,
            clock,
            https: OnceCell::new(),
            loopback: OnceCell::new(),
        }
    }

    /// Sends `request` once and reads the whole answer, within `http_timeout` and `within`, whichever is shorter.
    pub(crate) async fn send(
        &self,
        access: &Access,
        request: &Request,
        within: Duration,
    ) -> Result<Answer, Unanswered> {
        let client = self.client_for(&access.base_url).await.map_err(unsent)?;
        let url = format!(
            "{}{}",
            access.base_url.as_str().trim_end_matches('/'),
            request.target()
        );
        let headers = headers(access).map_err(unsent)?;
        let outgoing = with_body(
            client.request(method(request), url).headers(headers),
            request,
        );
        let exchange = exchange(outgoing, self.clock.as_ref());
        match tokio::time::timeout(self.http_timeout.min(within), exchange).await {
            Ok(outcome) => outcome,
            Err(_elapsed) => Err(Unanswered {
                error: DeskError::Timeout,
                reached: Reached::Perhaps,
            }),
        }
    }

    /// Loading the machine's certificates takes a tenth of a second, during which other calls must go on: hence a thread of its own.
    async fn client_for(&self, base_url: &Url) -> Result<&reqwest::Client, DeskError> {
        let secure = is_secure(base_url)?;
        let cell = if secure { &self.https } else { &self.loopback };
        let build = || async {
            let connect_timeout = self.connect_timeout;
            let built = tokio::task::spawn_blocking(move || build(secure, connect_timeout)).await;
            built.unwrap_or_else(|died| Err(no_client(&died)))
        };
        cell.get_or_try_init(build).await
    }
}

fn unsent(error: DeskError) -> Unanswered {
    Unanswered {
        error,
        reached: Reached::Nobody,
    }
}

fn method(request: &Request) -> reqwest::Method {
    match request.method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
        Method::Delete => reqwest::Method::DELETE,
    }
}

/// A body has its content type; without a body there is neither. Order Desk's etiquette calls anything else malformed.
fn with_body(outgoing: reqwest::RequestBuilder, request: &Request) -> reqwest::RequestBuilder {
    match &request.body {
        Some(body) => outgoing
            .header(CONTENT_TYPE, "application/json")
            .body(body.to_string()),
        None => outgoing,
    }
}

/// Whether this address is spoken to over https; else it must be this machine itself.
fn is_secure(base_url: &Url) -> Result<bool, DeskError> {
    match base_url.scheme() {
        "https" => Ok(true),
        "http" if is_loopback(base_url) => Ok(false),
        _ => Err(DeskError::BadRequest {
            what: "the API's address is not https, and the API key would travel in the clear"
                .to_owned(),
            hint: "set API_BASE_URL to an https address; plain http is for a simulator on this machine",
        }),
    }
}

fn build(secure: bool, connect_timeout: Duration) -> Result<reqwest::Client, DeskError> {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls(secure)?)
        .https_only(secure)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(connect_timeout)
        .user_agent(USER_AGENT)
        .tcp_nodelay(true)
        .build()
        .map_err(|error| no_client(&error))
}

fn no_client(error: &dyn std::error::Error) -> DeskError {
    DeskError::NoClient {
        why: quote::line(&error.to_string(), 200),
    }
}

/// TLS with ring, handed in rather than installed for the whole process, and the machine's own certificates. A simulator on loopback
/// needs neither.
fn tls(secure: bool) -> Result<ClientConfig, DeskError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| no_client(&error))?;
    if secure {
        let builder = builder
            .with_platform_verifier()
            .map_err(|error| no_client(&error))?;
        Ok(builder.with_no_client_auth())
    } else {
        Ok(builder
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth())
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}

fn headers(access: &Access) -> Result<HeaderMap, DeskError> {
    let mut key = HeaderValue::from_str(access.api_key.expose().trim()).map_err(|_| DeskError::BadRequest {
        what: "the API key holds characters that no key has, such as a line break in its middle".to_owned(),
        hint: "copy the key again from Store Settings, API in Order Desk, and set it without quotes",
    })?;
    key.set_sensitive(true);
    let store =
        HeaderValue::from_str(access.store_id.as_str()).expect("digits are a valid header value");
    let mut headers = HeaderMap::with_capacity(3);
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert("orderdesk-store-id", store);
    headers.insert("orderdesk-api-key", key);
    Ok(headers)
}

async fn exchange(
    request: reqwest::RequestBuilder,
    clock: &dyn Clock,
) -> Result<Answer, Unanswered> {
    let mut response = request
        .send()
        .await
        .map_err(|error| broken(&error, BEFORE_ANSWER))?;
    if response
        .content_length()
        .is_some_and(|length| length > MAX_BODY_BYTES as u64)
    {
        return Err(too_large());
    }
    let mut body = Vec::with_capacity(
        response
            .content_length()
            .map_or(0, |length| length as usize),
    );
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| broken(&error, WITHIN_ANSWER))?
    {
        if body.len() + chunk.len() > MAX_BODY_BYTES {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    let text = |name: &str| {
        response
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    Ok(Answer {
        status: response.status().as_u16(),
        remaining: text("x-tokens-remaining").and_then(|value| value.trim().parse().ok()),
        retry_after: retry::asked_to_wait(text("x-retry-after"), text("retry-after"), clock.now()),
        date: text("date").and_then(retry::moment),
        body,
    })
}

fn too_large() -> Unanswered {
    Unanswered {
        error: DeskError::TooLarge {
            limit_bytes: MAX_BODY_BYTES,
        },
        reached: Reached::Answered,
    }
}

/// The library's own texts name the URL; ours say what happened to the connection. Without a connection nothing has left.
fn broken(error: &reqwest::Error, otherwise: &'static str) -> Unanswered {
    let reached = if error.is_dns() || error.is_connect() {
        Reached::Nobody
    } else if otherwise == WITHIN_ANSWER && !error.is_timeout() {
        Reached::Answered
    } else {
        Reached::Perhaps
    };
    Unanswered {
        error: what_broke(error, otherwise),
        reached,
    }
}

fn what_broke(error: &reqwest::Error, otherwise: &'static str) -> DeskError {
    if error.is_timeout() {
        return DeskError::Timeout;
    }
    let why = if error.is_dns() {
        "its name cannot be resolved"
    } else if error.is_connect() {
        if caused_by(error, std::io::ErrorKind::ConnectionRefused) {
            "the connection was refused"
        } else {
            "no connection could be opened, or its certificate is not trusted"
        }
    } else {
        otherwise
    };
    DeskError::Unreachable { why }
}

fn caused_by(error: &reqwest::Error, kind: std::io::ErrorKind) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|io| io.kind() == kind)
        {
            return true;
        }
        source = cause.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use shared::secret::Secret;

    use super::*;
    use crate::desk::model::StoreId;

    fn access(key: &str) -> Access {
        Access {
            tenant: "env".into(),
            base_url: Url::parse("https://app.orderdesk.me/api/v2").unwrap(),
            store_id: StoreId::parse("4242").unwrap(),
            api_key: Secret::new(key.to_owned()),
        }
    }

    #[test]
    fn the_key_travels_marked_as_sensitive_and_without_blanks_around_it() {
        let headers = headers(&access(" KEY-1\n")).unwrap();
        assert_eq!(headers["orderdesk-api-key"], "KEY-1");
        assert!(headers["orderdesk-api-key"].is_sensitive());
        assert_eq!(headers["orderdesk-store-id"], "4242");
        assert!(!format!("{headers:?}").contains("KEY-1"));
    }

    #[test]
    fn a_key_that_no_header_can_carry_is_refused_without_being_shown() {
        let error = headers(&access("KEY\r\nX-Evil: 1")).unwrap_err();
        assert_eq!(error.code(), "bad_request");
        assert!(!format!("{error:?} {error} {}", error.hint()).contains("KEY\r"));
    }

    #[test]
    fn loopback_is_known_in_all_its_spellings() {
        let loopback = |text: &str| is_loopback(&Url::parse(text).unwrap());
        assert!(
            loopback("http://127.0.0.1:1/")
                && loopback("http://[::1]/")
                && loopback("http://LOCALHOST/")
                && loopback("http://127.9.9.9/")
        );
        assert!(
            !loopback("http://10.0.0.1/")
                && !loopback("http://localhost.example.com/")
                && !loopback("http://app.orderdesk.me/")
        );
    }

    #[test]
    fn a_key_goes_in_the_clear_to_this_machine_only() {
        let secure = |text: &str| is_secure(&Url::parse(text).unwrap()).map_err(|bad| bad.code());
        assert_eq!(secure("https://app.orderdesk.me/api/v2"), Ok(true));
        assert_eq!(secure("http://127.0.0.1:9465/api/v2"), Ok(false));
        assert_eq!(secure("http://app.orderdesk.me/api/v2"), Err("bad_request"));
        assert_eq!(secure("ftp://127.0.0.1/"), Err("bad_request"));
    }

    #[test]
    fn a_client_for_https_can_be_built_on_this_machine() {
        assert!(tls(true).is_ok());
    }
}
