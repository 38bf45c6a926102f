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
use self::plugin::PluginKey;
use self::vault::VaultKey;

pub(crate) mod aws;
pub(crate) mod azure;
pub(crate) mod error;
pub(crate) mod gcp;
pub(crate) mod plugin;
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
    /// `NAME://` of a plugin, `pkcs11:`.
    Plugin(PluginKey),
}

impl Reference {
    /// Whether what stands before `://` is the scheme of a service, so that the whole is a reference to a
    /// key there or a mistyped one. Any name may be that of a plugin.
    pub(crate) fn is_meant(scheme: &str) -> bool {
        PluginKey::is_scheme(scheme)
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        if text.is_empty() {
            return Err(ReferenceError::Empty);
        }
        if let Some(rest) = text.strip_prefix("pkcs11:") {
            return PluginKey::parse_pkcs11(rest).map(Self::Plugin);
        }
        let (scheme, rest) = text.split_once("://").ok_or(ReferenceError::NoScheme)?;
        match scheme {
            "hashivault" => VaultKey::parse(vault::Product::Vault, rest).map(Self::Vault),
            "openbao" => VaultKey::parse(vault::Product::OpenBao, rest).map(Self::Vault),
            "awskms" => AwsKey::parse(rest).map(Self::Aws),
            "gcpkms" => GcpKey::parse(rest).map(Self::Gcp),
            "azurekms" => AzureKey::parse(rest).map(Self::Azure),
            _ if PluginKey::is_scheme(scheme) => PluginKey::parse(scheme, rest).map(Self::Plugin),
            _ => Err(ReferenceError::NoScheme),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vault(key) => write!(f, "{}{}", key.product.scheme(), key.name),
            Self::Aws(key) => write!(f, "{}{key}", aws::SCHEME),
            Self::Gcp(key) => write!(f, "{}{key}", gcp::SCHEME),
            Self::Azure(key) => write!(f, "{}{key}", azure::SCHEME),
            Self::Plugin(key) => key.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests;
