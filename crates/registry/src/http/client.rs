//! HTTP clients: one for each reach, since a connection that one place may use is not for all.

use std::sync::OnceLock;

use windlass_core::network::Reach;

use super::network::{Network, Resolver};
use super::setup::{self, SetupError};
use crate::options::Options;

/// Whether certificates are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verification {
    Full,
    None,
}

/// The clients of one kind of verification, by the nearest address they connect to.
#[derive(Debug)]
pub(super) struct Clients {
    options: Options,
    network: Network,
    verification: Verification,
    made: [OnceLock<Option<reqwest::Client>>; 3],
}

impl Clients {
    /// Makes the client that every registry needs; the others are made when they are needed.
    pub(super) fn new(
        options: &Options,
        network: &Network,
        verification: Verification,
    ) -> Result<Self, SetupError> {
        let clients = Self {
            options: options.clone(),
            network: network.clone(),
            verification,
            made: Default::default(),
        };
        let nearest = network.nearest();
        let first = clients.make(nearest)?;
        clients.slot(nearest).get_or_init(|| Some(first));
        Ok(clients)
    }

    /// The client that connects to nothing nearer than this; none if it could not be made.
    pub(super) fn within(&self, reach: Reach) -> Option<&reqwest::Client> {
        let made = self.slot(reach).get_or_init(|| self.make(reach).ok());
        made.as_ref()
    }

    fn slot(&self, reach: Reach) -> &OnceLock<Option<reqwest::Client>> {
        let [public, private, local] = &self.made;
        match reach {
            Reach::Public => public,
            Reach::Private => private,
            Reach::Local => local,
        }
    }

    fn make(&self, within: Reach) -> Result<reqwest::Client, SetupError> {
        let resolver = Resolver::new(self.network.clone(), within);
        let builder = setup::builder(&self.options)?.dns_resolver(resolver);
        let builder = match self.verification {
            Verification::Full => builder,
            Verification::None => builder.tls_danger_accept_invalid_certs(true),
        };
        builder.build().map_err(SetupError::Http)
    }
}
