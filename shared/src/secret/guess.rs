//! Texts that look like a key, wherever they turn up.
//!
//! People paste a key into the field beside the right one, and an error that repeats what was wrong would then repeat the key. A guess
//! leans to caution: a wrong one hides a word in an error, a missed one puts a key into a log.

/// Fewer characters are no key that anybody issues.
const SHORTEST_KEY: usize = 20;

/// How master keys begin, in any letter case.
const MASTER_KEY: &str = "odmk1";

/// How passphrases begin where a master key is expected.
const PASSPHRASE: &str = "passphrase:";

/// Whether a text looks like something that was drawn at random (long, without blanks, its letters, capitals and digits mixed more
/// than words and numbers are), or says of itself that it is a master key.
#[must_use]
pub fn looks_like_a_key(text: &str) -> bool {
    let text = text.trim();
    if begins_with(text, MASTER_KEY) || begins_with(text, PASSPHRASE) {
        return true;
    }
    // An address has many short words, and a person needs to see it.
    if text.contains("://") {
        return false;
    }
    let length = text.chars().count();
    if length < SHORTEST_KEY || text.chars().any(char::is_whitespace) || !text.is_ascii() {
        return false;
    }
    // A random text has a "word" for each two to three characters, a language for each five and more. Keys without digits are rare, names
    // in camel case are not.
    let has_digits = text.chars().filter(char::is_ascii_digit).count() >= 2;
    let longest_words = if has_digits { 5 } else { 3 };
    words(text) * longest_words >= length
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
        ] {
            assert!(looks_like_a_key(key), "{key}");
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
        ] {
            assert!(!looks_like_a_key(text), "{text}");
        }
    }
}
