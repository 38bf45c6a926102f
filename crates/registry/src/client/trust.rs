//! Which certificates are trusted, which proxies are used, and which hosts may be spoken to
//! without TLS.

use std::net::IpAddr;

use reqwest::{Certificate, ClientBuilder, Identity, NoProxy, Proxy, Url, redirect};
use zeroize::Zeroizing;

use super::SetupError;
use crate::options::Options;

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

/// Whether the server showed a certificate that is not trusted, or asked for one in vain.
pub(crate) fn is_about_certificates(error: &reqwest::Error) -> bool {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return is_certificate_error(tls);
        }
        // The source of an I/O error is not what is in it, but the source of that.
        next = match error
            .downcast_ref::<std::io::Error>()
            .map(std::io::Error::get_ref)
        {
            Some(inner) => inner.map(|inner| inner as _),
            None => error.source(),
        };
    }
    false
}

fn is_certificate_error(error: &rustls::Error) -> bool {
    use rustls::{AlertDescription, Error};
    match error {
        Error::InvalidCertificate(_) => true,
        Error::AlertReceived(alert) => matches!(
            alert,
            AlertDescription::CertificateRequired
                | AlertDescription::BadCertificate
                | AlertDescription::UnknownCA
        ),
        _ => false,
    }
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
}
