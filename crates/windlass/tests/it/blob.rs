//! Keys, signatures and attestations of files.

mod attestations;
mod files;
#[cfg(feature = "sandbox")]
mod secrets;
mod signatures;
