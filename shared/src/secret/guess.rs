//! Texts that look like a key, wherever they turn up.
//!
//! People paste a key into the field beside the right one, and an error that repeats what was wrong would then repeat the key. A guess
//! leans to caution: a wrong one hides a word in an error, a missed one puts a key into a log.

/// Fewer characters are no key that anybody issues.
const SHORTEST_KEY: usize = 20;

/// Fewer letters have moments in time (`2026-11-21T16:24:58Z`), and hardly any key.
const FEWEST_LETTERS: usize = 4;

/// How master keys begin, in any letter case.
const MASTER_KEY: &str = "odmk1";

/// How passphrases begin where a master key is expected.
const PASSPHRASE: &str = "passphrase:";

/// Whether a text is, or has among its words, something that looks like it was drawn at random (long, its letters, capitals and digits
/// mixed more than words and numbers are), or that says of itself that it is a master key.
#[must_use]
pub fn looks_like_a_key(text: &str) -> bool {
    begins_with(text.trim(), PASSPHRASE) || text.split_whitespace().any(holds_a_key)
}

/// Whether a text has a master key among its words: no field of an order, and nothing else that anybody looks for, begins like one.
#[must_use]
pub fn holds_a_master_key(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .any(|word| begins_with(word, MASTER_KEY))
}

/// A text without blanks: a key alone, or in quotes, behind a name (`key=…`), in an address.
fn holds_a_key(word: &str) -> bool {
    let mut parts = word.split(|c: char| !c.is_ascii_alphanumeric() && !"-_+/.".contains(c));
    // An address has many short words, and a person needs to see it; what it carries may be a key all the same.
    let is_address = word.contains("://");
    let mut steps = word.split(|c: char| !c.is_ascii_alphanumeric() && !"-_+".contains(c));
    (!is_address && (is_a_key(word) || parts.any(is_a_key))) || steps.any(is_a_key)
}

fn is_a_key(word: &str) -> bool {
    begins_with(word, MASTER_KEY) || was_drawn_at_random(word)
}

fn was_drawn_at_random(word: &str) -> bool {
    let length = word.chars().count();
    let letters = word.chars().filter(char::is_ascii_alphabetic).count();
    if length < SHORTEST_KEY || letters < FEWEST_LETTERS || !word.is_ascii() {
        return false;
    }
    // A random text has a "word" for each two to three characters, a language for each five and more. Keys without digits are rare, names
    // in camel case are not.
    let has_digits = word.chars().filter(char::is_ascii_digit).count() >= 2;
    let longest_words = if has_digits { 5 } else { 3 };
    words(word) * longest_words >= length
}

fn begins_with(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// Runs of small letters (one capital before them belongs to them), of capitals, and of digits.
fn words(text: &str) -> usize {
    #[derive(Clone, Copy, PartialEq)]
    enum Class {
        Small,
        Capital,
        Digit,
        Other,
    }
    let mut count = 0;
    let mut before = Class::Other;
    for char in text.chars() {
        let class = match char {
            'a'..='z' => Class::Small,
            'A'..='Z' => Class::Capital,
            '0'..='9' => Class::Digit,
            _ => Class::Other,
        };
        let goes_on = class == before || (before, class) == (Class::Capital, Class::Small);
        if class != Class::Other && !goes_on {
            count += 1;
        }
        before = class;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_drawn_at_random_looks_like_a_key() {
        for key in [
            "tB7xK2mQ9vLr4WzN8cYp3HsD6fGj1ZaE5uXq",
            "9f86d081884c7d659a2feaa0c55ad015",
            "3F2504E0-4F89-11D3-9A0C-0305E82C3301",
            "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
            "AKIAIOSFODNN7EXAMPLE+wJalrXUtnFEMI/K7MDENG",
            "qWmZpRtLkVbNxCjHgFdSaYuIeO",
            " odmk1qqqqqqqqqqqqqqqq\n",
            "ODMK1QQ",
            "Passphrase: four words or five",
            "my key is tB7xK2mQ9vLr4WzN8cYp3HsD6fGj1ZaE5uXq, thanks",
            "Bearer sk_live_4eC39HqLyjWDarjtT1zdp7dc",
            "use odmk1qqqqqqqqqqqqqqqq",
            "\"tB7xK2mQ9vLr4WzN8cYp3HsD6fGj1ZaE5uXq\"",
            "ORDERDESK-API-KEY:tB7xK2mQ9vLr4WzN8cYp3HsD6fGj1ZaE5uXq",
            "https://x.example/?api_key=tB7xK2mQ9vLr4WzN8cYp3HsD6fGj1ZaE5uXq",
        ] {
            assert!(looks_like_a_key(key), "{key}");
        }
    }

    #[test]
    fn a_master_key_is_known_wherever_it_stands() {
        for text in ["odmk1qqqq", "my ODMK1QQQQ!", "key=odmk1qqqq"] {
            assert!(holds_a_master_key(text), "{text}");
        }
        for text in [
            "",
            "odmk",
            "xodmk1qq",
            "3F2504E0-4F89-11D3-9A0C-0305E82C3301",
        ] {
            assert!(!holds_a_master_key(text), "{text}");
        }
    }

    #[test]
    fn words_and_numbers_do_not() {
        for text in [
            "",
            "Demo Store",
            "4242",
            "Handmade-Candles-Outlet-2024",
            "MyWonderfulShopForFlowers",
            "candles_and_more_eu_2",
            "the-quick-brown-fox-store.example.com",
            "Ünïcödé-Shöp-mit-sehr-langem-Nämen",
            "A much longer name with 12 words 3 numbers 4 and spaces",
            "4242424242424242424242",
            "http://127.0.0.1:9465/api/v2",
            "https://app.orderdesk.me/api/v2",
            "sales are 1234567890 or 42,424,242.00 at https://app.orderdesk.me/api/v2/orders?folder_id=50201&limit=500",
            "/home/ana/.local/share/orderdesk-mcp/state.db could not be opened",
            "2026-11-21T16:24:58Z to 2026-11-22 00:00:00",
        ] {
            assert!(!looks_like_a_key(text), "{text}");
        }
    }
}
