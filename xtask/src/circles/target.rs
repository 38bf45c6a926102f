//! The crates of a workspace, as cargo lists them: libraries, programs, integration tests, benches,
//! examples. Each is a graph of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// A crate: what to call it, and the file it starts with.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) root: PathBuf,
}

pub(crate) fn targets(manifest: &Path) -> Result<Vec<Target>> {
    let output = Command::new(option_env!("CARGO").unwrap_or("cargo"))
        .args([
            "metadata",
            "--no-deps",
            "--format-version=1",
            "--manifest-path",
        ])
        .arg(manifest)
        .output()
        .context("running cargo metadata")?;
    ensure!(
        output.status.success(),
        "cargo metadata of {} failed: {}",
        manifest.display(),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    let metadata: Value =
        serde_json::from_slice(&output.stdout).context("reading the output of cargo metadata")?;
    let targets: Vec<Target> = items(&metadata["packages"]).flat_map(of_package).collect();
    ensure!(
        !targets.is_empty(),
        "cargo metadata lists no crate of {}",
        manifest.display()
    );
    Ok(targets)
}

fn of_package(package: &Value) -> impl Iterator<Item = Target> {
    items(&package["targets"]).filter_map(|target| {
        let package = package["name"].as_str()?;
        let kind = target["kind"][0].as_str()?;
        Some(Target {
            name: format!("{package} ({kind} {})", target["name"].as_str()?),
            root: PathBuf::from(target["src_path"].as_str()?),
        })
    })
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
