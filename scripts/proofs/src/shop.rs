//! The simulated shop as somebody else sees it: asked with a shop's key and without any of us in between, and its control
//! endpoint, which tells what really happened.

use std::net::SocketAddr;

use anyhow::{Context as _, ensure};
use serde::Deserialize;
use serde_json::Value;

use crate::http::exchange;

/// Where the API begins.
const API: &str = "/api/v2";

/// The way in.
#[derive(Debug, Clone)]
pub(crate) struct Shop {
    pub(crate) address: SocketAddr,
    pub(crate) store_id: String,
    pub(crate) api_key: String,
}

/// One line of the shop's request log.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Logged {
    pub(crate) method: String,
    /// Below the API's base.
    pub(crate) path: String,
    pub(crate) body: String,
    pub(crate) headers: Vec<(String, String)>,
    /// When it arrived, in microseconds.
    pub(crate) at_us: i64,
    /// When its answer left.
    pub(crate) answered_us: Option<i64>,
}

impl Shop {
    /// An API call that has to succeed, under a user agent of one's own; the envelope.
    pub(crate) fn call(
        &self,
        method: &str,
        path: &str,
        agent: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let headers = format!(
            "ORDERDESK-STORE-ID: {}\r\nORDERDESK-API-KEY: {}\r\nUser-Agent: {agent}\r\n",
            self.store_id, self.api_key
        );
        let body = body.map(Value::to_string).unwrap_or_default();
        let path = format!("{API}{path}");
        let (status, text) = exchange(self.address, method, &path, &headers, &body)?;
        let envelope: Value = serde_json::from_str(&text)
            .with_context(|| format!("{method} {path} answered {status}: {text}"))?;
        ensure!(
            status < 300 && envelope["status"] == "success",
            "{method} {path} answered {status}: {text}"
        );
        Ok(envelope)
    }

    /// What was asked since the last call of this, oldest first.
    pub(crate) fn take_log(&self) -> anyhow::Result<Vec<Logged>> {
        let (_, text) = exchange(self.address, "GET", "/__sandbox/requests", "", "")?;
        exchange(self.address, "DELETE", "/__sandbox/requests", "", "")?;
        serde_json::from_str(&text).context("the shop's log is no list")
    }
}
