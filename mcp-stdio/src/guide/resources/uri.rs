//! Addresses of resources.
//!
//! Here: the one place that takes an address apart. Each segment is decoded once and is a value then, never a piece of a path: an encoded slash
//! stays within its segment. Not here: whether there is such a store or order.

use percent_encoding::percent_decode_str;

const SCHEME: &str = "orderdesk://";

/// Longest address that is looked at; a store's name is at most a few hundred bytes, encoded.
const MOST_BYTES: usize = 2_000;

/// What an address means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// `orderdesk://stores`
    Stores,
    /// `orderdesk://{store}/orders/{order_id}`
    Order {
        /// Name or id.
        store: String,
        /// As written; the tool checks it.
        order_id: String,
    },
    /// `orderdesk://{store}/folders`
    Folders {
        /// Name or id.
        store: String,
    },
    /// `orderdesk://{store}/settings`
    Settings {
        /// Name or id.
        store: String,
    },
}

impl Address {
    /// `None` for an address of any other form.
    pub(super) fn parse(uri: &str) -> Option<Address> {
        let (scheme, rest) = uri.split_at_checked(SCHEME.len())?;
        if !scheme.eq_ignore_ascii_case(SCHEME)
            || uri.len() > MOST_BYTES
            || rest.contains(['?', '#'])
        {
            return None;
        }
        let segments: Vec<String> = rest.split('/').map(decoded).collect::<Option<_>>()?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let owned = |text: &str| text.to_owned();
        match segments[..] {
            ["stores"] => Some(Address::Stores),
            [store, "folders"] => Some(Address::Folders {
                store: owned(store),
            }),
            [store, "settings"] => Some(Address::Settings {
                store: owned(store),
            }),
            [store, "orders", order_id] => Some(Address::Order {
                store: owned(store),
                order_id: owned(order_id),
            }),
            _ => None,
        }
    }
}

/// A segment as text: not blank, UTF-8, without control characters.
fn decoded(segment: &str) -> Option<String> {
    let text = percent_decode_str(segment).decode_utf8().ok()?;
    let good = !text.trim().is_empty() && !text.chars().any(char::is_control);
    good.then(|| text.into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_four_forms_are_understood_and_segments_decoded_once() {
        let store = |text: &str| text.to_owned();
        for (uri, meant) in [
            ("orderdesk://stores", Address::Stores),
            (
                "ORDERDESK://4242/folders",
                Address::Folders {
                    store: store("4242"),
                },
            ),
            (
                "orderdesk://Demo%20Store/settings",
                Address::Settings {
                    store: store("Demo Store"),
                },
            ),
            (
                "orderdesk://A%2FB%2525/folders",
                Address::Folders {
                    store: store("A/B%25"),
                },
            ),
            (
                "orderdesk://Zo%C3%AB/orders/7001001",
                Address::Order {
                    store: store("Zoë"),
                    order_id: store("7001001"),
                },
            ),
            (
                "orderdesk://4242/orders/..%2Fstore",
                Address::Order {
                    store: store("4242"),
                    order_id: store("../store"),
                },
            ),
        ] {
            assert_eq!(Address::parse(uri), Some(meant), "{uri}");
        }
    }

    #[test]
    fn any_other_form_is_none() {
        for uri in [
            "",
            "orderdesk:",
            "orderdesk://",
            "orderdesk:///folders",
            "orderdesk://4242",
            "orderdesk://4242/",
            "orderdesk://4242/folders/",
            "orderdesk://4242/orders",
            "orderdesk://4242/orders/",
            "orderdesk://4242/orders/7/items",
            "orderdesk://4242/folders?x=1",
            "orderdesk://4242/folders#x",
            "orderdesk://%20/folders",
            "orderdesk://%FF/folders",
            "orderdesk://a%00b/folders",
            "http://4242/folders",
            "file:///etc/passwd",
            "orderdesk",
            "€€€€€€€€€€€€",
        ] {
            assert_eq!(Address::parse(uri), None, "{uri}");
        }
        assert_eq!(
            Address::parse(&format!("orderdesk://{}/folders", "x".repeat(2_000))),
            None
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,60}", store in "\\PC{1,20}") {
            let _ = Address::parse(&text);
            let encoded = percent_encoding::utf8_percent_encode(&store, percent_encoding::NON_ALPHANUMERIC);
            let parsed = Address::parse(&format!("orderdesk://{encoded}/folders"));
            prop_assert_eq!(parsed.is_some(), !store.trim().is_empty());
        }
    }
}
