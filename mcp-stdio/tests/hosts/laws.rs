//! Laws, over documents that a generator makes up: in and out again changes nothing else, and twice is once.
//!
//! The documents are written by a person with habits: an indentation, comments here and there, trailing commas, Windows line ends. They
//! hold our container with other servers, without any, or not at all, between settings that are none of our business.

use proptest::prelude::*;

use super::kit::{Machine, entry};

/// A person's habits.
#[derive(Clone, Debug)]
struct Habits {
    indent: &'static str,
    trailing_commas: bool,
    windows: bool,
    final_break: bool,
}

fn habits() -> impl Strategy<Value = Habits> {
    let indent = prop_oneof![Just("  "), Just("    "), Just("\t"), Just(" ")];
    (indent, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(indent, trailing_commas, windows, final_break)| Habits {
            indent,
            trailing_commas,
            windows,
            final_break,
        },
    )
}

impl Habits {
    fn finish(&self, text: &str) -> String {
        let text = text.trim_end_matches('\n');
        let text = if self.final_break {
            format!("{text}\n")
        } else {
            text.to_owned()
        };
        if self.windows {
            text.replace('\n', "\r\n")
        } else {
            text
        }
    }
}

/// A setting: its key, its value, and what is noted about it.
#[derive(Clone, Debug)]
struct Setting {
    key: String,
    value: Value,
    above: Option<String>,
    beside: Option<String>,
    blank_before: bool,
}

#[derive(Clone, Debug)]
enum Value {
    Word(String),
    Number(u32),
    Switch(bool),
    List(Vec<String>),
    Table(Vec<Setting>),
}

fn words() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9 #:/{}\\[\\],'\"\\\\$é-]{0,12}"
}

fn note() -> impl Strategy<Value = Option<String>> {
    proptest::option::weighted(0.3, "[a-z #\"{},:]{0,12}")
}

fn settings(depth: u32) -> BoxedStrategy<Vec<Setting>> {
    let leaf = prop_oneof![
        words().prop_map(Value::Word),
        any::<u32>().prop_map(Value::Number),
        any::<bool>().prop_map(Value::Switch),
        prop::collection::vec(words(), 0..3).prop_map(Value::List),
    ];
    let value = if depth == 0 {
        leaf.boxed()
    } else {
        prop_oneof![3 => leaf, 1 => settings(depth - 1).prop_map(Value::Table)].boxed()
    };
    let setting = (
        "[a-z]{1,6}",
        value,
        note(),
        note(),
        prop::bool::weighted(0.2),
    )
        .prop_map(|(key, value, above, beside, blank_before)| Setting {
            key,
            value,
            above,
            beside,
            blank_before,
        });
    let settings = prop::collection::vec(setting, 0..4);
    settings
        .prop_map(|mut settings| {
            for (number, setting) in settings.iter_mut().enumerate() {
                setting.key.push_str(&format!("_{number}"));
            }
            settings
        })
        .boxed()
}

/// A document: settings, and among them the container, if there is one.
fn document(container: &'static str) -> impl Strategy<Value = Vec<Setting>> {
    let servers = proptest::option::weighted(0.8, settings(1));
    (
        settings(2),
        servers,
        any::<prop::sample::Index>(),
        note(),
        note(),
    )
        .prop_map(move |(mut settings, servers, at, above, beside)| {
            if let Some(servers) = servers {
                // Every server is a table.
                let servers = servers.into_iter().map(|server| Setting {
                    value: Value::Table(vec![server.clone()]),
                    ..server
                });
                let value = Value::Table(servers.collect());
                let key = container.to_owned();
                let place = at.index(settings.len() + 1);
                settings.insert(
                    place,
                    Setting {
                        key,
                        value,
                        above,
                        beside,
                        blank_before: false,
                    },
                );
            }
            settings
        })
}

fn quoted(word: &str) -> String {
    serde_json::to_string(word).unwrap()
}

mod jsonc {
    use super::*;

    pub(super) fn write(settings: &[Setting], habits: &Habits) -> String {
        habits.finish(&table(settings, habits, 1))
    }

