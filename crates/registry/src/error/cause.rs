//! Why there was no response, in a few words: what the HTTP client reports repeats itself at every level,
//! and names its own parts.

use std::error::Error as StdError;
use std::fmt;
use std::io::{Error as IoError, ErrorKind};

use rustls::CertificateError as Bad;

/// Most errors of a chain that are looked at.
const DEPTH: usize = 16;

/// Why a response that has begun has no end.
const CUT: &str = "the connection was closed before the response was complete";

/// The error of an HTTP client, which tells people the cause alone.
#[derive(Debug)]
pub struct Cause(reqwest::Error);

impl Cause {
    /// Takes the address out of the error, whose query may hold a secret.
    #[must_use]
    pub fn of(error: reqwest::Error) -> Self {
        Self(error.without_url())
    }

    /// Whether it took too long.
    pub(crate) fn is_timeout(&self) -> bool {
        self.0.is_timeout()
    }

    /// Whether no connection could be made.
    pub(crate) fn is_connect(&self) -> bool {
        self.0.is_connect()
    }
}

impl StdError for Cause {}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut next: Option<&(dyn StdError + 'static)> = Some(&self.0);
        let mut last = String::new();
        for _ in 0..DEPTH {
            let Some(error) = next else {
                break;
            };
            if let Some(known) = known(error) {
                return f.write_str(&known);
            }
            last = error.to_string();
            next = match error.downcast_ref::<IoError>() {
                Some(error) => error.get_ref().map(|inner| inner as _),
                None => error.source(),
            };
        }
        f.write_str(if self.0.is_timeout() {
            "it took too long"
        } else {
            &last
        })
    }
}

fn known(error: &(dyn StdError + 'static)) -> Option<String> {
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return Some(of_tls(error));
    }
    if let Some(error) = error.downcast_ref::<hyper::Error>()
        && error.is_incomplete_message()
    {
        return Some(CUT.to_owned());
    }
    if let Some(error) = error.downcast_ref::<IoError>() {
        let why = match error.kind() {
            ErrorKind::ConnectionRefused => "the connection was refused",
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => "the connection was broken off",
            ErrorKind::UnexpectedEof => CUT,
            ErrorKind::TimedOut => "it took too long",
            ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
                "there is no way to its network"
            }
            _ => return None,
        };
        return Some(why.to_owned());
    }
    // the resolver's own error has no type that could be named
    let is_lookup = error.to_string().starts_with("dns error");
    is_lookup.then(|| "its host name cannot be resolved".to_owned())
}

fn of_tls(error: &rustls::Error) -> String {
    let why = match error {
        rustls::Error::InvalidCertificate(bad) => match bad {
            Bad::UnknownIssuer => "the authority of its certificate is unknown",
            Bad::Expired | Bad::ExpiredContext { .. } => "its certificate has expired",
            Bad::NotValidYet | Bad::NotValidYetContext { .. } => "its certificate is not valid yet",
            Bad::NotValidForName | Bad::NotValidForNameContext { .. } => {
                "its certificate is for another host name"
            }
            _ => "its certificate is not valid",
        },
        rustls::Error::InvalidMessage(_) => "its response is not TLS",
        rustls::Error::AlertReceived(alert) => return format!("it ends TLS with {alert:?}"),
        _ => return format!("TLS failed: {error}"),
    };
    why.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_cause_is_told_once_and_in_words_of_no_library() {
        let client = reqwest::Client::new();
        for (url, expected) in [
            (
                "http://127.0.0.1:1/x?token=secret",
                "the connection was refused",
            ),
            (
                "http://nowhere.invalid/",
                "its host name cannot be resolved",
            ),
        ] {
            let error = client.get(url).send().await.unwrap_err();
            assert_eq!(Cause::of(error).to_string(), expected);
        }
    }

    #[test]
    fn what_tls_ends_with_is_told_without_a_link_of_its_library() {
        let cut = IoError::new(ErrorKind::UnexpectedEof, "see https://docs.rs/rustls");
        assert_eq!(known(&cut).as_deref(), Some(CUT));
        for bad in [Bad::UnknownIssuer, Bad::Expired, Bad::BadEncoding] {
            let told = known(&rustls::Error::InvalidCertificate(bad));
            assert!(told.is_some_and(|told| told.contains("its certificate")));
        }
    }
}
