//! Completion scripts that complete.
//!
//! Here: the mending of what `clap_complete` prints for bash. Not here: printing it, which each program does for its own commands.

/// Gives the states of a bash script one name each. Up to `clap_complete` 4.6.11 a script for a program with a hyphen in its name goes
/// into states that it has no case for, and completes nothing after the first word (clap-rs/clap#6421; this can go when that is closed).
/// Scripts for other shells have no such names and stay as they are.
#[must_use]
pub fn mend(script: &str, program: &str) -> String {
    let case = program.replace('-', "__subcmd__");
    let state = program.replace('-', "__");
    script.replace(&case, &state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_the_case_that_the_script_looks_for() {
        let script = "a,b)\n cmd=\"my__tool__subcmd__b\"\n;;\n my__subcmd__tool__subcmd__b)\n";
        let mended = mend(script, "my-tool");
        assert!(mended.contains("\n my__tool__subcmd__b)"), "{mended}");
        assert!(!mended.contains("my__subcmd__tool"), "{mended}");
    }

    #[test]
    fn other_scripts_stay_as_they_are() {
        let script = "#compdef my-tool\n_my-tool() { my-tool__subcmd__b_commands }\n";
        assert_eq!(mend(script, "my-tool"), script);
    }
}
