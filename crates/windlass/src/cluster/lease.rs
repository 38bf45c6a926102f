//! A lease: a small object that the account of Tekton Chains may read, create and replace in its own
//! namespace, which it may no other.

use jiff::Timestamp;
use kube::Client;
use serde_json::{Value, json};

use super::call::{Call, CallError};
use super::path::{ApiPath, Resource};

/// A lease as the API server sent it.
#[derive(Debug)]
pub(crate) struct Lease {
    namespace: String,
    name: String,
    object: Value,
}

/// Why a lease could not be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LeaseError {
    /// The API server refused or did not respond.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The response is something else.
    #[error("cannot use lease {place}: the API server sent something that is not a lease")]
    Malformed {
        /// Namespace and name.
        place: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

impl LeaseError {
    /// Whether the same may succeed later without anybody changing anything.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            // permissions do not come by themselves
            Self::Call(error) => error.is_transient() && !matches!(error.status(), Some(403)),
            Self::Malformed { .. } => false,
        }
    }

    /// Whether there is no such lease. An API server that does not know leases says the same, and
    /// refuses to create one.
    pub(crate) fn is_missing(&self) -> bool {
        self.has_status(404)
    }

    fn has_status(&self, wanted: u16) -> bool {
        matches!(self, Self::Call(error) if error.status() == Some(wanted))
    }
}

impl Lease {
    /// Reads the lease, or creates it if there is none.
    pub(crate) async fn open(
        client: &Client,
        namespace: &str,
        name: &str,
    ) -> Result<Self, LeaseError> {
        match Self::read(client, namespace, name).await {
            Err(error) if error.is_missing() => {}
            read => return read,
        }
        match Self::create(client, namespace, name).await {
            // another replica was faster
            Err(error) if error.has_status(409) => Self::read(client, namespace, name).await,
            created => created,
        }
    }

    /// Reads the lease.
    pub(crate) async fn read(
        client: &Client,
        namespace: &str,
        name: &str,
    ) -> Result<Self, LeaseError> {
        let action = format!("read lease {namespace}/{name}");
        let path = collection(namespace).object(name);
        let body = Call::get(action, path).send(client).await?;
        Self::parse(namespace, name, &body)
    }

    async fn create(client: &Client, namespace: &str, name: &str) -> Result<Self, LeaseError> {
        let action = format!("create lease {namespace}/{name}");
        let lease = json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": { "namespace": namespace, "name": name },
        });
        let body = lease.to_string().into_bytes();
        let body = Call::post(action, collection(namespace), body);
        Self::parse(namespace, name, &body.send(client).await?)
    }

    /// Replaces an annotation, unless the lease has changed since it was read.
    pub(crate) async fn annotate(
        &mut self,
        client: &Client,
        annotation: &str,
        value: &str,
    ) -> Result<(), LeaseError> {
        let (namespace, name) = (&self.namespace, &self.name);
        let mut object = self.object.clone();
        let annotations = &mut object["metadata"]["annotations"];
        if !annotations.is_object() {
            *annotations = json!({});
        }
        annotations[annotation] = json!(value);
        let action = format!("write lease {namespace}/{name}");
        let path = collection(namespace).object(name);
        let body = Call::put(action, path, object.to_string().into_bytes());
        *self = Self::parse(namespace, name, &body.send(client).await?)?;
        Ok(())
    }

    /// Its namespace.
    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// When it was created, by the API server's clock.
    pub(crate) fn created(&self) -> Option<Timestamp> {
        let text = self.object["metadata"]["creationTimestamp"].as_str();
        text.and_then(|text| text.parse().ok())
    }

    /// The value of an annotation.
    pub(crate) fn annotation(&self, name: &str) -> Option<&str> {
        self.object["metadata"]["annotations"][name].as_str()
    }

    fn parse(namespace: &str, name: &str, body: &[u8]) -> Result<Self, LeaseError> {
        let object = serde_json::from_slice(body).map_err(|source| LeaseError::Malformed {
            place: format!("{namespace}/{name}"),
            source,
        })?;
        Ok(Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            object,
        })
    }
}

fn collection(namespace: &str) -> ApiPath {
    ApiPath::within(namespace, Resource::LEASES)
}
