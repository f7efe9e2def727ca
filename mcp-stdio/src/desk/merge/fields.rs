//! Which fields each kind of thing has, and who may write them.
//!
//! Here: one table for each kind; a name that is not in it is unknown to the documentation, but may well be in a shop. Sources: the
//! API's documentation, and for the fields that it names without saying who sets them, what clients in production do. Not here: what
//! is a good value (`shape`).

use super::Kind;

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    /// `YYYY-MM-DD`.
    Day,
    Number,
    /// A number, or nothing: shipments hold theirs as text.
    MaybeNumber,
    /// A number without a fraction.
    Whole,
    /// Free keys, each with a value.
    Map,
    /// An object of these texts.
    Address(&'static [&'static str]),
    /// The lines of an order, each with an id.
    Items,
    /// `{name, code, amount}`, replaced as a whole.
    Discounts,
    /// `{id or code, quantity}`: what is in a parcel; replaced as a whole.
    Parcel,
    /// `{date_added, username, content}`.
    Notes,
}

/// Who may write a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// Whoever changes the thing.
    Anyone,
    /// Whoever creates the thing; afterwards as `Kept`, with what to do instead.
    Creator(&'static str),
    /// It goes back as it came, as anything left out would be blanked. What to do instead.
    Kept(&'static str),
    /// Order Desk alone: it is not sent at all. Why, or what to do instead.
    Desk(&'static str),
}

/// One row of a table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    pub(super) who: Who,
}

const fn text(name: &'static str) -> Field {
    any(name, Shape::Text)
}

const fn any(name: &'static str, shape: Shape) -> Field {
    let who = Who::Anyone;
    Field { name, shape, who }
}

const fn kept(name: &'static str, shape: Shape, hint: &'static str) -> Field {
    let who = Who::Kept(hint);
    Field { name, shape, who }
}

const fn creator(name: &'static str, shape: Shape, hint: &'static str) -> Field {
    let who = Who::Creator(hint);
    Field { name, shape, who }
}

const fn desk(name: &'static str, shape: Shape, hint: &'static str) -> Field {
    let who = Who::Desk(hint);
    Field { name, shape, who }
}

const GIVEN: &str = "Order Desk gives it";
const COMPUTED: &str = "Order Desk computes it from the order's parts; change those";
const CARD: &str =
    "card data neither pass through a conversation nor are they shown; use Order Desk's own pages";

/// Ship-to.
const SHIPPING: &[&str] = &[
    "first_name",
    "last_name",
    "company",
    "address1",
    "address2",
    "address3",
    "address4",
    "city",
    "state",
    "postal_code",
    "country",
    "phone",
];

/// Bill-to: no third and fourth line.
const CUSTOMER: &[&str] = &[
    "first_name",
    "last_name",
    "company",
    "address1",
    "address2",
    "city",
    "state",
    "postal_code",
    "country",
    "phone",
];

/// The sender, where it is not the store.
const RETURN: &[&str] = &[
    "title",
    "name",
    "company",
    "address1",
    "address2",
    "city",
    "state",
    "postal_code",
    "country",
    "phone",
];

const PAYMENT_STATUS: &[&str] = &[
    "Approved",
    "Authorized",
    "Captured",
    "Fully Refunded",
    "Partially Refunded",
    "Pending",
    "Rejected",
    "Voided",
];

/// The words behind the colours of a tag: red, green, blue, yellow, orange, purple, white. Any other shows no tag. The documentation is silent; this is
/// what clients in production send.
const TAGS: &[&str] = &[
    "error", "success", "info", "warning", "orange", "purple", "x",
];

const DELIVERY_TYPE: &[&str] = &["ship", "noship", "download", "future"];

const ORDER: &[Field] = &[
    desk("id", Shape::Text, GIVEN),
    text("source_id"),
    text("source_name"),
    text("email"),
    text("shipping_method"),
    desk("quantity_total", Shape::Number, COMPUTED),
    desk("weight_total", Shape::Number, COMPUTED),
    desk("product_total", Shape::Number, COMPUTED),
    any("shipping_total", Shape::Number),
    any("handling_total", Shape::Number),
    any("tax_total", Shape::Number),
    desk(
        "discount_total",
        Shape::Number,
        "it is the sum of discount_list; change that",
    ),
    desk("order_total", Shape::Number, COMPUTED),
    desk("cc_number_masked", Shape::Text, CARD),
    desk("cc_number", Shape::Text, CARD),
    kept("cc_exp", Shape::Text, CARD),
    kept("processor_response", Shape::Text, CARD),
    text("payment_type"),
    any("payment_status", Shape::Word(PAYMENT_STATUS)),
    any("processor_balance", Shape::Number),
    kept(
        "refund_total",
        Shape::Number,
        "Order Desk counts its refunds; refund in Order Desk or at the payment gateway",
    ),
    text("customer_id"),
    desk(
        "email_count",
        Shape::Number,
        "Order Desk counts the orders of an e-mail address",
    ),
    text("ip_address"),
    kept(
        "tag_color",
        Shape::Text,
        "Order Desk does not use it; the tag is tag_name",
    ),
    any("tag_name", Shape::Word(TAGS)),
    text("fulfillment_name"),
    text("fulfillment_id"),
    creator(
        "folder_id",
        Shape::Whole,
        "use orders_move, which keeps what undoes it",
    ),
    creator(
        "date_added",
        Shape::Text,
        "the date of an order is set when it is created",
    ),
    desk("date_updated", Shape::Text, GIVEN),
    any("shipping", Shape::Address(SHIPPING)),
    any("customer", Shape::Address(CUSTOMER)),
    any("return_address", Shape::Address(RETURN)),
    any("checkout_data", Shape::Map),
    any("order_metadata", Shape::Map),
    any("discount_list", Shape::Discounts),
    creator(
        "order_notes",
        Shape::Notes,
        "use orders_add_note, which loses no other note",
    ),
    any("order_items", Shape::Items),
    desk(
        "order_shipments",
        Shape::Notes,
        "use shipments_add, shipments_update or shipments_remove",
    ),
    desk(
        "order_history",
        Shape::Notes,
        "use orders_add_note with kind history",
    ),
];

const ORDER_ITEM: &[Field] = &[
    desk("id", Shape::Text, GIVEN),
    text("name"),
    any("price", Shape::Number),
    any("quantity", Shape::Whole),
    any("weight", Shape::Number),
    text("code"),
    any("delivery_type", Shape::Word(DELIVERY_TYPE)),
    text("category_code"),
    text("fulfillment_method"),
    any("variation_list", Shape::Map),
    any("metadata", Shape::Map),
];

const LABEL: &str = "the system that printed the label sets it";

const SHIPMENT: &[Field] = &[
    desk("id", Shape::Text, GIVEN),
    desk("order_id", Shape::Text, "a shipment stays with its order"),
    desk("store_id", Shape::Text, GIVEN),
    text("tracking_number"),
    text("carrier_code"),
    text("shipment_method"),
    any("weight", Shape::MaybeNumber),
    text("weight_unit"),
    any("cost", Shape::MaybeNumber),
    text("status"),
    text("tracking_url"),
    kept("label_format", Shape::Text, LABEL),
    kept("label_image", Shape::Text, LABEL),
    kept("print_status", Shape::Text, LABEL),
    any("order_items", Shape::Parcel),
    kept("source", Shape::Text, GIVEN),
    kept("cart_shipment_id", Shape::Text, "the sales channel sets it"),
    kept("label_shipment_id", Shape::Text, LABEL),
    any("date_shipped", Shape::Day),
    kept("date_added", Shape::Text, GIVEN),
];

const INVENTORY_ITEM: &[Field] = &[
    desk("id", Shape::Text, GIVEN),
    text("name"),
    text("code"),
    any("price", Shape::Number),
    any("cost", Shape::Number),
    any("weight", Shape::Number),
    any("stock", Shape::Whole),
    text("location"),
    text("update_source"),
    text("manufacturer_sku"),
    any("metadata", Shape::Map),
    any("variation_list", Shape::Map),
    desk("date_added", Shape::Text, GIVEN),
    desk("date_updated", Shape::Text, GIVEN),
];

/// The table of a kind.
pub(super) fn table(kind: Kind) -> &'static [Field] {
    match kind {
        Kind::Order => ORDER,
        Kind::OrderItem => ORDER_ITEM,
        Kind::Shipment => SHIPMENT,
        Kind::InventoryItem => INVENTORY_ITEM,
    }
}

