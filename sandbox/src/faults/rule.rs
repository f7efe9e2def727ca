//! When a fault strikes: which method, path and store, after how many requests, how many times.

use serde::{Deserialize, Serialize};

use super::Fault;

/// One fault and the requests it strikes. In JSON:
///
/// ```json
/// {"fault": {"kind": "server_error", "status": 502}, "method": "GET", "path": "/orders/*", "store_id": "4242", "skip": 1, "times": 2}
/// ```
///
/// Only `fault` is needed; the rule then strikes the next request. A misspelt key is an error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What goes wrong.
    pub fault: Fault,
    /// Only this method (after `X-HTTP-Method-Override`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Only paths of this shape, below the base URL: `*` is one segment, a last `**` is any number of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Only requests that claim this store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_id: Option<String>,
    /// Let this many matching requests pass first.
    #[serde(default)]
    pub skip: u32,
    /// Strike this many matching requests; 0 means all of them.
    #[serde(default = "once")]
    pub times: u32,
}

fn once() -> u32 {
    1
}

/// What a rule looks at in a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) store_id: &'a str,
}

impl Rule {
    /// `fault` on the next request, whatever it is.
    pub fn new(fault: Fault) -> Self {
        Self {
            fault,
            method: None,
            path: None,
            store_id: None,
            skip: 0,
            times: 1,
        }
    }

    /// Only requests with this method and a path of this shape (`*` = one segment, a last `**` = the rest).
    pub fn on(self, method: &str, path: &str) -> Self {
        Self {
            method: Some(method.to_owned()),
            path: Some(path.to_owned()),
            ..self
        }
    }

    /// Only requests that claim this store.
    pub fn for_store(self, store_id: &str) -> Self {
        Self {
            store_id: Some(store_id.to_owned()),
            ..self
        }
    }

    /// Lets `requests` pass first.
    pub fn after(self, requests: u32) -> Self {
        Self {
            skip: requests,
            ..self
        }
    }

    /// Strikes `times` requests.
    pub fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }

    /// Strikes every matching request until cleared.
    pub fn always(self) -> Self {
        Self { times: 0, ..self }
    }

    pub(crate) fn matches(&self, target: &Target<'_>) -> bool {
        self.method
            .as_deref()
            .is_none_or(|method| method.eq_ignore_ascii_case(target.method))
            && self
                .path
                .as_deref()
                .is_none_or(|shape| fits(shape, target.path))
            && self
                .store_id
                .as_deref()
                .is_none_or(|id| id == target.store_id)
    }
}

fn fits(shape: &str, path: &str) -> bool {
    let mut shape = shape.split('/').filter(|part| !part.is_empty());
    let mut path = path.split('/').filter(|part| !part.is_empty());
    loop {
        match (shape.next(), path.next()) {
            (Some("**"), _) | (None, None) => return true,
            (Some("*"), Some(_)) => {}
            (Some(wanted), Some(found)) if wanted == found => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_one_segment_and_two_are_the_rest() {
        assert!(fits("/orders/*", "/orders/7001001"));
        assert!(!fits("/orders/*", "/orders"));
        assert!(!fits("/orders/*", "/orders/7001001/shipments"));
        assert!(fits("/orders/**", "/orders/7001001/shipments"));
        assert!(fits("/orders/**", "/orders"));
        assert!(!fits("/orders", "/store"));
    }

    #[test]
    fn a_misspelt_key_is_an_error_that_names_it() {
        let error = serde_json::from_str::<Rule>(r#"{"fault": {"kind": "cut_before"}, "tims": 2}"#)
            .unwrap_err();
        assert!(error.to_string().contains("tims"), "{error}");
    }
}
