//! The setup of the HTTP clients: trusted authorities, the client certificate, proxies, timeouts.
//!
//! Registries are spoken to in HTTP/1.1, as Podman and Skopeo do. In TLS 1.3 a server refuses the
//! client's certificate after the client's handshake; over HTTP/2, hyper-util drops that alert if it
//! arrives before the connection is ready, and the error would not say what is missing.

use reqwest::{Certificate, ClientBuilder, Identity, NoProxy, Proxy, redirect};
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
        .http1_only()
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
