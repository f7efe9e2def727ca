//! A stranger's words, quoted within one line of an error.
//!
//! Here: one line, web addresses and the key out, length capped. Not here: which characters are invisible
//! (`crate::clean` knows), and the cleaning of whole answers for the model.

use shared::secret::looks_like_a_key;

/// What stands in place of a web address: an error text never carries one.
const LINK: &str = "[link]";

/// What stands in place of a word that may be a key: who was given one in the wrong field repeats it.
const KEY: &str = "[…]";

/// One clean line of at most `most` characters; what is cut off shows as `…`.
pub(crate) fn line(text: &str, most: usize) -> String {
    let words = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty());
    let words: Vec<&str> = words
        .map(|word| match word {
            _ if word.contains("://") => LINK,
            _ if looks_like_a_key(word) => KEY,
            _ => word,
        })
        .collect();
    let mut kept = crate::clean::text(&words.join(" ")).into_owned();
    if kept.chars().count() > most {
        kept = kept.chars().take(most.saturating_sub(1)).collect();
        kept.push('…');
    }
    kept
}

/// Like [`line`], with every occurrence of `secret` taken out first.
pub(crate) fn line_without(text: &str, secret: &str, most: usize) -> String {
    if secret.is_empty() {
        line(text, most)
    } else {
        line(&text.replace(secret, "[secret]"), most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_without_hidden_characters() {
        assert_eq!(
            line(
                "Order\r\n Not\tFound\u{1b}[31m \u{202e}x\u{200b}y\u{e0041}",
                80
            ),
            "Order Not Found [31m xy"
        );
    }

    #[test]
    fn web_addresses_and_the_key_are_taken_out() {
        let told = "see https://app.orderdesk.me/api/v2/orders?key=K123 or ask with K123";
        assert_eq!(
            line_without(told, "K123", 200),
            "see [link] or ask with [secret]"
        );
        assert_eq!(line_without("plain", "", 200), "plain");
        assert_eq!(
            line(
                "folder \"tB7xK2mQ9vLr4WzN8cYp3HsD6fGj1ZaE5uXq\" is unknown",
                200
            ),
            "folder […] is unknown"
        );
    }

    #[test]
    fn a_long_line_is_cut_between_characters() {
        assert_eq!(line("žluťoučký kůň", 5), "žluť…");
    }
}
