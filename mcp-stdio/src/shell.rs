//! Words for a shell: what we tell people to type arrives as what was meant, whatever is in it.
//!
//! Paths and names stand in those commands, and a name may have been chosen by a model that somebody talked into it. Here: one word, quoted.
//! Not here: which command it belongs to. Nothing here runs anything.

/// A path or name as the shells of this system take it: as it is where that is safe, else quoted. On Windows only what [`carries`].
#[must_use]
pub fn shell_word(text: &str) -> String {
    let is_plain = |c: char| {
        c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c) || (cfg!(windows) && c == '\\')
    };
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    if cfg!(windows) {
        return format!("\"{text}\"");
    }
    in_single_quotes(text)
}

/// Whether a command line of this system carries a text in one word. On Windows nothing quotes everything for cmd and PowerShell alike:
/// within double quotes cmd replaces `%…%`, and PowerShell `$…` and what follows a backtick; both end the word at a double quote, PowerShell
/// at a curly one, too; and a backslash before the closing quote takes it away.
#[must_use]
pub fn carries(text: &str) -> bool {
    !cfg!(windows) || windows_carries(text)
}

fn windows_carries(text: &str) -> bool {
    let is_special = |c: char| "\"%$`\u{201c}\u{201d}\u{201e}".contains(c);
    !text.contains(is_special) && !text.ends_with('\\')
}

/// For sh, bash, zsh and fish. Quotes and backslashes stand outside of the quotes, behind a backslash: within single quotes fish takes a
/// backslash for an escape, the others do not.
fn in_single_quotes(text: &str) -> String {
    let mut word = String::with_capacity(text.len() + 2);
    word.push('\'');
    for c in text.chars() {
        if matches!(c, '\'' | '\\') {
            word.push_str("'\\");
            word.push(c);
            word.push('\'');
        } else {
            word.push(c);
        }
    }
    word.push('\'');
    word
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[cfg(unix)]
    #[test]
    fn a_shell_gets_what_was_meant() {
        assert_eq!(shell_word("/home/ann/x.key"), "/home/ann/x.key");
        assert_eq!(shell_word("a b"), "'a b'");
        assert_eq!(shell_word(""), "''");
        for hostile in ["it's; $(rm -rf x) `y`", r"\'; echo pwned; echo \'", r"\"] {
            let said = std::process::Command::new("sh")
                .args(["-c", &format!("printf %s {}", shell_word(hostile))])
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(said.stdout).unwrap(), hostile);
        }
    }

    /// Reads one word by the rules of sh, or of fish, where `\'` and `\\` are escapes within single quotes; `None` when it is not exactly one.
    fn read(word: &str, in_fish: bool) -> Option<String> {
        let mut read = String::new();
        let mut is_quoted = false;
        let mut chars = word.chars();
        while let Some(c) = chars.next() {
            match (c, is_quoted) {
                ('\'', _) => is_quoted = !is_quoted,
                ('\\', false) => read.push(chars.next()?),
                ('\\', true) if in_fish => match chars.next()? {
                    c @ ('\'' | '\\') => read.push(c),
                    c => read.extend(['\\', c]),
                },
                (c, true) => read.push(c),
                (c, false) if c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c) => read.push(c),
                _ => return None,
            }
        }
        (!is_quoted).then_some(read)
    }

    proptest! {
        #[test]
        fn every_text_is_one_word_of_every_shell(text in r"[a-z \\'$;`]{0,12}|.{0,40}") {
            let word = in_single_quotes(&text);
            prop_assert_eq!(read(&word, false), Some(text.clone()));
            prop_assert_eq!(read(&word, true), Some(text));
        }
    }

    #[test]
    fn what_no_windows_shell_quotes_is_known() {
        for name in [
            "Tea & Sons",
            "Ana's (old) shop; 5 < 6 | 7",
            "Käse^2",
            "C:\\x y",
        ] {
            assert!(windows_carries(name), "{name}");
        }
        for name in [
            "$(calc)",
            "%PATH%",
            "a`b",
            "x\" & calc & \"",
            "a\u{201d} ; calc",
            "x\\",
        ] {
            assert!(!windows_carries(name), "{name}");
        }
    }
}
