//! A shop with two windows: what one writes, the other must see.

use orderdesk_sandbox::{Bucket, Options, Sandbox, seed};
use serde_json::Value;

use crate::support::{Home, Server};

/// The sandbox's first store.
pub(crate) const STORE: &str = "4242";

/// An ordinary order.
pub(crate) const ORDER: u64 = seed::FIRST_ORDER;

pub(crate) struct Shop {
    pub(crate) sandbox: Sandbox,
    pub(crate) window: Server,
    other: Server,
}

impl Shop {
    /// Every tool, and no questions: what asks is tested elsewhere.
    pub(crate) fn open() -> Shop {
        Shop::with(Options::default(), &[("CONFIRM", "never")])
    }

    pub(crate) fn with(options: Options, settings: &[(&str, &str)]) -> Shop {
        let options = Options {
            bucket: Bucket::wide_open(),
            ..options
        };
        let sandbox = Sandbox::start_blocking(options).unwrap();
        let wide = Home::with_store(&sandbox)
            .set("TOOLSETS", "all")
            .set("STORE_BURST", "10000")
            .set("STORE_RATE_PER_SECOND", "10000")
            .set("RATE_LIMIT_RPM", "100000");
        let home = settings
            .iter()
            .fold(wide, |home, (name, value)| home.set(name, value));
        Shop {
            window: home.session(),
            other: home.session(),
            sandbox,
        }
    }

    /// The answer of a call that must work.
    pub(crate) fn call(&mut self, tool: &str, arguments: Value) -> Value {
        self.window.call(tool, arguments).ok()
    }

    /// The same call in the other window.
    pub(crate) fn other(&mut self, tool: &str, arguments: Value) -> Value {
        self.other.call(tool, arguments).ok()
    }

    /// The text of a call that must fail, having sent no write.
    pub(crate) fn refused(&mut self, tool: &str, arguments: Value) -> String {
        self.sandbox.forget_requests();
        let text = self.window.call(tool, arguments).error();
        assert_eq!(self.writes(), Vec::<String>::new(), "{text}");
        text
    }

    /// Previews, sees that nothing but GETs left, does it, and gives what was done.
    pub(crate) fn write(&mut self, tool: &str, arguments: Value) -> Value {
        let mut dry = arguments.clone();
        dry["dry_run"] = true.into();
        self.sandbox.forget_requests();
        let preview = self.call(tool, dry);
        assert_eq!(preview["outcome"], "preview", "{preview}");
        assert_eq!(self.writes(), Vec::<String>::new(), "{preview}");
        let done = self.call(tool, arguments);
        assert_eq!(done["outcome"], "done", "{done}");
        if tool.ends_with("_create") {
            // What is new has no id before it is there.
            assert_eq!(paths(&preview).len(), paths(&done).len());
        } else {
            assert_eq!(paths(&done), paths(&preview), "{done}\n{preview}");
        }
        done
    }

    /// Every request that was not a GET: method and path.
    pub(crate) fn writes(&self) -> Vec<String> {
        let requests = self.sandbox.requests().into_iter();
        requests
            .filter(|request| request.method != "GET")
            .map(|request| format!("{} {}", request.method, request.path))
            .collect()
    }

    /// The order as the shop has it.
    pub(crate) fn order(&self, id: u64) -> Value {
        self.sandbox.order(STORE, id).unwrap()
    }
}

/// The paths of an answer's diff.
pub(crate) fn paths(answer: &Value) -> Vec<String> {
    let rows = answer["diff"].as_array().unwrap().iter();
    rows.map(|row| row["path"].as_str().unwrap().to_owned())
        .collect()
}

/// The names of an order's fields that differ, without what follows from any change.
pub(crate) fn changed(before: &Value, after: &Value) -> Vec<String> {
    const FOLLOWS: [&str; 2] = ["date_updated", "order_history"];
    let after = after.as_object().unwrap();
    let names = after.keys().filter(|name| before[*name] != after[*name]);
    names
        .filter(|name| !FOLLOWS.contains(&name.as_str()))
        .cloned()
        .collect()
}
