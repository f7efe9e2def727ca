//! What a list of orders or of stock can be asked for.
//!
//! Here: every documented filter by the API's own name, checked before anything is sent, and its form in the query string. A
//! filter the API does not know is no field here, so it cannot be asked for by mistake. Not here: percent-encoding (`request`).

use jiff::civil::DateTime;

use super::when::{self, Edge};
use crate::desk::error::DeskError;

/// The API's largest page.
pub const MAX_LIMIT: u64 = 500;

/// The API's own page size when none is asked for.
pub const DEFAULT_LIMIT: u64 = 50;

/// Fields by which orders may be sorted. The API publishes no list; these are the ones in documented or common use.
pub const ORDER_BY: [&str; 10] = [
    "id",
    "date_added",
    "date_updated",
    "source_id",
    "source_name",
    "email",
    "order_total",
    "shipping_last_name",
    "customer_last_name",
    "folder_id",
];

/// Which orders to list. Everything that is given must hold (AND). Texts are compared by Order Desk, as far as known for equality
/// without case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrdersQuery {
    /// In any of these folders (ids, digits).
    pub folder_ids: Vec<String>,
    /// In the folder of exactly this name.
    pub folder_name: Option<String>,
    /// The channel's order number.
    pub source_id: Option<String>,
    /// The sales channel.
    pub source_name: Option<String>,
    /// Placed at or after (UTC): a date, a date with a time, or RFC 3339.
    pub search_start_date: Option<String>,
    /// Placed at or before (UTC); a bare date means its last second.
    pub search_end_date: Option<String>,
    /// Placed at or after, store time.
    pub search_start_date_local: Option<String>,
    /// Placed at or before, store time; a bare date means its last second.
    pub search_end_date_local: Option<String>,
    /// Changed at or after (UTC).
    pub modified_start_date: Option<String>,
    /// Changed at or before (UTC); a bare date means its last second.
    pub modified_end_date: Option<String>,
    /// The customer's e-mail address.
    pub email: Option<String>,
    /// The customer's id in the originating cart.
    pub customer_id: Option<String>,
    /// Bill-to first name.
    pub customer_first_name: Option<String>,
    /// Bill-to last name.
    pub customer_last_name: Option<String>,
    /// Bill-to company.
    pub customer_company: Option<String>,
    /// Bill-to street.
    pub customer_address1: Option<String>,
    /// Bill-to phone.
    pub customer_phone: Option<String>,
    /// Ship-to first name.
    pub shipping_first_name: Option<String>,
    /// Ship-to last name.
    pub shipping_last_name: Option<String>,
    /// Ship-to company.
    pub shipping_company: Option<String>,
    /// Ship-to street.
    pub shipping_address1: Option<String>,
    /// Ship-to phone.
    pub shipping_phone: Option<String>,
    /// One of [`ORDER_BY`]; the API sorts by `date_added` when it is left out.
    pub order_by: Option<String>,
    /// `ASC` or `DESC` in any case; the API's default is `DESC`.
    pub order: Option<String>,
    /// Rows per page, 1 to [`MAX_LIMIT`]; [`DEFAULT_LIMIT`] when left out.
    pub limit: Option<u64>,
    /// Rows to skip.
    pub offset: u64,
    /// Also bring each order's history; markedly slower at Order Desk.
    pub with_history: bool,
}

/// Which inventory items to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InventoryQuery {
    /// Exactly these SKUs; empty means all.
    pub codes: Vec<String>,
    /// Rows per page, 1 to [`MAX_LIMIT`]; [`DEFAULT_LIMIT`] when left out.
    pub limit: Option<u64>,
    /// Rows to skip.
    pub offset: u64,
}

