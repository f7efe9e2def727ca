//! The nearest right word to a wrong one.
//!
//! Here: one measure for every "did you mean": settings, words of a choice, and what the binaries let people misspell. Not here: what
//! is done about it.

use strsim::damerau_levenshtein;

/// The candidate a person most likely meant, if one is near enough to be worth saying: at most two slips, or one in three
/// characters of a long word; else the shortest candidate that contains the word (someone left a part of the name out).
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let mut best: Option<(usize, &str)> = None;
    let mut container: Option<&str> = None;
    for candidate in candidates {
        let lower = candidate.to_lowercase();
        let slips = damerau_levenshtein(&word, &lower);
        if best.is_none_or(|(fewest, _)| slips < fewest) {
            best = Some((slips, candidate));
        }
        if word.len() >= 3
            && lower.contains(&word)
            && container.is_none_or(|shortest| candidate.len() < shortest.len())
        {
            container = Some(candidate);
        }
    }
    // For a very short word two slips would reach anything.
    let allowed = (word.chars().count() / 3)
        .max(2)
        .min(word.chars().count().saturating_sub(1));
    best.filter(|(slips, _)| *slips <= allowed)
        .map(|(_, candidate)| candidate)
        .or(container)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: [&str; 5] = [
        "store_id",
        "store",
        "cache_ttl_orders",
        "http_timeout",
        "log",
    ];

    #[test]
    fn slips_of_the_keyboard_find_their_word() {
        for (typed, meant) in [
            ("stroe_id", "store_id"),
            ("STORE_ID", "store_id"),
            ("http_timout", "http_timeout"),
            ("cache_tll_order", "cache_ttl_orders"),
        ] {
            assert_eq!(nearest(typed, WORDS), Some(meant), "{typed}");
        }
    }

    #[test]
    fn a_part_of_a_name_finds_the_whole() {
        assert_eq!(nearest("ttl_orders", WORDS), Some("cache_ttl_orders"));
        assert_eq!(nearest("timeout", WORDS), Some("http_timeout"));
    }

    #[test]
    fn nothing_is_suggested_where_nothing_is_near() {
        for typed in ["banana_bread", "", "x", "qq"] {
            assert_eq!(nearest(typed, WORDS), None, "{typed}");
        }
        assert_eq!(nearest("store", []), None);
    }
}
