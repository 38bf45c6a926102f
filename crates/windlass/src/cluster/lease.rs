//! A lease: a small object that the account of Tekton Chains may read, create and replace in its own
//! namespace, which it may no other. What it says of its holder is its [`Term`](term).

use jiff::Timestamp;
use kube::Client;
use serde_json::{Value, json};

use self::term::Term;
use windlass_core::json::Flaw;

use super::call::{Call, CallError};
use super::list::ListError;
use super::path::{ApiPath, Resource};
use super::peek::Identity;

pub(crate) mod term;

/// A lease as the API server sent it.
#[derive(Debug, Clone)]
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
    /// There is no list of leases.
    #[error(transparent)]
    List(ListError),
    /// The response is something else.
    #[error("cannot use lease {place}: the API server sent something that is not a lease")]
    Malformed {
        /// Namespace and name.
        place: String,
        /// What is wrong with it.
        source: Flaw,
    },
}

impl LeaseError {
    /// Whether the same may succeed later without anybody changing anything.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            // permissions do not come by themselves
            Self::Call(error) => error.is_transient() && !matches!(error.status(), Some(403)),
            Self::Malformed { .. } | Self::List(_) => false,
        }
    }

    /// Whether somebody else wrote the lease since it was read, or created it first.
    pub(crate) fn is_conflict(&self) -> bool {
        self.has_status(409)
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

impl From<ListError> for LeaseError {
    fn from(error: ListError) -> Self {
        match error {
            ListError::Call(error) => Self::Call(error),
            error => Self::List(error),
        }
    }
}

impl Lease {
    /// The lease in an object, given as JSON.
    pub(crate) fn of(object: &[u8]) -> Result<Self, LeaseError> {
        let Identity {
            namespace, name, ..
        } = Identity::peek(object);
        Self::parse(&namespace, &name, object)
    }

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
        Self::create_as(client, blank(namespace, name)).await
    }

    /// Creates the lease for this term, with these labels.
    pub(crate) async fn create_for(
        client: &Client,
        (namespace, name): (&str, &str),
        labels: &Value,
        term: &Term<'_>,
    ) -> Result<Self, LeaseError> {
        let mut lease = blank(namespace, name);
        lease.object["metadata"]["labels"] = labels.clone();
        term.write(&mut lease.object);
        Self::create_as(client, lease).await
    }

    async fn create_as(client: &Client, lease: Self) -> Result<Self, LeaseError> {
        let (namespace, name) = (&lease.namespace, &lease.name);
        let action = format!("create lease {namespace}/{name}");
        let body = lease.object.to_string().into_bytes();
        let body = Call::post(action, collection(namespace), body);
        Self::parse(namespace, name, &body.send(client).await?)
    }

    /// Takes the lease for this term, unless it has changed since it was read.
    pub(crate) async fn take(
        &mut self,
        client: &Client,
        term: &Term<'_>,
    ) -> Result<(), LeaseError> {
        let mut object = self.object.clone();
        term.write(&mut object);
        self.put(client, &object).await
    }

    /// Gives up the lease of this name, if this holder has it: the lease is read, since an earlier
    /// request may have taken it though no response came.
    pub(crate) async fn release(
        client: &Client,
        (namespace, name): (&str, &str),
        holder: &str,
    ) -> Result<(), LeaseError> {
        let mut lease = match Self::read(client, namespace, name).await {
            Err(error) if error.is_missing() => return Ok(()),
            read => read?,
        };
        if lease.term().holder != holder {
            return Ok(());
        }
        let mut object = lease.object.clone();
        term::end(&mut object);
        lease.put(client, &object).await
    }

    /// Replaces an annotation, unless the lease has changed since it was read.
    pub(crate) async fn annotate(
        &mut self,
        client: &Client,
        annotation: &str,
        value: &str,
    ) -> Result<(), LeaseError> {
        let mut object = self.object.clone();
        term::annotate(&mut object, annotation, value);
        self.put(client, &object).await
    }

    async fn put(&mut self, client: &Client, object: &Value) -> Result<(), LeaseError> {
        let (namespace, name) = (&self.namespace, &self.name);
        let action = format!("write lease {namespace}/{name}");
        let path = collection(namespace).object(name);
        let body = Call::put(action, path, object.to_string().into_bytes());
        *self = Self::parse(namespace, name, &body.send(client).await?)?;
        Ok(())
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Its uid.
    pub(crate) fn uid(&self) -> &str {
        let uid = self.object["metadata"]["uid"].as_str();
        uid.unwrap_or_default()
    }

    /// What it says of its holder.
    pub(crate) fn term(&self) -> Term<'_> {
        Term::read(&self.object)
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
            source: Flaw::from(source),
        })?;
        Ok(Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            object,
        })
    }
}

/// A lease that nobody holds.
fn blank(namespace: &str, name: &str) -> Lease {
    let object = json!({
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": { "namespace": namespace, "name": name },
    });
    Lease {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        object,
    }
}

/// All leases of a namespace.
pub(crate) fn collection(namespace: &str) -> ApiPath {
    ApiPath::within(namespace, Resource::LEASES)
}
