//! Hosts: their names in URLs and in settings, and which of them are this machine.

use std::net::IpAddr;

use reqwest::Url;

/// Host and port, without the scheme's default port.
pub(super) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// A registry from the settings, in the form of [`authority`].
pub(super) fn canonical(registry: &str) -> String {
    let host = registry.trim().to_ascii_lowercase();
    let plain = host.strip_suffix(":443").or(host.strip_suffix(":80"));
    plain.unwrap_or(&host).to_owned()
}

/// Whether the host is this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
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
