//! In-process servers on loopback for `windlass dev`, `windlass demo` and the tests.
//!
//! [`Cluster`] is a Kubernetes API: the part of it that Tekton, its signing controller and their
//! command lines use, close enough that unmodified `kubectl`, `cosign` and `tkn` work against it.
//! Objects are plain JSON in memory and end with the process. It has one user (whoever holds the
//! token), no admission webhooks and no controllers; [`steps::StepRunner`] can carry out task runs.
//! [`registry::Registry`] is an OCI registry.

mod cluster;
mod convert;
mod discovery;
mod fault;
mod gate;
mod http;
mod kind;
mod list;
mod managed;
mod object;
mod openapi;
mod patch;
mod query;
pub mod registry;
mod route;
mod selector;
mod server;
mod status;
pub mod steps;
mod store;
mod table;
mod tls;
mod validate;
mod verbs;
mod watch;

pub use cluster::{Cluster, Options, StartError};
pub use fault::{Fault, FaultAnswer};
pub use gate::Gate;
pub use http::SeenRequest;
pub use status::Status;
