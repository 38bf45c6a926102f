//! Rules: networks and hosts that an operator lists.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use super::reach::embedded;

/// Networks and hosts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Rules(Vec<Rule>);

/// A network or a host.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Rule {
    Network(IpNet),
    /// A name in lower case, without the dot at its end.
    Host(String),
}

/// An entry that is neither a network nor a host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither a network, an address nor a host name")]
pub struct RuleError(pub String);

impl Rules {
    /// Reads entries separated by commas: networks such as `10.0.0.0/8`, addresses, host names.
    ///
    /// ```
    /// use windlass_core::network::Rules;
    ///
    /// assert!(Rules::parse("10.0.0.0/8, fd00::/8, registry.corp").is_ok());
    /// assert!(Rules::parse("registry.corp:5000").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        let entries = text.split([',', '\n']).map(str::trim);
        let entries = entries.filter(|entry| !entry.is_empty());
        let rules = entries.map(|entry| Rule::parse(entry).ok_or(RuleError(entry.to_owned())));
        rules.collect::<Result<_, _>>().map(Self)
    }

    /// A rule for a host, which may be an address, in brackets or not.
    pub fn host(host: &str) -> Result<Self, RuleError> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        Self::parse(bare)
    }

    /// The addresses as rules.
    pub fn addresses(addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        let rules = addresses.into_iter().map(IpNet::from).map(Rule::Network);
        Self(rules.collect())
    }

    /// Both.
    #[must_use]
    pub fn with(mut self, more: &Self) -> Self {
        self.0.extend(more.0.iter().cloned());
        self
    }

    /// Whether a host is listed by its name.
    pub(super) fn name(&self, host: &str) -> bool {
        let host = canonical(host);
        let is_listed = |rule: &Rule| matches!(rule, Rule::Host(listed) if *listed == host);
        self.0.iter().any(is_listed)
    }

    /// Whether an address is listed, as it is or as the IPv4 address that is mapped to it.
    pub(super) fn address(&self, address: IpAddr) -> bool {
        self.contains(address) || self.contains(address.to_canonical())
    }

    /// Whether an address is listed, or any that it may lead to.
    pub(super) fn anything_of(&self, address: IpAddr) -> bool {
        let inner = match address {
            IpAddr::V4(_) => None,
            IpAddr::V6(address) => Some(embedded(address)),
        };
        let mut inner = inner.into_iter().flatten();
        self.address(address) || inner.any(|inner| self.contains(IpAddr::V4(inner)))
    }

    fn contains(&self, address: IpAddr) -> bool {
        let has =
            |rule: &Rule| matches!(rule, Rule::Network(network) if network.contains(&address));
        self.0.iter().any(has)
    }
}

impl Rule {
    fn parse(entry: &str) -> Option<Self> {
        if let Ok(network) = entry.parse::<IpNet>() {
            return Some(Self::Network(network.trunc()));
        }
        if let Ok(address) = entry.parse::<IpAddr>() {
            return Some(Self::Network(address.into()));
        }
        is_name(entry).then(|| Self::Host(canonical(entry)))
    }
}

/// Whether a text can be the name of a host. What looks like a number is an address that is spelt
/// in a way that only some programs read.
pub(super) fn is_name(text: &str) -> bool {
    let text = text.strip_suffix('.').unwrap_or(text);
    let is_label = |label: &str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        (1..=63).contains(&label.len()) && label.bytes().all(is_plain) && !label.starts_with('-')
    };
    let last = text.rsplit('.').next().unwrap_or_default();
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit())
        || last.to_ascii_lowercase().starts_with("0x");
    text.len() <= 253 && text.split('.').all(is_label) && !is_number
}

/// A name in lower case, without the dot at its end.
fn canonical(host: &str) -> String {
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

impl fmt::Display for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, rule) in self.0.iter().enumerate() {
            let comma = if number == 0 { "" } else { "," };
            match rule {
                Rule::Network(network) => write!(f, "{comma}{network}")?,
                Rule::Host(host) => write!(f, "{comma}{host}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_addresses_and_names_are_read() {
        let rules = Rules::parse(" 10.1.2.3/8,::1, Registry.Corp.,\n127.0.0.1,").unwrap();
        assert_eq!(
            rules.to_string(),
            "10.0.0.0/8,::1/128,registry.corp,127.0.0.1/32"
        );
        assert_eq!(Rules::parse("").unwrap(), Rules::default());
    }

    #[test]
    fn an_entry_that_is_neither_is_named() {
        for entry in [
            "10.0.0.0/33",
            "a:5000",
            "127.1",
            "0x7f.1",
            "2130706433",
            "*.corp",
            "http://a",
            "a b",
            "fe80::1%eth0",
            "[::1]",
            "-a.b",
            "a..b",
            "a/8",
        ] {
            let error = Rules::parse(&format!("10.0.0.0/8,{entry}")).unwrap_err();
            assert_eq!(error, RuleError(entry.to_owned()));
        }
    }
}