    fn table(settings: &[Setting], habits: &Habits, depth: usize) -> String {
        if settings.is_empty() {
            return "{}".to_owned();
        }
        let (inner, outer) = (habits.indent.repeat(depth), habits.indent.repeat(depth - 1));
        let mut out = "{\n".to_owned();
        for (number, setting) in settings.iter().enumerate() {
            if setting.blank_before {
                out.push('\n');
            }
            if let Some(note) = &setting.above {
                out.push_str(&format!("{inner}// {note}\n"));
            }
            let value = match &setting.value {
                Value::Word(word) => quoted(word),
                Value::Number(number) => number.to_string(),
                Value::Switch(on) => on.to_string(),
                Value::List(words) => {
                    format!(
                        "[{}]",
                        words
                            .iter()
                            .map(|word| quoted(word))
                            .collect::<Vec<_>>()
                            .join(", ")
                    )
                }
                Value::Table(settings) => table(settings, habits, depth + 1),
            };
            let last = number + 1 == settings.len();
            let comma = if last && !habits.trailing_commas {
                ""
            } else {
                ","
            };
            let beside = setting
                .beside
                .as_ref()
                .map_or_else(String::new, |note| format!(" // {note}"));
            out.push_str(&format!(
                "{inner}\"{}\": {value}{comma}{beside}\n",
                setting.key
            ));
        }
        out + &outer + "}"
    }
}

mod toml {
    use super::*;

    /// Plain values first, then tables: what TOML asks for.
    pub(super) fn write(settings: &[Setting], habits: &Habits) -> String {
        let mut out = String::new();
        table(&mut out, settings, "");
        habits.finish(&out)
    }

    fn table(out: &mut String, settings: &[Setting], path: &str) {
        let (tables, values): (Vec<_>, Vec<_>) = settings
            .iter()
            .partition(|setting| matches!(setting.value, Value::Table(_)));
        for setting in values.into_iter().chain(tables) {
            if setting.blank_before {
                out.push('\n');
            }
            if let Some(note) = &setting.above {
                out.push_str(&format!("# {note}\n"));
            }
            let key = &setting.key;
            let beside = setting
                .beside
                .as_ref()
                .map_or_else(String::new, |note| format!(" # {note}"));
            match &setting.value {
                Value::Word(word) => out.push_str(&format!("{key} = {}{beside}\n", quoted(word))),
                Value::Number(number) => out.push_str(&format!("{key}={number}{beside}\n")),
                Value::Switch(on) => out.push_str(&format!("{key} = {on}{beside}\n")),
                Value::List(words) => {
                    out.push_str(&format!("{key} = [\n"));
                    words
                        .iter()
                        .for_each(|word| out.push_str(&format!("  {},\n", quoted(word))));
                    out.push_str(&format!("]{beside}\n"));
                }
                Value::Table(settings) => {
                    let path = if path.is_empty() {
                        key.clone()
                    } else {
                        format!("{path}.{key}")
                    };
                    out.push_str(&format!("[{path}]{beside}\n"));
                    table(out, settings, &path);
                }
            }
        }
    }
}

mod yaml {
    use super::*;

    pub(super) fn write(settings: &[Setting], habits: &Habits) -> String {
        let spaces = if habits.indent == "\t" {
            "   "
        } else {
            habits.indent
        };
        let mut out = String::new();
        table(&mut out, settings, spaces, 0);
        habits.finish(&out)
    }

    fn table(out: &mut String, settings: &[Setting], spaces: &str, depth: usize) {
        let indent = spaces.repeat(depth);
        for setting in settings {
            if setting.blank_before {
                out.push('\n');
            }
            if let Some(note) = &setting.above {
                out.push_str(&format!("{indent}# {note}\n"));
            }
            let beside = setting
                .beside
                .as_ref()
                .map_or_else(String::new, |note| format!(" # {note}"));
            let key = &setting.key;
            match &setting.value {
                Value::Word(word) => {
                    out.push_str(&format!("{indent}{key}: {}{beside}\n", quoted(word)));
                }
                Value::Number(number) => {
                    out.push_str(&format!("{indent}{key}: {number}{beside}\n"));
                }
                Value::Switch(on) => out.push_str(&format!("{indent}{key}: {on}{beside}\n")),
                Value::List(words) if words.is_empty() => {
                    out.push_str(&format!("{indent}{key}: []{beside}\n"));
                }
                Value::List(words) => {
                    out.push_str(&format!("{indent}{key}:{beside}\n"));
                    for word in words {
                        out.push_str(&format!("{indent}{spaces}- {}\n", quoted(word)));
                    }
                }
                Value::Table(settings) if settings.is_empty() => {
                    out.push_str(&format!("{indent}{key}: {{}}{beside}\n"));
                }
                Value::Table(settings) => {
                    out.push_str(&format!("{indent}{key}:{beside}\n"));
                    table(out, settings, spaces, depth + 1);
                }
            }
        }
    }
}

