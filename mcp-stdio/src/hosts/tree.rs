//! What a configuration file says, whatever its format.
//!
//! Here: a small tree that JSON, TOML and YAML are read into, order and repeated keys included. It is what an edit is proved with: the
//! tree without our entry must be the same before and after. Not here: how anything is written; comments and layout are the editors'.

/// A value in a configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tree {
    /// Text, unescaped.
    Text(String),
    /// A number, a boolean, a date, null: as it is written.
    Other(String),
    /// Values in order.
    List(Vec<Tree>),
    /// Keys in order; a key that is written twice is here twice.
    Map(Vec<(String, Tree)>),
}

/// What a missing value looks like where it is spelled out.
const NULLS: [&str; 3] = ["null", "~", ""];

impl Tree {
    /// Text.
    pub(super) fn text(text: impl Into<String>) -> Tree {
        Tree::Text(text.into())
    }

    /// A list of texts.
    pub(super) fn texts(texts: &[String]) -> Tree {
        Tree::List(texts.iter().map(Tree::text).collect())
    }

    /// A map of texts.
    pub(super) fn pairs(pairs: &[(String, String)]) -> Tree {
        let pairs = pairs.iter();
        Tree::Map(
            pairs
                .map(|(key, value)| (key.clone(), Tree::text(value)))
                .collect(),
        )
    }

    /// The text, if this is one.
    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Tree::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The keys and values, if this is a map.
    pub(super) fn as_map(&self) -> Option<&[(String, Tree)]> {
        match self {
            Tree::Map(pairs) => Some(pairs),
            _ => None,
        }
    }

    /// The values, if this is a list.
    pub(super) fn as_list(&self) -> Option<&[Tree]> {
        match self {
            Tree::List(values) => Some(values),
            _ => None,
        }
    }

    /// Whether a key is followed by nothing.
    pub(super) fn is_null(&self) -> bool {
        matches!(self, Tree::Other(text) if NULLS.contains(&text.as_str()))
    }

    /// The value of a key, if this is a map.
    pub(super) fn get(&self, key: &str) -> Option<&Tree> {
        let mut pairs = self.as_map()?.iter();
        pairs
            .find(|(known, _)| known == key)
            .map(|(_, value)| value)
    }

    /// How often a key is written.
    pub(super) fn count(&self, key: &str) -> usize {
        self.as_map().map_or(0, |pairs| {
            pairs.iter().filter(|(known, _)| known == key).count()
        })
    }

    /// What this is, as the middle of a sentence.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Tree::Text(_) => "text",
            Tree::Other(_) if self.is_null() => "empty",
            Tree::Other(_) => "a single value",
            Tree::List(_) => "a list",
            Tree::Map(_) => "a table",
        }
    }

    /// Everything but the entry `name` below the key `container`. A container that holds nothing else counts as absent, because putting
    /// an entry in makes it and taking the entry out leaves it empty.
    pub(super) fn without(&self, container: &str, name: &str) -> Tree {
        let Some(pairs) = self.as_map() else {
            return self.clone();
        };
        let mut rest = Vec::with_capacity(pairs.len());
        for (key, value) in pairs {
            if key != container {
                rest.push((key.clone(), value.clone()));
                continue;
            }
            match value {
                Tree::Map(entries) => {
                    let mut entries = entries.clone();
                    entries.retain(|(known, _)| known != name);
                    if !entries.is_empty() {
                        rest.push((key.clone(), Tree::Map(entries)));
                    }
                }
                value if value.is_null() => {}
                value => rest.push((key.clone(), value.clone())),
            }
        }
        Tree::Map(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, Tree)]) -> Tree {
        Tree::Map(
            pairs
                .iter()
                .map(|(key, value)| ((*key).to_owned(), value.clone()))
                .collect(),
        )
    }

    #[test]
    fn without_takes_out_one_entry_and_an_emptied_container() {
        let other = map(&[("command", Tree::text("y"))]);
        let ours = map(&[("command", Tree::text("x"))]);
        let both = map(&[
            ("a", Tree::text("1")),
            (
                "s",
                map(&[("other", other.clone()), ("ours", ours.clone())]),
            ),
        ]);
        assert_eq!(
            both.without("s", "ours"),
            map(&[("a", Tree::text("1")), ("s", map(&[("other", other)]))])
        );
        let alone = map(&[("a", Tree::text("1")), ("s", map(&[("ours", ours)]))]);
        assert_eq!(alone.without("s", "ours"), map(&[("a", Tree::text("1"))]));
    }

    #[test]
    fn a_key_that_is_written_twice_is_counted_twice() {
        let twice = map(&[("s", Tree::text("1")), ("s", Tree::text("2"))]);
        assert_eq!(twice.count("s"), 2);
        assert_eq!(twice.count("t"), 0);
    }
}
