//! `gcpkms://projects/P/locations/L/keyRings/R/cryptoKeys/K[/cryptoKeyVersions/N]`: a key of Google
//! Cloud KMS. Without a version the newest enabled one is meant.

use std::fmt;

use super::error::ReferenceError;
use super::word::is_word;

pub(crate) const SCHEME: &str = "gcpkms://";
const FORM: &str = "gcpkms://projects/P/locations/L/keyRings/R/cryptoKeys/K[/cryptoKeyVersions/N]";

/// A key of Google Cloud KMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GcpKey {
    /// `projects/P/locations/L/keyRings/R/cryptoKeys/K`.
    pub(crate) name: String,
    /// The version, where the reference names it.
    pub(crate) version: Option<String>,
}

impl GcpKey {
    pub(super) fn parse(rest: &str) -> Result<Self, ReferenceError> {
        let malformed = |why| ReferenceError::Malformed {
            scheme: SCHEME,
            why,
            form: FORM,
        };
        let parts: Vec<&str> = rest.split('/').collect();
        let (name, version) = match parts[..] {
            [_, _, _, _, _, _, _, _] => (&parts[..], None),
            [.., "cryptoKeyVersions" | "versions", version] if parts.len() == 10 => {
                (&parts[..8], Some(version))
            }
            _ => return Err(malformed("its parts are not these")),
        };
        let &[
            "projects",
            project,
            "locations",
            location,
            "keyRings",
            ring,
            "cryptoKeys",
            key,
        ] = name
        else {
            return Err(malformed("its parts are not these"));
        };
        // a project of a domain is `DOMAIN:PROJECT`
        let is_whole = is_word(project, b"-_.:")
            && [location, ring, key]
                .iter()
                .all(|part| is_word(part, b"-_"));
        if !is_whole {
            return Err(malformed(
                "a name in it is empty or has other characters than names have",
            ));
        }
        if version.is_some_and(|version| {
            !version.bytes().all(|byte| byte.is_ascii_digit()) || version.is_empty()
        }) {
            return Err(malformed("its version is not a number"));
        }
        Ok(Self {
            name: name.join("/"),
            version: version.map(str::to_owned),
        })
    }
}

impl fmt::Display for GcpKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match &self.version {
            Some(version) => write!(f, "/cryptoKeyVersions/{version}"),
            None => Ok(()),
        }
    }
}
