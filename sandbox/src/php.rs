//! JSON the way PHP's `json_encode` writes it: `\/`, `\uXXXX`, `[]` for an empty map, whole floats without a point.

use std::fmt::Write as _;

use serde_json::Value;

/// The text of `value`.
pub(crate) fn encode(value: &Value) -> String {
    let mut out = String::with_capacity(256);
    write(value, &mut out);
    out
}

/// Appends the text of `value` to `out`.
pub(crate) fn write(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(yes) => out.push_str(if *yes { "true" } else { "false" }),
        Value::Number(number) => write_number(number, out),
        Value::String(text) => write_text(text, out),
        Value::Array(list) => {
            out.push('[');
            for (at, entry) in list.iter().enumerate() {
                separate(at, out);
                write(entry, out);
            }
            out.push(']');
        }
        // A PHP array with no keys cannot say whether it was meant as a map.
        Value::Object(map) if map.is_empty() => out.push_str("[]"),
        Value::Object(map) => {
            out.push('{');
            for (at, (key, entry)) in map.iter().enumerate() {
                separate(at, out);
                write_text(key, out);
                out.push(':');
                write(entry, out);
            }
            out.push('}');
        }
    }
}

/// Appends `text` in quotes.
pub(crate) fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '/' => out.push_str("\\/"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            ' '..='~' => out.push(character),
            other => write_escaped(other, out),
        }
    }
    out.push('"');
}

fn separate(at: usize, out: &mut String) {
    if at > 0 {
        out.push(',');
    }
}

fn write_number(number: &serde_json::Number, out: &mut String) {
    match number.as_f64() {
        Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 1e15 => {
            let _ = write!(out, "{}", float as i64);
        }
        _ => {
            let _ = write!(out, "{number}");
        }
    }
}

fn write_escaped(character: char, out: &mut String) {
    let mut units = [0_u16; 2];
    for unit in character.encode_utf16(&mut units) {
        let _ = write!(out, "\\u{unit:04x}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn it_writes_as_php_does() {
        let value = json!({"url": "a/b", "empty": {}, "list": [], "whole": 10.0, "part": 6.5, "text": "10", "none": null});
        assert_eq!(
            encode(&value),
            r#"{"url":"a\/b","empty":[],"list":[],"whole":10,"part":6.5,"text":"10","none":null}"#
        );
    }

    #[test]
    fn letters_beyond_ascii_are_escaped_and_come_back() {
        let value = json!({"name": "Zoë \u{202e}🎁 \"q\" \\ \u{0}"});
        let text = encode(&value);
        assert!(text.is_ascii());
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }

    #[test]
    fn any_text_comes_back_as_it_went() {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..2_000 {
            let length = random.usize(0..12);
            let text: String = std::iter::repeat_with(|| random.char(..))
                .take(length)
                .collect();
            let mut out = String::new();
            write_text(&text, &mut out);
            assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
        }
    }
}
