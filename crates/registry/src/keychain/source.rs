//! Sources of credentials, as they were read from the cluster or a file.

use std::collections::BTreeMap;
use std::fmt;

use zeroize::Zeroizing;

use super::candidate::Candidate;

/// A source of credentials.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Source {
    /// A secret of the cluster.
    Secret(Secret),
    /// A secret that something refers to and that could not be read.
    Missing {
        /// `NAMESPACE/NAME`.
        name: String,
        /// Why not, such as `it does not exist`.
        why: String,
    },
    /// A service account that something refers to and that could not be read.
    NoAccount {
        /// `NAMESPACE/NAME`.
        name: String,
        /// Why not.
        why: String,
    },
    /// A Docker configuration file.
    DockerConfig {
        /// Its path, for warnings.
        path: String,
        /// Its content.
        content: Zeroizing<Vec<u8>>,
    },
    /// A candidate of another kind, such as a cloud identity.
    Candidate(Candidate),
}

/// A secret of the cluster.
#[derive(Clone)]
pub struct Secret {
    /// `NAMESPACE/NAME`.
    pub name: String,
    /// Its type, such as `kubernetes.io/dockerconfigjson`.
    pub kind: String,
    /// Its entries.
    pub data: BTreeMap<String, Zeroizing<Vec<u8>>>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}
