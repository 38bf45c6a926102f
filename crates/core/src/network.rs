//! The network: which addresses windlass connects to on behalf of a run.
//!
//! A run names the registry, and a registry's responses name further hosts. So the decision is made
//! for each address that a name resolves to, just before the connection: how a name is spelt does
//! not matter. It depends on the address and on where the name is from: a name that a public host
//! gave never leads to a private address.
//!
//! This is the decision alone. The client of registries makes the connections.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub use self::reach::{LocalKind, Reach};
pub use self::rules::{RuleError, Rules};
pub use self::token_services::{TokenServiceError, TokenServices};

mod reach;
mod rules;
mod token_services;

/// What an operator lists.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Network {
    /// `network.allow`: what is connected to in any case.
    pub allow: Rules,
    /// `network.deny`: what is not connected to, besides what never is.
    pub deny: Rules,
}

/// Which addresses are connected to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Policy {
    /// The nearest addresses that are connected to without being listed.
    nearest: Reach,
    listed: Network,
    /// Addresses of the cluster's API.
    cluster: Rules,
    exceptions: Exceptions,
}

/// Where an address can be listed that is not connected to otherwise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Exceptions {
    /// In the settings of a controller.
    #[default]
    #[error("list it in network.allow of windlass-config if that is intended")]
    Settings,
    /// Nowhere: a command reads no settings.
    #[error(
        "no flag of this command allows it; ask the operator of that host for an address that is \
         as public as the host itself"
    )]
    Nowhere,
}

/// Why an address is not connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It is on this machine or its link.
    #[error("it is {0}; {1}")]
    Local(LocalKind, Exceptions),
    /// A host that is farther away named it.
    #[error("a public host refers to a private address; {0}")]
    Inward(Exceptions),
    /// The operator refuses it.
    #[error("network.deny of windlass-config lists it")]
    Denied,
    /// It is the cluster's own API.
    #[error(
        "it is the API of the cluster; list it in network.allow of windlass-config if that is \
         intended"
    )]
    Cluster,
}

impl Default for Policy {
    /// The policy of a controller, which connects on behalf of others: nothing on its own machine.
    fn default() -> Self {
        Self {
            nearest: Reach::Private,
            listed: Network::default(),
            cluster: Rules::default(),
            exceptions: Exceptions::Settings,
        }
    }
}

impl Policy {
    /// The policy of a command on a person's own machine, which may have registries itself.
    pub fn of_workstation() -> Self {
        Self {
            nearest: Reach::Local,
            exceptions: Exceptions::Nowhere,
            ..Self::default()
        }
    }

    /// The policy of a command for hosts whose names it read somewhere, and nobody typed.
    pub fn of_public() -> Self {
        Self {
            nearest: Reach::Public,
            exceptions: Exceptions::Nowhere,
            ..Self::default()
        }
    }

    /// The same without the API of the cluster.
    #[must_use]
    pub fn without_cluster(self, api: &Rules) -> Self {
        Self {
            cluster: self.cluster.with(api),
            ..self
        }
    }

    /// The same with what an operator lists.
    #[must_use]
    pub fn with(self, listed: &Network) -> Self {
        Self {
            listed: Network {
                allow: self.listed.allow.with(&listed.allow),
                deny: self.listed.deny.with(&listed.deny),
            },
            exceptions: Exceptions::Settings,
            ..self
        }
    }

    /// The nearest addresses that a run itself can name.
    pub fn nearest(&self) -> Reach {
        self.nearest
    }

    /// Whether a host may be connected to, as far as its name tells.
    pub fn check_name(&self, host: &str) -> Result<(), Refusal> {
        if self.listed.allow.name(host) {
            return Ok(());
        }
        if self.listed.deny.name(host) {
            return Err(Refusal::Denied);
        }
        if self.cluster.name(host) {
            return Err(Refusal::Cluster);
        }
        Ok(())
    }

