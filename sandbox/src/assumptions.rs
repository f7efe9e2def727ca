//! Behaviours of Order Desk that nothing public documents, in one place, each with its reason: to be corrected here once
//! somebody has asked the real service. Where two answers are likely, the one that is harder on a client was taken.
//!
//! Those too small for a constant, and where they are:
//!
//! | behaviour | where |
//! |---|---|
//! | a request with bad credentials costs no token and is told of a full bucket, so that nobody can guess store ids by it | `edge` |
//! | a request refused for any other reason costs its token | `edge` |
//! | a body or a content type on `GET` is accepted, though discouraged (tests see it in the request log) | `edge` |
//! | all parameters of a list combine with AND; the last of equal ones counts, as in PHP | `shop::query` |
//! | letters beyond ASCII are escaped, as PHP does by default | `php` |
//! | `get_order_history=1` works for a single order, too | `api::orders` |
//! | `PUT` of an item or a shipment blanks what it leaves out, as documented for orders | `shop::items`, `shop::shipments` |
//! | `PUT` of an order copies no address: one that is left out is blank | `shop::orders` |
//! | an address, a map or a list of the wrong shape is refused; scalars are converted as PHP does | `shop::order` |
//! | `date_added` counts on create only; `refund_total` and `tag_color` are never written | `shop::order` |
//! | an unknown `folder_id` is ignored on create and refused on `PUT` | `shop::orders` |
//! | the last item of an order may be deleted | `api::items` |
//! | a shipment without a tracking number is refused like one that exists | `shop::shipments` |
//! | a move names unknown orders in `results` and does not count them; one to where the order is leaves no history | `api::moves` |
//! | a batch of stock passes over rows that fit no item; only the count tells | `api::inventory` |
//! | inventory is listed by id | `shop::inventory` |

/// How a request is refused. No official text lists codes or bodies; clients read `status` and `message` from the usual
/// envelope at any code. The messages copy the form of the documented ones ("Shipment Not Added").
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Two clients map 401; nothing says 403.
    BadCredentials,
    OrderMissing,
    ItemMissing,
    ShipmentMissing,
    InventoryMissing,
    UnknownPath,
    MethodNotAllowed,
    InvalidJson,
    /// 400 with the reasons in `errors`; one client reads that key after failed creates.
    OrderNotAdded(Vec<String>),
    OrderNotUpdated(Vec<String>),
    /// The answer names the existing order, a third party says; the criterion is `source_name` + `source_id`.
    DuplicateOrder(u64),
    ItemNotAdded(Vec<String>),
    NoteNotAdded(Vec<String>),
    /// Message documented, code not: one client's tests take 200.
    ShipmentNotAdded,
    InventoryNotAdded(Vec<String>),
    InventoryNotUpdated(Vec<String>),
    /// One user saw a move that neither moved nor failed; see `Fault::MoveNothing` for that mode.
    FolderMissing,
    NothingToMove,
    TooManyRequests,
}

impl Refusal {
    /// The HTTP status.
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::BadCredentials => 401,
            Self::OrderMissing
            | Self::ItemMissing
            | Self::ShipmentMissing
            | Self::InventoryMissing
            | Self::UnknownPath => 404,
            Self::MethodNotAllowed => 405,
            Self::InvalidJson
            | Self::OrderNotAdded(_)
            | Self::OrderNotUpdated(_)
            | Self::DuplicateOrder(_)
            | Self::ItemNotAdded(_)
            | Self::NoteNotAdded(_)
            | Self::InventoryNotAdded(_)
            | Self::InventoryNotUpdated(_)
            | Self::NothingToMove => 400,
            Self::ShipmentNotAdded | Self::FolderMissing => 200,
            Self::TooManyRequests => 429,
        }
    }

    /// The `message` of the envelope.
    pub(crate) fn message(&self) -> String {
        let text = match self {
            Self::BadCredentials => "Invalid Store ID or API Key",
            Self::OrderMissing => "Order Not Found",
            Self::ItemMissing => "Order Item Not Found",
            Self::ShipmentMissing => "Shipment Not Found",
            Self::InventoryMissing => "Inventory Item Not Found",
            Self::UnknownPath => "Invalid Endpoint",
            Self::MethodNotAllowed => "Method Not Allowed",
            Self::InvalidJson => "Invalid JSON",
            Self::OrderNotAdded(_) => "Order Not Added",
            Self::OrderNotUpdated(_) => "Order Not Updated",
            Self::DuplicateOrder(id) => {
                return format!("Order Not Added. Order Already Exists: {id}");
            }
            Self::ItemNotAdded(_) => "Order Item Not Added",
            Self::NoteNotAdded(_) => "Order History Not Added",
            Self::ShipmentNotAdded => "Shipment Not Added",
            Self::InventoryNotAdded(_) => "Inventory Item Not Added",
            Self::InventoryNotUpdated(_) => "Inventory Item Not Updated",
            Self::FolderMissing => "Folder Not Found",
            Self::NothingToMove => "No Orders To Move",
            Self::TooManyRequests => "Too Many Requests",
        };
        text.to_owned()
    }

    /// The `errors` of the envelope, where there are any.
    pub(crate) fn errors(&self) -> &[String] {
        match self {
            Self::OrderNotAdded(errors)
            | Self::OrderNotUpdated(errors)
            | Self::ItemNotAdded(errors)
            | Self::NoteNotAdded(errors)
            | Self::InventoryNotAdded(errors)
            | Self::InventoryNotUpdated(errors) => errors,
            _ => &[],
        }
    }
}

