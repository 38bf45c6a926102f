//! A Kubernetes API on loopback, as its owner sees it: started, filled, looked at and stopped.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use ::http::{Request, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::Value;

use crate::body::{BoxBody, BoxError};
use crate::exchange::exchange_unconnected;
use crate::names::Names;
use crate::random::{hex, random};
use crate::serve::{self, ListenError};
use crate::task::Task;
use crate::tls::{Clients, Identity, TlsError};
use crate::traffic::observable;

pub(crate) mod author;
mod convert;
mod discovery;
pub(crate) mod http;
pub(crate) mod kind;
mod list;
mod list_type;
pub(crate) mod managed;
pub(crate) mod object;
mod openapi;
mod page;
mod patch;
pub(crate) mod pod_log;
pub(crate) mod route;
mod selector;
pub(crate) mod state;
mod status;
pub(crate) mod store;
mod table;
mod validate;
pub(crate) mod verbs;
mod watch;

pub use status::Status;

use author::Author;
use kind::{KINDS, ServedKind};
use state::State;
use store::Key;
use verbs::Writer;

/// How a cluster is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// Port on 127.0.0.1; `None` takes a free one.
    pub port: Option<u16>,
    /// Namespaces made besides `default`, `kube-system`, `kube-public` and `kube-node-lease`.
    pub namespaces: Vec<String>,
    /// How many of the newest requests [`Cluster::requests`] remembers.
    pub request_log: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: None,
            namespaces: Vec::new(),
            request_log: 10_000,
        }
    }
}

/// Why a cluster did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is taken or not allowed.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// TLS could not be set up.
    #[error("could not set up TLS for the built-in cluster")]
    Tls(#[from] TlsError),
    /// A first object could not be made.
    #[error("could not make the first objects of the built-in cluster")]
    Seed(#[from] Status),
}

/// A running Kubernetes API on loopback. Stops when dropped; [`Cluster::shutdown`] also waits.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use serde_json::json;
/// use windlass_sandbox::{Cluster, Fault, FaultAnswer, Gate, Options};
///
/// let cluster = Cluster::start(Options::default()).await?;
/// cluster.create(json!({
///     "apiVersion": "tekton.dev/v1",
///     "kind": "TaskRun",
///     "metadata": {"name": "build"},
///     "status": {"conditions": [{"type": "Succeeded", "status": "True"}]},
/// }))?;
/// assert!(cluster.get("taskruns.tekton.dev", "default", "build").is_some());
/// assert!(cluster.kubeconfig().contains(&cluster.url()));
///
/// // The first patch of the run waits before it takes effect, until the gate is opened.
/// let gate = Gate::new();
/// cluster.fail(Fault::new("PATCH", "/taskruns/build", FaultAnswer::Pause(gate.clone())));
/// // … a controller signs the run, and `gate.reached(1).await` returns …
/// gate.release();
/// assert_eq!(cluster.count("PATCH", "/taskruns/"), 0);
/// cluster.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Cluster {
    state: Arc<State>,
    address: SocketAddr,
    ca_pem: String,
    task: Task,
}

observable!(Cluster, crate::fault::Fault);