/// The laws. A container that holds other servers is `shared`: then taking out is the exact inverse of putting in.
fn holds(id: &str, before: &str, shared: bool) -> Result<(), TestCaseError> {
    let machine = Machine::holding(id, before);
    let done = machine.install(id);
    prop_assert!(done.is_ok(), "{done:?}\n{before}");
    prop_assert_eq!(machine.installed(id), Some(entry()));
    let after = machine.text(id);

    prop_assert!(!machine.install(id).unwrap().changed, "{}", after);
    prop_assert_eq!(&machine.text(id), &after, "twice is once");

    prop_assert!(machine.uninstall(id).unwrap().changed);
    let left = machine.text(id);
    if shared {
        // Up to blank lines: JSON loses one at the top of a table that is written anew, TOML ends its last line.
        let written = |text: &str| {
            text.lines()
                .filter(|line| !line.trim().is_empty())
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        prop_assert_eq!(written(&left), written(before));
    }
    machine.install(id).unwrap();
    let again = machine.text(id);
    prop_assert_eq!(machine.installed(id), Some(entry()));

    // Every line that a person wrote is still there, in order: up to the comma that JSON wants before a new neighbour, and to the
    // line of a container that was empty or missing.
    for (what, text) in [("in", &after), ("out", &left), ("in again", &again)] {
        let mut lines = text.lines().map(plain);
        for line in before.lines().map(plain).filter(|line| is_kept(line)) {
            prop_assert!(
                lines.any(|found| found == line),
                "{what}: lost {line:?}\n{before}\n---\n{text}"
            );
        }
    }
    Ok(())
}

/// Whether other servers stand in the container.
fn is_shared(settings: &[Setting], container: &str) -> bool {
    settings.iter().any(|setting| match &setting.value {
        Value::Table(servers) => setting.key == container && !servers.is_empty(),
        _ => false,
    })
}

/// A line without what an edit may change about it: the comma before a comment or at the end.
fn plain(line: &str) -> String {
    let line = line.trim_end();
    match line.rsplit_once(" //") {
        Some((code, note)) => {
            format!(
                "{} //{}",
                code.trim_end().trim_end_matches(','),
                note.trim_end_matches(',')
            )
        }
        None => line.trim_end_matches(',').to_owned(),
    }
}

/// Braces and the container's own line change shape when the container fills or empties.
fn is_kept(line: &str) -> bool {
    let code = line.trim();
    let containers = ["\"context_servers\"", "[mcp_servers]", "extensions:"];
    !code.is_empty()
        && !code.chars().all(|letter| "{}[]".contains(letter))
        && !containers
            .iter()
            .any(|container| code.starts_with(container))
}

/// Whatever stands in a file: it is refused and left alone, or the entry goes in, stays in, and comes out.
fn survives(id: &str, text: &str) -> Result<(), TestCaseError> {
    let machine = Machine::holding(id, text);
    if machine.install(id).is_err() {
        prop_assert_eq!(machine.text(id), text);
        return Ok(());
    }
    prop_assert_eq!(machine.installed(id), Some(entry()));
    prop_assert!(!machine.install(id).unwrap().changed);
    prop_assert!(machine.uninstall(id).unwrap().changed);
    prop_assert_eq!(machine.installed(id), None);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn json_with_comments_survives(settings in document("context_servers"), habits in habits()) {
        holds("zed", &jsonc::write(&settings, &habits), is_shared(&settings, "context_servers"))?;
    }

    #[test]
    fn toml_survives(settings in document("mcp_servers"), habits in habits()) {
        holds("codex", &toml::write(&settings, &habits), is_shared(&settings, "mcp_servers"))?;
    }

    #[test]
    fn yaml_survives(settings in document("extensions"), habits in habits()) {
        holds("goose", &yaml::write(&settings, &habits), is_shared(&settings, "extensions"))?;
    }

    #[test]
    fn noise_is_refused_or_survived(
        json in "[ \n{}\\[\\]:,\"a/*1é-]{0,24}",
        toml in "(\\[mcp_servers\\]|\\[mcp_servers.x\\]|\\[\\[a\\]\\]|\n|#c\n|a=1\n|mcp_servers.q.r=1\n|b='''\n'''\n| ){0,10}",
        yaml in "(extensions:|a:|b: |  x:|    y: 1|\n|#c\n| |  - z\n|\"q\"|'r'|--- |[|]\n|>-\n|\\{\\}|\\[1\\]|&k|\\*k|<<: |\\? |\t|%){0,12}",
    ) {
        survives("zed", &json)?;
        survives("codex", &toml)?;
        survives("goose", &yaml)?;
    }
}
