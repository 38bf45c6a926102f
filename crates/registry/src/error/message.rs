//! The message of a registry about an error: a code and a text, made safe to print.
//! Source: OCI distribution specification 1.1, "Error Codes".

use std::fmt;

use serde::Deserialize;
use windlass_core::terminal::is_unsafe;

use super::code;
use crate::secrets::TenantSecrets;

/// Most characters of a message that are printed.
const SHOWN: usize = 300;

/// The code and message of an error, or the beginning of a body of another kind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RegistryMessage {
    /// `DENIED`, `NAME_UNKNOWN` and so on; may be empty.
    pub code: String,
    /// The message; may be empty.
    pub message: String,
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    errors: Vec<Entry>,
    /// Token endpoints: RFC 6749, section 5.2.
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    error_description: Option<String>,
    #[serde(default)]
    details: Option<String>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    message: Option<String>,
}

impl RegistryMessage {
    /// Reads the body of an error, without the secrets of whom it is sent to.
    pub(crate) fn read(body: &[u8], secrets: TenantSecrets<'_>) -> Self {
        let (code, message) = match serde_json::from_slice::<Body>(body) {
            Ok(body) => body.parts(),
            Err(_) => (String::new(), text(body)),
        };
        Self {
            code: shown(&code, secrets),
            message: shown(&message, secrets),
        }
    }

    /// The code, if it is a known one.
    pub(crate) fn known_code(&self) -> Option<&'static str> {
        code::known(&self.code)
    }

    /// Whether it says that a tag is immutable. Each registry words that differently.
    pub(crate) fn is_about_immutability(&self) -> bool {
        let message = format!("{} {}", self.code, self.message).to_ascii_lowercase();
        ["immutable", "immutability", "cannot be overwritten"]
            .iter()
            .any(|word| message.contains(word))
    }
}

impl Body {
    fn parts(self) -> (String, String) {
        if let Some(entry) = self.errors.into_iter().next() {
            return (
                entry.code.unwrap_or_default(),
                entry.message.unwrap_or_default(),
            );
        }
        let message = self.error_description.or(self.details);
        (self.error.unwrap_or_default(), message.unwrap_or_default())
    }
}

/// A body that is not JSON; nothing of an HTML page.
fn text(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    if text.trim_start().starts_with('<') {
        return String::new();
    }
    text.into_owned()
}

fn shown(text: &str, secrets: TenantSecrets<'_>) -> String {
    let text = secrets.mask(text);
    let plain = |letter: char| match letter {
        letter if is_unsafe(letter) => ' ',
        letter => letter,
    };
    let mut shown: String = text.trim().chars().map(plain).take(SHOWN).collect();
    if text.trim().chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

impl fmt::Display for RegistryMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code.as_str(), self.message.as_str()) {
            ("", "") => Ok(()),
            ("", only) | (only, "") => write!(f, ", {only}"),
            (code, message) => write!(f, ", {code}: {message}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::Secrets;
    use crate::tenant::Tenant;

    fn read(body: &[u8]) -> RegistryMessage {
        let secrets = Secrets::default();
        RegistryMessage::read(body, secrets.of(&Tenant::default()))
    }

    #[test]
    fn the_first_error_of_a_body_is_read() {
        let body =
            br#"{"errors":[{"code":"DENIED","message":"no\u001b[31m\u202eway\n","detail":{}}]}"#;
        let message = read(body);
        assert_eq!(message.to_string(), ", DENIED: no [31m way");
    }

    #[test]
    fn a_token_endpoint_has_its_own_form() {
        let body = br#"{"error":"invalid_grant","error_description":"expired"}"#;
        assert_eq!(read(body).to_string(), ", invalid_grant: expired");
    }

    #[test]
    fn a_secret_sent_back_is_not_shown() {
        let (secrets, tenant) = (Secrets::default(), Tenant::default());
        secrets.of(&tenant).note("hunter22");
        let message = RegistryMessage::read(b"bad password hunter22", secrets.of(&tenant));
        assert_eq!(message.message, "bad password [redacted]");
    }

    #[test]
    fn long_and_foreign_bodies_are_cut() {
        let message = read("é".repeat(1000).as_bytes());
        assert_eq!(message.message.chars().count(), SHOWN + 1);
        assert_eq!(read(b"<html>busy</html>"), RegistryMessage::default());
        assert_eq!(read(b"\xff\xfe").message, "\u{fffd}\u{fffd}");
    }
}
