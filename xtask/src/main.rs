//! Checks of the source that no published tool makes. `cargo run -p xtask -- circles` is the only one.

use std::env;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

mod circles;

/// The workspaces of the repository, from its root.
const WORKSPACES: [&str; 2] = ["Cargo.toml", "fuzz/Cargo.toml"];

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        // nowhere is left to write to if this fails
        let _ = writeln!(io::stderr(), "error: {error:#}");
        ExitCode::from(2)
    })
}

/// Exit status: 0 no circle, 1 circles, 2 the source could not be read.
fn run() -> Result<ExitCode> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if arguments != ["circles"] {
        bail!("unknown arguments {arguments:?}; run `cargo run -p xtask -- circles`");
    }
    // cargo sets it for what it runs
    let manifest = env::var("CARGO_MANIFEST_DIR").context("finding xtask; run it through cargo")?;
    let root = Path::new(&manifest)
        .parent()
        .context("finding the repository above xtask")?;
    let report = circles::check(root, &WORKSPACES)?;
    write!(io::stdout(), "{report}").context("writing the report")?;
    Ok(if report.circles.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
