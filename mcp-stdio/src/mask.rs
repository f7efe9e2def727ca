//! What is hidden of people when `MASK_PII` is on.
//!
//! Here: e-mail addresses wherever they stand, telephone numbers and IP addresses in the fields that are for them, and in those whose names
//! speak of one (`Customer Phone Number`, `buyerMobile`) and whose values look like one. Enough stays to tell two people apart and to
//! recognise somebody one knows. Names and postal addresses stay whole: without them nothing can be shipped. What was hidden carries a
//! mark that no shop uses, so that it can be told when it comes back as an argument: written to a shop, it would destroy what it stands
//! for. Not here: where this is applied (`call`), and what no answer shows, masked or not (`clean`).

use std::borrow::Cow;
use std::net::IpAddr;

use serde_json::{Map, Value};

/// Stands for what is hidden.
pub const MARK: &str = "•••";

/// How many of a telephone number's digits stay.
const PHONE_TAIL: usize = 4;

/// What a field is for, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Phone,
    Ip,
    Email,
    /// Its name speaks of a telephone; it may be for its colour.
    PhonePerhaps,
    /// Its name speaks of an IP address.
    IpPerhaps,
    Other,
}

/// Words in names of fields that sales channels and checkout forms make up.
const OF_PHONES: [&str; 9] = [
    "phone",
    "telephone",
    "cellphone",
    "phonenumber",
    "tel",
    "mobile",
    "cell",
    "fax",
    "whatsapp",
];
const OF_IPS: [&str; 2] = ["ip", "ipaddress"];

impl Field {
    /// By the last part of a name or of a dotted path: `shipping.phone`.
    fn named(name: &str) -> Field {
        let whole = name;
        let name = name.rsplit('.').next().unwrap_or(name).to_lowercase();
        let is = |word: &str| {
            name.strip_suffix(word)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('_'))
        };
        if is("phone") {
            Field::Phone
        } else if is("ip_address") {
            Field::Ip
        } else if is("email") {
            Field::Email
        } else {
            Field::speaking(whole)
        }
    }

    fn speaking(name: &str) -> Field {
        let words = words(name);
        let has = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
        if has(&OF_PHONES) {
            Field::PhonePerhaps
        } else if has(&OF_IPS) {
            Field::IpPerhaps
        } else {
            Field::Other
        }
    }
}

/// The words of a name, in small letters: `buyerPhone`, `Phone Number` and `phone_number` have two each.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_small = false;
    for letter in name.chars() {
        let begins = !letter.is_alphanumeric() || (letter.is_uppercase() && after_small);
        if begins {
            words.push(String::new());
        }
        if let (true, Some(word)) = (letter.is_alphanumeric(), words.last_mut()) {
            word.extend(letter.to_lowercase());
        }
        after_small = letter.is_lowercase() || letter.is_numeric();
    }
    words
}

/// Seven digits or more, and nothing but what stands between them.
fn looks_like_a_phone(given: &str) -> bool {
    let digits = given.chars().filter(char::is_ascii_digit).count();
    let between = |c: char| c.is_ascii_digit() || c.is_whitespace() || "()+-./#ext".contains(c);
    digits >= 7 && given.chars().all(between)
}

/// Hides what is to be hidden in every string of `value`, at any depth. Twice does no more than once.
pub fn value(value: &mut Value) {
    within(value, Field::Other);
}

/// [`value`] for an object.
pub fn object(fields: &mut Map<String, Value>) {
    // A line of a diff says in `path` what its other two fields are about.
    let about = fields.get("path").and_then(Value::as_str).map(Field::named);
    for (name, value) in fields {
        let field = match about {
            Some(about) if name == "before" || name == "after" => about,
            _ => Field::named(name),
        };
        within(value, field);
    }
}

