//! The flags that name the namespace of the controller, as every verb has them.

/// Where the settings are, for a verb whose `-n` is the namespace of runs.
#[derive(Debug, clap::Args)]
pub(crate) struct OfSettings {
    /// Namespace of chains-config and signing-secrets
    #[arg(
        long,
        env = "SYSTEM_NAMESPACE",
        default_value = "tekton-chains",
        value_name = "NAMESPACE"
    )]
    pub(crate) system_namespace: String,
}

/// Where the controller is, for a verb about an installation.
#[derive(Debug, clap::Args)]
pub(crate) struct OfController {
    /// Namespace of the controller
    #[arg(
        short,
        long,
        env = "SYSTEM_NAMESPACE",
        default_value = "tekton-chains",
        value_name = "NAMESPACE"
    )]
    pub(crate) namespace: String,
}
