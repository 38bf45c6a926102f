//! References to keys in services, as `signers.kms.kmsref` and `--key` name them: the syntax is that
//! of sigstore's libraries, so that what serves cosign and Tekton Chains serves here.
//!
//! A reference is not a secret, but what somebody typed in its place may be: errors do not repeat it.

use std::fmt;
use std::str::FromStr;

use self::aws::AwsKey;
use self::azure::AzureKey;
use self::error::ReferenceError;
use self::gcp::GcpKey;
use self::vault::VaultKey;

pub(crate) mod aws;
pub(crate) mod azure;
pub(crate) mod error;
pub(crate) mod gcp;
pub(crate) mod vault;
mod word;

/// A key in a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reference {
    /// `hashivault://`, `openbao://`.
    Vault(VaultKey),
    /// `awskms://`.
    Aws(AwsKey),
    /// `gcpkms://`.
    Gcp(GcpKey),
    /// `azurekms://`.
    Azure(AzureKey),
}

impl Reference {
    /// The scheme with `://`.
    pub(crate) fn scheme(&self) -> &'static str {
        match self {
            Self::Vault(key) => key.product.scheme(),
            Self::Aws(_) => aws::SCHEME,
            Self::Gcp(_) => gcp::SCHEME,
            Self::Azure(_) => azure::SCHEME,
        }
    }

    /// Whether a text begins with the scheme of a service, and is a reference to a key there or a
    /// mistyped one.
    pub(crate) fn is_meant(scheme: &str) -> bool {
        let schemes = [
            vault::HASHIVAULT,
            vault::OPENBAO,
            aws::SCHEME,
            gcp::SCHEME,
            azure::SCHEME,
        ];
        schemes
            .iter()
            .any(|known| known.strip_suffix("://") == Some(scheme))
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        if text.is_empty() {
            return Err(ReferenceError::Empty);
        }
        if text.starts_with("pkcs11:") {
            return Err(ReferenceError::Pkcs11);
        }
        let (scheme, rest) = text.split_once("://").ok_or(ReferenceError::NoScheme)?;
        match scheme {
            "hashivault" => VaultKey::parse(vault::Product::Vault, rest).map(Self::Vault),
            "openbao" => VaultKey::parse(vault::Product::OpenBao, rest).map(Self::Vault),
            "awskms" => AwsKey::parse(rest).map(Self::Aws),
            "gcpkms" => GcpKey::parse(rest).map(Self::Gcp),
            "azurekms" => AzureKey::parse(rest).map(Self::Azure),
            _ if is_scheme(scheme) => Err(ReferenceError::Plugin {
                scheme: scheme.to_owned(),
            }),
            _ => Err(ReferenceError::NoScheme),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.scheme())?;
        match self {
            Self::Vault(key) => f.write_str(&key.name),
            Self::Aws(key) => key.fmt(f),
            Self::Gcp(key) => key.fmt(f),
            Self::Azure(key) => key.fmt(f),
        }
    }
}

/// Whether this may be the name of a service, and be repeated.
fn is_scheme(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=32).contains(&text.len()) && text.bytes().all(is_letter)
}

#[cfg(test)]
mod tests;
