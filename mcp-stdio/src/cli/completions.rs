//! `completions`: what a shell needs to complete our commands with the tab key.

use clap::{Args as ClapArgs, CommandFactory as _};
use clap_complete::Shell;
use shared::completions;

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
    show(&script(args.shell))
}

fn script(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut super::Cli::command(), NAME, &mut script);
    completions::mend(&String::from_utf8_lossy(&script), NAME)
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn every_shell_gets_a_script_that_knows_the_commands() {
        for shell in Shell::value_variants() {
            let script = script(*shell);
            assert!(
                script.contains("completions") && script.contains("serve"),
                "{shell}"
            );
        }
    }

    /// A state without a case completes nothing: every command below the first word did not, because of the hyphen in our name.
    #[test]
    fn bash_finds_a_case_for_every_state_that_the_script_goes_into() {
        let script = script(Shell::Bash);
        let states: Vec<&str> = script
            .lines()
            .filter_map(|line| line.trim().strip_prefix("cmd=\"")?.strip_suffix('"'))
            .filter(|state| !state.is_empty())
            .collect();
        assert!(states.len() > 40, "{states:?}");
        for state in states {
            let case = format!("        {state})\n");
            assert!(script.contains(&case), "no case for {state}");
        }
    }
}