/// The page size that stands for a `limit` that is no positive number (the documented default for orders; nothing is
/// documented for inventory, which here pages alike).
pub(crate) const PAGE_DEFAULT: usize = 50;

/// What a larger `limit` is cut to (documented as the maximum for orders; that it is cut, not refused, is assumed).
pub(crate) const PAGE_MAX: usize = 500;

/// What an unknown `order_by` falls back to.
pub(crate) const ORDER_BY_DEFAULT: &str = "date_added";

/// Text filters compare whole values without regard to case; bounds of date filters are inclusive; a bare date is 00:00:00,
/// so that a client which sends a bare end date loses that day and notices.
pub(crate) fn same_text(stored: &str, asked: &str) -> bool {
    stored == asked || stored.to_lowercase() == asked.to_lowercase()
}

/// Where the undocumented `search` parameter looks, as parts of the order's own text. Tracking numbers, items and notes are
/// left out: the documentation offers no filter for them, and a client that relies on luck should fail here.
pub(crate) const SEARCHED_FIELDS: [&str; 3] = ["id", "source_id", "email"];

/// `search` also looks at these fields of both addresses.
pub(crate) const SEARCHED_ADDRESS_FIELDS: [&str; 3] = ["first_name", "last_name", "company"];

/// A `PUT` without `order_items` keeps them, one without `folder_id` stays, one without `cc_number` keeps the mask;
/// in strict mode each of the three is blanked, as "everything left out becomes blank" may also be read.
pub(crate) const STRICT_BLANKS: [&str; 3] = ["order_items", "folder_id", "cc_number_masked"];

/// Top-level and item keys that are not in the documentation are stored as sent and come back; a `PUT` without them removes
/// them. So a client that drops what it does not know is caught.
pub(crate) const KEEPS_UNKNOWN_FIELDS: bool = true;

/// All notes of an order together, as JSON. The limit is documented ("data is lost"); that the newest notes go is assumed.
pub(crate) const NOTES_MAX_CHARS: usize = 2_000;

/// One history note; longer ones are refused (limit from a third party, effect assumed).
pub(crate) const HISTORY_NOTE_MAX_CHARS: usize = 1_800;

/// Entries in an order's history; the oldest go (number from a third party, effect assumed).
pub(crate) const HISTORY_MAX_ENTRIES: usize = 250;

/// `checkout_data` as JSON; more is refused (number from a third party, effect assumed).
pub(crate) const CHECKOUT_DATA_MAX_CHARS: usize = 3_500;

/// `order_metadata` as JSON; more is refused (number from a third party, effect assumed).
pub(crate) const ORDER_METADATA_MAX_CHARS: usize = 2_000;

/// Rows in one batch call; more are taken, with a warning in the event list (clients chunk by 100).
pub(crate) const BATCH_ROWS: usize = 100;

/// The name of the ship date on write: read as documented, and under the two other names that sources use.
pub(crate) const SHIP_DATE_NAMES: [&str; 3] = ["date_shipped", "shipment_date", "ship_date"];

/// The documentation's headings use the singular here and there; both work, as aliases.
pub(crate) fn plural(segment: &str) -> &str {
    match segment {
        "order" => "orders",
        "inventory-item" => "inventory-items",
        other => other,
    }
}

/// A create answers 200 for orders and 201 for inventory items (the only 201 that was seen).
pub(crate) const ORDER_CREATED: u16 = 200;
/// See [`ORDER_CREATED`].
pub(crate) const INVENTORY_CREATED: u16 = 201;
