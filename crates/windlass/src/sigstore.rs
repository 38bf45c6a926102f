//! Sigstore: signatures with certificates of Fulcio, entries of Rekor's logs and timestamps, judged by
//! a trusted root.
//!
//! This is the only module that names the crates of sigstore-rust, whose API changes with each of their
//! versions. They do what should not be written twice: paths of X.509 certificates, SCTs, timestamps,
//! Merkle proofs and checkpoints, TUF. What they find is told in words of windlass: their texts repeat
//! what a registry or a file says. Without the cargo feature `sigstore`, every trusted root is refused.

#![cfg_attr(
    not(feature = "sigstore"),
    expect(dead_code, reason = "nothing is judged without the feature")
)]

#[cfg(feature = "sigstore")]
mod own_log;

pub(crate) mod material;
pub(crate) mod policy;
pub(crate) mod signatory;
pub(crate) mod signed;
pub(crate) mod trust;
pub(crate) mod unproven;

#[cfg(feature = "sigstore")]
mod assembly;
#[cfg(feature = "sigstore")]
mod bundle;
#[cfg(feature = "sigstore")]
mod certified;
#[cfg(feature = "sigstore")]
mod dated;
#[cfg(feature = "sigstore")]
mod explain;
#[cfg(feature = "sigstore")]
mod finding;
#[cfg(feature = "sigstore")]
mod known;
#[cfg(feature = "sigstore")]
mod named;
#[cfg_attr(not(feature = "sigstore"), path = "sigstore/absent/stamp.rs")]
pub(crate) mod stamp;
#[cfg_attr(not(feature = "sigstore"), path = "sigstore/absent/tuf.rs")]
pub(crate) mod tuf;
#[cfg_attr(not(feature = "sigstore"), path = "sigstore/absent/verifier.rs")]
pub(crate) mod verifier;

#[cfg(test)]
#[cfg(feature = "sigstore")]
pub(crate) mod tests;

pub(crate) use self::material::{Annotated, Material};
pub(crate) use self::policy::{Policy, Rule};
pub(crate) use self::signatory::{Matcher, Signatory, WorkflowClaim};
pub(crate) use self::signed::{Blob, MAX_BUNDLE, MAX_ROOT, Signed, Who};
pub(crate) use self::verifier::Verifier;
