//! A small language for these tests: `Desk::open()`, `desk.get("/orders")`, `reply.json["order"]`.

use std::time::Duration;

use orderdesk_sandbox::{Bucket, Options, Sandbox, StoreAccess};
use serde_json::Value;

pub(crate) struct Desk {
    pub(crate) sandbox: Sandbox,
    pub(crate) access: StoreAccess,
    http: reqwest::Client,
}

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
    /// `null` if the body is no JSON.
    pub(crate) json: Value,
}

/// A client as a product builds it: no redirects, a short timeout.
pub(crate) fn http() -> reqwest::Client {
    // A second test in this process finds it installed; that is all right.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let redirects = reqwest::redirect::Policy::none();
    reqwest::Client::builder()
        .timeout(Duration::from_secs(5))
        .redirect(redirects)
        .build()
        .unwrap()
}

impl Desk {
    /// A sandbox whose bucket never empties.
    pub(crate) async fn open() -> Self {
        Self::with(Options {
            bucket: Bucket::wide_open(),
            ..Options::default()
        })
        .await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let sandbox = Sandbox::start(options).await.unwrap();
        let access = sandbox.store(0);
        Self {
            sandbox,
            access,
            http: http(),
        }
    }

    /// The same sandbox, entered as another store or with another key.
    pub(crate) fn enter(&mut self, access: StoreAccess) {
        self.access = access;
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.sandbox.base_url());
        self.http
            .request(method.parse().unwrap(), url)
            .header("ORDERDESK-STORE-ID", &self.access.store_id)
            .header("ORDERDESK-API-KEY", &self.access.api_key)
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        send(self.request("GET", path)).await.unwrap()
    }

    pub(crate) async fn call(&self, method: &str, path: &str, body: &Value) -> Reply {
        send(self.request(method, path).body(body.to_string()))
            .await
            .unwrap()
    }

    /// The order as `GET` shows it.
    pub(crate) async fn order(&self, id: u64) -> Value {
        self.get(&format!("/orders/{id}")).await.ok()["order"].clone()
    }
}

pub(crate) async fn send(request: reqwest::RequestBuilder) -> Result<Reply, reqwest::Error> {
    let response = request.send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await?;
    let json = serde_json::from_str(&text).unwrap_or_default();
    Ok(Reply {
        status,
        headers,
        text,
        json,
    })
}

impl Reply {
    /// The envelope, which must say success.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert!(
            self.status < 300 && self.json["status"] == "success",
            "{} {}",
            self.status,
            self.text
        );
        self.json
    }

    /// The status and message of an envelope, which must say error.
    #[track_caller]
    pub(crate) fn refused(&self) -> (u16, &str) {
        assert_eq!(self.json["status"], "error", "{}", self.text);
        (self.status, self.json["message"].as_str().unwrap())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// The ids of a list of orders.
pub(crate) fn ids(list: &Value) -> Vec<u64> {
    let orders = list["orders"].as_array().unwrap();
    orders
        .iter()
        .map(|order| order["id"].as_str().unwrap().parse().unwrap())
        .collect()
}
