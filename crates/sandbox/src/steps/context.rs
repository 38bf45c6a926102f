//! One run while it runs: what is needed to start its steps and to read what they left.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use tokio::time::Instant;

use super::plan::Plan;
use super::record::{Outcome, invalid};
use super::shared::Shared;
use super::workspace::{self, simple};
use crate::cluster::store::Key;

pub(super) struct Context<'a> {
    pub shared: &'a Shared,
    pub key: Key,
    /// The run as it was when it began.
    pub run: Arc<Value>,
    pub plan: Plan,
    /// The run's own folder; it goes with the run.
    pub scratch: &'a Path,
    /// When the run's own time is over.
    pub deadline: Instant,
}

/// Makes folders and sets the variables that name them.
pub(super) fn prepare(
    shared: &Shared,
    run: &Value,
    plan: &mut Plan,
    scratch: &Path,
) -> Result<(), Outcome> {
    let failed = |error: std::io::Error| invalid(format!("could not make a folder: {error}"));
    for folder in [
        "results",
        "workspace",
        "home",
        "credentials",
        "scripts",
        "exit-codes",
    ] {
        std::fs::create_dir_all(scratch.join(folder)).map_err(failed)?;
    }
    // an account of this cluster has no credentials of git or Docker, so the folder stays empty
    let credentials = scratch.join("credentials").display().to_string();
    plan.variables.set("credentials.path", credentials);
    for result in plan.spec["results"].as_array().into_iter().flatten() {
        let name = simple(result["name"].as_str().unwrap_or_default())?;
        let path = scratch.join("results").join(name).display().to_string();
        for form in [
            format!("results.{name}"),
            format!("results[\"{name}\"]"),
            format!("results['{name}']"),
        ] {
            plan.variables.set(format!("{form}.path"), &path);
        }
    }
    workspace::bind(shared, run, &plan.spec, scratch, &mut plan.variables)
}
