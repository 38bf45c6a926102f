//! One chunk of a list, before it is given the form the client accepts.

use serde_json::Value;

/// One chunk of a list.
#[derive(Debug)]
pub(crate) struct Page {
    pub revision: u64,
    /// Token of the next chunk.
    pub next: Option<String>,
    /// How many objects follow this chunk.
    pub remaining: Option<usize>,
    /// The objects, in the version of the request.
    pub items: Vec<Value>,
}
