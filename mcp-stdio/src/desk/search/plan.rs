//! What a text can be, and when an order matches it.
//!
//! Here: pure decisions. One text can be several things at once (seven digits are an id, a channel's number, a phone number), so the plan
//! keeps every reading that makes sense, and the same readings decide afterwards whether an order really matches. Order Desk's own
//! matching is not documented; what it returns is a candidate, nothing more.

use crate::desk::error::DeskError;
use crate::desk::model::{Fields, Order, OrderId, OrdersQuery, same_number};

/// No order number, name or address that anybody types is longer.
const MAX_CHARS: usize = 200;

/// Digits of a phone number, from the shortest local ones to the longest international ones (E.164).
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// From this many digits on, two phone numbers of which one ends with the other are the same with and without country code.
const FULL_PHONE_DIGITS: usize = 10;

/// Characters of a tracking number without blanks: the shortest carrier numbers have eight, the longest under forty.
const TRACKING_CHARS: std::ops::RangeInclusive<usize> = 8..=40;

/// Digits that a tracking number has at least.
const TRACKING_DIGITS: usize = 6;

/// By what an order matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchedBy {
    /// Order Desk's own id.
    Id,
    /// The channel's order number.
    SourceId,
    /// The customer's e-mail address.
    Email,
    /// First and last name, or one of them, of the receiver or the payer.
    Name,
    /// The company of the receiver or the payer.
    Company,
    /// The phone number of the receiver or the payer.
    Phone,
    /// The tracking number of a parcel.
    TrackingNumber,
}

impl MatchedBy {
    /// The name of the field it matched: `order_id`, `source_id`, `email`, `name`, `company`, `phone` or `tracking_number`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            MatchedBy::Id => "order_id",
            MatchedBy::SourceId => "source_id",
            MatchedBy::Email => "email",
            MatchedBy::Name => "name",
            MatchedBy::Company => "company",
            MatchedBy::Phone => "phone",
            MatchedBy::TrackingNumber => "tracking_number",
        }
    }
}

/// Every reading of one text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) id: Option<OrderId>,
    /// The number as typed and its twins with and without `#`.
    source_ids: Vec<String>,
    email: Option<String>,
    names: Vec<Name>,
    company: Option<String>,
    /// As typed, and its digits.
    phone: Option<(String, String)>,
    tracking: Option<String>,
}

/// A name to look for; one part alone may be either.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Name {
    Both { first: String, last: String },
    Either(String),
}

impl Plan {
    pub(super) fn for_text(text: &str) -> Result<Plan, DeskError> {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if text.is_empty() || text.chars().count() > MAX_CHARS || text.chars().any(char::is_control)
        {
            return Err(DeskError::BadRequest {
                what: "there is nothing to look for: the text is empty, longer than 200 characters or holds control characters".to_owned(),
                hint: "give one order number, order id, e-mail address, name, phone or tracking number",
            });
        }
        if is_email(&text) {
            return Ok(Plan {
                email: Some(text),
                ..Plan::default()
            });
        }
        Ok(Plan {
            id: OrderId::parse(text.trim_start_matches('#')).ok(),
            source_ids: source_ids(&text),
            email: None,
            names: names(&text),
            company: text.chars().any(char::is_alphabetic).then(|| text.clone()),
            phone: phone(&text),
            tracking: tracking(&text),
        })
    }

    /// Filters to ask by, cheapest and most certain first.
    pub(super) fn stages(&self) -> [Vec<OrdersQuery>; 2] {
        let mut certain = Vec::new();
        certain.extend(self.source_ids.iter().map(|number| OrdersQuery {
            source_id: Some(number.clone()),
            ..OrdersQuery::default()
        }));
        certain.extend(self.email.iter().map(|email| OrdersQuery {
            email: Some(email.clone()),
            ..OrdersQuery::default()
        }));
        certain.extend(self.names.iter().flat_map(name_queries));
        let mut rest = Vec::new();
        if let Some(company) = &self.company {
            rest.push(OrdersQuery {
                shipping_company: Some(company.clone()),
                ..OrdersQuery::default()
            });
            rest.push(OrdersQuery {
                customer_company: Some(company.clone()),
                ..OrdersQuery::default()
            });
        }
        if let Some((typed, _)) = &self.phone {
            rest.push(OrdersQuery {
                shipping_phone: Some(typed.clone()),
                ..OrdersQuery::default()
            });
            rest.push(OrdersQuery {
                customer_phone: Some(typed.clone()),
                ..OrdersQuery::default()
            });
        }
        [certain, rest]
    }

    /// Whether the text may be something that only looking at the orders themselves can find: a tracking number, or a phone number that the
    /// shop wrote in another way.
    pub(super) fn needs_window(&self) -> bool {
        self.phone.is_some() || self.tracking.is_some()
    }

