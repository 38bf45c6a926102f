//! One exchange of an identity for a credential: bounded in time and size, with errors that hold no
//! secret.

use std::time::Duration;

use bytes::Bytes;
use windlass_registry::Credential;

/// How long an exchange may take, all attempts together.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);
/// Most bytes of an answer.
const LIMIT: usize = 64 << 10;
/// Most letters of another program's words that are shown.
const SHOWN: usize = 200;

/// Why there is no credential. Holds no secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CloudError {
    #[error("no cloud credentials were found: {0}")]
    NoIdentity(String),
    #[error("the cloud credentials could not be exchanged: {0}")]
    Exchange(String),
    #[error("no response within {} s", PATIENCE.as_secs())]
    Timeout,
}

/// A credential and how long it may be used.
#[derive(Debug, Clone)]
pub(super) struct IssuedCredential {
    pub(super) credential: Credential,
    pub(super) lifetime: Duration,
}

pub(super) fn http() -> Result<reqwest::Client, CloudError> {
    let client = reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(5))
        .timeout(PATIENCE)
        .redirect(reqwest::redirect::Policy::none())
        .build();
    client.map_err(|error| CloudError::Exchange(shown(&error.without_url())))
}

/// The body of an answer, if it is one of success.
pub(super) async fn answer(request: reqwest::RequestBuilder) -> Result<Bytes, CloudError> {
    let failed = |error: reqwest::Error| CloudError::Exchange(shown(&error.without_url()));
    let mut response = request.send().await.map_err(failed)?;
    let status = response.status();
    if !status.is_success() {
        return Err(CloudError::Exchange(format!("HTTP {}", status.as_u16())));
    }
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(failed)? {
        if body.len() + piece.len() > LIMIT {
            return Err(CloudError::Exchange("the response is too large".to_owned()));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body.into())
}

/// An answer that is not what it should be. Its text is left out: it may hold a credential.
pub(super) fn malformed<E>(_: E) -> CloudError {
    CloudError::Exchange("the response is malformed".to_owned())
}

/// Another program's words, on one line and cut.
pub(super) fn shown(error: &dyn std::fmt::Display) -> String {
    let text = error.to_string();
    let plain = text
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter });
    plain.take(SHOWN).collect()
}
