//! The `loa` program: see `loa --help`, or README.md.

use std::process::ExitCode;

fn main() -> ExitCode {
    loa::cli::main()
}
