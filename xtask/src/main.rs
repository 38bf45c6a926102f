//! What no published tool does for this repository: checks of the source, the Helm chart, the image.
//!
//!     cargo run -p xtask -- circles
//!     cargo run -p xtask -- chart
//!     cargo run -p xtask -- image [--binary FILE] [--ca-bundle FILE] [--output FOLDER] [--tag NAME]

use std::env;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

mod chart;
mod circles;
mod image;

/// The workspaces of the repository, from its root.
const WORKSPACES: [&str; 2] = ["Cargo.toml", "fuzz/Cargo.toml"];

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        // nowhere is left to write to if this fails
        let _ = writeln!(io::stderr(), "error: {error:#}");
        ExitCode::from(2)
    })
}

/// Exit status: 0 done, or no circle; 1 circles; 2 it could not be done.
fn run() -> Result<ExitCode> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    // cargo sets it for what it runs
    let manifest = env::var("CARGO_MANIFEST_DIR").context("finding xtask; run it through cargo")?;
    let root = Path::new(&manifest)
        .parent()
        .context("finding the repository above xtask")?;
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (report, code) = match words.as_slice() {
        ["circles"] => {
            let report = circles::check(root, &WORKSPACES)?;
            let is_clean = report.circles.is_empty();
            (report.to_string(), ExitCode::from(u8::from(!is_clean)))
        }
        ["chart"] => (chart::write(root)?, ExitCode::SUCCESS),
        ["image", options @ ..] => (image::write(root, options)?, ExitCode::SUCCESS),
        _ => bail!(
            "unknown arguments {arguments:?}; run `cargo run -p xtask -- circles`, `chart` or `image`"
        ),
    };
    write!(io::stdout(), "{report}").context("writing the report")?;
    Ok(code)
}