    /// Whether an address may be connected to. `host` is the name that resolved to it; `within` is
    /// the nearest reach that whoever gave the name can refer to.
    ///
    /// ```
    /// use windlass_core::network::{Network, Policy, Reach, Rules};
    ///
    /// let policy = Policy::default();
    /// assert!(policy.check(Some("r.io"), "10.0.0.1".parse()?, Reach::Private).is_ok());
    /// assert!(policy.check(Some("r.io"), "10.0.0.1".parse()?, Reach::Public).is_err());
    /// assert!(policy.check(Some("r.io"), "127.0.0.1".parse()?, Reach::Private).is_err());
    ///
    /// let allow = Rules::parse("127.0.0.0/8")?;
    /// let policy = policy.with(&Network { allow, ..Network::default() });
    /// assert!(policy.check(Some("r.io"), "127.0.0.1".parse()?, Reach::Private).is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn check(&self, host: Option<&str>, address: IpAddr, within: Reach) -> Result<(), Refusal> {
        let Network { allow, deny } = &self.listed;
        if allow.address(address) || host.is_some_and(|host| allow.name(host)) {
            return Ok(());
        }
        if deny.anything_of(address) {
            return Err(Refusal::Denied);
        }
        if self.cluster.anything_of(address) {
            return Err(Refusal::Cluster);
        }
        if let Some(host) = host {
            self.check_name(host)?;
        }
        let reach = Reach::of(address);
        if reach <= self.nearest.min(within) {
            return Ok(());
        }
        Err(match reach {
            Reach::Local => Refusal::Local(reach::kind(address), self.exceptions),
            Reach::Private | Reach::Public => Refusal::Inward(self.exceptions),
        })
    }

    /// Whether a name for this machine, such as `localhost`, may be connected to.
    pub fn check_this_machine(&self, host: &str, within: Reach) -> Result<(), Refusal> {
        let v4 = self.check(Some(host), Ipv4Addr::LOCALHOST.into(), within);
        v4.or_else(|_| self.check(Some(host), Ipv6Addr::LOCALHOST.into(), within))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(allow: &str, deny: &str) -> Policy {
        Policy::default().with(&Network {
            allow: Rules::parse(allow).unwrap(),
            deny: Rules::parse(deny).unwrap(),
        })
    }

    fn check(policy: &Policy, host: &str, address: &str) -> Result<(), Refusal> {
        policy.check(Some(host), address.parse().unwrap(), Reach::Private)
    }

    #[test]
    fn what_is_denied_is_denied_in_every_form() {
        let policy = policy("", "10.0.0.0/8, vault.corp");
        for address in [
            "10.1.2.3",
            "::ffff:10.1.2.3",
            "64:ff9b::10.1.2.3",
            "2002:a01:203::",
        ] {
            assert_eq!(
                check(&policy, "r.io", address),
                Err(Refusal::Denied),
                "{address}"
            );
        }
        assert_eq!(
            check(&policy, "Vault.corp.", "8.8.8.8"),
            Err(Refusal::Denied)
        );
        assert_eq!(check(&policy, "r.io", "192.168.0.1"), Ok(()));
    }

    #[test]
    fn what_is_allowed_is_an_exception_from_what_is_denied() {
        let policy = policy("10.0.0.5, registry.corp", "10.0.0.0/8");
        assert_eq!(check(&policy, "r.io", "10.0.0.5"), Ok(()));
        assert_eq!(check(&policy, "registry.corp", "10.0.0.6"), Ok(()));
        assert_eq!(check(&policy, "r.io", "10.0.0.6"), Err(Refusal::Denied));
    }

    #[test]
    fn an_address_that_only_embeds_an_allowed_one_is_not_allowed() {
        let policy = policy("127.0.0.0/8", "");
        assert_eq!(check(&policy, "r.io", "::ffff:127.0.0.1"), Ok(()));
        assert!(check(&policy, "r.io", "2002:7f00:1::").is_err());
    }

    #[test]
    fn the_api_of_the_cluster_is_refused_by_name_and_address() {
        let api = Rules::parse("kubernetes.default.svc, 10.96.0.1").unwrap();
        let policy = policy("", "").without_cluster(&api);
        assert_eq!(check(&policy, "r.io", "10.96.0.1"), Err(Refusal::Cluster));
        let name = policy.check_name("kubernetes.default.svc.");
        assert_eq!(name, Err(Refusal::Cluster));
        assert_eq!(check(&policy, "r.io", "10.96.0.2"), Ok(()));
    }

    #[test]
    fn a_refusal_names_the_setting_where_settings_are_read_and_none_to_a_person_at_a_command() {
        let refusals = |policy: Policy| {
            ["127.0.0.1", "10.0.0.1"].map(|address| {
                let address = address.parse().unwrap();
                let refused = policy.check(None, address, Reach::Public);
                refused.unwrap_err().to_string()
            })
        };
        let dev = Policy::of_workstation().with(&Network::default());
        for controller in [Policy::default(), dev] {
            for text in refusals(controller) {
                assert!(text.contains("network.allow of windlass-config"), "{text}");
            }
        }
        for text in refusals(Policy::of_workstation()) {
            assert!(!text.contains("windlass-config"), "{text}");
            assert!(text.contains("no flag of this command"), "{text}");
        }
    }

    #[test]
    fn a_public_host_never_refers_to_a_private_address() {
        for policy in [Policy::default(), Policy::of_workstation()] {
            for address in ["10.0.0.1", "127.0.0.1", "fd00::1", "100.64.0.1"] {
                let address = address.parse().unwrap();
                assert!(
                    policy.check(None, address, Reach::Public).is_err(),
                    "{address}"
                );
            }
        }
    }
}
