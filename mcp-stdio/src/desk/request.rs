//! One question to the API: its path, its query string, its names.
//!
//! Here: the endpoints of the API, how a request is written into a URL, and the keys under which its answer may be shared. The key is the
//! whole request: leave one filter out and the answer for one customer is served for another. Not here: sending, and which of them is
//! asked for what.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::model::Pairs;
use super::{Access, Config};

/// Everything but RFC 3986's unreserved characters is encoded, in paths and in queries alike; a space becomes `%20`.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// What is done with a thing. The API knows no other methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Post,
    Put,
    Delete,
}

impl Method {
    /// As it goes over the wire, and as a metric label.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
        }
    }
}

/// The endpoints of the API, all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Test,
    Store,
    Orders,
    Order,
    OrderHistory,
    OrderItems,
    OrderItem,
    Shipments,
    Shipment,
    BatchShipments,
    MoveOrders,
    InventoryItems,
    InventoryItem,
    BatchInventoryItems,
}

impl Endpoint {
    /// The route with its parameters' names: the only form in which it becomes a metric label.
    pub(crate) fn template(self) -> &'static str {
        match self {
            Endpoint::Test => "/test",
            Endpoint::Store => "/store",
            Endpoint::Orders => "/orders",
            Endpoint::Order => "/orders/{order_id}",
            Endpoint::OrderHistory => "/orders/{order_id}/order-history",
            Endpoint::OrderItems => "/orders/{order_id}/order-items",
            Endpoint::OrderItem => "/orders/{order_id}/order-items/{order_item_id}",
            Endpoint::Shipments => "/orders/{order_id}/shipments",
            Endpoint::Shipment => "/orders/{order_id}/shipments/{shipment_id}",
            Endpoint::BatchShipments => "/batch-shipments",
            Endpoint::MoveOrders => "/move-orders",
            Endpoint::InventoryItems => "/inventory-items",
            Endpoint::InventoryItem => "/inventory-items/{inventory_item_id}",
            Endpoint::BatchInventoryItems => "/batch-inventory-items",
        }
    }

    /// The key under which the envelope of a good answer holds what was asked for, or what was written if it is told.
    pub(crate) fn answers_with(self) -> &'static str {
        match self {
            Endpoint::Test => "message",
            Endpoint::Store => "store",
            Endpoint::Orders => "orders",
            Endpoint::Order | Endpoint::OrderHistory => "order",
            Endpoint::OrderItems => "order_items",
            Endpoint::OrderItem => "order_item",
            Endpoint::Shipments => "shipments",
            Endpoint::Shipment => "shipment",
            Endpoint::BatchShipments | Endpoint::MoveOrders => "results",
            Endpoint::InventoryItems => "inventory_items",
            Endpoint::InventoryItem => "inventory_item",
            Endpoint::BatchInventoryItems => "message",
        }
    }

    /// What does not exist when the answer is "not found".
    pub(crate) fn what(self) -> &'static str {
        match self {
            Endpoint::Order
            | Endpoint::OrderHistory
            | Endpoint::OrderItems
            | Endpoint::Shipments => "order",
            Endpoint::OrderItem => "order item",
            Endpoint::Shipment => "shipment",
            Endpoint::InventoryItem => "inventory item",
            Endpoint::Store => "store",
            Endpoint::Test
            | Endpoint::Orders
            | Endpoint::InventoryItems
            | Endpoint::BatchShipments
            | Endpoint::MoveOrders
            | Endpoint::BatchInventoryItems => "API endpoint",
        }
    }

    /// The cache's name for this kind of thing: a metric label.
    pub(crate) fn resource(self) -> &'static str {
        match self {
            Endpoint::Test | Endpoint::Store => "store_settings",
            Endpoint::Orders
            | Endpoint::Order
            | Endpoint::OrderHistory
            | Endpoint::OrderItems
            | Endpoint::OrderItem
            | Endpoint::Shipments
            | Endpoint::Shipment
            | Endpoint::BatchShipments
            | Endpoint::MoveOrders => "orders",
            Endpoint::InventoryItems | Endpoint::InventoryItem | Endpoint::BatchInventoryItems => {
                "products"
            }
        }
    }

    /// How long an answer may be served again.
    pub(crate) fn ttl(self, config: &Config) -> Duration {
        match self.resource() {
            // Asked to learn how things are now.
            _ if self == Endpoint::Test => Duration::ZERO,
            "store_settings" => config.ttl_store_settings,
            "products" => config.ttl_products,
            _ => config.ttl_orders,
        }
    }
}

