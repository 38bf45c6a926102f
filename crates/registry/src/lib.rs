//! OCI distribution client and credential keychain. So far the names and documents of registries.
//! Source: OCI image specification 1.1.

mod digest;
pub mod manifest;
mod reference;

pub use digest::{Digest, DigestError};
pub use reference::{Name, Reference, ReferenceError, Repository, Tag};
