//! The key services of the clouds on loopback: AWS KMS, Google Cloud KMS and Azure Key Vault, as far as
//! signing takes them.
//!
//! Keys are made when a test asks for them, and sign with the library that the clients under test do
//! not use. Requests are checked as the real services check them: a signature (AWS) or a bearer token,
//! the operation and its arguments, the state of the key, and the permissions that a test has taken
//! away. A test can rotate a key, disable a version of it, point an alias elsewhere and set the clock;
//! what goes wrong on the way is a [`Fault`].
//!
//! What it does not do: encrypt, create keys over the network, or keep anything on disk.

use std::sync::Arc;
use std::time::Duration;

use crate::names::Names;
use crate::serve::{self, ListenError};
use crate::task::Task;
use crate::tls::{Clients, Identity, TlsError};
use crate::traffic::observable;

mod aws;
mod azure;
mod call;
mod crc32c;
mod gcp;
mod http;
mod keys;
pub(crate) mod material;
mod options;
mod sigv4;
mod state;

pub use keys::Usage;
pub use material::{Kind, MaterialError};
pub use options::{Account, Options, Quirk, Service};

use keys::Key;
use state::State;

/// A fault of a key service.
pub type Fault = crate::fault::Fault<Quirk>;
/// What a request hit by a fault of a key service gets.
pub type FaultAnswer = crate::fault::FaultAnswer<Quirk>;

/// Why a key service did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is not allowed.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// TLS could not be set up.
    #[error("could not set up TLS for the key service")]
    Tls(#[from] TlsError),
}

/// A running key service on loopback. Stops when dropped; [`KeyService::shutdown`] also waits.
#[derive(Debug)]
pub struct KeyService {
    state: Arc<State>,
    identity: Option<Identity>,
    task: Task,
}

observable!(KeyService, Fault);

impl KeyService {
    /// Listens on a free port of 127.0.0.1 and serves until dropped or shut down.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let (listener, address) = serve::listen(None).await?;
        let identity = options
            .tls
            .then(|| Identity::make("windlass sandbox key service", Clients::Any))
            .transpose()?;
        let scheme = if options.tls { "https" } else { "http" };
        let names = Names::new(address, scheme, &[]);
        let state = Arc::new(State::new(options, address, scheme));
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

    /// `127.0.0.1:PORT`.
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

    /// Makes a key, or a new version of one of this name. A name is a key id at AWS, the path
    /// `projects/P/locations/L/keyRings/R/cryptoKeys/K` at Google, and a name at Azure.
    pub fn create(&self, name: &str, kind: Kind, usage: Usage) -> Result<(), MaterialError> {
        let version = self.state.new_version(kind)?;
        let mut keys = self.state.keys();
        match keys.iter_mut().find(|key| key.name == name) {
            Some(key) => key.versions.push(version),
            None => keys.push(Key::new(name, usage, version)),
        }
        Ok(())
    }

    /// Points an alias, `alias/NAME`, to a key of AWS.
    pub fn alias(&self, alias: &str, name: &str) {
        let mut aliases = self.state.aliases();
        aliases.insert(alias.to_owned(), name.to_owned());
    }

    /// Enables or disables a version of a key, counted from 1.
    pub fn enable(&self, name: &str, version: usize, is_enabled: bool) {
        let mut keys = self.state.keys();
        let key = keys.iter_mut().find(|key| key.name == name);
        let version = key.and_then(|key| key.versions.get_mut(version.checked_sub(1)?));
        if let Some(version) = version {
            version.is_enabled = is_enabled;
        }
    }

    /// The public key of a version counted from 1, DER; none if it does not exist.
    pub fn public_key(&self, name: &str, version: usize) -> Option<Vec<u8>> {
        let keys = self.state.keys();
        let key = keys.iter().find(|key| key.name == name)?;
        Some(key.versions.get(version.checked_sub(1)?)?.material.der())
    }

    /// How the service names a version counted from 1: a number at Google, digits at Azure.
    pub fn version_id(&self, name: &str, version: usize) -> Option<String> {
        let keys = self.state.keys();
        let key = keys.iter().find(|key| key.name == name)?;
        Some(key.versions.get(version.checked_sub(1)?)?.id.clone())
    }

    /// Takes a permission away, such as `kms:Sign`, `cloudkms.cryptoKeyVersions.useToSign` or
    /// `Microsoft.KeyVault/vaults/keys/sign/action`.
    pub fn deny(&self, permission: &str) {
        self.state.denied().insert(permission.to_owned());
    }

    /// Gives a permission back.
    pub fn allow(&self, permission: &str) {
        self.state.denied().remove(permission);
    }

    /// Sets the clock of the service forward.
    pub fn skip_time(&self, time: Duration) {
        self.state.skip(time);
    }

    /// Stops serving and waits for every connection's task.
    pub async fn shutdown(self) {
        self.task.shutdown().await;
    }
}
