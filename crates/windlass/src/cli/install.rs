//! `windlass install`: prints the objects of the installation.

use std::process::ExitCode;

use anyhow::Context;

use super::access::reference;
use super::output;
use crate::cluster::path::check_label;
use crate::manifests::{Installation, Platform};

/// Print the manifests that install the controller
///
/// Prints a namespace, an account with the rights it needs, an empty chains-config, the controller and
/// what belongs to it. Names are those of Tekton Chains, so the controller replaces Chains where that
/// is installed. No key is among them, and none is changed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass install --image registry.example.com/windlass:0.1.0 | kubectl apply -f -
  windlass generate-key-pair k8s://tekton-chains/signing-secrets

  # in place of the Chains controller of OpenShift Pipelines
  windlass install --openshift --image registry.example.com/windlass:0.1.0 | kubectl apply -f -

  # to remove it: first see what would be left
  windlass uninstall --check")]
pub(crate) struct Install {
    /// Namespace of the controller (default: tekton-chains, with --openshift openshift-pipelines)
    #[arg(short, long, value_name = "NAMESPACE", value_parser = namespace)]
    namespace: Option<String>,
    /// Image of the controller
    #[arg(long, value_name = "IMAGE", value_parser = image)]
    image: Option<String>,
    /// For OpenShift: no namespace, no fixed user, and monitoring
    #[arg(long)]
    openshift: bool,
    /// Let Prometheus find the metrics, for clusters with its operator
    #[arg(long)]
    monitoring: bool,
}

impl Install {
    /// Prints the manifests.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let platform = match (self.openshift, self.monitoring) {
            (true, _) => Platform::OpenShift,
            (false, true) => Platform::Monitored,
            (false, false) => Platform::Kubernetes,
        };
        if self.image.is_none() {
            output::note(
                "note: windlass is in no public registry; build the image with `cargo run -p xtask \
                 -- image`, push it, and name it with --image",
            );
        }
        let installation = Installation {
            platform,
            namespace: self.namespace,
            image: self.image,
        };
        let mut text = String::new();
        for object in installation.objects()? {
            let object = serde_saphyr::to_string(&object).context("cannot write YAML")?;
            text.extend(["---\n", &object]);
        }
        output::write(text)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn namespace(text: &str) -> Result<String, String> {
    check_label(text).map_err(|_| {
        "a namespace has up to 63 lower-case letters, digits and '-', and starts and ends with a \
         letter or digit"
            .to_owned()
    })?;
    Ok(text.to_owned())
}

/// An image as it is written to the manifest: by tag, by digest, or both.
fn image(text: &str) -> Result<String, String> {
    reference(text)?;
    Ok(text.to_owned())
}
