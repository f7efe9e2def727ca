//! HTTP: connections, the door (credentials, token bucket), the request log, and the place where faults strike.
//!
//! The accept loop is our own because some faults need the connection itself: a service that returns an error makes hyper
//! close it without a word.

mod mangle;
mod reply;
mod site;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use hyper::header::HeaderMap;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::api::{self, Answer, Call};
use crate::assumptions::Refusal;
use crate::bucket::Verdict;
use crate::control;
use crate::faults::{Fault, Target};
use crate::requests::Request;
use crate::shop::query::Query;

pub(crate) use site::Site;

/// Where the API begins.
pub(crate) const BASE_PATH: &str = "/api/v2";

/// The largest body that is read. Nothing is documented; this is far above any order.
const MAX_BODY_BYTES: usize = 64 << 20;

/// One fault for one request, by name or as JSON.
const FAULT_HEADER: &str = "x-sandbox-fault";

type HttpRequest = hyper::Request<hyper::body::Incoming>;
type HttpResponse = hyper::Response<Body>;

/// The connection ends here, without an answer.
#[derive(Debug, thiserror::Error)]
#[error("connection closed on purpose")]
pub(crate) struct Cut;

/// Accepts connections until `stopped` says so (or its sender is gone); open ones are closed then.
pub(crate) async fn serve(
    listener: TcpListener,
    site: Arc<Site>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                // A failed accept is the peer's or the kernel's passing trouble; the listener stays.
                if let Ok((stream, _)) = accepted {
                    connections.spawn(converse(stream, Arc::clone(&site)));
                }
            }
        }
    }
}

async fn converse(stream: TcpStream, site: Arc<Site>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let site = Arc::clone(&site);
        async move { respond(&site, request).await }
    });
    // An error here is a client that went away, or a fault that cut the connection.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn respond(site: &Arc<Site>, request: HttpRequest) -> Result<HttpResponse, Cut> {
    let started = Instant::now();
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(Body::new(body), MAX_BODY_BYTES)
        .await
        .map_err(|_| Cut)?;
    if let Some(path) = head.uri.path().strip_prefix(control::PREFIX) {
        return Ok(control::respond(site, &head.method, path, &body));
    }
    let arrival = Arrival::new(&head, body, started, site.options.clock.now());
    let fault = match arrival.fault(site) {
        Ok(fault) => fault,
        Err(misspelt) => return Ok(control::bad_request(&format!("{FAULT_HEADER}: {misspelt}"))),
    };
    let visit = site.log.arrived(arrival.logged(fault.as_ref()));
    if !site.options.latency.is_zero() {
        tokio::time::sleep(site.options.latency).await;
    }
    let response = arrival
        .carry_out(site, fault)
        .await
        .map(|response| reply::dated(response, arrival.now));
    let status = response
        .as_ref()
        .map_or(0, |response| response.status().as_u16());
    visit.answered(status, site.options.clock.now());
    response
}

/// One request, taken apart.
struct Arrival<'a> {
    head: &'a hyper::http::request::Parts,
    /// After `X-HTTP-Method-Override`.
    method: &'a str,
    /// Below the base path; the whole path where it is not below it.
    path: &'a str,
    is_api: bool,
    body: Bytes,
    started: Instant,
    now: Timestamp,
}

impl<'a> Arrival<'a> {
    fn new(
        head: &'a hyper::http::request::Parts,
        body: Bytes,
        started: Instant,
        now: Timestamp,
    ) -> Self {
        let overridden = text(&head.headers, "x-http-method-override")
            .filter(|_| head.method == hyper::Method::POST);
        let below = head
            .uri
            .path()
            .strip_prefix(BASE_PATH)
            .filter(|rest| rest.is_empty() || rest.starts_with('/'));
        Self {
            head,
            method: overridden.unwrap_or(head.method.as_str()),
            path: below.unwrap_or(head.uri.path()),
            is_api: below.is_some(),
            body,
            started,
            now,
        }
    }

