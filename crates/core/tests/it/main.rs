//! Payloads, keys and limits, from outside of the crate.
//!
//! `fixtures/` has what Tekton Chains, cosign and OpenSSL made.
#![expect(clippy::unwrap_used, reason = "functions of a test outside #[test]")]

mod conformance;
mod keys;
mod limits;
mod schema;
mod vectors;
mod worked;
