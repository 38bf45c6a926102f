//! The program `windlass`.

use std::alloc::System;
use std::process::ExitCode;

use zeroizing_alloc::ZeroAlloc;

/// Wipes all memory when it is freed. Keys and passwords pass through buffers of the HTTP client, of
/// TLS and of parsers, none of which wipes its own.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    windlass::cli::main()
}