    fn store_id(&self) -> &'a str {
        text(&self.head.headers, "orderdesk-store-id").unwrap_or_default()
    }

    /// The fault for this request: the one it brings, else the first rule that strikes.
    fn fault(&self, site: &Site) -> Result<Option<Fault>, serde_json::Error> {
        if let Some(brought) = text(&self.head.headers, FAULT_HEADER) {
            return Fault::from_header(brought).map(Some);
        }
        Ok(site.faults.strike(&Target {
            method: self.method,
            path: self.path,
            store_id: self.store_id(),
        }))
    }

    fn logged(&self, fault: Option<&Fault>) -> Request {
        let headers = self
            .head
            .headers
            .iter()
            .filter(|(name, _)| *name != "orderdesk-api-key");
        Request {
            number: 0,
            at_ms: self.now.as_millisecond(),
            at_us: self.now.as_microsecond(),
            answered_us: None,
            in_flight: 0,
            method: self.head.method.to_string(),
            path: self.path.to_owned(),
            query: self.head.uri.query().unwrap_or_default().to_owned(),
            store_id: self.store_id().to_owned(),
            key_sent: self.head.headers.contains_key("orderdesk-api-key"),
            headers: headers
                .map(|(name, value)| {
                    (
                        name.to_string(),
                        String::from_utf8_lossy(value.as_bytes()).into_owned(),
                    )
                })
                .collect(),
            body: String::from_utf8_lossy(&self.body).into_owned(),
            status: 0,
            fault: fault.map(Fault::kind),
        }
    }

    async fn carry_out(&self, site: &Arc<Site>, fault: Option<Fault>) -> Result<HttpResponse, Cut> {
        let Some(fault) = fault else {
            let (answer, verdict) = self.work(site, None);
            return Ok(reply::json(answer, verdict));
        };
        match &fault {
            Fault::HangBefore => return never().await,
            Fault::CutBefore => return Err(Cut),
            Fault::DoneLate { ms } => {
                self.work_later(Arc::clone(site), Duration::from_millis(*ms));
                return never().await;
            }
            Fault::Delay { ms } => tokio::time::sleep(Duration::from_millis(*ms)).await,
            _ => {}
        }
        let tokens = self.peek(site);
        if let Some(instead) = reply::instead(&fault, tokens) {
            return Ok(instead);
        }
        let idle = matches!(fault, Fault::MoveNothing | Fault::BatchNothing).then_some(&fault);
        let (answer, verdict) = self.work(site, idle);
        match fault {
            Fault::HangAfter => never().await,
            Fault::CutAfter => Err(Cut),
            Fault::ServerErrorAfter { status } => Ok(reply::html_error(status, verdict)),
            Fault::ErrorOn200After { message } => Ok(reply::error_on_200(&message, verdict)),
            Fault::CutBody => Ok(reply::cut_half_way(answer, verdict)),
            Fault::Trickle { bytes, ms } => Ok(reply::trickle(answer, verdict, bytes, ms)),
            Fault::RuleMoves { folder } => {
                self.rule_moves(site, folder, &answer);
                Ok(reply::json(answer, verdict))
            }
            other => Ok(reply::json(mangle::apply(&other, answer), verdict)),
        }
    }

    /// Does the work after a while, in a task of its own, since the client may hang up first.
    fn work_later(&self, site: Arc<Site>, after: Duration) {
        let (head, body) = (self.head.clone(), self.body.clone());
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            let now = site.options.clock.now();
            Arrival::new(&head, body, Instant::now(), now).work(&site, None);
        });
    }

    /// What a shop's rules do right after a write.
    fn rule_moves(&self, site: &Site, folder: i64, answer: &Answer) {
        if let Some(shop) = site.shop(self.store_id()) {
            let mut shop = shop.lock();
            for order in api::orders_of(self.path, &self.body, answer) {
                shop.move_order(order, folder, "Auto", self.now);
            }
        }
    }

    /// The honest way: credentials, token, work; nothing but the answer where `idle` says so.
    fn work(&self, site: &Site, idle: Option<&Fault>) -> (Answer, Verdict) {
        let key = text(&self.head.headers, "orderdesk-api-key");
        let shop = site.shop(self.store_id()).map(Mutex::lock);
        let Some(mut shop) = shop.filter(|shop| key == Some(&shop.api_key)) else {
            return (
                Answer::refused(&Refusal::BadCredentials, self.started),
                full(site),
            );
        };
        let verdict = shop.tokens.take(self.now);
        if verdict.retry_after.is_some() {
            return (
                Answer::refused(&Refusal::TooManyRequests, self.started),
                verdict,
            );
        }
        if !self.is_api {
            return (
                Answer::refused(&Refusal::UnknownPath, self.started),
                verdict,
            );
        }
        let query = Query::parse(self.head.uri.query().unwrap_or_default());
        let call = Call {
            method: self.method,
            path: self.path,
            query: &query,
            body: &self.body,
            now: self.now,
            started: self.started,
            idle: idle.map(Fault::kind),
        };
        (api::answer(&mut shop, &call), verdict)
    }

    fn peek(&self, site: &Site) -> Verdict {
        site.shop(self.store_id())
            .map_or_else(|| full(site), |shop| shop.lock().tokens.peek())
    }
}

fn full(site: &Site) -> Verdict {
    Verdict {
        remaining: site.options.bucket.burst,
        retry_after: None,
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Waits until the client, or the sandbox, gives up.
async fn never() -> Result<HttpResponse, Cut> {
    match std::future::pending::<Infallible>().await {}
}
