//! Token services: hosts that issue tokens for a registry of another name.

use std::collections::{BTreeMap, BTreeSet};

use super::rules::is_name;

/// The token services that an operator lists, by registry; none if every host counts as listed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TokenServices(Option<BTreeMap<String, BTreeSet<String>>>);

/// A line that is not `REGISTRY HOST`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the name of a registry and the host of its token service")]
pub struct TokenServiceError(pub String);

impl Default for TokenServices {
    fn default() -> Self {
        Self(Some(BTreeMap::new()))
    }
}

impl TokenServices {
    /// Every host for every registry, as Docker and cosign have it: for a person who names the
    /// registry and has only their own credentials.
    pub fn any() -> Self {
        Self(None)
    }

    /// Reads lines of `REGISTRY HOST`, each with a port where the address has one.
    ///
    /// ```
    /// use windlass_core::network::TokenServices;
    ///
    /// let listed = TokenServices::parse("r.corp:5000 login.corp.example\n")?;
    /// assert!(listed.has("r.corp:5000", "login.corp.example"));
    /// assert!(!listed.has("r.corp", "login.corp.example"));
    /// # Ok::<(), windlass_core::network::TokenServiceError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, TokenServiceError> {
        let mut services: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let lines = text.lines().map(str::trim);
        for line in lines.filter(|line| !line.is_empty()) {
            let mut words = line.split_whitespace().map(str::to_ascii_lowercase);
            match (words.next(), words.next(), words.next()) {
                (Some(registry), Some(host), None) if is_authority(&registry, &host) => {
                    services.entry(registry).or_default().insert(host);
                }
                _ => return Err(TokenServiceError(line.to_owned())),
            }
        }
        Ok(Self(Some(services)))
    }

    /// Whether a host, with its port if it has one, is listed for a registry.
    pub fn has(&self, registry: &str, host: &str) -> bool {
        let Some(listed) = &self.0 else {
            return true;
        };
        let listed = listed.get(&registry.to_ascii_lowercase());
        listed.is_some_and(|hosts| hosts.contains(&host.to_ascii_lowercase()))
    }
}

fn is_authority(registry: &str, host: &str) -> bool {
    [registry, host].into_iter().all(|authority| {
        let (name, port) = match authority.rsplit_once(':') {
            Some((name, port)) if !name.contains(':') || name.ends_with(']') => (name, Some(port)),
            _ => (authority, None),
        };
        let bare = name
            .strip_prefix('[')
            .and_then(|name| name.strip_suffix(']'));
        let is_host = match bare {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => is_name(name) || name.parse::<std::net::Ipv4Addr>().is_ok(),
        };
        is_host && port.is_none_or(|port| port.parse::<u16>().is_ok())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_a_registry_and_a_host() {
        let text = "R.corp:5000  login.corp\n\n 10.0.0.5 10.0.0.6:8443\nr.corp:5000 other\n";
        let listed = TokenServices::parse(text).unwrap();
        assert!(listed.has("r.corp:5000", "Login.corp"));
        assert!(listed.has("r.corp:5000", "other"));
        assert!(listed.has("10.0.0.5", "10.0.0.6:8443"));
        assert!(!listed.has("10.0.0.5", "10.0.0.6"));
        assert!(TokenServices::parse("[::1]:5000 [::1]:5001").is_ok());
    }

    #[test]
    fn a_line_of_another_form_is_named() {
        for line in [
            "a",
            "a b c",
            "https://a b",
            "a b/c",
            "a u@b",
            "a b:x",
            "* b",
        ] {
            let error = TokenServices::parse(&format!("a b\n{line}")).unwrap_err();
            assert_eq!(error, TokenServiceError(line.to_owned()));
        }
    }
}