/// One request: what to do with what.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) endpoint: Endpoint,
    /// The ids in the path, as many as the endpoint's template has names.
    pub(crate) ids: Vec<String>,
    pub(crate) query: Pairs,
    /// What is sent with a `POST` or a `PUT`; never with a `GET`.
    pub(crate) body: Option<Value>,
}

impl Request {
    /// A `GET` without an id in its path.
    pub(crate) fn new(endpoint: Endpoint, query: Pairs) -> Request {
        Request {
            query,
            ..Request::to(Method::Get, endpoint, &[], None)
        }
    }

    /// A `GET` of one thing.
    pub(crate) fn of(endpoint: Endpoint, id: &str, query: Pairs) -> Request {
        Request {
            query,
            ..Request::to(Method::Get, endpoint, &[id], None)
        }
    }

    /// Any request; `ids` in the order of the path.
    pub(crate) fn to(
        method: Method,
        endpoint: Endpoint,
        ids: &[&str],
        body: Option<Value>,
    ) -> Request {
        Request {
            method,
            endpoint,
            ids: ids.iter().map(|id| (*id).to_owned()).collect(),
            query: Vec::new(),
            body,
        }
    }

    /// The id of what is asked for: the last one of the path; empty without one.
    pub(crate) fn id(&self) -> &str {
        self.ids.last().map_or("", String::as_str)
    }

    /// Path and query string, encoded, as they follow the base URL.
    pub(crate) fn target(&self) -> String {
        let mut ids = self.ids.iter();
        let mut target = String::with_capacity(64);
        for segment in self.endpoint.template().split('/').skip(1) {
            target.push('/');
            if segment.starts_with('{') {
                let id = ids.next().map_or("", String::as_str);
                target.extend(utf8_percent_encode(id, ENCODED));
            } else {
                target.push_str(segment);
            }
        }
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
        let within = Request::to(Method::Put, Endpoint::Shipment, &["7001001", "../3"], None);
        assert_eq!(within.target(), "/orders/7001001/shipments/..%2F3");
    }

    #[test]
    fn every_endpoint_has_a_path_of_its_own_and_takes_as_many_ids_as_it_names() {
        let all = [
            (Endpoint::Test, "/test"),
            (Endpoint::Store, "/store"),
            (Endpoint::Orders, "/orders"),
            (Endpoint::Order, "/orders/7"),
            (Endpoint::OrderHistory, "/orders/7/order-history"),
            (Endpoint::OrderItems, "/orders/7/order-items"),
            (Endpoint::OrderItem, "/orders/7/order-items/8"),
            (Endpoint::Shipments, "/orders/7/shipments"),
            (Endpoint::Shipment, "/orders/7/shipments/8"),
            (Endpoint::BatchShipments, "/batch-shipments"),
            (Endpoint::MoveOrders, "/move-orders"),
            (Endpoint::InventoryItems, "/inventory-items"),
            (Endpoint::InventoryItem, "/inventory-items/7"),
            (Endpoint::BatchInventoryItems, "/batch-inventory-items"),
        ];
        for (endpoint, path) in all {
            let request = Request::to(Method::Get, endpoint, &["7", "8"], None);
            assert_eq!(request.target(), path);
        }
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
