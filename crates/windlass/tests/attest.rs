//! `payload`, `attest` and `explain` on the command line, as a person types them.
#![expect(clippy::unwrap_used, reason = "a step that fails is a failed test")]

#[path = "blob/shell.rs"]
mod shell;

mod attest {
    pub mod envelopes;
    pub mod explanations;
    #[cfg(feature = "sandbox")]
    pub mod on_cluster;
    pub mod payloads;
    pub mod runs;
}
