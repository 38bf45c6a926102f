//! OCI distribution client and credential keychain.
//!
//! A [`Client`] shares connections among repositories, and what its [`Memory`] has with other clients. [`Client::repository`]
//! opens a [`Remote`]: one repository, with the credentials that a [`keychain`] has for it. The crate
//! knows nothing of Tekton, and reads no cluster, file or environment variable.
//!
//! # Why not an existing client
//!
//! [`oci-client`](https://github.com/oras-project/rust-oci-client) 0.18 was tried first. It panics
//! if a registry omits `Location` on a push by digest, reuses the credential of one team for another
//! on the same host, writes no list of referrers under a tag, takes a 400 from the referrers API for
//! a failure, hides why authentication failed, and retries nothing. This client tries several
//! credentials in order and reports each, appends to tags that others write too, and retries what
//! is temporary.
//!
//! # Example
//!
//! ```
//! use windlass_registry::keychain::Candidates;
//! use windlass_registry::{Client, Options, Policy, Repository};
//!
//! # use windlass_sandbox::registry::Registry;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let registry = Registry::start(Default::default()).await?;
//! # let host = registry.host();
//! // the registry is on this machine
//! let network = Policy::of_workstation();
//! let client = Client::new(Options { network, ..Options::default() })?;
//! let repository = Repository::parse(&format!("{host}/team/app"))?;
//! let remote = client.repository(repository, Candidates::anonymous());
//!
//! let digest = remote.push_blob(&"content".into(), None).await?;
//! let content = remote.get_blob(&digest, 1024).await?;
//! assert_eq!(content.as_deref(), Some(b"content".as_slice()));
//! # Ok(())
//! # }
//! ```
//!
//! Source: OCI distribution specification 1.1.

mod auth;
mod blob;
mod budget;
mod carrier;
mod client;
mod clock;
mod digest;
mod error;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod http;
pub mod keychain;
mod lookup;
pub mod manifest;
mod memory;
mod options;
mod reference;
mod remote;
mod retry;
mod secrets;
mod session;
mod tenant;
mod threads;

pub use windlass_core::network::Policy;
pub use windlass_core::retry::Retry;

pub use self::http::{SetupError, refusal};
pub use auth::Credential;
pub use blob::Blob;
pub use budget::{Budget, Exhausted, Share};
pub use carrier::Carrier;
pub use client::Client;
pub use clock::Clock;
pub use digest::{Digest, DigestError, Hasher};
pub use error::outline::Outline;
pub use error::{At, Attempt, Cause, Error, RegistryMessage, Remedy};
pub use lookup::{Lookup, LookupError};
pub use memory::Memory;
pub use options::{AppendPolicy, Bodies, ClientCertificate, Limits, Options, Proxies, Timeouts};
pub use reference::{Name, Reference, ReferenceError, Repository, Tag};
pub use remote::{
    Advance, Append, ListedBy, Merge, PART, Parts, PushedManifest, PushedReferrer, Remote,
    TagUpdate, Write,
};
pub use retry::RetryPolicy;
pub use secrets::{Secrets, TenantSecrets};
pub use tenant::Tenant;
pub use threads::{Interrupted, Thread, Threads};
