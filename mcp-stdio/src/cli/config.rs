//! `config`: the effective settings, each with its source; secrets are masked.

use std::path::Path;

use shared::env::{Owner, Settings, Vars};
use shared::paths::Home;

use crate::cli::Form;
use crate::cli::print::{USAGE, complain, pretty, print};

/// Prints the settings; their mistakes go to stderr, with exit code 2.
pub(super) fn run(home: Option<&Path>, form: &Form) -> i32 {
    if form.markdown {
        return print(&shared::env::markdown());
    }
    let env = Vars::from_process();
    let home = match Home::resolve(home, &env) {
        Ok(home) => home,
        Err(error) => return complain(&error.to_string(), USAGE),
    };
    let loaded = Settings::load(&[], &env, &home);
    let mistakes = loaded.mistakes_for(Owner::Stdio);
    let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    let text = if form.json {
        pretty(&serde_json::json!({"settings": loaded.settings.effective(), "mistakes": lines}))
    } else {
        loaded.settings.to_text(Owner::Stdio)
    };
    let printed = print(&text);
    if lines.is_empty() {
        return printed;
    }
    complain(&lines.join("\n"), USAGE)
}
