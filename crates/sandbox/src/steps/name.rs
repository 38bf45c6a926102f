//! Names of steps.

use serde_json::Value;

/// The name of a step, made from its place if it has none.
pub(super) fn step_name(step: &Value, at: usize) -> String {
    let name = step["name"].as_str().filter(|name| !name.is_empty());
    name.map_or_else(|| format!("unnamed-{at}"), str::to_owned)
}
