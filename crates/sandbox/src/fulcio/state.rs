//! What the requests of a server share: its authority, its log, and the tokens that it made.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::authority::{Authority, Quirk};
use super::stamp::Log;
use super::subject::Subject;
use crate::issuing::AuthorityError;
use crate::random::random;
use crate::traffic::Traffic;

/// Requests that are remembered.
const REQUEST_LOG: usize = 4096;
/// How long certificates of Fulcio are valid.
const LIFETIME: Duration = Duration::from_secs(600);

#[derive(Debug)]
pub(super) struct State {
    pub(super) traffic: Traffic<Quirk>,
    data: Mutex<Data>,
}

#[derive(Debug)]
pub(super) struct Data {
    pub(super) authority: Authority,
    pub(super) log: Log,
    pub(super) lifetime: Duration,
    pub(super) issued: usize,
    tokens: BTreeMap<String, Subject>,
}

impl State {
    pub(super) fn new() -> Result<Self, AuthorityError> {
        Ok(Self {
            traffic: Traffic::new(REQUEST_LOG),
            data: Mutex::new(Data {
                authority: Authority::make()?,
                log: Log::make()?,
                lifetime: LIFETIME,
                issued: 0,
                tokens: BTreeMap::new(),
            }),
        })
    }

    pub(super) fn data(&self) -> MutexGuard<'_, Data> {
        self.data.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new token. Its algorithm is not the one that Go programs expect.
    pub(super) fn issue(&self, subject: &Subject) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.unwrap_or_default();
        let mut claims = json!({
            "iss": subject.issuer,
            "sub": subject.subject,
            "aud": "sigstore",
            "exp": (now + subject.lifetime).as_secs(),
        });
        if let Some(email) = &subject.email {
            claims["email"] = json!(email);
            claims["email_verified"] = json!(true);
        }
        let head = json!({ "alg": "ES256", "typ": "JWT" });
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let signature = random::<64>().unwrap_or([7; 64]);
        let token = format!(
            "{}.{}.{}",
            part(head.to_string().as_bytes()),
            part(claims.to_string().as_bytes()),
            part(&signature)
        );
        let subject = subject.clone();
        self.data().tokens.insert(token.clone(), subject);
        token
    }
}

impl Data {
    /// Whom a token is for, if it is one and still valid.
    pub(super) fn subject(&self, token: &str) -> Option<Subject> {
        let claims = token.split('.').nth(1)?;
        let claims = URL_SAFE_NO_PAD.decode(claims).ok()?;
        let claims: serde_json::Value = serde_json::from_slice(&claims).ok()?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        let is_valid = claims["exp"].as_u64()? > now.as_secs();
        self.tokens.get(token).filter(|_| is_valid).cloned()
    }
}
