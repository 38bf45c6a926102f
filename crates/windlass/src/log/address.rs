//! The address of a log, as the settings have it.

use reqwest::Url;
use windlass_core::config::Endpoint;

use crate::service::http::excess;

/// The address of a log, or what is wrong with it. It may have a password where it must not, so it is not
/// repeated.
pub(crate) fn check(address: &Endpoint) -> Result<Url, &'static str> {
    let url = Url::parse(address.expose()).map_err(|_| "it is not a URL")?;
    if !matches!(url.scheme(), "https" | "http") || !url.has_host() {
        return Err("it does not begin with https://");
    }
    if let Some(why) = excess(&url) {
        return Err(why);
    }
    Ok(url)
}

/// The address without the slash at its end, which paths are added to.
pub(super) fn base(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

/// Host and port, as the queue and people know it.
pub(super) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_host_and_may_have_a_path_and_nothing_else() {
        for (address, wanted) in [
            ("https://rekor.sigstore.dev", "https://rekor.sigstore.dev"),
            ("https://r.example/", "https://r.example"),
            (
                "https://r.example:8443/log/1//",
                "https://r.example:8443/log/1",
            ),
            (
                "http://rekor-server.rekor-system.svc",
                "http://rekor-server.rekor-system.svc",
            ),
            ("http://[::1]:3000/", "http://[::1]:3000"),
        ] {
            let url = check(&Endpoint::from(address)).unwrap();
            assert_eq!(base(&url), wanted);
        }
        for (address, why) in [
            ("", "not a URL"),
            ("rekor.example", "not a URL"),
            ("rekor.example:443", "begin with https"),
            ("ftp://rekor.example", "begin with https"),
            ("file:///etc/passwd", "begin with https"),
            ("https://user:pass@rekor.example", "password"),
            ("https://rekor.example/?tenant=1", "query"),
            ("https://rekor.example/#a", "fragment"),
        ] {
            let error = check(&Endpoint::from(address)).unwrap_err();
            assert!(error.contains(why), "{address}: {error}");
        }
    }
}
