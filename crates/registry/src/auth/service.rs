//! Token services: which of them get the credential of a registry.
//!
//! A registry names its token service in a challenge. A host of its own gets the credential: the
//! same host, one of the same registrable domain, one that is known to serve that registry, or one
//! that the operator lists. Any other host gets anonymous requests alone, and only at a public address:
//! the token goes to the registry, and must be one that everybody can have.

use std::net::IpAddr;

use reqwest::Url;
use windlass_core::network::{Reach, TokenServices};

use super::Credential;
use super::refusal::Denial;
use crate::http::Place;

/// Registries whose token service has another domain.
const KNOWN: [(&str, &str); 2] = [
    // Docker Hardened Images
    ("dhi.io", "auth.docker.io"),
    // LinuxServer.io
    ("lscr.io", "ghcr.io"),
];

/// The place to request a token for a credential at, if it may be sent there.
pub(crate) fn place(
    registry: &str,
    realm: &Place,
    credential: &Credential,
    listed: &TokenServices,
) -> Result<Place, Denial> {
    if is_own(registry, &realm.url, listed) {
        return Ok(realm.clone());
    }
    match credential {
        Credential::Anonymous => Ok(Place {
            url: realm.url.clone(),
            within: realm.within.min(Reach::Public),
        }),
        _ => Err(Denial::foreign_service()),
    }
}

/// Whether a token service belongs to a registry.
fn is_own(registry: &str, realm: &Url, listed: &TokenServices) -> bool {
    let service = realm.host_str().unwrap_or_default();
    if is_host_of(registry, service) {
        return true;
    }
    let with_port = match realm.port() {
        Some(port) => format!("{service}:{port}"),
        None => service.to_owned(),
    };
    let host = host_of(registry);
    host == service
        || listed.has(registry, service)
        || listed.has(registry, &with_port)
        || KNOWN.contains(&(host.as_str(), service))
        || is_same_domain(&host, service)
}

/// Whether a registry is named by this very host, with a port or without, so that nothing has to be read.
fn is_host_of(registry: &str, service: &str) -> bool {
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let rest = registry.strip_prefix(service);
    let is_rest = |rest: &str| rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port);
    !service.is_empty() && rest.is_some_and(is_rest)
}

/// The host of a registry, as it stands in a URL.
fn host_of(registry: &str) -> String {
    let url = Url::parse(&format!("https://{registry}/")).ok();
    let host = url.and_then(|url| url.host_str().map(str::to_owned));
    host.unwrap_or_default()
}

/// Whether two names have one registrable domain: a suffix of the Public Suffix List with one more
/// label. Names under other suffixes, such as those of a cluster, belong to nobody in particular.
fn is_same_domain(one: &str, other: &str) -> bool {
    let domain = |host: &str| {
        let domain = psl::domain(host.trim_end_matches('.').as_bytes())?;
        let is_address = host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
        let is_known = domain.suffix().is_known() && !is_address;
        is_known.then(|| domain.as_bytes().to_vec())
    };
    domain(one).is_some_and(|one| domain(other) == Some(one))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_own_at(registry: &str, service: &str) -> bool {
        let listed =
            TokenServices::parse("r.corp:5000 login.example.com\nr.corp a.corp:8443").unwrap();
        let realm = Url::parse(&format!("https://{service}/token")).unwrap();
        is_own(registry, &realm, &listed)
    }

    #[test]
    fn a_host_of_the_registry_is_its_own() {
        for (registry, service) in [
            ("index.docker.io", "auth.docker.io"),
            ("registry-1.docker.io", "auth.docker.io"),
            ("dhi.io", "auth.docker.io"),
            ("ghcr.io", "ghcr.io"),
            ("lscr.io", "ghcr.io"),
            ("quay.io", "quay.io"),
            ("registry.gitlab.com", "gitlab.com"),
            ("registry.example.co.uk", "auth.example.co.uk:8443"),
            ("r.corp", "r.corp"),
            ("R.corp:5000", "r.corp:5001"),
            ("r.corp:5000", "login.example.com"),
            ("r.corp", "a.corp:8443"),
            ("10.0.0.5:5000", "10.0.0.5:5001"),
        ] {
            assert!(is_own_at(registry, service), "{registry} {service}");
        }
    }

    #[test]
    fn any_other_host_is_not() {
        for (registry, service) in [
            ("index.docker.io", "auth.docker.io.evil.example"),
            ("evil.io", "auth.docker.io"),
            ("r.corp.evil.example", "r.corp"),
            ("r.corp@evil.example", "r.corp"),
            ("r.corp:80@evil.example", "r.corp"),
            ("evil.github.io", "team.github.io"),
            ("a.co.uk", "b.co.uk"),
            (
                "evil.team-b.svc.cluster.local",
                "vault.team-a.svc.cluster.local",
            ),
            ("evil.b.svc", "vault.b.svc"),
            ("a.corp", "b.corp"),
            ("r.corp", "login.example.com"),
            ("r.corp", "a.corp"),
            ("10.0.0.5", "10.0.0.6"),
            ("10.0.0.5", "1.0.0.5"),
            ("[fd00::1]", "[fd00::2]"),
        ] {
            assert!(!is_own_at(registry, service), "{registry} {service}");
        }
    }

    #[test]
    fn a_foreign_service_gets_no_credential_and_is_asked_anonymously_in_public_only() {
        let realm = Place {
            url: Url::parse("https://vault.corp/token").unwrap(),
            within: Reach::Private,
        };
        let listed = TokenServices::default();
        let token = Credential::IdentityToken("t".to_owned().into());
        assert!(place("evil.corp", &realm, &token, &listed).is_err());
        let anonymous = place("evil.corp", &realm, &Credential::Anonymous, &listed).unwrap();
        assert_eq!(anonymous.within, Reach::Public);
        assert_eq!(place("vault.corp", &realm, &token, &listed).unwrap(), realm);
    }
}
