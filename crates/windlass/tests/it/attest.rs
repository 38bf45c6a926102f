//! `payload`, `attest` and `explain`.

mod envelopes;
mod explanations;
#[cfg(feature = "sandbox")]
mod on_cluster;
mod payloads;
pub mod runs;
