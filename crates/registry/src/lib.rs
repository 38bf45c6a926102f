//! OCI distribution client and credential keychain.
//!
//! [`Client`] holds what registries have in common: connections, tokens, locks. [`Client::repository`]
//! gives a [`Remote`], the way to one repository with the credentials that a [`keychain`] found
//! for it. Nothing here knows of Tekton or reads from a cluster, a file or the environment.
//! Source: OCI distribution specification 1.1.

mod auth;
mod client;
mod clock;
mod digest;
mod error;
mod http;
pub mod keychain;
pub mod manifest;
mod options;
mod reference;
mod remote;
mod retry;
mod session;

pub use self::http::SetupError;
pub use auth::Credential;
pub use client::Client;
pub use clock::Clock;
pub use digest::{Digest, DigestError};
pub use error::{At, Attempt, Error, RegistryMessage, Retry};
pub use options::{AppendPolicy, ClientCertificate, Limits, Options, Proxies, Timeouts};
pub use reference::{Name, Reference, ReferenceError, Repository, Tag};
pub use remote::{ListedBy, Merge, PushedManifest, PushedReferrer, Remote, TagUpdate, Write};
pub use retry::RetryPolicy;
