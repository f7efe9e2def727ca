//! `/__sandbox/…`: what a test or a demo in another process may ask and change. No credentials, no tokens, not logged.

use axum::body::Body;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Response, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::edge::Site;
use crate::faults::Rule;
use crate::shop::MoveRule;

/// Where it begins.
pub(crate) const PREFIX: &str = "/__sandbox";

const HELP: &str = "\
GET    /__sandbox/            this page
GET    /__sandbox/faults      the fault rules and how often each fired
POST   /__sandbox/faults      add a rule (or a list of them): {\"fault\": {\"kind\": \"server_error\", \"status\": 502}, \"path\": \"/orders/*\", \"times\": 2}
DELETE /__sandbox/faults      lift all rules
GET    /__sandbox/requests    what was asked, and what was answered (never a key)
DELETE /__sandbox/requests    forget it
GET    /__sandbox/state      all that the shops hold, by store: orders with their history, inventory, folders
GET    /__sandbox/events      what would have triggered rules or webhooks, by store
POST   /__sandbox/rules       add to the first store: {\"into\": 50102, \"then\": 50103, \"after_ms\": 500}
POST   /__sandbox/reset       back to the seeded data; faults and requests are forgotten
";

type Outcome = Result<Value, String>;

/// Answers one control request; `path` stands below [`PREFIX`].
pub(crate) fn respond(site: &Site, method: &Method, path: &str, body: &[u8]) -> Response<Body> {
    let outcome = match (method.as_str(), path.trim_matches('/')) {
        ("GET", "") => return answer(StatusCode::OK, "text/plain; charset=utf-8", HELP.to_owned()),
        ("GET", "faults") => Ok(site.faults.report()),
        ("POST", "faults") => add_faults(site, body),
        ("DELETE", "faults") => done(|| site.faults.clear()),
        ("GET", "requests") => Ok(json!(site.log.all())),
        ("DELETE", "requests") => done(|| site.log.clear()),
        ("GET", "state") => Ok(state(site)),
        ("GET", "events") => Ok(events(site)),
        ("POST", "rules") => add_rules(site, body),
        ("POST", "reset") => done(|| site.reset()),
        _ => {
            return answer(
                StatusCode::NOT_FOUND,
                "text/plain; charset=utf-8",
                HELP.to_owned(),
            );
        }
    };
    match outcome {
        Ok(value) => answer(StatusCode::OK, "application/json", value.to_string()),
        Err(why) => bad_request(&why),
    }
}

/// What was sent is of no use, and why.
pub(crate) fn bad_request(why: &str) -> Response<Body> {
    answer(
        StatusCode::BAD_REQUEST,
        "application/json",
        json!({"error": why}).to_string(),
    )
}

fn add_faults(site: &Site, body: &[u8]) -> Outcome {
    let rules: Vec<Rule> = one_or_many(body)?;
    let count = rules.len();
    for rule in rules {
        site.faults.add(rule);
    }
    Ok(json!({"added": count}))
}

fn add_rules(site: &Site, body: &[u8]) -> Outcome {
    let rules: Vec<MoveRule> = one_or_many(body)?;
    let Some(shop) = site.shops().first() else {
        return Err("this sandbox has no store".to_owned());
    };
    let count = rules.len();
    shop.lock().rules.moves.extend(rules);
    Ok(json!({"added": count}))
}

fn state(site: &Site) -> Value {
    let of_store = |shop: &parking_lot::Mutex<crate::shop::Shop>| {
        let mut shop = shop.lock();
        shop.settle(site.options.clock.now());
        (shop.id.to_string(), shop.state())
    };
    Value::Object(site.shops().iter().map(of_store).collect())
}

fn events(site: &Site) -> Value {
    let of_store = |shop: &parking_lot::Mutex<crate::shop::Shop>| {
        let shop = shop.lock();
        (shop.id.to_string(), json!(shop.events.all()))
    };
    Value::Object(site.shops().iter().map(of_store).collect())
}

fn one_or_many<T: DeserializeOwned>(body: &[u8]) -> Result<Vec<T>, String> {
    let is_list = body.trim_ascii_start().first() == Some(&b'[');
    let read = if is_list {
        serde_json::from_slice(body)
    } else {
        serde_json::from_slice(body).map(|one| vec![one])
    };
    read.map_err(|error| format!("{error}; hint: see GET {PREFIX}/"))
}

fn done(work: impl FnOnce()) -> Outcome {
    work();
    Ok(json!({"done": true}))
}

fn answer(status: StatusCode, content_type: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
