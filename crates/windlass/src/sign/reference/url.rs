//! A public key at a URL: fetched over HTTPS, without any credential, bounded in size, time and
//! redirects.
//!
//! Whoever answers may be anybody: of what comes, nothing is shown but its HTTP status.

use std::fmt;
use std::time::Duration;

use reqwest::Url;
use reqwest::redirect::Policy;
use windlass_registry::Cause;

/// How long it may take altogether.
const TIME: Duration = Duration::from_secs(30);
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);
/// Largest response.
const LIMIT: usize = 64 << 10;
/// Most redirects in a row.
const HOPS: usize = 5;

/// The place of a public key.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct KeyUrl(Url);

/// Why a key could not be fetched.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UrlError {
    #[error("the URL of the key is malformed; write https://HOST/PATH")]
    Malformed,
    #[error("the URL of the key has a name or password; leave it out, the key is public")]
    Userinfo,
    #[error("a key over http:// may be replaced on its way; use https://, or download it first")]
    Plain,
    #[error("no HTTP client could be set up; check the certificates and proxies of this machine")]
    Setup,
    #[error("there is no complete response: {0}")]
    Failed(Cause),
    #[error("the server responds with HTTP {0}")]
    Status(u16),
    #[error("the response is larger than {LIMIT} bytes; that is not a key")]
    TooLarge,
}

impl KeyUrl {
    /// Reads a URL as it is typed.
    pub(super) fn parse(text: &str) -> Result<Self, UrlError> {
        let url = Url::parse(text).map_err(|_| UrlError::Malformed)?;
        match url.scheme() {
            "https" if url.has_host() => {}
            "http" => return Err(UrlError::Plain),
            _ => return Err(UrlError::Malformed),
        }
        if has_userinfo(&url) {
            return Err(UrlError::Userinfo);
        }
        Ok(Self(url))
    }

    /// What is there.
    pub(super) async fn fetch(&self) -> Result<Vec<u8>, UrlError> {
        let client = client()?;
        let failed = |error| UrlError::Failed(Cause::of(error));
        let mut response = client.get(self.0.clone()).send().await.map_err(failed)?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(UrlError::Status(response.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(failed)? {
            if body.len() + piece.len() > LIMIT {
                return Err(UrlError::TooLarge);
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }
}

/// Without its query, which may have a token in it.
impl fmt::Display for KeyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = self.0.clone();
        shown.set_query(None);
        shown.set_fragment(None);
        f.write_str(shown.as_str())
    }
}

impl fmt::Debug for KeyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyUrl({self})")
    }
}

fn has_userinfo(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

fn client() -> Result<reqwest::Client, UrlError> {
    let follow = Policy::custom(|attempt| {
        let is_safe = attempt.url().scheme() == "https" && !has_userinfo(attempt.url());
        if is_safe && attempt.previous().len() <= HOPS {
            return attempt.follow();
        }
        attempt.error("it redirects too often, or to another place than an https:// URL")
    });
    // through the proxy of the environment, like everything else
    let client = reqwest::Client::builder()
        .user_agent(concat!("windlass/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .timeout(TIME)
        .https_only(true)
        .referer(false)
        .redirect(follow)
        .build();
    client.map_err(|_| UrlError::Setup)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_host_over_https_and_nobody_to_log_in_as() {
        for (text, expected) in [
            ("http://h.example.com/key.pub", "use https://"),
            ("https://", "malformed"),
            ("https://user:secret@h.example.com/key.pub", "leave it out"),
        ] {
            let error = KeyUrl::parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
        let url = KeyUrl::parse("https://h.example.com/key.pub?token=secret#x").unwrap();
        assert_eq!(url.to_string(), "https://h.example.com/key.pub");
        assert!(!format!("{url:?}").contains("secret"));
    }
}
