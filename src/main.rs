//! The `loa` program: see `loa --help`, or README.md.

use std::process::ExitCode;

/// A third of the processor time of a fan-out goes into many small allocations; this allocator halves that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    loa::cli::main()
}
