//! An identity token, a JWT (RFC 7519) that says who signs without a key of their own.
//!
//! Only the claims are read that are asked for here. Its signature is checked by Fulcio, whatever its
//! algorithm, so nothing of a token may be believed here that Fulcio does not look at too.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::Deserialize;

use crate::config::Token;
use crate::json::object;

/// Largest token, in bytes.
pub const LIMIT: usize = 64 << 10;
/// How long a token has to be valid at least when it is sent, in seconds.
const LEAST: i64 = 2;

/// A token, and what it says.
///
/// ```
/// use windlass_core::identity_token::IdentityToken;
///
/// // the claims are {"sub":"me"}
/// let token = IdentityToken::read("e30.eyJzdWIiOiJtZSJ9.c2ln\n").unwrap();
/// assert_eq!(token.subject, "me");
/// assert!(IdentityToken::read("something else").is_err());
/// ```
#[derive(Debug)]
pub struct IdentityToken {
    /// The token itself, without what surrounds it.
    pub text: Token,
    /// What Fulcio wants to see signed: the email address if there is one, else the subject.
    pub subject: String,
    issuer: String,
    expires: Option<i64>,
}

#[derive(Deserialize)]
struct Claims {
    #[serde(default)]
    iss: String,
    #[serde(default)]
    sub: String,
    #[serde(default)]
    email: String,
    /// A boolean, or a text that says the same.
    #[serde(default)]
    email_verified: serde_json::Value,
    #[serde(default)]
    exp: Option<f64>,
}

impl IdentityToken {
    /// Reads a token. The error says what is wrong and repeats nothing of it.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        const NO_JWT: &str =
            "it is not a JWT; it has to be a token of OpenID Connect, and nothing else";
        let text = text.trim();
        if text.is_empty() {
            return Err("it is empty");
        }
        if text.len() > LIMIT {
            return Err("it is larger than 65536 bytes");
        }
        let mut parts = text.split('.');
        let (Some(head), Some(claims), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(NO_JWT);
        };
        let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part.trim_end_matches('='));
        let (Ok(_), Ok(claims), Ok(_)) = (decoded(head), decoded(claims), decoded(signature))
        else {
            return Err(NO_JWT);
        };
        let claims: Claims = object(&claims).ok_or(NO_JWT)?;
        let is_verified = claims.email_verified == true || claims.email_verified == "true";
        let subject = match (claims.email.is_empty(), claims.sub.is_empty()) {
            (false, _) if is_verified => claims.email,
            (false, _) => return Err("its email address is not verified by its issuer"),
            (true, false) => claims.sub,
            (true, true) => return Err("it names nobody: it has neither `email` nor `sub`"),
        };
        Ok(Self {
            text: Token::from(text),
            subject,
            issuer: claims.iss,
            expires: claims.exp.map(whole),
        })
    }

    /// Checks that it can be sent: it is by this issuer, if one is asked for, and still valid.
    pub fn check(&self, issuer: Option<&str>, now: Timestamp) -> Result<(), &'static str> {
        if issuer.is_some_and(|issuer| issuer != self.issuer) {
            return Err(
                "its issuer is not signers.x509.fulcio.issuer, so it was not sent; correct that key, \
                 or remove it to allow every issuer that Fulcio allows",
            );
        }
        let now = now.as_second();
        if self
            .expires
            .is_some_and(|end| end < now.saturating_add(LEAST))
        {
            return Err(
                "it has expired; see that it is renewed in time, and that the clock of this machine \
                 is right",
            );
        }
        Ok(())
    }
}

/// Seconds without their fraction; a number that is none is in the past.
fn whole(seconds: f64) -> i64 {
    let limit = 1e15;
    if !seconds.is_finite() {
        return 0;
    }
    let seconds = seconds.clamp(0.0, limit).trunc();
    format!("{seconds:.0}").parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A token with these claims, of an algorithm that is not read.
    fn token(algorithm: &str, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!(
            "{}.{}.c2ln",
            part(&json!({ "alg": algorithm })),
            part(claims)
        )
    }

    #[test]
    fn tokens_of_every_algorithm_are_read() {
        for algorithm in ["RS256", "ES256", "PS512", "EdDSA", "HS256", "none"] {
            let text = token(algorithm, &json!({ "iss": "https://i", "sub": "s" }));
            let read = IdentityToken::read(&format!("{text}\n")).unwrap();
            assert_eq!((read.subject.as_str(), read.text.expose()), ("s", &*text));
        }
    }

    #[test]
    fn the_proof_is_over_a_verified_email_address_or_else_the_subject() {
        let subject = |claims: Value| {
            IdentityToken::read(&token("RS256", &claims)).map(|token| token.subject)
        };
        let verified =
            |value: Value| subject(json!({ "sub": "s", "email": "a@b", "email_verified": value }));
        assert_eq!(subject(json!({ "sub": "s" })), Ok("s".to_owned()));
        assert_eq!(verified(json!(true)), Ok("a@b".to_owned()));
        assert_eq!(verified(json!("true")), Ok("a@b".to_owned()));
        for value in [json!(false), json!("false"), json!(null), json!(1)] {
            assert!(verified(value).unwrap_err().contains("not verified"));
        }
        assert!(subject(json!({})).unwrap_err().contains("names nobody"));
    }

    #[test]
    fn what_is_no_token_is_told_without_a_word_of_it() {
        let long = "a".repeat(LIMIT + 1);
        let dots = token("RS256", &json!({ "sub": "s" })) + ".more";
        let list = token("RS256", &json!(["i", "secret", "", true, 1]));
        let claims = URL_SAFE_NO_PAD.encode(b"{\"sub\":\"secret\",\"x\":\"\xff\"}");
        let no_text = format!("e30.{claims}.c2ln");
        for text in [
            "",
            " \n",
            "secret",
            "a.b",
            "a.secret.c",
            &long,
            &dots,
            &list,
            &no_text,
            "e30.e30.%",
        ] {
            let why = IdentityToken::read(text).unwrap_err();
            assert!(!why.contains("secret"), "{why}");
        }
    }

    #[test]
    fn a_token_of_another_issuer_or_from_the_past_is_not_sent() {
        let now = Timestamp::from_second(1000).unwrap();
        let claims = |exp: Value| json!({ "iss": "https://i", "sub": "s", "exp": exp });
        let check = |exp: Value, issuer: Option<&str>| {
            let token = IdentityToken::read(&token("RS256", &claims(exp)));
            token.unwrap().check(issuer, now)
        };
        assert_eq!(check(json!(1010), None), Ok(()));
        assert_eq!(check(json!(1010.5), Some("https://i")), Ok(()));
        assert_eq!(check(json!(null), Some("https://i")), Ok(()));
        for issuer in ["https://other", "https://i/", ""] {
            let why = check(json!(1010), Some(issuer)).unwrap_err();
            assert!(why.contains("signers.x509.fulcio.issuer"), "{why}");
        }
        for exp in [json!(1001), json!(0), json!(-5), json!(-1e300)] {
            assert!(check(exp, None).unwrap_err().contains("expired"));
        }
    }
}
