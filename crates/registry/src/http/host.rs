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

    /// Whether plain HTTP to a host is allowed by the options.
    pub(super) fn allow_plain_http(&self, url: &Url) -> bool {
        self.plain_http.contains(&authority(url))
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

/// The address in a URL whose host is one.
pub(super) fn address(url: &Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.parse().ok()
}

/// Whether a name always means this machine (RFC 6761, section 6.3).
pub(super) fn is_own_name(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    host == "localhost" || host.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_localhost_is_a_name_of_this_machine() {
        for host in ["localhost", "a.localhost", "localhost.", "a.b.localhost."] {
            assert!(is_own_name(host), "{host}");
        }
        for host in [
            "localhost.example.com",
            "r.local",
            "mylocalhost",
            "127.0.0.1",
        ] {
            assert!(!is_own_name(host), "{host}");
        }
    }

    #[test]
    fn an_address_is_read_however_it_is_spelt() {
        for host in [
            "127.0.0.1",
            "127.1",
            "0x7f.1",
            "2130706433",
            "0177.0.0.1",
            "127.0.0.1.",
        ] {
            let url = Url::parse(&format!("http://{host}:5000/")).unwrap();
            assert_eq!(address(&url), Some([127, 0, 0, 1].into()), "{host}");
        }
        let url = Url::parse("http://[::1]/").unwrap();
        assert!(address(&url).is_some_and(|address| address.is_loopback()));
        assert_eq!(address(&Url::parse("http://r.io/").unwrap()), None);
    }
}