    /// By what `order` matches; empty when it does not.
    pub(super) fn matched_by(&self, order: &Order) -> Vec<MatchedBy> {
        let mut by = Vec::new();
        if self
            .id
            .as_ref()
            .is_some_and(|id| same_number(id.as_str(), &order.id()))
        {
            by.push(MatchedBy::Id);
        }
        if self
            .source_ids
            .iter()
            .any(|number| number == order.source_id().trim())
        {
            by.push(MatchedBy::SourceId);
        }
        if self
            .email
            .as_ref()
            .is_some_and(|email| same(email, &order.email()))
        {
            by.push(MatchedBy::Email);
        }
        let people = [order.shipping(), order.customer()];
        if self
            .names
            .iter()
            .any(|name| people.iter().any(|person| name.is_of(*person)))
        {
            by.push(MatchedBy::Name);
        }
        if self.company.as_ref().is_some_and(|company| {
            people
                .iter()
                .any(|person| same(company, &person.text("company")))
        }) {
            by.push(MatchedBy::Company);
        }
        if self.phone.as_ref().is_some_and(|(_, digits)| {
            people
                .iter()
                .any(|person| same_phone(digits, &digits_of(&person.text("phone"))))
        }) {
            by.push(MatchedBy::Phone);
        }
        if self.tracking.as_ref().is_some_and(|number| {
            order
                .shipments()
                .iter()
                .any(|parcel| tight(&parcel.text("tracking_number")) == *number)
        }) {
            by.push(MatchedBy::TrackingNumber);
        }
        by
    }
}

impl Name {
    fn is_of(&self, person: Fields<'_>) -> bool {
        let (first, last) = (person.text("first_name"), person.text("last_name"));
        match self {
            Name::Both {
                first: wanted_first,
                last: wanted_last,
            } => same(wanted_first, &first) && same(wanted_last, &last),
            Name::Either(wanted) => same(wanted, &first) || same(wanted, &last),
        }
    }
}

fn name_queries(name: &Name) -> Vec<OrdersQuery> {
    let all = OrdersQuery::default;
    match name {
        Name::Both { first, last } => vec![
            OrdersQuery {
                shipping_first_name: Some(first.clone()),
                shipping_last_name: Some(last.clone()),
                ..all()
            },
            OrdersQuery {
                customer_first_name: Some(first.clone()),
                customer_last_name: Some(last.clone()),
                ..all()
            },
        ],
        Name::Either(name) => vec![
            OrdersQuery {
                shipping_last_name: Some(name.clone()),
                ..all()
            },
            OrdersQuery {
                customer_last_name: Some(name.clone()),
                ..all()
            },
            OrdersQuery {
                shipping_first_name: Some(name.clone()),
                ..all()
            },
            OrdersQuery {
                customer_first_name: Some(name.clone()),
                ..all()
            },
        ],
    }
}

fn is_email(text: &str) -> bool {
    text.split_once('@')
        .is_some_and(|(who, host)| !who.is_empty() && !host.is_empty())
        && !text.contains(' ')
}

/// Channels write `1042` or `#1042`, and people type either.
fn source_ids(text: &str) -> Vec<String> {
    let bare = text.trim_start_matches('#').trim();
    let mut numbers = vec![text.to_owned()];
    if bare.is_empty() {
        return numbers;
    }
    if bare != text {
        numbers.push(bare.to_owned());
    } else if bare.bytes().all(|byte| byte.is_ascii_digit()) {
        numbers.push(format!("#{bare}"));
    }
    numbers
}

/// `Rosa Lind`, `Lind, Rosa`, `Lind`, `Ana Maria de la Cruz`: where the first name ends is not known from three words on.
fn names(text: &str) -> Vec<Name> {
    let name_like = text
        .chars()
        .all(|c| c.is_alphabetic() || matches!(c, ' ' | '\'' | '’' | '-' | '.' | ','))
        && text.chars().any(char::is_alphabetic);
    if !name_like {
        return Vec::new();
    }
    let both = |first: &str, last: &str| Name::Both {
        first: first.trim().to_owned(),
        last: last.trim().to_owned(),
    };
    if let Some((last, first)) = text.split_once(',') {
        let both_given = !first.trim().is_empty() && !last.trim().is_empty();
        return if both_given {
            vec![both(first, last)]
        } else {
            Vec::new()
        };
    }
    match (text.split_once(' '), text.rsplit_once(' ')) {
        (Some(early), Some(late)) if early != late => {
            vec![both(early.0, early.1), both(late.0, late.1)]
        }
        (Some((first, last)), _) => vec![both(first, last)],
        _ => vec![Name::Either(text.to_owned())],
    }
}

fn phone(text: &str) -> Option<(String, String)> {
    let phone_like = text
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, '+' | '(' | ')' | '-' | '.' | '/' | ' '));
    let digits = digits_of(text);
    (phone_like && PHONE_DIGITS.contains(&digits.len())).then(|| (text.to_owned(), digits))
}

fn tracking(text: &str) -> Option<String> {
    let tight = tight(text);
    let fits = TRACKING_CHARS.contains(&tight.len()) && digits_of(&tight).len() >= TRACKING_DIGITS;
    let only = text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-'));
    (fits && only).then_some(tight)
}

/// Letters and digits only, in capitals: blanks and dashes in tracking numbers are decoration.
fn tight(text: &str) -> String {
    text.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_uppercase())
        .collect()
}

fn digits_of(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

fn same_phone(wanted: &str, stored: &str) -> bool {
    let (long, short) = if wanted.len() >= stored.len() {
        (wanted, stored)
    } else {
        (stored, wanted)
    };
    long == short || (short.len() >= FULL_PHONE_DIGITS && long.ends_with(short))
}

/// Equal but for case and blanks.
fn same(wanted: &str, stored: &str) -> bool {
    let plain = |text: &str| {
        text.split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .to_lowercase()
    };
    plain(wanted) == plain(stored)
}

#[cfg(test)]
mod tests;
