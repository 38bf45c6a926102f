//! The extent of a check: where is looked, and what was found there.

use kube::Client;
use windlass_core::network::Rules;

use super::finding::Finding;

/// Where is looked.
pub(crate) struct Cluster<'a> {
    pub(crate) client: &'a Client,
    /// The names and addresses of the API server.
    pub(crate) api: Rules,
    /// Namespace of the configuration and the key.
    pub(crate) system_namespace: &'a str,
    /// Namespace of the runs; none for all.
    pub(crate) namespace: Option<&'a str>,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Migration {
    pub(crate) findings: Vec<Finding>,
    /// What could not be read, and why.
    pub(crate) unread: Vec<String>,
    /// How many runs were looked at.
    pub(crate) runs: usize,
    /// The key that signs: its algorithm and fingerprint.
    pub(crate) key: Option<String>,
}
