//! `azurekms://HOST/KEY[/VERSION]`: a key of Azure Key Vault. Without a version the latest one is
//! meant.

use std::fmt;

use super::error::ReferenceError;
use super::word::is_word;

pub(crate) const SCHEME: &str = "azurekms://";
const FORM: &str = "azurekms://VAULT.vault.azure.net/KEY[/VERSION]";

/// A key of Azure Key Vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AzureKey {
    /// Host of the vault, reached over https.
    pub(crate) host: String,
    pub(crate) name: String,
    /// The version, where the reference names it.
    pub(crate) version: Option<String>,
}

impl AzureKey {
    pub(super) fn parse(rest: &str) -> Result<Self, ReferenceError> {
        let malformed = |why| ReferenceError::Malformed {
            scheme: SCHEME,
            why,
            form: FORM,
        };
        let parts: Vec<&str> = rest.split('/').collect();
        let (host, name, version) = match parts[..] {
            [host, name] => (host, name, None),
            [host, name, version] => (host, name, Some(version)),
            _ => return Err(malformed("it has no host and key")),
        };
        if !is_word(host, b".-:") {
            return Err(malformed("the vault is no host"));
        }
        if !is_word(name, b"-") {
            return Err(malformed("the name of a key has letters, digits and `-`"));
        }
        if version.is_some_and(|version| !is_word(version, b"")) {
            return Err(malformed("a version has letters and digits"));
        }
        Ok(Self {
            host: host.to_owned(),
            name: name.to_owned(),
            version: version.map(str::to_owned),
        })
    }
}

impl fmt::Display for AzureKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.name)?;
        match &self.version {
            Some(version) => write!(f, "/{version}"),
            None => Ok(()),
        }
    }
}
