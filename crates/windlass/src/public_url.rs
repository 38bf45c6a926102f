//! Something public at a URL, such as a key or a signature: fetched over HTTPS, without any credential,
//! bounded in size, time and redirects.
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
/// Most redirects in a row.
const HOPS: usize = 5;

/// Where something public is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PublicUrl(Url);

/// Why it could not be fetched.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UrlError {
    #[error("the URL is malformed; write https://HOST/PATH")]
    Malformed,
    #[error("the URL has a name or password; leave it out, only what is public is fetched")]
    Userinfo,
    #[error(
        "what comes over http:// may be replaced on its way; use https://, or download it first"
    )]
    Plain,
    #[error("no HTTP client could be set up; check the certificates and proxies of this machine")]
    Setup,
    #[error("there is no complete response: {0}")]
    Failed(Cause),
    #[error("the server responds with HTTP {0}")]
    Status(u16),
    #[error("the response is larger than {limit} bytes")]
    TooLarge { limit: usize },
}

impl PublicUrl {
    /// Reads a URL as it is typed.
    pub(crate) fn parse(text: &str) -> Result<Self, UrlError> {
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

    /// What is there, of at most `limit` bytes.
    pub(crate) async fn fetch(&self, limit: usize) -> Result<Vec<u8>, UrlError> {
        let client = client()?;
        let failed = |error| UrlError::Failed(Cause::of(error));
        let mut response = client.get(self.0.clone()).send().await.map_err(failed)?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(UrlError::Status(response.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(failed)? {
            if body.len() + piece.len() > limit {
                return Err(UrlError::TooLarge { limit });
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }
}

/// Without its query, which may have a token in it.
impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = self.0.clone();
        shown.set_query(None);
        shown.set_fragment(None);
        f.write_str(shown.as_str())
    }
}

impl fmt::Debug for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicUrl({self})")
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
            let error = PublicUrl::parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
        let url = PublicUrl::parse("https://h.example.com/key.pub?token=secret#x").unwrap();
        assert_eq!(url.to_string(), "https://h.example.com/key.pub");
        assert!(!format!("{url:?}").contains("secret"));
    }
}
