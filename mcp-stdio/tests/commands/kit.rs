//! What the tests of commands share: judging an output, and JSON with what differs from run to run masked.

use std::path::Path;
use std::process::Stdio;

use orderdesk_sandbox::{Options, Sandbox};
use serde_json::Value;

use crate::support::{Home, Output, golden};

/// Long and odd enough for a passphrase.
pub(crate) const WORDS: &str = "seven brass kettles hum at noon";

/// An Order Desk with two shops.
pub(crate) fn two_shops() -> Sandbox {
    let options = Options {
        stores: 2,
        ..Options::default()
    };
    Sandbox::start_blocking(options).unwrap()
}

/// A home that was set up, beside a sandbox.
pub(crate) fn ready(sandbox: &Sandbox) -> Home {
    let home = Home::new().set("API_BASE_URL", &sandbox.base_url());
    home.run(&["init"]).fine();
    home
}

/// Adds the sandbox's store under a name.
pub(crate) fn add(home: &Home, sandbox: &Sandbox, number: usize, name: &str) -> Output {
    let store = sandbox.store(number);
    let add = ["store", "add", "--name", name, "--id", &store.store_id];
    home.run_with(&add, &format!("{}\n", store.api_key))
}

/// The output's JSON.
pub(crate) fn json(output: Output) -> Value {
    serde_json::from_str(&output.fine().stdout).unwrap()
}

/// That the command did nothing, said why and what to do, and printed no result.
pub(crate) fn refused(output: &Output, code: i32, why: &str) {
    let Output { stdout, stderr, .. } = output;
    assert_eq!(output.code, Some(code), "{stderr}{stdout}");
    assert_eq!(stdout, "");
    assert!(stderr.contains(why), "no `{why}` in: {stderr}");
    assert!(stderr.contains("\nhint: "), "{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
}

/// Runs a command as a person with a home folder of their own.
pub(crate) fn run_as(home: &Home, person: &Path, arguments: &[&str]) -> Output {
    let output = home
        .command()
        .env("HOME", person)
        .env_remove("XDG_CONFIG_HOME")
        .env_remove("CLAUDE_CONFIG_DIR")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Output {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Holds the JSON of an output to `golden/cli/<name>.json`.
pub(crate) fn golden_json(name: &str, home: &Home, stdout: &str) {
    let mut value: Value = serde_json::from_str(stdout).unwrap();
    mask(&mut value, home);
    golden(&format!("cli/{name}.json"), &format!("{value:#}\n"));
}

/// What is another in each run becomes a word that says what it is.
fn mask(value: &mut Value, home: &Home) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match key.as_str() {
                    "milliseconds" => *value = "<milliseconds>".into(),
                    _ => mask(value, home),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| mask(value, home)),
        Value::String(text) => *text = masked(text, home),
        _ => {}
    }
}

fn masked(text: &str, home: &Home) -> String {
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match text.len() {
        64 if is_hex(text) => return "<hash>".to_owned(),
        32 if is_hex(text) => return "<id>".to_owned(),
        16 if is_hex(text) => return "<key id>".to_owned(),
        63 if text.starts_with("odmk1") => return "<key>".to_owned(),
        _ if text.parse::<jiff::Timestamp>().is_ok() => return "<time>".to_owned(),
        _ => {}
    }
    if text.starts_with("{\"stores_after\":") {
        return "<stores>".to_owned();
    }
    if text.starts_with("http://127.0.0.1:") {
        return "<api>".to_owned();
    }
    let home = home.path();
    text.replace(env!("CARGO_BIN_EXE_mcp-stdio"), "<program>")
        .replace(&*home.to_string_lossy(), "<home>")
        .replace(&*home.parent().unwrap().to_string_lossy(), "<folder>")
}
