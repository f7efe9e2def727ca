//! The `ops-sidecar` binary: a result becomes an exit code, nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    ops_sidecar::cli::main()
}
