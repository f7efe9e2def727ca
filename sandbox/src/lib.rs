//! A faithful Order Desk (API v2) on loopback, held in memory: for the demo, for tests, for benchmarks. Never part of a product.
//!
//! From a shell:
//!
//! ```text
//! $ orderdesk-sandbox --port 9465 --orders 500 --stores 2
//! {"base_url":"http://127.0.0.1:9465/api/v2","stores":[{"store_id":"4242","api_key":"…","name":"Demo Store"},…]}
//! ```
//!
//! From a test:
//!
//! ```
//! use orderdesk_sandbox::{Fault, Options, Rule, Sandbox};
//!
//! let sandbox = Sandbox::start_blocking(Options::default()).expect("a free port on loopback");
//! let shop = sandbox.store(0);
//! let failing = sandbox.faults().add(Rule::new(Fault::server_error(502)).on("GET", "/orders/*").times(2));
//! // … talk to sandbox.base_url() with shop.store_id and shop.api_key …
//! assert_eq!(failing.fired(), 0);
//! ```
//!
//! Faults also come from a file (`--faults`, a JSON list of rules, read again when it changes), from
//! `POST /__sandbox/faults`, and with a single request in the header `X-Sandbox-Fault`: a name like `server_error`, or the
//! JSON of a [`Fault`]. `GET /__sandbox/` lists what else can be asked from outside.
//!
//! Whoever tests with faults asserts that they [`fired`](Ticket::fired): a fault that never struck proves nothing.
//!
//! | room | keeps |
//! |---|---|
//! | [`Sandbox`], [`Options`] | start, stop, look inside, edit behind the client's back |
//! | `api` | the endpoints: paths and methods to work on a shop, errors to envelopes |
//! | `shop` | one store's orders, items, shipments, stock, folders, history, rules |
//! | `assumptions` | every behaviour nothing public documents, each with its reason |
//! | [`faults`](Fault) | answers that go wrong: by code, by file, by control endpoint, by request header |
//! | `edge` | HTTP: connections, the token bucket's headers, where faults strike, the request log |
//! | `control` | `/__sandbox/…`: faults, requests, events, rules, reset |
//! | `seed` | the demo data and where its odd orders are |
//! | `php` | JSON the way PHP writes it |
//!
//! What is real: routes, headers, the token bucket (20 requests, 3 more per second, told on every answer), replacement on
//! `PUT`, totals, notes against history, refused duplicates, batches with mixed outcomes. What is not: no rule engine
//! (one kind of rule, see [`MoveRule`]), and nothing is ever posted out: events that would call a webhook are listed at
//! `/__sandbox/events` instead.

mod api;
mod assumptions;
mod bucket;
pub mod cli;
mod clock;
mod control;
mod edge;
mod events;
mod faults;
mod php;
mod requests;
mod sandbox;
pub mod seed;
mod shop;
mod when;

pub use bucket::Bucket;
pub use clock::Clock;
pub use events::Event;
pub use faults::{Fault, FaultFileError, Faults, RetryHeader, Rule, Ticket};
pub use requests::Request;
pub use sandbox::{Options, Sandbox, StartError, StoreAccess};
pub use shop::MoveRule;