/// The documented field of that name.
pub(super) fn field(kind: Kind, name: &str) -> Option<&'static Field> {
    table(kind).iter().find(|field| field.name == name)
}

/// What a field holds; `None` for a name that the documentation does not know.
pub(super) fn shape(kind: Kind, name: &str) -> Option<Shape> {
    field(kind, name).map(|field| field.shape)
}

/// The keys that are never sent: Order Desk computes or gives them.
pub fn read_only(kind: Kind) -> impl Iterator<Item = &'static str> {
    let desks = |field: &&Field| matches!(field.who, Who::Desk(_));
    table(kind).iter().filter(desks).map(|field| field.name)
}

/// Whether a key is never sent.
pub(super) fn is_read_only(kind: Kind, name: &str) -> bool {
    field(kind, name).is_some_and(|field| matches!(field.who, Who::Desk(_)))
}

/// The documented fields that a change may name.
pub(super) fn writable(kind: Kind) -> impl Iterator<Item = &'static str> {
    let anyones = |field: &&Field| field.who == Who::Anyone;
    table(kind).iter().filter(anyones).map(|field| field.name)
}

/// What the thing is called in a sentence.
pub(super) fn noun(kind: Kind) -> &'static str {
    match kind {
        Kind::Order => "an order",
        Kind::OrderItem => "an order item",
        Kind::Shipment => "a shipment",
        Kind::InventoryItem => "an inventory item",
    }
}

/// For a flat name like `shipping_city`: the object and the field that are meant.
pub(super) fn flat_address(name: &str) -> Option<(&'static str, &'static str)> {
    ["shipping", "customer", "return_address"]
        .into_iter()
        .find_map(|object| {
            let rest = name.strip_prefix(object)?.strip_prefix('_')?;
            let Shape::Address(parts) = shape(Kind::Order, object)? else {
                return None;
            };
            Some((object, *parts.iter().find(|part| **part == rest)?))
        })
}
