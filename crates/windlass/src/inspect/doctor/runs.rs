//! Whether the cluster has Tekton's kinds.

use kube::Client;
use windlass_core::run::Kind;

use super::finding::{Finding, Help, Level};
use crate::cluster::call::Call;
use crate::cluster::runs::collection;

const AREA: &str = "tekton";

pub(super) async fn kinds(client: &Client) -> Vec<Finding> {
    let mut findings = Vec::new();
    for kind in Kind::ALL {
        let path = collection(kind, None).query(&[("limit", "1")]);
        let call = Call::get(format!("list {}s", kind.words()), path);
        findings.push(match call.send(client).await {
            Ok(_) => Finding::ok(AREA, format!("the cluster serves {kind}s at tekton.dev/v1")),
            Err(error) if error.status() == Some(404) => {
                let what = format!("the cluster does not serve {kind}s at tekton.dev/v1");
                let help = Help::new(
                    "Tekton Pipelines is not installed, or is older than 0.43",
                    "install Tekton Pipelines, or OpenShift Pipelines",
                    "kubectl get crd taskruns.tekton.dev pipelineruns.tekton.dev",
                );
                Finding::new(AREA, Level::Problem, what, help)
            }
            Err(error) => {
                let look = format!("kubectl auth can-i list {}s.tekton.dev -A", kind.singular());
                Finding::unknown(AREA, format!("cannot list {kind}s"), &error, look)
            }
        });
    }
    findings
}