fn within(value: &mut Value, field: Field) {
    match value {
        Value::String(text) => {
            if let Some(masked) = of_field(text, field) {
                *text = masked;
            }
        }
        Value::Number(number) if field == Field::Phone => {
            *value = phone(&number.to_string()).into();
        }
        Value::Number(number) if field == Field::PhonePerhaps => {
            if let Some(masked) = of_field(&number.to_string(), field) {
                *value = masked.into();
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| within(value, field)),
        Value::Object(fields) => object(fields),
        _ => {}
    }
}

/// What stands in the place of `given`, if something has to.
fn of_field(given: &str, field: Field) -> Option<String> {
    let masked = match field {
        _ if given.contains(MARK) || given.is_empty() => text(given),
        Field::Phone => phone(given).into(),
        Field::Ip => ip(given).into(),
        Field::PhonePerhaps if looks_like_a_phone(given) => phone(given).into(),
        Field::IpPerhaps if given.trim().parse::<IpAddr>().is_ok() => ip(given).into(),
        // What is no address, and stands where one belongs, is not shown either.
        Field::Email if !given.contains('@') => MARK.to_owned().into(),
        Field::Email | Field::PhonePerhaps | Field::IpPerhaps | Field::Other => text(given),
    };
    match masked {
        Cow::Owned(masked) => Some(masked),
        Cow::Borrowed(_) => None,
    }
}

fn phone(given: &str) -> String {
    let digits: Vec<char> = given.chars().filter(char::is_ascii_digit).collect();
    // Of a short number the tail would be most of it.
    let tail = if digits.len() >= PHONE_TAIL + 3 {
        digits[digits.len() - PHONE_TAIL..].iter().collect()
    } else {
        String::new()
    };
    format!("{MARK}{tail}")
}

fn ip(given: &str) -> String {
    match given.split_once(['.', ':']) {
        Some((first, _)) if !first.is_empty() && first.len() <= 4 => {
            let separator = given.as_bytes()[first.len()] as char;
            format!("{first}{separator}{MARK}")
        }
        _ => MARK.to_owned(),
    }
}

/// `given` with every e-mail address in it reduced to its first letter and its domain. Text without one is not copied.
#[must_use]
pub fn text(given: &str) -> Cow<'_, str> {
    let mut masked = String::new();
    let mut done = 0;
    for (at, _) in given.match_indices('@') {
        let local = tail_of(&given[done..at]);
        let domain = head_of(&given[at + 1..]);
        let Some(first) = local.chars().next() else {
            continue;
        };
        if domain.is_empty() {
            continue;
        }
        masked.push_str(&given[done..at - local.len()]);
        masked.push(first);
        masked.push_str(MARK);
        done = at;
    }
    if done == 0 {
        return Cow::Borrowed(given);
    }
    masked.push_str(&given[done..]);
    Cow::Owned(masked)
}

/// A sentence about a field that begins with the field's name in backticks: of a number that is hidden no more than that stays.
#[must_use]
pub fn sentence(given: &str) -> Cow<'_, str> {
    let path = given
        .strip_prefix('`')
        .and_then(|rest| rest.split_once('`'))
        .map(|(path, _)| path);
    match path {
        Some(path) if !matches!(Field::named(path), Field::Email | Field::Other) => {
            format!("`{path}` is not what it was").into()
        }
        _ => text(given),
    }
}

/// What stands before an `@` as the name of a mailbox. Quotes are left out: here they stand around an address, not in it.
fn tail_of(before: &str) -> &str {
    let is_name = |c: char| c.is_alphanumeric() || "!#$%&*+-/=?^_{|}~.".contains(c);
    let start = before
        .char_indices()
        .rev()
        .take_while(|(_, c)| is_name(*c))
        .last()
        .map_or(before.len(), |(at, _)| at);
    &before[start..]
}

/// What stands behind an `@` as a domain.
fn head_of(after: &str) -> &str {
    let end = after
        .char_indices()
        .find(|(_, c)| !(c.is_alphanumeric() || "-.[]:".contains(*c)))
        .map_or(after.len(), |(at, _)| at);
    &after[..end]
}

/// Where among the arguments the mark stands, as a dotted path; `None` if nowhere.
#[must_use]
pub fn marked(arguments: &Map<String, Value>) -> Option<String> {
    arguments.iter().find_map(|(name, value)| {
        let inner = marked_in(value)?;
        Some(format!("{name}{inner}"))
    })
}

fn marked_in(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => text.contains(MARK).then(String::new),
        Value::Array(values) => values.iter().find_map(marked_in),
        Value::Object(fields) => marked(fields).map(|inner| format!(".{inner}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
