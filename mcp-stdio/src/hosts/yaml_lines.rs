//! Our own values as YAML lines.
//!
//! Here: block style, two spaces, quotes wherever plain text could be read as something else. Not here: anybody else's YAML.

use super::tree::Tree;

/// The lines of a table, each ended.
pub(super) fn lines(tree: &Tree) -> String {
    let mut out = String::new();
    write(&mut out, tree, 0);
    out
}

fn write(out: &mut String, tree: &Tree, depth: usize) {
    let indent = "  ".repeat(depth);
    match tree {
        Tree::Map(pairs) => {
            for (key, value) in pairs {
                let key = text(key);
                out.push_str(&format!("{indent}{key}:"));
                value_after(out, value, depth);
            }
        }
        Tree::List(values) => {
            for value in values {
                out.push_str(&format!("{indent}-"));
                item_after(out, value, depth);
            }
        }
        Tree::Text(_) | Tree::Other(_) => {
            out.push_str(&format!("{indent}{}\n", word(tree)));
        }
    }
}

fn value_after(out: &mut String, value: &Tree, depth: usize) {
    if is_short(value) {
        out.push_str(&format!(" {}\n", word(value)));
    } else {
        out.push('\n');
        write(out, value, depth + 1);
    }
}

/// The first line of a table stands beside its dash.
fn item_after(out: &mut String, value: &Tree, depth: usize) {
    if is_short(value) {
        out.push_str(&format!(" {}\n", word(value)));
        return;
    }
    let mut nested = String::new();
    write(&mut nested, value, depth + 1);
    out.push(' ');
    out.push_str(nested.trim_start());
}

fn is_short(value: &Tree) -> bool {
    match value {
        Tree::Text(_) | Tree::Other(_) => true,
        Tree::List(values) => values.is_empty(),
        Tree::Map(pairs) => pairs.is_empty(),
    }
}

fn word(value: &Tree) -> String {
    match value {
        Tree::Text(found) => text(found),
        Tree::Other(found) => found.clone(),
        Tree::List(_) => "[]".to_owned(),
        Tree::Map(_) => "{}".to_owned(),
    }
}

/// Plain if nobody can read it as anything but this text; else in double quotes, whose escapes are JSON's.
fn text(found: &str) -> String {
    let starts_plain = found
        .starts_with(|first: char| first.is_ascii_alphabetic() || first == '/' || first == '_');
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/_.-+@".contains(letter);
    let reserved = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    if starts_plain
        && found.chars().all(is_plain)
        && !reserved.iter().any(|word| word.eq_ignore_ascii_case(found))
    {
        return found.to_owned();
    }
    serde_json::Value::from(found).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_could_be_something_else_is_quoted() {
        for plain in ["/usr/bin/mcp-stdio", "serve", "ORDERDESK_MCP_HOME"] {
            assert_eq!(text(plain), plain);
        }
        for odd in [
            "", "no", "True", "300", "1e3", "-", "--home", "a: b", "a #b", r"C:\x", "a b", "~",
            "'", "\n",
        ] {
            assert!(text(odd).starts_with('"'), "{odd}");
        }
    }

    #[test]
    fn tables_and_lists_nest() {
        let item = Tree::Map(vec![
            ("name".to_owned(), Tree::text("a")),
            ("args".to_owned(), Tree::List(vec![Tree::text("serve")])),
            ("env".to_owned(), Tree::Map(Vec::new())),
        ]);
        let tree = Tree::Map(vec![("servers".to_owned(), Tree::List(vec![item]))]);
        assert_eq!(
            lines(&tree),
            "servers:\n  - name: a\n    args:\n      - serve\n    env: {}\n"
        );
    }
}
