//! Resources: what a shop holds, by address.
//!
//! Here: which addresses there are (`orderdesk://…`), reading one through the tool that reads the same, and what a wrong one is told. Not here: what is
//! read (`tools`), and keeping it: a client is told to keep orders for no time at all, because the next write would make them stale.

mod uri;

use rmcp::ErrorData;
use rmcp::model::{
    CallToolResult, ListResourceTemplatesResult, ListResourcesResult, ReadResourceResult, Resource,
    ResourceContents, ResourceTemplate,
};
use serde_json::{Map, Value, json};

use crate::call;
use crate::clean;
use crate::context::Context;
use crate::person::Nobody;
use crate::tools::{self, Tool};
use uri::Address;

/// For how long a client of the modern era may keep the templates: they cannot change while the process lives.
const TEMPLATES_TTL_MS: u64 = 3_600_000;

/// The same for the list, which follows the stores that were added and removed.
const LIST_TTL_MS: u64 = 10_000;

/// Stores that are listed with their folders and settings. An agency with more finds them in `orderdesk://stores`.
const MOST_STORES: usize = 50;

const JSON: &str = "application/json";

/// A kind of address with a variable in it.
struct Template {
    uri: &'static str,
    name: &'static str,
    /// The tool that reads the same.
    tool: &'static str,
    title: &'static str,
    description: &'static str,
}

const TEMPLATES: [Template; 3] = [
    Template {
        uri: "orderdesk://{store}/orders/{order_id}",
        name: "order",
        tool: "orders_get",
        title: "Order",
        description: "One order, whole; by Order Desk's internal id",
    },
    Template {
        uri: "orderdesk://{store}/folders",
        name: "folders",
        tool: "folders_list",
        title: "Folders",
        description: "The folders of a store with their ids; a folder is an order's status",
    },
    Template {
        uri: "orderdesk://{store}/settings",
        name: "settings",
        tool: "store_settings",
        title: "Settings",
        description: "Name, time zone and settings of a store, without its secrets",
    },
];

/// Whether this is one of the templates.
#[must_use]
pub fn is_template(uri: &str) -> bool {
    TEMPLATES.iter().any(|template| template.uri == uri)
}

/// The templates whose tools are there.
#[must_use]
pub fn templates(context: &Context) -> ListResourceTemplatesResult {
    let allowed = TEMPLATES
        .iter()
        .filter(|template| is_allowed(context, template.tool));
    let templates = allowed.map(|template| {
        ResourceTemplate::new(template.uri, template.name)
            .with_title(template.title)
            .with_description(template.description)
            .with_mime_type(JSON)
    });
    ListResourceTemplatesResult::with_all_items(templates.collect()).with_ttl_ms(TEMPLATES_TTL_MS)
}

/// The list of stores, and each store's folders and settings. Asks no shop; stores that cannot be listed now are left out, reading says why.
pub async fn list(context: &Context) -> ListResourcesResult {
    let mut resources = Vec::new();
    if is_allowed(context, "stores_list") {
        resources.push(
            Resource::new("orderdesk://stores", "stores")
                .with_title("Stores")
                .with_description("The stores of this server, and which one is active")
                .with_mime_type(JSON),
        );
        let stores = context.stores.list().await.unwrap_or_default();
        for store in stores.into_iter().take(MOST_STORES) {
            let name = store.name.as_deref().map(clean::text);
            let name = name.as_deref().unwrap_or(store.store_id.as_str());
            resources.extend(of_store(context, store.store_id.as_str(), name));
        }
    }
    ListResourcesResult::with_all_items(resources).with_ttl_ms(LIST_TTL_MS)
}

/// A store's addresses carry its id: a name may change.
fn of_store(context: &Context, id: &str, name: &str) -> Vec<Resource> {
    let whole = TEMPLATES
        .iter()
        .filter(|template| !template.uri.contains("{order_id}"));
    whole
        .filter(|template| is_allowed(context, template.tool))
        .map(|template| {
            let title = format!("{} of {name}", template.title);
            Resource::new(
                template.uri.replace("{store}", id),
                format!("{}/{id}", template.name),
            )
            .with_title(title)
            .with_description(template.description)
            .with_mime_type(JSON)
        })
        .collect()
}

/// Reads one.
///
/// # Errors
/// Resource not found, with `data.uri`: for an address of another form, a store or an order that is not there, and what is switched off. An internal error
/// for the rest; the message says what a tool would have said.
pub async fn read(
    context: &Context,
    uri: &str,
    cancelled: impl Future<Output = ()>,
) -> Result<ReadResourceResult, ErrorData> {
    let Some(address) = Address::parse(uri) else {
        let text = "there is no such address; hint: resources/templates/list says which forms there are, `{store}` is a store's name or id";
        return Err(not_found(uri, text));
    };
    let (tool, arguments) = call_for(&address);
    let result = call::call(tool, context, Some(&arguments), &Nobody, cancelled).await;
    let text = text_of(&result);
    if result.is_error == Some(true) {
        return Err(failure(uri, &text));
    }
    let contents = ResourceContents::text(text, uri).with_mime_type(JSON);
    Ok(ReadResourceResult::new(vec![contents]).with_ttl_ms(0))
}

fn call_for(address: &Address) -> (&'static Tool, Map<String, Value>) {
    let (name, arguments) = match address {
        Address::Stores => ("stores_list", json!({})),
        Address::Order { store, order_id } => {
            ("orders_get", json!({"store": store, "order_id": order_id}))
        }
        Address::Folders { store } => ("folders_list", json!({ "store": store })),
        Address::Settings { store } => ("store_settings", json!({ "store": store })),
    };
    let arguments = arguments.as_object().cloned().unwrap_or_default();
    (
        tools::find(name).expect("these four tools exist"),
        arguments,
    )
}

fn is_allowed(context: &Context, tool: &str) -> bool {
    tools::find(tool).is_some_and(|tool| context.config.permissions.allows(tool))
}

fn text_of(result: &CallToolResult) -> String {
    let blocks = result.content.iter();
    blocks
        .filter_map(|block| block.as_text())
        .map(|text| text.text.as_str())
        .collect()
}

/// What a tool says begins with its code.
fn failure(uri: &str, text: &str) -> ErrorData {
    const NOT_THERE: [&str; 5] = [
        "not_found",
        "unknown_store",
        "bad_request",
        "bad_id",
        "tool_disabled",
    ];
    let code = text.split(':').next().unwrap_or_default();
    if NOT_THERE.contains(&code) {
        not_found(uri, text)
    } else {
        ErrorData::internal_error(text.to_owned(), Some(data(uri)))
    }
}

fn not_found(uri: &str, text: &str) -> ErrorData {
    ErrorData::resource_not_found(text.to_owned(), Some(data(uri)))
}

/// The address as it came, but not for ever: an error is no place for a megabyte.
fn data(uri: &str) -> Value {
    const MOST: usize = 500;
    json!({ "uri": clean::text(uri).chars().take(MOST).collect::<String>() })
}
