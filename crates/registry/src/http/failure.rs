//! Failures of transport: what is wrong with a connection, its TLS, or a redirect.

use std::error::Error as _;
use std::time::Duration;

use reqwest::Url;
use rustls::AlertDescription;

use super::host::authority;
use super::network::{Forbidden, Unchecked};
use crate::error::{At, Cause, Error};
use crate::lookup::LookupError;

/// Why a TLS connection failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TlsProblem {
    /// The server's certificate is not trusted.
    Certificate,
    /// The server requires a client certificate, and got none or another one.
    ClientCertificate,
    /// The server does not speak TLS.
    NotTls,
}

/// The TLS problem among the sources of an error.
pub(super) fn tls_problem(error: &reqwest::Error) -> Option<TlsProblem> {
    use rustls::Error;
    match tls_error(error) {
        Some(Error::InvalidCertificate(_)) => Some(TlsProblem::Certificate),
        Some(Error::AlertReceived(alert)) if ASKING.contains(alert) => {
            Some(TlsProblem::ClientCertificate)
        }
        Some(Error::InvalidMessage(_)) => Some(TlsProblem::NotTls),
        Some(_) => None,
        None => is_late_refusal(error).then_some(TlsProblem::ClientCertificate),
    }
}

/// Alerts of a server that requires another client certificate.
const ASKING: [AlertDescription; 3] = [
    AlertDescription::CertificateRequired,
    AlertDescription::BadCertificate,
    AlertDescription::UnknownCA,
];

/// Whether the server refused the client after the handshake, as in TLS 1.3. The alert is a text
/// then.
fn is_late_refusal(error: &reqwest::Error) -> bool {
    let mut next = error.source();
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            let text = error.to_string();
            let alert = |alert| rustls::Error::AlertReceived(alert).to_string();
            return ASKING.into_iter().any(|asking| text == alert(asking));
        }
        next = error.source();
    }
    false
}

/// Whether the connection ended before the request was sent over it.
pub(super) fn is_unsent(error: &reqwest::Error) -> bool {
    let mut next = error.source();
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<hyper::Error>() {
            return error.is_canceled();
        }
        next = error.source();
    }
    false
}

fn tls_error(error: &reqwest::Error) -> Option<&rustls::Error> {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return Some(tls);
        }
        // The source of an I/O error skips the error inside it.
        next = match error.downcast_ref::<std::io::Error>() {
            Some(error) => error.get_ref().map(|inner| inner as _),
            None => error.source(),
        };
    }
    None
}

/// An error of the resolver among the sources of an error.
fn of_resolver<E: std::error::Error + Clone + 'static>(error: &reqwest::Error) -> Option<E> {
    let mut next = error.source();
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found.clone());
        }
        next = error.source();
    }
    None
}

/// A redirect or link that is not followed.
pub(crate) fn unfollowed(at: &At, to: &Url, why: &'static str) -> Error {
    Error::Redirect {
        at: at.clone(),
        to: format!("{}://{}", to.scheme(), authority(to)),
        why,
    }
}

/// A server that did not begin to respond in time.
pub(super) fn silence(at: &At, url: &Url, after: Duration) -> Error {
    Error::Silent {
        at: at.clone(),
        host: authority(url),
        after,
    }
}

/// A place that is not connected to.
pub(super) fn unchecked(at: &At, url: &Url, why: Unchecked) -> Error {
    let (at, host) = (at.clone(), authority(url));
    match why {
        Unchecked::Forbidden(why) => Error::Forbidden { at, host, why },
        Unchecked::Lookup(source) => Error::Unresolved { at, host, source },
    }
}

/// The address is left out of the source: its query may hold a secret.
pub(super) fn failure(at: &At, url: &Url, error: reqwest::Error) -> Error {
    let (at, host) = (at.clone(), authority(url));
    if let Some(Forbidden(why)) = of_resolver(&error) {
        return Error::Forbidden { at, host, why };
    }
    if let Some(source @ LookupError::Crowded) = of_resolver(&error) {
        return Error::Unresolved { at, host, source };
    }
    let problem = tls_problem(&error);
    let source = Cause::of(error);
    match problem {
        Some(TlsProblem::Certificate) => Error::Untrusted { at, host, source },
        Some(TlsProblem::ClientCertificate) => Error::ClientCertificate { at, host, source },
        Some(TlsProblem::NotTls) => Error::NotTls { at, host, source },
        None => Error::Transport { at, host, source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::setup::builder;
    use crate::options::Options;

    #[tokio::test]
    async fn a_server_that_does_not_speak_tls_is_recognised() {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}/", server.local_addr().unwrap());
        let response = async {
            let (mut stream, _) = server.accept().await.unwrap();
            let mut hello = [0; 5];
            stream.read_exact(&mut hello).await.unwrap();
            stream
                .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                .await
                .unwrap();
            stream
        };
        let client = builder(&Options::default()).unwrap().build().unwrap();
        let (error, _stream) = tokio::join!(client.get(url).send(), response);
        assert_eq!(tls_problem(&error.unwrap_err()), Some(TlsProblem::NotTls));
    }
}
