//! Signature Version 4: whether a request was signed with an account's key.
//! Source: AWS General Reference, "Create a signed AWS API request".

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use http::request::Parts;
use sha2::{Digest as _, Sha256};

use crate::random::hex;

use super::options::Account;

/// How far the clock of a client may be off.
const TOLERANCE: Duration = Duration::from_secs(300);
const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Why a request is refused: the service's name for the error, and a message.
pub(super) type Refusal = (&'static str, &'static str);

/// The header `Authorization`.
struct Authorization<'a> {
    access_key: &'a str,
    /// `DATE/REGION/SERVICE/aws4_request`.
    scope: &'a str,
    signed: Vec<&'a str>,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let rest = text.strip_prefix(ALGORITHM)?.trim_start();
        let part = |name: &str| {
            let mut parts = rest.split(',').map(str::trim);
            parts.find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
        };
        let (access_key, scope) = part("Credential")?.split_once('/')?;
        Some(Self {
            access_key,
            scope,
            signed: part("SignedHeaders")?.split(';').collect(),
            signature: part("Signature")?,
        })
    }
}

/// Checks the signature of a request by an account, and gives the region that it is for.
pub(super) fn check(
    parts: &Parts,
    body: &[u8],
    account: &Account,
    now: SystemTime,
) -> Result<String, Refusal> {
    let header = |name: &str| {
        let value = parts
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok());
        value.unwrap_or_default().trim()
    };
    let stated = Authorization::parse(header("authorization"));
    let stated = stated.ok_or(("MissingAuthenticationToken", "no signature"))?;
    if stated.access_key != account.access_key {
        return Err(("UnrecognizedClientException", "the access key is not known"));
    }
    if header("x-amz-security-token") != account.session {
        return Err(("UnrecognizedClientException", "the session is not known"));
    }
    let date = header("x-amz-date");
    age(date, now)?;
    let scope: Vec<&str> = stated.scope.split('/').collect();
    let [day, region, service @ "kms", end @ "aws4_request"] = scope[..] else {
        return Err(("InvalidSignatureException", "the scope is another one"));
    };
    let must = ["host", "x-amz-date", "x-amz-target"];
    if !must.iter().all(|name| stated.signed.contains(name)) {
        return Err(("InvalidSignatureException", "a header is not signed"));
    }
    let headers = stated.signed.iter();
    let headers: Vec<String> = headers
        .map(|name| format!("{name}:{}\n", header(name)))
        .collect();
    let headers = headers.concat();
    let signed = stated.signed.join(";");
    let body = hex(&Sha256::digest(body));
    let canonical = format!(
        "{}\n{}\n\n{headers}\n{signed}\n{body}",
        parts.method,
        parts.uri.path()
    );
    let canonical = hex(&Sha256::digest(canonical));
    let text = format!("{ALGORITHM}\n{date}\n{}\n{canonical}", stated.scope);
    let secret = format!("AWS4{}", account.secret_key).into_bytes();
    let key = [day, region, service, end, text.as_str()]
        .iter()
        .fold(secret, |key, part| mac(&key, part));
    if hex(&key) != stated.signature {
        return Err(("InvalidSignatureException", "the signature does not match"));
    }
    Ok(region.to_owned())
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
}

/// Refuses a request of another time.
fn age(date: &str, now: SystemTime) -> Result<(), Refusal> {
    let parsed = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", date);
    let parsed = parsed.and_then(|date| date.to_zoned(jiff::tz::TimeZone::UTC));
    let parsed = parsed.map_err(|_| ("InvalidSignatureException", "the date is malformed"))?;
    let seconds = u64::try_from(parsed.timestamp().as_second()).unwrap_or_default();
    let date = UNIX_EPOCH + Duration::from_secs(seconds);
    if date + TOLERANCE < now {
        return Err((
            "InvalidSignatureException",
            "Signature expired: it is now earlier than the clock allows",
        ));
    }
    if date > now + TOLERANCE {
        return Err(("InvalidSignatureException", "Signature not yet current"));
    }
    Ok(())
}
