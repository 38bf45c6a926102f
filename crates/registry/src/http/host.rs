//! Hosts: their names in URLs and in options, and their exemptions from TLS.

use std::collections::HashSet;
use std::net::IpAddr;

use reqwest::Url;

use crate::options::Options;

/// The hosts that are exempt from a rule of TLS. One exemption does not imply the other.
#[derive(Debug)]
pub(super) struct Exemptions {
    unchecked_certificates: HashSet<String>,
    plain_http: HashSet<String>,
}

impl Exemptions {
    pub(super) fn new(options: &Options) -> Self {
        let hosts = |listed: &[String]| listed.iter().map(|host| canonical(host)).collect();
        Self {
            unchecked_certificates: hosts(&options.unchecked_certificates),
            plain_http: hosts(&options.plain_http),
        }
    }

    /// Whether the certificate of a host is not checked.
    pub(super) fn skip_certificate(&self, url: &Url) -> bool {
        self.unchecked_certificates.contains(&authority(url))
    }

    /// Whether plain HTTP to a host is allowed.
    pub(super) fn allow_plain_http(&self, url: &Url) -> bool {
        is_loopback(url) || self.plain_http.contains(&authority(url))
    }
}

/// Host and port, without the scheme's default port.
pub(super) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// A registry from the options, in the form of [`authority`].
fn canonical(registry: &str) -> String {
    let host = registry.trim().to_ascii_lowercase();
    let plain = host.strip_suffix(":443").or(host.strip_suffix(":80"));
    plain.unwrap_or(&host).to_owned()
}

/// Whether the host is this machine.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    if host == "localhost" || host.ends_with(".localhost") {
        return true;
    }
    let address = host.trim_start_matches('[').trim_end_matches(']');
    address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
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
}
