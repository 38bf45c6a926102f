//! Why there is no connection to a cluster.

use kube::config::InClusterError;

use super::kubeconfig;

/// Why no connection could be set up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    /// The kubeconfig that a flag names is of no use.
    #[error(transparent)]
    Kubeconfig(#[from] kubeconfig::FileError),
    /// No flag names a kubeconfig, none in its usual places is of use, and this is not a pod.
    #[error("no cluster to connect to: {0}")]
    Nowhere(kubeconfig::FileError),
    /// This is a pod, and its service account is of no use.
    #[error("cannot use the service account of this pod; check that its token is mounted")]
    Pod(#[source] InClusterError),
    /// The URL of the API server is none.
    #[error("cannot use the address of the API server; write --server as https://HOST:PORT")]
    Server,
    /// The configuration was read but no client could be made of it.
    #[error(
        "cannot set up the connection to the cluster: {0}; check the kubeconfig, or name another one \
         with --kubeconfig"
    )]
    Client(String),
    /// The program that gives the credential does not run.
    #[error(
        "cannot log in to the cluster: {command}, which the kubeconfig names for that, does not \
         work: {why}; install or repair it, or choose another context with --context"
    )]
    Login {
        /// Its name.
        command: String,
        /// What went wrong.
        why: String,
    },
}
