//! The `Authorization` header as it comes. Sources: RFC 7617, RFC 6750.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The text after an authentication scheme. The case of the scheme does not matter.
pub(crate) fn scheme<'a>(sent: &'a str, scheme: &str) -> Option<&'a str> {
    let (sent_scheme, rest) = sent.split_once(' ')?;
    sent_scheme
        .eq_ignore_ascii_case(scheme)
        .then(|| rest.trim())
}

pub(crate) fn name_and_password(sent: &str) -> Option<(String, String)> {
    let decoded = STANDARD.decode(scheme(sent, "basic")?).ok()?;
    let decoded = String::from_utf8(decoded).ok()?;
    let (name, password) = decoded.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_may_hold_colons() {
        let sent = format!("basic {}", STANDARD.encode("a:b:c"));
        assert_eq!(name_and_password(&sent), Some(("a".into(), "b:c".into())));
    }
}
