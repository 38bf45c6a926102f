//! Identity tokens: what is read is what the claims say, each once, and nothing of a token is repeated.
//!
//! Bytes are a token as they are, and the claims of one.

#![no_main]

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use serde_json::value::RawValue;
use windlass_core::identity_token::{IdentityToken, LIMIT};

/// When the tokens are to be sent, in seconds.
const NOW: i64 = 1_800_000_000;
/// How long a token has to be valid then.
const LEAST: i64 = 2;
/// A part that no output repeats.
const SIGNATURE: &str = "czNjcjN0LWg0cmQtdDAtZ3Uzc3M";

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(token) = IdentityToken::read(text)
    {
        whole(text, &token);
    }
    claims(data);
});

/// The token that is sent on is the one that was given, and reads back the same.
fn whole(text: &str, token: &IdentityToken) {
    let kept = token.text.expose();
    assert_eq!(kept, text.trim());
    assert!(!kept.is_empty() && kept.len() <= LIMIT);
    let alphabet = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=.".contains(&byte);
    assert!(kept.bytes().all(alphabet), "{kept}");
    assert_eq!(kept.split('.').count(), 3);
    let again = IdentityToken::read(kept).expect("what was read");
    assert_eq!(again.subject, token.subject);
    assert!(!token.subject.is_empty());
}

fn claims(data: &[u8]) {
    let of = |claims: &[u8]| format!("e30.{}.{SIGNATURE}", URL_SAFE_NO_PAD.encode(claims));
    let text = of(data);
    let token = match IdentityToken::read(&text) {
        Ok(token) => token,
        Err(why) => return assert!(!why.is_empty()),
    };
    whole(&text, &token);
    assert!(!format!("{token:?}").contains(SIGNATURE));

    let members: HashMap<String, Box<RawValue>> = serde_json::from_slice(data).expect("an object");
    let member = |name: &str| members.get(name).map(|raw| raw.get());
    let string = |name: &str| -> String {
        member(name).map_or_else(String::new, |raw| {
            serde_json::from_str(raw).expect("a claim of text")
        })
    };
    let verified = member("email_verified").map(|raw| serde_json::from_str::<Value>(raw).ok());
    let verified = verified.flatten().unwrap_or_default();
    let subject = if string("email").is_empty() {
        string("sub")
    } else {
        // an address counts only where its issuer says that it is verified
        assert!(verified == true || verified == "true", "{verified}");
        string("email")
    };
    assert_eq!(token.subject, subject);
    expiry(&token, member("exp"));

    let now = Timestamp::from_second(NOW).expect("a time");
    let issuer = string("iss");
    assert_eq!(
        token.check(Some(&issuer), now).is_ok(),
        token.check(None, now).is_ok()
    );
    let error = token.check(Some(&format!("{issuer}/")), now);
    assert!(error.is_err(), "another issuer");

    // Another claim of the same name may mean something else to Fulcio.
    let text = std::str::from_utf8(data).expect("claims are UTF-8");
    let rest = text.trim_start().strip_prefix('{').expect("an object");
    for name in ["iss", "sub", "email", "email_verified", "exp"] {
        if member(name).is_some() {
            let value = if name == "exp" { "1" } else { "\"true\"" };
            let twice = format!("{{\"{name}\":{value},{rest}");
            assert!(
                IdentityToken::read(&of(twice.as_bytes())).is_err(),
                "{twice}"
            );
        }
    }
}

fn expiry(token: &IdentityToken, stated: Option<&str>) {
    let stated: Option<f64> =
        stated.and_then(|raw| serde_json::from_str(raw).expect("a number or null"));
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let least = (NOW + LEAST) as f64;
    let is_valid = stated.is_none_or(|end| end.trunc() >= least);
    let now = Timestamp::from_second(NOW).expect("a time");
    assert_eq!(token.check(None, now).is_ok(), is_valid, "{stated:?}");
}
