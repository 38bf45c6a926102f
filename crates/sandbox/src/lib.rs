//! In-process servers on loopback for `windlass dev`, `windlass demo` and the tests.
//!
//! [`Cluster`] is a Kubernetes API: the part of it that Tekton, its signing controller and their
//! command lines use, close enough that unmodified `kubectl`, `cosign` and `tkn` work against it.
//! Objects are plain JSON in memory and end with the process. It has one user (whoever has the
//! token), no admission webhooks and no controllers; [`steps::StepRunner`] runs the steps of task
//! runs, and [`pipelines::PipelineRunner`] the tasks of pipeline runs. [`registry::Registry`] is an OCI registry,
//! [`vault::Vault`] a key management service, [`fulcio::Fulcio`] an authority of keyless signing,
//! [`rekor::Rekor`] a transparency log, [`timestamps::TimestampAuthority`] tells when something was signed;
//! [`tuf::TufMirror`] whom to believe about all that; [`sigstore::Sigstore`] is the four of them.
//!
//! A test can count the requests of every server (`count`, `reached`, `requests`) and disturb them
//! with a [`Fault`]: the n-th request fails, is delayed, loses its response or waits at a [`Gate`],
//! before it takes effect or after that. Every server responds to its own names only, and to no web
//! page.

mod body;
mod child_name;
pub mod cluster;
mod der;
mod exchange;
mod fault;
mod form;
pub mod fulcio;
mod gate;
mod images;
mod issuing;
pub mod kms;
mod names;
pub mod pipelines;
mod query;
mod random;
pub mod registry;
pub mod rekor;
mod request_log;
mod run_status;
mod serve;
pub mod sigstore;
pub mod steps;
mod task;
pub mod timestamps;
mod tls;
mod traffic;
pub mod tuf;
pub mod vault;

pub use body::{BoxBody, BoxError};
pub use cluster::{Cluster, Options, StartError, Status};
pub use fault::{Fault, FaultAnswer, Reply};
pub use gate::Gate;
pub use images::{Digests, Image};
pub use request_log::SeenRequest;
pub use serve::ListenError;
pub use tls::{ClientCertificate, TlsError};
