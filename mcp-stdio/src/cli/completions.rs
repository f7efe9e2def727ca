//! `completions`: what a shell needs to complete our commands with the tab key.

use clap::{Args as ClapArgs, CommandFactory as _};
use clap_complete::Shell;

use crate::cli::failure::Outcome;
use crate::cli::print::{NAME, show};

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  mcp-stdio completions bash > ~/.local/share/bash-completion/completions/mcp-stdio
  mcp-stdio completions zsh > \"${fpath[1]}/_mcp-stdio\"
  mcp-stdio completions fish > ~/.config/fish/completions/mcp-stdio.fish")]
pub(super) struct Args {
    /// For which shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the script.
pub(super) fn run(args: &Args) -> Outcome {
    let mut script = Vec::new();
    let mut command = super::Cli::command();
    clap_complete::generate(args.shell, &mut command, NAME, &mut script);
    show(&String::from_utf8_lossy(&script))
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn every_shell_gets_a_script_that_knows_the_commands() {
        for shell in Shell::value_variants() {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut super::super::Cli::command(), NAME, &mut script);
            let script = String::from_utf8(script).unwrap();
            assert!(
                script.contains("completions") && script.contains("serve"),
                "{shell}"
            );
        }
    }
}