impl Cluster {
    /// Listens on 127.0.0.1 and serves until dropped or shut down.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let identity = Identity::make("windlass sandbox API", Clients::Any)?;
        let (listener, address) = serve::listen(options.port).await?;
        let token = hex(&random::<32>().map_err(Status::from)?);
        let state = Arc::new(State::new(token, options.request_log));
        make_namespaces(&state, &options.namespaces)?;
        let stop = state.traffic.stop.clone();
        let names = Names::new(address, "https", &[]);
        let serving = serve::serve(listener, Some(identity.server), names, Arc::clone(&state));
        Ok(Self {
            state,
            address,
            ca_pem: identity.ca_pem,
            task: Task::start(stop, serving),
        })
    }

    /// `https://127.0.0.1:PORT`, no slash at the end.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Responds to a request without a connection, and so without waiting for the network: for a test
    /// that keeps time itself. The request needs the [token](Self::token) as any other.
    pub fn respond<B>(
        &self,
        request: Request<B>,
    ) -> impl Future<Output = Result<Response<BoxBody>, BoxError>> + Send + use<B>
    where
        B: hyper::body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        exchange_unconnected(Arc::clone(&self.state), request)
    }

    /// The bearer token of the only user.
    pub fn token(&self) -> &str {
        &self.state.token
    }

    /// The certificate authority clients are to trust, PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// A kubeconfig file (YAML) whose current context is `windlass`, namespace `default`.
    pub fn kubeconfig(&self) -> String {
        let (url, token) = (self.url(), self.token());
        let ca = STANDARD.encode(&self.ca_pem);
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: windlass\n\
             clusters:\n- name: windlass\n  cluster:\n    server: {url}\n    \
             certificate-authority-data: {ca}\n\
             users:\n- name: windlass\n  user:\n    token: {token}\n\
             contexts:\n- name: windlass\n  context:\n    cluster: windlass\n    \
             user: windlass\n    namespace: default\n"
        )
    }

    /// Puts an object in place as it is, its `status`, `uid` and `creationTimestamp` included if
    /// given, in the namespace its metadata names (default `default`). Gives back the stored form.
    pub fn create(&self, object: Value) -> Result<Value, Status> {
        let served = served_of(&object)?;
        let namespace = match object::meta(&object, "namespace") {
            _ if !served.kind.namespaced => "",
            "" => "default",
            namespace => namespace,
        };
        let namespace = namespace.to_owned();
        let author = Author::default();
        let mut store = self.state.store();
        let stored = verbs::create(
            &mut store,
            served,
            &namespace,
            object,
            Writer::Seed,
            &author,
        )?;
        Ok((*stored).clone())
    }

    /// The stored form of one object. `kind` is a plural with its group, as in `secrets` or
    /// `taskruns.tekton.dev`; `namespace` is empty for cluster-scoped kinds.
    pub fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<Value> {
        let kind = KINDS.iter().find(|row| row.qualified() == kind)?;
        let key = Key::of(kind.preferred(), namespace, name);
        self.state.store().get(&key).map(|object| (*object).clone())
    }

    /// The stored forms of all objects of a kind (see [`Cluster::get`]), ordered by namespace and
    /// name.
    pub fn list(&self, kind: &str) -> Vec<Value> {
        let Some(kind) = KINDS.iter().find(|row| row.qualified() == kind) else {
            return Vec::new();
        };
        let store = self.state.store();
        let all = store
            .objects()
            .iter()
            .filter(|(key, _)| key.storage == kind.storage);
        all.map(|(_, object)| (**object).clone()).collect()
    }

    /// Forgets all history: watches and list chunks from before get `410 Expired`.
    pub fn compact(&self) {
        self.state.store().compact();
    }

    pub(crate) fn state(&self) -> &Arc<State> {
        &self.state
    }

    /// Stops serving, ends open watches and waits for every connection's task.
    pub async fn shutdown(self) {
        self.task.shutdown().await;
    }
}

fn served_of(object: &Value) -> Result<ServedKind, Status> {
    let text = |field: &str| object[field].as_str().unwrap_or_default();
    ServedKind::by_document(text("apiVersion"), text("kind")).ok_or_else(|| {
        Status::bad_request(format!(
            "no matches for kind \"{}\" in version \"{}\"",
            text("kind"),
            text("apiVersion")
        ))
    })
}

fn make_namespaces(state: &State, extra: &[String]) -> Result<(), Status> {
    let standard = ["default", "kube-system", "kube-public", "kube-node-lease"];
    let extra = extra
        .iter()
        .map(String::as_str)
        .filter(|name| !standard.contains(name));
    let Some(served) = ServedKind::by_document("v1", "Namespace") else {
        return Ok(());
    };
    let mut store = state.store();
    for name in standard.into_iter().chain(extra) {
        let namespace = serde_json::json!({
            "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}}
        });
        verbs::create(
            &mut store,
            served,
            "",
            namespace,
            Writer::Client,
            &Author::default(),
        )?;
    }
    Ok(())
}
