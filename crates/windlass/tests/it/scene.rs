//! The built-in cluster, and a folder whose commands talk to it.

use serde_json::Value;
use tokio::runtime::Runtime;
use windlass_sandbox::{Cluster, Options};

use crate::shell::Shell;

/// A cluster on threads of its own, so that commands can be waited for, and its shell.
pub struct Scene {
    pub shell: Shell,
    pub cluster: Cluster,
    /// Ends last, with everything that runs on it.
    pub runtime: Runtime,
}

impl Scene {
    /// A cluster with these namespaces besides `default`.
    pub fn new(namespaces: &[&str]) -> Self {
        Self::with(Shell::new(), namespaces)
    }

    /// The same for a shell that exists.
    pub fn with(mut shell: Shell, namespaces: &[&str]) -> Self {
        let runtime = Runtime::new().unwrap();
        let options = Options {
            namespaces: namespaces.iter().map(ToString::to_string).collect(),
            ..Options::default()
        };
        let cluster = runtime.block_on(Cluster::start(options)).unwrap();
        shell.kubeconfig = Some(cluster.kubeconfig());
        Self {
            shell,
            cluster,
            runtime,
        }
    }

    /// Creates an object, which has to succeed.
    #[track_caller]
    pub fn create(&self, object: Value) -> Value {
        self.cluster.create(object).unwrap()
    }
}
