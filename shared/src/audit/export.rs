//! Records as JSON and as CSV, for other programs.
//!
//! JSON holds every field as it is. CSV is opened in spreadsheets, where a cell that begins with `=`, `+`, `-` or `@` is a
//! formula that may call other programs: such a cell gets an apostrophe in front. A client's name comes from outside.

use super::Record;

/// The first line of a CSV export, without its line end.
pub const CSV_HEADER: &str = "seq,at,session,client,action,target,args_shape,outcome,intent_seq,key_version,prev_hash,hash,signed";

/// One record as one line of JSON, without its line end.
pub fn json_line(record: &Record) -> String {
    serde_json::to_string(record).expect("text, numbers and times are JSON")
}

/// One record as one line of CSV (RFC 4180), without its line end. What is absent is an empty cell.
pub fn csv_line(record: &Record) -> String {
    let number = |number: Option<u64>| number.map_or(String::new(), |number| number.to_string());
    let cells = [
        record.seq.to_string(),
        record.at.to_string(),
        csv_cell(&record.session),
        csv_cell(record.client.as_deref().unwrap_or_default()),
        csv_cell(&record.action),
        csv_cell(record.target.as_deref().unwrap_or_default()),
        csv_cell(record.args_shape.as_deref().unwrap_or_default()),
        csv_cell(&record.outcome),
        number(record.intent_seq),
        number(record.key_version.map(u64::from)),
        record.prev_hash.clone(),
        record.hash.clone(),
        record.signed.to_string(),
    ];
    cells.join(",")
}

/// A text as a cell: harmless in a spreadsheet, and quoted where it must be.
fn csv_cell(text: &str) -> String {
    // Spreadsheets pass over leading white space, and tab and return begin formulas in some.
    let is_formula = text.trim_start().starts_with([
        '=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
    ]);
    let harmless = if is_formula || text.starts_with(['\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if harmless.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", harmless.replace('"', "\"\""))
    } else {
        harmless
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::entry::moment;

    fn record() -> Record {
        Record {
            seq: 7,
            at: moment(1_767_225_600_123),
            session: "s".into(),
            client: None,
            action: "store.added".into(),
            target: Some("Tea, \"fine\"".into()),
            args_shape: None,
            outcome: "done".into(),
            intent_seq: Some(3),
            key_version: Some(1),
            prev_hash: "00".into(),
            hash: "ff".into(),
            signed: true,
        }
    }

    #[test]
    fn a_line_of_json_holds_every_field() {
        assert_eq!(
            json_line(&record()),
            r#"{"seq":7,"at":"2026-01-01T00:00:00.123Z","session":"s","client":null,"action":"store.added","target":"Tea, \"fine\"","args_shape":null,"outcome":"done","intent_seq":3,"key_version":1,"prev_hash":"00","hash":"ff","signed":true}"#
        );
    }

    #[test]
    fn a_line_of_csv_quotes_what_must_be_and_leaves_absent_cells_empty() {
        assert_eq!(
            csv_line(&record()),
            r#"7,2026-01-01T00:00:00.123Z,s,,store.added,"Tea, ""fine""",,done,3,1,00,ff,true"#
        );
    }

    #[test]
    fn the_header_names_the_fields_in_their_order() {
        let value = serde_json::to_value(record()).unwrap();
        let names: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
        assert_eq!(CSV_HEADER, names.join(","));
    }

    #[test]
    fn a_cell_is_never_a_formula() {
        for (text, cell) in [
            ("=1+1", "'=1+1"),
            ("+49", "'+49"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            (" =1", "' =1"),
            ("\t=1", "'\t=1"),
            ("\r=1", "\"'\r=1\""),
            ("＝1", "'＝1"),
            ("=A1,B1", "\"'=A1,B1\""),
            ("a=b", "a=b"),
            ("two\nlines", "\"two\nlines\""),
            ("", ""),
        ] {
            assert_eq!(csv_cell(text), cell, "{text:?}");
        }
    }
}
