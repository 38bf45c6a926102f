//! Credentials, and the headers made of them: a name and password, or a token that the registry's
//! token endpoint issues.
//! Sources: RFC 9110, section 11; RFC 7617; "Token Authentication Specification" of CNCF
//! Distribution.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use zeroize::Zeroizing;

use self::fingerprint::Fingerprint;

pub(crate) mod challenge;
pub(crate) mod fingerprint;
pub(crate) mod refusal;
pub(crate) mod service;
pub(crate) mod token;

/// A credential. It is wiped from memory when dropped, and never printed.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credential {
    /// No credential: public access.
    Anonymous,
    /// Name and password.
    Password {
        /// Name.
        username: Zeroizing<String>,
        /// Password.
        password: Zeroizing<String>,
    },
    /// A refresh token, exchanged for access tokens: `identitytoken` of a Docker configuration.
    IdentityToken(Zeroizing<String>),
    /// An access token, sent as it is: `registrytoken` of a Docker configuration.
    RegistryToken(Zeroizing<String>),
    /// A credential that should exist and does not, and why. It is never sent, only reported: also on
    /// runs, so that the reason has no words of a registry.
    Unavailable(String),
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Anonymous => "Anonymous",
            Self::Password { .. } => "Password([redacted])",
            Self::IdentityToken(_) => "IdentityToken([redacted])",
            Self::RegistryToken(_) => "RegistryToken([redacted])",
            Self::Unavailable(_) => "Unavailable",
        })
    }
}

impl Credential {
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        let (kind, first, second) = match self {
            Self::Anonymous => ("anonymous", "", ""),
            Self::Password { username, password } => {
                ("password", username.as_str(), password.as_str())
            }
            Self::IdentityToken(token) => ("identity token", token.as_str(), ""),
            Self::RegistryToken(token) => ("registry token", token.as_str(), ""),
            Self::Unavailable(why) => ("unavailable", why.as_str(), ""),
        };
        Fingerprint::of([kind, first, second].map(str::as_bytes))
    }

    /// Its length: of what is sent, or of why it does not exist.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Anonymous => 0,
            Self::Password { username, password } => username.len() + password.len(),
            Self::IdentityToken(text) | Self::RegistryToken(text) => text.len(),
            Self::Unavailable(why) => why.len(),
        }
    }

    /// The values that must not be printed.
    pub(crate) fn secrets(&self) -> Vec<&str> {
        match self {
            Self::Anonymous | Self::Unavailable(_) => Vec::new(),
            Self::Password { password, .. } => vec![password],
            Self::IdentityToken(token) | Self::RegistryToken(token) => vec![token],
        }
    }

    /// The header of a name and password; none for credentials of another kind.
    pub(crate) fn basic(&self) -> Option<HeaderValue> {
        let Self::Password { username, password } = self else {
            return None;
        };
        let plain = Zeroizing::new(format!("{}:{}", username.as_str(), password.as_str()));
        header(&Zeroizing::new(format!(
            "Basic {}",
            STANDARD.encode(plain.as_bytes())
        )))
    }
}

/// The header of a bearer token; none if the token has bytes that a header cannot have.
pub(crate) fn bearer(token: &str) -> Option<HeaderValue> {
    header(&Zeroizing::new(format!("Bearer {token}")))
}

fn header(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(password: &str) -> Credential {
        Credential::Password {
            username: "alice".to_owned().into(),
            password: password.to_owned().into(),
        }
    }

    #[test]
    fn a_credential_is_printed_without_its_value() {
        assert_eq!(format!("{:?}", password("hunter2")), "Password([redacted])");
        let token = Credential::RegistryToken("opaque".to_owned().into());
        assert!(!format!("{token:?}").contains("opaque"));
    }

    #[test]
    fn equal_credentials_have_equal_fingerprints_and_others_do_not() {
        assert_eq!(password("a").fingerprint(), password("a").fingerprint());
        assert_ne!(password("a").fingerprint(), password("b").fingerprint());
    }

    #[test]
    fn a_basic_header_is_marked_as_secret() {
        let header = password("b:c").basic().unwrap();
        assert!(header.is_sensitive());
        assert_eq!(header.to_str().unwrap(), "Basic YWxpY2U6Yjpj");
        assert_eq!(bearer("a\nb"), None);
    }
}
