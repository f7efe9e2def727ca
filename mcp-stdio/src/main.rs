//! The binary: a result becomes an exit code. 0 fine, 2 bad usage or configuration, 1 the rest.

use std::process::exit;

fn main() {
    // An explicit exit: the thread that reads stdin may sit in a read that nothing can cancel.
    exit(mcp_stdio::cli::main());
}
