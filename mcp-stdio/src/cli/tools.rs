//! `tools`: what the model will see, with its token cost.

use crate::cli::Form;
use crate::cli::failure::Outcome;
use crate::cli::print::{pretty, show};
use crate::tools;

/// Prints the tools in the asked form.
pub(super) fn run(form: &Form) -> Outcome {
    show(&text(form))
}

fn text(form: &Form) -> String {
    if form.markdown {
        return tools::markdown();
    }
    if form.json {
        let definitions: Vec<_> = tools::ALL.iter().map(|tool| tool.definition()).collect();
        return pretty(&serde_json::json!({ "tools": definitions }));
    }
    tools::ALL
        .iter()
        .map(|tool| {
            format!(
                "{:<16} ~{:>3} tokens  {}\n",
                tool.name,
                tool.tokens(),
                tool.title
            )
        })
        .collect()
}
