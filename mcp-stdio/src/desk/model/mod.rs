//! What Order Desk's things are: orders, stores, stock, their ids, and the questions that can be asked about them.
//!
//! | file | hides |
//! |---|---|
//! | `id` | that ids are digits, checked once |
//! | `fields` | PHP's mixed numbers, strings and empty lists |
//! | `order` `parts` `inventory` `store` | the fields that this program looks at; `store` also removes the store's secrets |
//! | `query` `when` | filters, sorting, pages and dates as the API wants them |

mod fields;
mod id;
mod inventory;
mod order;
mod parts;
mod query;
mod store;
mod when;

pub use fields::{Fields, Object, number_of, text_of};
pub use id::{BadId, InventoryItemId, OrderId, OrderItemId, ShipmentId, StoreId};
pub(crate) use id::{as_number, same_number};
pub use inventory::{InventoryItem, InventoryPage};
pub use order::{Order, OrdersPage};
pub use parts::{OrderItem, Shipment};
pub(crate) use query::Pairs;
pub use query::{DEFAULT_LIMIT, InventoryQuery, MAX_LIMIT, ORDER_BY, OrdersQuery};
pub use store::{Folder, StoreSettings};
pub(crate) use when::written as when_written;
