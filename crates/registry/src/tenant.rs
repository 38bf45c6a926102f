//! Tenants: on whose behalf a repository is used. What a client remembers is bounded, and tenants
//! have fair shares of it: none pushes out what another uses.

use std::fmt;
use std::sync::Arc;

/// A tenant. The default one is for clients that have no other.
///
/// ```
/// use windlass_registry::keychain::Candidates;
/// use windlass_registry::{Client, Options, Repository, Tenant};
///
/// let client = Client::new(Options::default())?;
/// let repository = Repository::parse("registry.example.com/team/app")?;
/// let remote = client
///     .repository(repository, Candidates::anonymous())
///     .on_behalf_of(Tenant::from("team"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tenant(Arc<str>);

impl Tenant {
    /// Its name.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Tenant {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}
