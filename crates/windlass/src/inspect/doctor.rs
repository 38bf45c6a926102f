//! The diagnosis of an installation: each thing that signing needs is looked at, and what is wrong has
//! a cause, a remedy and a command.
//!
//! It is made from outside, with the rights of whoever asks. What they may not see is unknown, and is
//! told as such; it is never taken for well. Nothing is changed in the cluster, and in a registry an
//! upload is begun and cancelled.

use kube::Client;

pub(crate) use self::finding::{Finding, Level};

mod clock;
mod configuration;
mod deployment;
mod finding;
mod key;
mod leases;
mod push;
mod rights;
mod runs;

/// Looks at everything, in the order in which a run needs it.
pub(crate) async fn examine(client: &Client, namespace: &str) -> Vec<Finding> {
    let mut findings = runs::kinds(client).await;
    findings.extend(clock::skew(client).await);
    let (config, of_config) = configuration::check(client, namespace).await;
    findings.extend(of_config);
    findings.extend(key::check(client, namespace, config.as_ref()).await);
    findings.extend(deployment::check(client, namespace).await);
    findings.extend(leases::check(client, namespace).await);
    findings.extend(rights::check(client, namespace).await);
    if let Some(config) = config {
        findings.extend(push::check(client, &config).await);
    }
    findings
}
