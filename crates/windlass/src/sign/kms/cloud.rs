//! What the key services of the three clouds have in common: the login, the address, the hash.

use std::net::IpAddr;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Url};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::error::KmsError;
use super::operation::Operation;
use crate::cloud::CloudError;
use crate::service::http::{Answer, Http, excess};

/// How long a cloud may take to give this process a credential.
const PATIENCE: Duration = Duration::from_secs(15);

/// The hash that a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    pub(super) fn digest(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(message).to_vec(),
            Self::Sha384 => Sha384::digest(message).to_vec(),
            Self::Sha512 => Sha512::digest(message).to_vec(),
        }
    }
}

/// A service, and what gives this process an identity there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Login<'a> {
    pub(super) service: &'a str,
    pub(super) remedy: &'static str,
}

impl Login<'_> {
    /// What comes of a login.
    pub(super) async fn of<T>(
        self,
        found: impl Future<Output = Result<T, CloudError>>,
    ) -> Result<T, KmsError> {
        match tokio::time::timeout(PATIENCE, found).await {
            Ok(found) => found.map_err(|error| self.failed(&error.to_string())),
            Err(_) => Err(self.failed(&format!("no credentials within {} s", PATIENCE.as_secs()))),
        }
    }

    /// There is no identity, for this reason.
    fn failed(self, why: &str) -> KmsError {
        self.refused(&format!("{why}; {}", self.remedy))
    }

    /// There is an identity, and the service does not accept it.
    pub(super) fn refused(self, why: &str) -> KmsError {
        KmsError::Login {
            service: self.service.to_owned(),
            why: why.to_owned(),
        }
    }
}

/// Asks a service with these headers: sends JSON, or reads if there is nothing to send.
pub(super) async fn ask(
    http: &Http,
    operation: &Operation,
    url: &str,
    headers: HeaderMap,
    body: Option<&serde_json::Value>,
) -> Result<Answer, KmsError> {
    let body = body.map(ToString::to_string);
    let request = |client: &Client| {
        let request = match &body {
            Some(body) => client
                .post(url)
                .header(CONTENT_TYPE, "application/json")
                .body(body.clone()),
            None => client.get(url),
        };
        request.headers(headers.clone())
    };
    let is_throttled = |answer: &Answer| answer.status == 429;
    let answer = http.send_again_if(&operation.doing, request, is_throttled);
    Ok(answer.await?)
}

/// An address that a variable names, without a slash at its end. A credential of a whole cloud goes
/// there, so it goes over TLS, or to this machine. The address may have a password where it must not,
/// so it is not repeated.
pub(super) fn endpoint(text: &str, variable: &str) -> Result<String, KmsError> {
    let refuse = |why: &str| {
        Err(KmsError::Settings(format!(
            "{variable} is no address of a key service: {why}; write https://HOST"
        )))
    };
    let Ok(url) = Url::parse(text) else {
        return refuse("it is not a URL");
    };
    let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
    if !is_safe {
        return refuse("it does not begin with https://, and is not on this machine");
    }
    if let Some(why) = excess(&url) {
        return refuse(why);
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// Whether a host, with a port or without one, is this machine.
pub(super) fn is_this_machine(host: &str) -> bool {
    Url::parse(&format!("https://{host}")).is_ok_and(|url| is_loopback(&url))
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let address: Option<IpAddr> = address.parse().ok();
    host == "localhost" || address.is_some_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_goes_over_tls_or_to_this_machine() {
        for (text, expected) in [
            ("https://kms.example.com/", "https://kms.example.com"),
            (
                "https://kms.example.com:8443",
                "https://kms.example.com:8443",
            ),
            ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
            ("http://localhost:8080", "http://localhost:8080"),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ] {
            assert_eq!(endpoint(text, "X").unwrap(), expected);
        }
        for text in [
            "http://kms.example.com",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "http://10.0.0.1",
            "ftp://127.0.0.1",
            "kms.example.com",
            "https://planted:planted@kms.example.com",
            "https://kms.example.com/?token=planted",
            "",
        ] {
            let error = endpoint(text, "AWS_ENDPOINT_URL").unwrap_err().to_string();
            assert!(
                error.starts_with("AWS_ENDPOINT_URL is no address"),
                "{error}"
            );
            assert!(!error.contains("planted"), "{error}");
        }
    }
}
