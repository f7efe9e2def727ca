//! One question to the API: its path, its query string, its names.
//!
//! Here: the endpoints this program reads, how a request is written into a URL, and the keys under which its answer may be shared. The
//! key is the whole request: leave one filter out and the answer for one customer is served for another. Not here: sending.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::model::Pairs;
use super::{Access, Config};

/// Everything but RFC 3986's unreserved characters is encoded, in paths and in queries alike; a space becomes `%20`.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// The endpoints this program reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Test,
    Store,
    Orders,
    Order,
    InventoryItems,
    InventoryItem,
}

impl Endpoint {
    /// The route with its parameter's name: the only form in which it becomes a metric label.
    pub(crate) fn template(self) -> &'static str {
        match self {
            Endpoint::Test => "/test",
            Endpoint::Store => "/store",
            Endpoint::Orders => "/orders",
            Endpoint::Order => "/orders/{order_id}",
            Endpoint::InventoryItems => "/inventory-items",
            Endpoint::InventoryItem => "/inventory-items/{inventory_item_id}",
        }
    }

    /// The key under which the envelope of a good answer holds what was asked for.
    pub(crate) fn answers_with(self) -> &'static str {
        match self {
            Endpoint::Test => "message",
            Endpoint::Store => "store",
            Endpoint::Orders => "orders",
            Endpoint::Order => "order",
            Endpoint::InventoryItems => "inventory_items",
            Endpoint::InventoryItem => "inventory_item",
        }
    }

    /// What does not exist when the answer is "not found".
    pub(crate) fn what(self) -> &'static str {
        match self {
            Endpoint::Order => "order",
            Endpoint::InventoryItem => "inventory item",
            Endpoint::Store => "store",
            Endpoint::Test | Endpoint::Orders | Endpoint::InventoryItems => "API endpoint",
        }
    }

    /// The cache's name for this kind of thing: a metric label.
    pub(crate) fn resource(self) -> &'static str {
        match self {
            Endpoint::Test | Endpoint::Store => "store_settings",
            Endpoint::Orders | Endpoint::Order => "orders",
            Endpoint::InventoryItems | Endpoint::InventoryItem => "products",
        }
    }

    /// How long an answer may be served again.
    pub(crate) fn ttl(self, config: &Config) -> Duration {
        match self {
            // Asked to learn how things are now.
            Endpoint::Test => Duration::ZERO,
            Endpoint::Store => config.ttl_store_settings,
            Endpoint::Orders | Endpoint::Order => config.ttl_orders,
            Endpoint::InventoryItems | Endpoint::InventoryItem => config.ttl_products,
        }
    }
}

/// One GET.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) endpoint: Endpoint,
    /// The id in the path; empty for endpoints without one.
    pub(crate) id: String,
    pub(crate) query: Pairs,
}

impl Request {
    pub(crate) fn new(endpoint: Endpoint, query: Pairs) -> Request {
        Request {
            endpoint,
            id: String::new(),
            query,
        }
    }

    pub(crate) fn of(endpoint: Endpoint, id: &str, query: Pairs) -> Request {
        Request {
            endpoint,
            id: id.to_owned(),
            query,
        }
    }

    /// Path and query string, encoded, as they follow the base URL.
    pub(crate) fn target(&self) -> String {
        let template = self.endpoint.template();
        let mut target = match template.split_once('{') {
            Some((folder, _)) => format!("{folder}{}", utf8_percent_encode(&self.id, ENCODED)),
            None => template.to_owned(),
        };
        for (index, (name, value)) in self.query.iter().enumerate() {
            target.push(if index == 0 { '?' } else { '&' });
            target.push_str(name);
            target.push('=');
            target.extend(utf8_percent_encode(value, ENCODED));
        }
        target
    }
}

/// Makes the names under which shops are known in this process.
#[derive(Default)]
pub(crate) struct Keys {
    secret: RandomState,
}

impl Keys {
    /// The start of every cache key of one shop. It holds a keyed hash of the API key, so that what was read with the right key is
    /// never served to somebody with a wrong one.
    pub(crate) fn shop_key(&self, access: &Access) -> String {
        format!(
            "{}#{:016x}",
            access.store_key(),
            self.secret.hash_one(access.api_key.expose())
        )
    }
}

#[cfg(test)]
mod tests {
    use shared::secret::Secret;
    use url::Url;

    use super::*;
    use crate::desk::StoreId;

    #[test]
    fn values_are_encoded_whatever_they_hold() {
        let request = Request::new(
            Endpoint::Orders,
            vec![
                ("source_id", "a b&limit=9#/?%ž+".into()),
                ("search_end_date", "2026-03-31 23:59:59".into()),
            ],
        );
        assert_eq!(
            request.target(),
            "/orders?source_id=a%20b%26limit%3D9%23%2F%3F%25%C5%BE%2B&search_end_date=2026-03-31%2023%3A59%3A59"
        );
    }

    #[test]
    fn an_id_stays_inside_its_path_segment_even_if_it_was_never_checked() {
        assert_eq!(
            Request::of(Endpoint::Order, "7001001", vec![]).target(),
            "/orders/7001001"
        );
        assert_eq!(
            Request::of(Endpoint::Order, "../store?x", vec![]).target(),
            "/orders/..%2Fstore%3Fx"
        );
    }

    #[test]
    fn a_request_is_known_by_the_base_the_store_and_the_api_key() {
        let access = |base: &str, id: &str, key: &str| Access {
            tenant: "env".into(),
            base_url: Url::parse(base).unwrap(),
            store_id: StoreId::parse(id).unwrap(),
            api_key: Secret::new(key.to_owned()),
        };
        let order_desk = "https://app.orderdesk.me/api/v2/";
        let keys = Keys::default();
        let shop = keys.shop_key(&access(order_desk, "4242", "KEY-ONE"));
        assert!(shop.starts_with("https://app.orderdesk.me/api/v2#4242#"));
        assert!(!shop.contains("KEY-ONE"));
        assert_eq!(shop, keys.shop_key(&access(order_desk, "4242", "KEY-ONE")));
        for other in [
            access(order_desk, "4242", "KEY-TWO"),
            access(order_desk, "4243", "KEY-ONE"),
            access("http://127.0.0.1:9465/api/v2", "4242", "KEY-ONE"),
        ] {
            assert_ne!(shop, keys.shop_key(&other));
        }
        assert_eq!(
            access(order_desk, "4242", "x").store_key(),
            access(order_desk.trim_end_matches('/'), "4242", "y").store_key(),
            "a slash makes no other store"
        );
    }
}
