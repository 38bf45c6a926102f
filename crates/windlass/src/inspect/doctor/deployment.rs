//! The controller's account and Deployment, its replicas, and controllers besides it.

use kube::Client;
use serde::Deserialize;

use super::finding::{Finding, Help, Level};
use crate::cluster::call::{Call, METADATA_ONLY};
use crate::cluster::path::{ApiPath, Resource};
use crate::manifests::rights::CONTROLLER;

const AREA: &str = "controller";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct List {
    items: Vec<Deployment>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Deployment {
    metadata: Metadata,
    spec: Spec,
    status: Status,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Metadata {
    namespace: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Spec {
    replicas: Option<u32>,
    template: Template,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Template {
    spec: Pod,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Pod {
    containers: Vec<Container>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Container {
    image: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    ready_replicas: u32,
}

impl Deployment {
    fn image(&self) -> &str {
        let container = self.spec.template.spec.containers.first();
        container.map_or("", |container| &container.image)
    }

    /// Whether its image is called like one of Chains, and not like one of windlass.
    fn is_chains(&self) -> bool {
        self.image().contains("chains") && !self.image().contains("windlass")
    }
}

pub(super) async fn check(client: &Client, namespace: &str) -> Vec<Finding> {
    let mut findings = vec![account(client, namespace).await];
    let selector = format!("metadata.name={CONTROLLER}");
    let path = ApiPath::all(Resource::DEPLOYMENTS).query(&[("fieldSelector", &selector)]);
    let call = Call::get(format!("list deployments {CONTROLLER}"), path);
    let deployments = match call.send(client).await {
        Ok(body) => {
            serde_json::from_slice::<List>(&body)
                .unwrap_or_default()
                .items
        }
        Err(error) => {
            let look = format!("kubectl get deployment {CONTROLLER} -n {namespace}");
            let what = "cannot look for controllers";
            findings.push(Finding::unknown(AREA, what, &error, look));
            return findings;
        }
    };
    let (own, others): (Vec<_>, Vec<_>) = deployments
        .iter()
        .partition(|one| one.metadata.namespace == namespace);
    findings.push(match own.first() {
        None => {
            let help = Help::new(
                "the controller runs elsewhere, or not at all",
                "install it, or name its namespace with -n",
                install(namespace),
            );
            let what = format!("there is no deployment {namespace}/{CONTROLLER}");
            Finding::new(AREA, Level::Advice, what, help)
        }
        Some(own) => running(own),
    });
    findings.extend(others.into_iter().map(other));
    findings
}

/// What the Deployment of this namespace does.
fn running(deployment: &Deployment) -> Finding {
    let namespace = &deployment.metadata.namespace;
    let (wanted, ready) = (
        deployment.spec.replicas.unwrap_or(1),
        deployment.status.ready_replicas,
    );
    if deployment.is_chains() {
        let what = format!(
            "the controller of {namespace} is Tekton Chains: {}",
            deployment.image()
        );
        let help = Help::new(
            "Chains and windlass both sign whatever they see",
            "let only one of them run",
            install(namespace),
        );
        return Finding::new(AREA, Level::Problem, what, help);
    }
    if wanted == 0 {
        let what = format!("{namespace}/{CONTROLLER} has no replicas");
        let help = Help::new(
            "it was scaled down",
            "scale it up",
            format!("kubectl scale deployment {CONTROLLER} -n {namespace} --replicas=2"),
        );
        return Finding::new(AREA, Level::Problem, what, help);
    }
    if ready < wanted {
        let what = format!("{ready} of {wanted} replicas of {namespace}/{CONTROLLER} are ready");
        let help = Help::new(
            "a pod does not run, or its /readiness says what is missing",
            "read the events of its pods and its log",
            format!("kubectl logs deployment/{CONTROLLER} -n {namespace} --tail=20"),
        );
        return Finding::new(AREA, Level::Problem, what, help);
    }
    Finding::ok(
        AREA,
        format!("{ready} of {wanted} replicas of {namespace}/{CONTROLLER} are ready"),
    )
}

/// A controller in another namespace.
fn other(deployment: &Deployment) -> Finding {
    let namespace = &deployment.metadata.namespace;
    if deployment.spec.replicas == Some(0) {
        let what = format!("{namespace}/{CONTROLLER} exists and has no replicas");
        return Finding::ok(AREA, what);
    }
    let what = format!("another controller signs: {namespace}/{CONTROLLER}");
    let help = Help::new(
        "two controllers with different keys sign the same runs",
        "stop one of them",
        format!("kubectl scale deployment {CONTROLLER} -n {namespace} --replicas=0"),
    );
    Finding::new(AREA, Level::Problem, what, help)
}

async fn account(client: &Client, namespace: &str) -> Finding {
    let path = ApiPath::within(namespace, Resource::SERVICE_ACCOUNTS).object(CONTROLLER);
    let what = format!("service account {namespace}/{CONTROLLER}");
    let call = Call::get(format!("read {what}"), path).accept(METADATA_ONLY);
    match call.send(client).await {
        Ok(_) => Finding::ok(AREA, format!("{what} exists")),
        Err(error) if error.status() == Some(404) => {
            let help = Help::new(
                "the controller runs with another account, or elsewhere",
                "install it, or name its namespace with -n",
                install(namespace),
            );
            Finding::new(AREA, Level::Advice, format!("{what} does not exist"), help)
        }
        Err(error) => {
            let look = format!("kubectl get serviceaccount {CONTROLLER} -n {namespace}");
            Finding::unknown(AREA, format!("cannot read {what}"), &error, look)
        }
    }
}

/// What installs the controller there.
fn install(namespace: &str) -> String {
    format!("windlass install -n {namespace} --image IMAGE | kubectl apply -f -")
}
