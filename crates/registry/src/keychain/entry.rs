//! Entries of a Docker configuration: the credential of one key.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::auth::Credential;

/// With or without padding: both are in use.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// The user name that marks the password as an identity token.
const TOKEN_NAME: &str = "<token>";

#[derive(Deserialize, Default)]
#[serde(default)]
struct Entry {
    auth: Option<Zeroizing<String>>,
    username: Option<Zeroizing<String>>,
    password: Option<Zeroizing<String>>,
    identitytoken: Option<Zeroizing<String>>,
    registrytoken: Option<Zeroizing<String>>,
}

/// Why an entry has no credential. The source of the error is dropped: it may quote a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EntryError {
    #[error("it is not an object of strings")]
    Shape,
    #[error("its auth is not base64 of NAME:PASSWORD")]
    Auth,
    #[error("it has no credential")]
    Empty,
}

/// Reads an entry.
pub(crate) fn read(json: &str) -> Result<Credential, EntryError> {
    let entry: Entry = serde_json::from_str(json).map_err(|_| EntryError::Shape)?;
    let some = |text: Option<Zeroizing<String>>| text.filter(|text| !text.is_empty());
    if let Some(token) = some(entry.registrytoken) {
        return Ok(Credential::RegistryToken(token));
    }
    if let Some(token) = some(entry.identitytoken) {
        return Ok(Credential::IdentityToken(token));
    }
    let (username, password) = match some(entry.auth) {
        Some(auth) => decode(&auth).ok_or(EntryError::Auth)?,
        None => match (entry.username, some(entry.password)) {
            (Some(username), Some(password)) => (username, password),
            _ => return Err(EntryError::Empty),
        },
    };
    if username.as_str() == TOKEN_NAME {
        return Ok(Credential::IdentityToken(password));
    }
    Ok(Credential::Password { username, password })
}

fn decode(auth: &str) -> Option<(Zeroizing<String>, Zeroizing<String>)> {
    let decoded = Zeroizing::new(BASE64.decode(auth.trim()).ok()?);
    let text = std::str::from_utf8(&decoded).ok()?;
    let (username, password) = text.split_once(':')?;
    let password = password.trim_end_matches('\0');
    if password.is_empty() {
        return None;
    }
    Some((
        Zeroizing::new(username.to_owned()),
        Zeroizing::new(password.to_owned()),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(username: &str, password: &str) -> Credential {
        Credential::Password {
            username: username.to_owned().into(),
            password: password.to_owned().into(),
        }
    }

    #[test]
    fn auth_may_be_padded_or_not_and_its_password_may_hold_colons() {
        assert_eq!(read(r#"{"auth":"YTpiOmM="}"#), Ok(password("a", "b:c")));
        assert_eq!(read(r#"{"auth":"YTpiOmM"}"#), Ok(password("a", "b:c")));
        assert_eq!(read("{\"auth\":\"YTpiOmM=\\n\"}"), Ok(password("a", "b:c")));
    }

    #[test]
    fn auth_counts_more_than_name_and_password() {
        let both = r#"{"auth":"YTpi","username":"x","password":"y","email":"e"}"#;
        assert_eq!(read(both), Ok(password("a", "b")));
        assert_eq!(
            read(r#"{"auth":"","username":"x","password":"y"}"#),
            Ok(password("x", "y"))
        );
    }

    #[test]
    fn tokens_count_more_than_passwords() {
        let identity = Credential::IdentityToken("t".to_owned().into());
        assert_eq!(
            read(r#"{"auth":"YTpi","identitytoken":"t"}"#),
            Ok(identity.clone())
        );
        assert_eq!(
            read(r#"{"username":"<token>","password":"t"}"#),
            Ok(identity)
        );
        let registry = Credential::RegistryToken("r".to_owned().into());
        assert_eq!(
            read(r#"{"identitytoken":"t","registrytoken":"r"}"#),
            Ok(registry)
        );
    }

    #[test]
    fn what_is_wrong_is_said_without_quoting_it() {
        let cases = [
            (r#"{"auth":"hunter2"}"#, EntryError::Auth),
            (r#"{"auth":"aHVudGVyMg=="}"#, EntryError::Auth),
            (r#"{"auth":{"hunter2":1}}"#, EntryError::Shape),
            (r#""hunter2""#, EntryError::Shape),
            (r#"{"email":"hunter2"}"#, EntryError::Empty),
            ("{}", EntryError::Empty),
        ];
        for (json, error) in cases {
            let found = read(json).unwrap_err();
            assert_eq!(found, error, "{json}");
            assert!(!found.to_string().contains("hunter2"));
        }
    }
}
