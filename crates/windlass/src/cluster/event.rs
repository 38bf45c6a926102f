//! Kubernetes Events, which `kubectl describe` shows: what went wrong.
//!
//! An Event's name is derived from the object and the message, so repeating a message, also after a
//! restart or from another replica, refreshes the same Event.

use jiff::Timestamp;
use kube::Client;
use serde_json::json;
use sha2::{Digest, Sha256};
use windlass_core::error::Chain;

use super::call::{Call, MERGE_PATCH};
use super::path::{ApiPath, Resource};

/// Source component shown beside the Event.
const COMPONENT: &str = "windlass";
/// Longest message the API server takes, in bytes.
const MESSAGE_LIMIT: usize = 1024;

/// The object an Event is about.
#[derive(Debug, Clone)]
pub(crate) struct Regarding {
    pub(crate) api_version: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) uid: String,
}

impl Regarding {
    /// A ConfigMap.
    pub(crate) fn config_map(namespace: &str, name: &str, uid: String) -> Self {
        Self {
            api_version: "v1",
            kind: "ConfigMap",
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            uid,
        }
    }
}

/// What became of an Event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    Recorded,
    /// The namespace is being deleted, so that nothing can be created in it.
    NamespaceEnds,
    Failed,
}

/// Says something about an object. Never fails: what cannot be told is logged.
pub(crate) async fn warn(
    client: &Client,
    regarding: &Regarding,
    reason: &str,
    message: &str,
) -> Told {
    let name = name(regarding, reason, message);
    let namespace = &regarding.namespace;
    let path = ApiPath::within(namespace, Resource::EVENTS);
    let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let event = json!({
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": { "name": name, "namespace": namespace },
        "involvedObject": {
            "apiVersion": regarding.api_version,
            "kind": regarding.kind,
            "namespace": namespace,
            "name": regarding.name,
            "uid": regarding.uid,
        },
        "type": "Warning",
        "reason": reason,
        "message": shorten(message),
        "source": { "component": COMPONENT },
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    });
    let action = format!(
        "record an event on {} {namespace}/{}",
        regarding.kind, regarding.name
    );
    let created = Call::post(action.clone(), path.clone(), event.to_string().into_bytes());
    let outcome = match created.send(client).await {
        Err(error) if error.status() == Some(409) => {
            let refreshed = json!({ "lastTimestamp": now }).to_string().into_bytes();
            Call::patch(action, path.object(&name), MERGE_PATCH, refreshed)
                .send(client)
                .await
        }
        outcome => outcome,
    };
    match outcome {
        Ok(_) => Told::Recorded,
        Err(error) => {
            tracing::warn!(error = %Chain(&error), "cannot record an event: {reason}: {message}");
            if error.says_namespace_ends() {
                Told::NamespaceEnds
            } else {
                Told::Failed
            }
        }
    }
}

fn name(regarding: &Regarding, reason: &str, message: &str) -> String {
    let mut hash = Sha256::new();
    for part in [regarding.uid.as_str(), reason, message] {
        hash.update(part);
        hash.update([0]);
    }
    let digest = hash.finalize();
    let mut suffix = [0; 8];
    suffix.copy_from_slice(&digest[..8]);
    let suffix = format!("{:016x}", u64::from_be_bytes(suffix));
    // the longest name that is allowed has 253 characters
    let stem: String = regarding.name.chars().take(230).collect();
    format!("{}.{suffix}", stem.trim_end_matches(['.', '-']))
}

fn shorten(message: &str) -> &str {
    &message[..message.floor_char_boundary(MESSAGE_LIMIT)]
}
