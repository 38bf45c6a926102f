//! Which certificates are trusted, which proxies are used, and which hosts may be spoken to
//! without TLS.

use std::error::Error as _;
use std::net::IpAddr;

use reqwest::{Certificate, ClientBuilder, Identity, NoProxy, Proxy, Url, redirect};
use rustls::AlertDescription;
use zeroize::Zeroizing;

use crate::options::Options;

/// Why no client could be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// A certificate authority cannot be read.
    #[error("could not read certificate authority {number}; give certificates as PEM")]
    Authority {
        /// Which, counted from 1.
        number: usize,
        /// What is wrong with it.
        #[source]
        source: reqwest::Error,
    },
    /// The client certificate cannot be read.
    #[error("could not read the client certificate and its key; give both as PEM")]
    ClientCertificate,
    /// A proxy is no URL.
    #[error("the address of the {0} proxy is not a URL")]
    Proxy(&'static str),
    /// The HTTP client cannot be made.
    #[error("could not set up the HTTP client; check the certificates of the system")]
    Http(#[source] reqwest::Error),
}

/// A builder with everything that does not depend on the host.
pub(crate) fn builder(options: &Options) -> Result<ClientBuilder, SetupError> {
    let mut builder = ClientBuilder::new()
        .user_agent(&options.user_agent)
        .redirect(redirect::Policy::none())
        .referer(false)
        .connect_timeout(options.timeouts.connect)
        .read_timeout(options.timeouts.idle)
        .timeout(options.timeouts.request)
        .no_proxy();
    let mut authorities = Vec::new();
    for (number, pem) in (1..).zip(&options.ca_certificates) {
        let read = Certificate::from_pem_bundle(pem);
        authorities.extend(read.map_err(|source| SetupError::Authority { number, source })?);
    }
    if !authorities.is_empty() {
        builder = builder.tls_certs_merge(authorities);
    }
    if let Some(client) = &options.client_certificate {
        let pem = [client.certificate_pem.as_slice(), b"\n", &client.key_pem].concat();
        let pem = Zeroizing::new(pem);
        let identity = Identity::from_pem(&pem).map_err(|_| SetupError::ClientCertificate)?;
        builder = builder.identity(identity);
    }
    for proxy in proxies(options)? {
        builder = builder.proxy(proxy);
    }
    Ok(builder)
}

fn proxies(options: &Options) -> Result<Vec<Proxy>, SetupError> {
    let stated = &options.proxies;
    let except = stated.except.as_deref().and_then(NoProxy::from_string);
    let mut proxies = Vec::new();
    if let Some(url) = &stated.http {
        proxies.push(Proxy::http(url).map_err(|_| SetupError::Proxy("http"))?);
    }
    if let Some(url) = &stated.https {
        proxies.push(Proxy::https(url).map_err(|_| SetupError::Proxy("https"))?);
    }
    let proxies = proxies.into_iter();
    Ok(proxies
        .map(|proxy| proxy.no_proxy(except.clone()))
        .collect())
}

/// Whether the host is this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    if host == "localhost" || host.ends_with(".localhost") {
        return true;
    }
    let address = host.trim_start_matches('[').trim_end_matches(']');
    address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// What is wrong with TLS, if that is why there is no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TlsProblem {
    /// The server showed a certificate that is not trusted.
    Certificate,
    /// The server asks for a certificate, and there is none or not the right one.
    ClientCertificate,
    /// The server does not speak TLS.
    NotTls,
}

/// Looks for a problem with TLS in what an error comes from.
pub(crate) fn tls_problem(error: &reqwest::Error) -> Option<TlsProblem> {
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

/// Alerts of a server that wants another certificate of the client.
const ASKING: [AlertDescription; 3] = [
    AlertDescription::CertificateRequired,
    AlertDescription::BadCertificate,
    AlertDescription::UnknownCA,
];

/// Whether the server refused the client after the handshake, as in TLS 1.3. The alert comes as a
/// text then.
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

fn tls_error(error: &reqwest::Error) -> Option<&rustls::Error> {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return Some(tls);
        }
        // The source of an I/O error is not what is in it, but the source of that.
        next = match error.downcast_ref::<std::io::Error>() {
            Some(error) => error.get_ref().map(|inner| inner as _),
            None => error.source(),
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_loopback() {
        for host in [
            "localhost:5000",
            "a.localhost",
            "127.0.0.1:5000",
            "127.1.2.3",
            "[::1]:80",
        ] {
            assert!(
                is_loopback(&Url::parse(&format!("http://{host}/")).unwrap()),
                "{host}"
            );
        }
        for host in [
            "10.0.0.1",
            "localhost.example.com",
            "127.0.0.1.example.com",
            "r.local",
        ] {
            assert!(
                !is_loopback(&Url::parse(&format!("http://{host}/")).unwrap()),
                "{host}"
            );
        }
    }

    #[test]
    fn a_bad_proxy_is_refused_without_its_password() {
        let mut options = Options::default();
        options.proxies.https = Some("http://user:hunter2@[bad".to_owned());
        let error = builder(&options).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the address of the https proxy is not a URL"
        );
        assert!(!format!("{options:?}").contains("hunter2"));
    }

    #[tokio::test]
    async fn a_server_that_does_not_speak_tls_is_recognised() {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}/", server.local_addr().unwrap());
        let answer = async {
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
        let (error, _stream) = tokio::join!(client.get(url).send(), answer);
        assert_eq!(tls_problem(&error.unwrap_err()), Some(TlsProblem::NotTls));
    }
}
