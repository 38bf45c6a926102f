//! An OCI registry on loopback for `windlass dev`, `windlass demo` and the tests.
//!
//! It follows the OCI distribution specification 1.1 closely enough that unmodified `crane`,
//! `oras` and `cosign` work against it; content lives in memory and ends with the process. The
//! differences between registries are switches: [`Options`] for what a registry always does,
//! [`Fault`] for what it does to some requests. Writing one tag from two sides keeps the later
//! write and tells neither: that is how registries are, and what clients have to cope with.
//!
//! What it does not do: collect garbage, mount a blob without being told from where, speak schema 1
//! of Docker's manifests, or keep anything on disk.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use ::http::{Request, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::json;

mod auth;
mod blobs;
mod call;
mod content;
mod digest;
mod http;
mod lists;
mod location;
mod manifests;
mod options;
mod quirk;
mod referrers;
mod response;
mod route;
mod state;
mod store;
#[cfg(test)]
mod tests;
mod uploads;

pub use crate::fault::Reply;
pub use crate::gate::Gate;
pub use crate::request_log::SeenRequest;
pub use crate::tls::{ClientCertificate, TlsError};
pub use auth::accounts::{Accounts, User};
pub use auth::authentication::{Authentication, TokenFields, Tokens};
pub use auth::grant::{Action, Grant};
pub use options::{Options, Referrers, Transport};
pub use quirk::{Fault, FaultAnswer, Quirk};

use crate::body::{BoxBody, BoxError};
use crate::exchange::exchange_unconnected;
use crate::names::Names;
use crate::serve::{self, ListenError};
use crate::task::Task;
use crate::tls::{Clients, Identity};
use crate::traffic::observable;

use state::{Shared, State};

/// Why a registry did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is taken or not allowed.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// TLS could not be set up.
    #[error("could not set up TLS for the registry")]
    Tls(#[from] TlsError),
}

/// None for plain HTTP.
fn identity(transport: Transport) -> Result<Option<Identity>, TlsError> {
    let clients = match transport {
        Transport::Plain => return Ok(None),
        Transport::Tls => Clients::Any,
        Transport::MutualTls => Clients::WithCertificate,
    };
    Identity::make("windlass sandbox registry", clients).map(Some)
}

/// A manifest as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// `sha256:` or `sha512:` and hexadecimal digits.
    pub digest: String,
    /// Media type it was pushed with.
    pub media_type: String,
    /// Bytes as they were pushed.
    pub bytes: Bytes,
}

/// A running registry on loopback. Stops when dropped; [`Registry::shutdown`] also waits.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use windlass_sandbox::registry::{
///     Accounts, Authentication, Fault, FaultAnswer, Grant, Options, Registry, Tokens, User,
/// };
///
/// let users = Accounts::of([User::new("robot", "secret", [Grant::push("team")])]);
/// let registry = Registry::start(Options {
///     authentication: Authentication::Bearer(users, Tokens::default()),
///     ..Options::default()
/// })
/// .await?;
/// registry.put_blob("team/app", "content");
/// let login = registry.docker_config("robot");
/// assert!(login.is_some_and(|login| login.contains(&registry.host())));
///
/// // The third manifest that a client pushes is stored, and the client does not learn of it.
/// let lost = FaultAnswer::ResetAfterwards;
/// registry.fail(Fault::new("PUT", "/manifests/", lost).from_nth(3));
/// // … the client pushes …
/// assert_eq!(registry.count("PUT", "/manifests/"), 0);
/// registry.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Registry {
    state: Arc<State>,
    identity: Option<Identity>,
    task: Task,
}

observable!(Registry, Fault);

impl Registry {
    /// Listens on 127.0.0.1 and serves until dropped or shut down.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        Self::serve(options, Arc::default()).await
    }

    /// Serves the content of this registry, uploads and tokens included, on another port by other
    /// rules: the place a redirect leads to.
    pub async fn start_beside(&self, options: Options) -> Result<Self, StartError> {
        Self::serve(options, Arc::clone(&self.state.shared)).await
    }

    async fn serve(options: Options, shared: Arc<Shared>) -> Result<Self, StartError> {
        let (listener, address) = serve::listen(options.port).await?;
        let identity = identity(options.transport)?;
        let scheme = if identity.is_some() { "https" } else { "http" };
        let names = Names::new(address, scheme, &options.names);
        let state = Arc::new(State::new(options, address, scheme, shared));
        let stop = state.traffic.stop.clone();
        let tls = identity
            .as_ref()
            .map(|identity| Arc::clone(&identity.server));
        let serving = serve::serve(listener, tls, names, Arc::clone(&state));
        Ok(Self {
            state,
            identity,
            task: Task::start(stop, serving),
        })
    }

    /// Responds to a request without a connection, as [`Cluster::respond`](crate::Cluster::respond) does.
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

    /// `127.0.0.1:PORT`, the first part of a reference.
    pub fn host(&self) -> String {
        self.state.address.to_string()
    }

    /// `http://127.0.0.1:PORT` or `https://127.0.0.1:PORT`, no slash at the end.
    pub fn url(&self) -> String {
        format!("{}://{}", self.state.scheme, self.state.address)
    }

    /// The certificate authority clients are to trust, PEM; none with plain HTTP.
    pub fn ca_pem(&self) -> Option<&str> {
        self.identity
            .as_ref()
            .map(|identity| identity.ca_pem.as_str())
    }

    /// A certificate for clients; none unless the registry asks for one.
    pub fn client_certificate(&self) -> Option<&ClientCertificate> {
        self.identity.as_ref()?.client.as_ref()
    }

    /// A Docker configuration (JSON) with the name and password of a user; none if the user is not
    /// known or the registry has no users.
    pub fn docker_config(&self, user: &str) -> Option<String> {
        let user = self.state.options.authentication.accounts()?.named(user)?;
        let auth = STANDARD.encode(format!("{}:{}", user.name, user.password));
        Some(json!({"auths": {self.host(): {"auth": auth}}}).to_string())
    }

    /// A bearer token of a user for scopes with spaces between, as `registrytoken` in a Docker
    /// configuration; none if tokens are not used or the user is not known.
    pub fn issue(&self, user: &str, scopes: &str) -> Option<String> {
        let Authentication::Bearer(accounts, tokens) = &self.state.options.authentication else {
            return None;
        };
        let scopes = scopes.split_whitespace();
        let scopes: Vec<_> = scopes.filter_map(auth::scope::Scope::parse).collect();
        let grants = &accounts.named(user)?.grants;
        let issued = auth::token::issue(&self.state, tokens, grants, &scopes);
        issued.ok().map(|(secret, _)| secret)
    }

    /// The bearer tokens that were issued, in no particular order.
    pub fn issued(&self) -> Vec<String> {
        self.state.tokens().issued()
    }

    /// Moves the clock that tokens expire by.
    pub fn skip_time(&self, time: Duration) {
        self.state.skip(time);
    }

    /// Ends every token issued so far.
    pub fn expire_tokens(&self) {
        self.state.tokens().expire_all();
    }

    /// Stops serving and waits for every connection's task.
    pub async fn shutdown(self) {
        self.task.shutdown().await;
    }
}
