//! Invented customers. Addresses are plausible and belong to nobody.

use serde_json::{Value, json};

const FIRST: [&str; 16] = [
    "Rosa", "Sam", "Ines", "Kofi", "Mara", "Jonas", "Aiko", "Tariq", "Lena", "Bruno", "Nadia",
    "Owen", "Petra", "Hugo", "Selma", "Ravi",
];
const LAST: [&str; 14] = [
    "Lind", "Roe", "Baptiste", "Mensah", "Quist", "Falk", "Tanabe", "Haddad", "Brandt", "Costa",
    "Orlova", "Price", "Novak", "Sundar",
];
const PLACES: [(&str, &str, &str, &str); 8] = [
    ("Dover", "DE", "19901", "US"),
    ("Salem", "MA", "01970", "US"),
    ("Tempe", "AZ", "85281", "US"),
    ("Boise", "ID", "83702", "US"),
    ("Guelph", "ON", "N1G 2W1", "CA"),
    ("Leeds", "", "LS1 4DY", "GB"),
    ("Austin", "TX", "78701", "US"),
    ("Portland", "OR", "97204", "US"),
];
const STREETS: [&str; 7] = [
    "Mill Lane",
    "Quay St",
    "Orchard Rd",
    "Station Ave",
    "Hill Crescent",
    "Foundry Row",
    "Willow Way",
];

/// One customer; the same number is always the same person.
pub(super) struct Person {
    pub(super) number: usize,
    pub(super) first: &'static str,
    pub(super) last: &'static str,
}

impl Person {
    pub(super) fn new(number: usize) -> Self {
        // 16 × 14 names: 224 people before a full name comes again.
        Self {
            number,
            first: FIRST[number % FIRST.len()],
            last: LAST[(number / FIRST.len() + number) % LAST.len()],
        }
    }

    pub(super) fn email(&self) -> String {
        format!(
            "{}.{}{}@example.com",
            self.first.to_lowercase(),
            self.last.to_lowercase(),
            self.number
        )
    }

    /// 555-0100 to 555-0199 are reserved for fiction; the area code makes more of them.
    pub(super) fn phone(&self) -> String {
        format!(
            "({}) 555-01{:02}",
            201 + self.number / 100,
            self.number % 100
        )
    }

    pub(super) fn address(&self) -> Value {
        let (city, state, postal_code, country) = PLACES[self.number % PLACES.len()];
        json!({
            "first_name": self.first, "last_name": self.last, "company": "",
            "address1": format!("{} {}", 1 + self.number % 97, STREETS[self.number % STREETS.len()]),
            "city": city, "state": state, "postal_code": postal_code, "country": country, "phone": self.phone(),
        })
    }
}
