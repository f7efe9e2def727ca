//! The names of objects: few characters, so that they mean the same on every disk and in every cloud.

/// Whether `key` is one that we would write: segments of ASCII letters, digits, `.`, `_` and `-`, none empty, none with a leading dot
/// (`.` and `..` are among those; so are the names of files that are still being written).
pub(super) fn is_ours(key: &str) -> bool {
    !key.is_empty() && key.len() <= 512 && key.split('/').all(is_segment)
}

fn is_segment(segment: &str) -> bool {
    !segment.is_empty()
        && !segment.starts_with('.')
        && segment
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::is_ours;

    #[test]
    fn our_own_names_are_fine() {
        for key in [
            "snapshots/20261121T214011Z-3f9a1c.db.zst.age",
            "pitr/20261121T214011Z-3f9a1c/1763761211000-base-d.inc.zst",
            "a",
        ] {
            assert!(is_ours(key), "{key}");
        }
    }

    #[test]
    fn names_that_climb_hide_or_mean_something_else_elsewhere_are_not() {
        for key in [
            "", "/a", "a/", "a//b", ".", "..", "a/../b", ".hidden", "a/.b", "a b", "a\\b", "a:b",
            "ä", "a#1", "a%2fb", "a?b", "a\nb",
        ] {
            assert!(!is_ours(key), "{key:?}");
        }
        assert!(!is_ours(&"a".repeat(513)));
    }
}
