//! Settings in print.
//!
//! Here: the reference page `docs/CONFIG.md` from the catalogue, and a program's effective settings for its user. Both come from the
//! table that the parser walks, so they cannot drift apart from it.

use std::fmt::Write as _;

use super::catalogue::SETTINGS;
use super::setting::{Owner, Preset, Profile, Setting};
use super::settings::Settings;

/// The sections of the page.
const SECTIONS: [(Owner, &str); 3] = [
    (Owner::Both, "Both binaries"),
    (Owner::Stdio, "`mcp-stdio`"),
    (Owner::Sidecar, "`ops-sidecar`"),
];

const INTRODUCTION: &str = "\
# Settings

This page is printed by the programs from the table they read their settings with; it is not edited by hand.

A setting is looked for in this order, and the first place that says something wins:

1. a flag on the command line, where there is one (`--home`, `--listen`; a program's `--help` lists its own);
2. the environment: `ORDERDESK_MCP_` and the key in capitals, for example `ORDERDESK_MCP_STORE_ID`;
3. for a secret, the file that the variable with `_FILE` at its end names, for example `ORDERDESK_MCP_API_KEY_FILE`;
4. for a secret, the systemd credential of the key's name (`LoadCredential=api_key:…`);
5. `config.toml` in the home folder, or the file that `ORDERDESK_MCP_CONFIG` names: one `key = value` per line, no tables;
6. the default.

An empty value counts as not set. A name that neither program knows is an error that suggests the nearest right one, and so is a value
that cannot be read; all of them are reported together. Each program accepts, and ignores, the settings of the other; secrets of the
other it does not even read.
`mcp-stdio config` and `ops-sidecar check-config` print what holds and where it came from, secrets masked. A `config.toml` that holds a
secret must be readable by its owner only.

Time spans are written `500ms`, `15s`, `2m`, `1h` (a bare number is seconds), sizes `512KiB`, `4MiB` (a bare number is bytes).
";

const MASTER_KEY: &str = "
## Where the master key comes from

`mcp-stdio` takes the first place that exists, and `mcp-stdio doctor` says which one that was. A place that exists and cannot be used
is an error; the next one could hold last year's key.

1. the file that the flag `--master-key-file` names;
2. `ORDERDESK_MCP_MASTER_KEY`;
3. the file that `ORDERDESK_MCP_MASTER_KEY_FILE` names;
4. the systemd credential `master_key` (`LoadCredential=master_key:…`);
5. `master.key` in the home folder, where `mcp-stdio init` puts it: a regular file of this user with mode 0600;
6. the operating system's keyring, only with `key_source = \"keyring\"`, and only when a seal is first opened.

It never stands in `config.toml`. With `store_id` and `api_key` the server needs no master key and looks for none.
";

/// The reference page of all settings.
#[must_use]
pub fn markdown() -> String {
    let mut page = INTRODUCTION.to_owned();
    for (owner, title) in SECTIONS {
        let _ = write!(
            page,
            "\n## {title}\n\n| key | default | accepts | what it does |\n|---|---|---|---|\n"
        );
        for setting in SETTINGS.iter().filter(|setting| setting.owner == owner) {
            let _ = writeln!(
                page,
                "| `{}` | {} | {} | {} |",
                setting.key,
                default_cell(setting),
                setting.kind.accepts(),
                setting.help
            );
        }
    }
    page.push_str(MASTER_KEY);
    page.push_str(&profiles());
    page.push_str(&variables());
    page
}

fn default_cell(setting: &Setting) -> String {
    match setting.preset {
        Preset::Unset => "not set".to_owned(),
        Preset::Found(words) => words.to_owned(),
        Preset::Same(text) => format!("`{text}`"),
        Preset::PerProfile { none, .. } => format!("`{none}`, see profiles"),
    }
}

/// Every default that a profile changes.
fn profiles() -> String {
    let mut table = "\n## Profiles\n\nThe setting `env` changes these defaults and nothing else. Whatever is set explicitly holds in every profile.\n\n\
                     | key | no profile (a desktop) | `development` | `staging` | `production` |\n|---|---|---|---|---|\n"
        .to_owned();
    let columns = [
        None,
        Some(Profile::Development),
        Some(Profile::Staging),
        Some(Profile::Production),
    ];
    for setting in SETTINGS
        .iter()
        .filter(|setting| matches!(setting.preset, Preset::PerProfile { .. }))
    {
        let cells = columns
            .map(|profile| format!("`{}`", setting.preset.text(profile).unwrap_or_default()));
        let _ = writeln!(table, "| `{}` | {} |", setting.key, cells.join(" | "));
    }
    table
}

/// All variables in a form that can be copied.
fn variables() -> String {
    let mut list = "\n## Environment variables\n\n```\n".to_owned();
    for setting in SETTINGS {
        list.push_str(&setting.variable());
        if let Some(variable) = setting.file_variable() {
            let _ = write!(list, "    or {variable}");
        }
        list.push('\n');
    }
    list.push_str("```\n");
    list
}

impl Settings {
    /// What one program obeys, one line per setting with its source, secrets masked.
    #[must_use]
    pub fn to_text(&self, reader: Owner) -> String {
        let lines: Vec<_> = self
            .effective()
            .into_iter()
            .filter(|line| line.owner.concerns(reader))
            .collect();
        let width = lines
            .iter()
            .map(|line| line.key.len())
            .max()
            .unwrap_or_default();
        let mut text = String::new();
        for line in lines {
            let value = line.value.as_deref().unwrap_or("(not set)");
            let _ = writeln!(text, "{:width$} = {value}    # {}", line.key, line.source);
        }
        text
    }
}
