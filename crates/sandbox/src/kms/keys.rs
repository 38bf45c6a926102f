//! Keys and their versions.

use super::material::Material;

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// Signing; RSA as PKCS#1 v1.5 where the service asks a key.
    Sign,
    /// Signing; RSA as PSS where the service asks a key.
    SignPss,
    /// Encryption, with which nothing is signed.
    Encrypt,
}

#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) usage: Usage,
    pub(super) versions: Vec<Version>,
}

#[derive(Debug)]
pub(super) struct Version {
    /// As the service writes it.
    pub(super) id: String,
    pub(super) material: Material,
    pub(super) is_enabled: bool,
}

impl Key {
    pub(super) fn new(name: &str, usage: Usage, version: Version) -> Self {
        Self {
            name: name.to_owned(),
            usage,
            versions: vec![version],
        }
    }
}
