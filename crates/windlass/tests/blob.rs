//! Keys, signatures and attestations on the command line, as a person types them.
#![expect(clippy::unwrap_used, reason = "a step that fails is a failed test")]

mod blob {
    pub mod attestations;
    pub mod files;
    #[cfg(feature = "sandbox")]
    pub mod secrets;
    pub mod shell;
    pub mod signatures;
}