/// Name and value pairs for a query string, not yet encoded.
pub(crate) type Pairs = Vec<(&'static str, String)>;

impl OrdersQuery {
    /// The page size in effect.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.limit.unwrap_or(DEFAULT_LIMIT)
    }

    /// The query string's pairs, in a fixed order.
    ///
    /// # Errors
    /// [`DeskError::BadRequest`] for a date, id, sort field, direction or limit that makes no sense.
    pub(crate) fn pairs(&self) -> Result<Pairs, DeskError> {
        let mut pairs = Pairs::new();
        if !self.folder_ids.is_empty() {
            pairs.push(("folder_id", folder_list(&self.folder_ids)?));
        }
        self.push_texts(&mut pairs);
        push_range(
            &mut pairs,
            when::utc,
            [
                ("search_start_date", &self.search_start_date),
                ("search_end_date", &self.search_end_date),
            ],
        )?;
        push_range(
            &mut pairs,
            when::local,
            [
                ("search_start_date_local", &self.search_start_date_local),
                ("search_end_date_local", &self.search_end_date_local),
            ],
        )?;
        push_range(
            &mut pairs,
            when::utc,
            [
                ("modified_start_date", &self.modified_start_date),
                ("modified_end_date", &self.modified_end_date),
            ],
        )?;
        if self.with_history {
            pairs.push(("get_order_history", "1".to_owned()));
        }
        self.push_sorting(&mut pairs)?;
        push_page(&mut pairs, self.limit(), self.offset)?;
        Ok(pairs)
    }

    fn push_texts(&self, pairs: &mut Pairs) {
        let texts = [
            ("folder_name", &self.folder_name),
            ("source_id", &self.source_id),
            ("source_name", &self.source_name),
            ("email", &self.email),
            ("customer_id", &self.customer_id),
            ("customer_first_name", &self.customer_first_name),
            ("customer_last_name", &self.customer_last_name),
            ("customer_company", &self.customer_company),
            ("customer_address1", &self.customer_address1),
            ("customer_phone", &self.customer_phone),
            ("shipping_first_name", &self.shipping_first_name),
            ("shipping_last_name", &self.shipping_last_name),
            ("shipping_company", &self.shipping_company),
            ("shipping_address1", &self.shipping_address1),
            ("shipping_phone", &self.shipping_phone),
        ];
        for (name, value) in texts {
            // An empty filter would mean "everything" to the API and "nothing" to a caller: it is left out on both readings.
            if let Some(value) = value
                .as_deref()
                .map(str::trim)
                .filter(|value| !value.is_empty())
            {
                pairs.push((name, value.to_owned()));
            }
        }
    }

    fn push_sorting(&self, pairs: &mut Pairs) -> Result<(), DeskError> {
        if let Some(field) = &self.order_by {
            if !ORDER_BY.contains(&field.as_str()) {
                let what = format!(
                    "orders cannot be sorted by `{}`",
                    crate::desk::quote::line(field, 40)
                );
                let hint = "`order_by` takes id, date_added, date_updated, source_id, source_name, email, order_total, shipping_last_name, customer_last_name or folder_id";
                return Err(DeskError::BadRequest { what, hint });
            }
            pairs.push(("order_by", field.clone()));
        }
        if let Some(direction) = &self.order {
            let upper = direction.trim().to_ascii_uppercase();
            if upper != "ASC" && upper != "DESC" {
                let what = format!(
                    "`{}` is no direction",
                    crate::desk::quote::line(direction, 40)
                );
                return Err(DeskError::BadRequest {
                    what,
                    hint: "`order` takes ASC (oldest or smallest first) or DESC",
                });
            }
            pairs.push(("order", upper));
        }
        Ok(())
    }
}

impl InventoryQuery {
    /// The page size in effect.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.limit.unwrap_or(DEFAULT_LIMIT)
    }

    /// The query string's pairs, in a fixed order.
    ///
    /// # Errors
    /// [`DeskError::BadRequest`] for a limit out of range or a SKU that the API would read as two.
    pub(crate) fn pairs(&self) -> Result<Pairs, DeskError> {
        let codes: Vec<&str> = self
            .codes
            .iter()
            .map(|code| code.trim())
            .filter(|code| !code.is_empty())
            .collect();
        if codes.iter().any(|code| code.contains(',')) {
            let what =
                "a SKU in `code` contains a comma, which separates SKUs in Order Desk's filter"
                    .to_owned();
            return Err(DeskError::BadRequest {
                what,
                hint: "give several SKUs as a list, one per entry",
            });
        }
        let mut pairs = Pairs::new();
        if !codes.is_empty() {
            pairs.push(("code", codes.join(",")));
        }
        push_page(&mut pairs, self.limit(), self.offset)?;
        Ok(pairs)
    }
}

fn folder_list(ids: &[String]) -> Result<String, DeskError> {
    let digits = |id: &String| {
        !id.is_empty() && id.len() <= 20 && id.bytes().all(|byte| byte.is_ascii_digit())
    };
    match ids.iter().find(|id| !digits(id)) {
        None => Ok(ids.join(",")),
        Some(bad) => Err(DeskError::BadRequest {
            what: format!(
                "`{}` is no folder id: only digits can be",
                crate::desk::quote::line(bad, 40)
            ),
            hint: "folders_list shows the ids; a name goes into `folder_name`",
        }),
    }
}

type ReadTime = fn(&str, Edge) -> Result<DateTime, &'static str>;

fn push_range(
    pairs: &mut Pairs,
    read: ReadTime,
    edges: [(&'static str, &Option<String>); 2],
) -> Result<(), DeskError> {
    let mut moments = [None, None];
    for (index, (name, value)) in edges.iter().enumerate() {
        let Some(text) = value.as_deref().filter(|text| !text.trim().is_empty()) else {
            continue;
        };
        let edge = if index == 0 { Edge::Start } else { Edge::End };
        let moment = read(text, edge).map_err(|hint| DeskError::BadRequest {
            what: format!(
                "`{name}` is `{}`, which is no point in time",
                crate::desk::quote::line(text, 40)
            ),
            hint,
        })?;
        moments[index] = Some(moment);
        pairs.push((name, when::sent(moment)));
    }
    match moments {
        [Some(start), Some(end)] if start > end => Err(DeskError::BadRequest {
            what: format!(
                "`{}` is later than `{}`, so nothing can lie between them",
                edges[0].0, edges[1].0
            ),
            hint: "exchange the two dates",
        }),
        _ => Ok(()),
    }
}

fn push_page(pairs: &mut Pairs, limit: u64, offset: u64) -> Result<(), DeskError> {
    if limit == 0 || limit > MAX_LIMIT {
        let what = format!("a page of {limit} rows cannot be asked for");
        return Err(DeskError::BadRequest {
            what,
            hint: "`limit` takes 1 to 500; page through more with the cursor",
        });
    }
    pairs.push(("limit", limit.to_string()));
    pairs.push(("offset", offset.to_string()));
    Ok(())
}

#[cfg(test)]
mod tests;
