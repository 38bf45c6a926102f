//! Keys, signatures, bundles and attestations of files.

mod attestations;
#[cfg(feature = "sigstore")]
mod bundles;
#[cfg(feature = "sigstore")]
#[path = "../../src/sigstore/tests/der.rs"]
mod der;
mod files;
#[cfg(feature = "sandbox")]
mod secrets;
mod signatures;
#[cfg(feature = "sigstore")]
#[expect(dead_code, reason = "tests of the library use more of it")]
#[path = "../../src/sigstore/tests/stack.rs"]
pub mod stack;
#[cfg(all(feature = "sigstore", feature = "sandbox"))]
mod trusted_root;
