//! Task runs and pipeline runs in every state that Tekton leaves them in, and in some that it does not.

use serde_json::Value;

pub use self::pipelines::with_child_gone;

mod pieces;
mod pipelines;
mod tasks;

/// Every run; the start of each is its own, so that the order is certain.
pub fn all() -> Vec<Value> {
    let mut all = tasks::all();
    all.extend(pipelines::all());
    all
}
