//! `env`: the environment variables that windlass reads, with their values.

use std::process::ExitCode;

use clap::ArgAction;

use super::output::{self, clean};

/// Each variable: its name, what it is for, and whether its value is secret.
const VARIABLES: [(&str, &str, Kind); 14] = [
    ("COSIGN_PASSWORD", "Password of private keys", Kind::Secret),
    (
        "COSIGN_REPOSITORY",
        "Repository with the tags of signatures and attestations",
        Kind::Plain,
    ),
    (
        "SYSTEM_NAMESPACE",
        "Namespace of chains-config and signing-secrets",
        Kind::Plain,
    ),
    ("KUBECONFIG", "Kubeconfig files", Kind::Plain),
    (
        "DOCKER_CONFIG",
        "Folder with the Docker configuration config.json",
        Kind::Plain,
    ),
    (
        "REGISTRY_AUTH_FILE",
        "Docker configuration, if that folder has none",
        Kind::Plain,
    ),
    (
        "TUF_ROOT",
        "Folder that trusted roots are kept in",
        Kind::Plain,
    ),
    ("HTTP_PROXY", "Proxy for plain HTTP", Kind::Secret),
    ("HTTPS_PROXY", "Proxy for HTTPS", Kind::Secret),
    ("NO_PROXY", "Hosts without a proxy", Kind::Plain),
    ("NO_COLOR", "No colours, if it is set", Kind::Plain),
    ("RUST_LOG", "Level of log lines", Kind::Plain),
    (
        "KUBE_API_QPS",
        "Accepted by the controller, without effect",
        Kind::Plain,
    ),
    (
        "KUBE_API_BURST",
        "Accepted by the controller, without effect",
        Kind::Plain,
    ),
];
/// What is shown of a secret.
const HIDDEN: &str = "******";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Secret,
}

/// Print the environment variables that windlass reads
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass env
  windlass env --show-descriptions=false")]
pub(crate) struct Env {
    /// Print what each variable is for
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", action = ArgAction::Set)]
    show_descriptions: bool,
    /// Print the values of secrets too
    #[arg(long)]
    show_sensitive_values: bool,
}

impl Env {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let mut lines = Vec::new();
        for (name, description, kind) in VARIABLES {
            if self.show_descriptions {
                lines.push(format!("# {name} {description}"));
            }
            let value = std::env::var_os(name).unwrap_or_default();
            let value = value.to_string_lossy();
            let is_hidden = kind == Kind::Secret && !self.show_sensitive_values;
            let shown = match &*value {
                "" => "".into(),
                _ if is_hidden => HIDDEN.into(),
                value => clean::line(value),
            };
            lines.push(format!("{name}={shown:?}"));
        }
        output::write(lines.join("\n") + "\n")?;
        Ok(ExitCode::SUCCESS)
    }
}
