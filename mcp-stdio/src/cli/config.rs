//! `config`: the effective settings, each with its source; secrets are masked.

use shared::env::Owner;

use crate::cli::Form;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::print::{USAGE, pretty, show};
use crate::cli::setup::{Global, Setup};

/// Prints the settings; their mistakes go to stderr, with exit code 2.
pub(super) fn run(global: Global, form: &Form) -> Outcome {
    if form.markdown {
        return show(&shared::env::markdown());
    }
    let setup = Setup::new(global, &[])?;
    let text = if form.json {
        let settings = setup.settings.effective();
        pretty(&serde_json::json!({"settings": settings, "mistakes": setup.mistakes}))
    } else {
        setup.settings.to_text(Owner::Stdio)
    };
    show(&text)?;
    if setup.mistakes.is_empty() {
        return Ok(());
    }
    Err(Failure::text(setup.mistakes.join("\n"), USAGE))
}
