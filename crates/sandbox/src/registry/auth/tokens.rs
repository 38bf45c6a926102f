//! The issued tokens. A token is random text; this table says what it allows.

use std::collections::BTreeMap;
use std::time::Duration;

use super::grant::Grant;
use super::scope::Scope;

/// How long after its end a token is still known as one that has ended.
const RETENTION: Duration = Duration::from_secs(3600);

/// What a token stands for.
#[derive(Debug, Clone)]
pub(crate) struct IssuedToken {
    /// Tokens are numbered from 1.
    pub number: u64,
    pub scopes: Vec<Scope>,
    /// All that its owner may do.
    pub grants: Vec<Grant>,
    /// When it ends, by the registry's clock.
    pub end: Duration,
}

/// All tokens.
#[derive(Default)]
pub(crate) struct Issuer {
    issued: BTreeMap<String, IssuedToken>,
    /// Refresh tokens and the names of their users.
    refresh: BTreeMap<String, String>,
    last: u64,
}

impl std::fmt::Debug for Issuer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Issuer")
            .field("last", &self.last)
            .finish_non_exhaustive()
    }
}

impl Issuer {
    pub(crate) fn keep(
        &mut self,
        secret: String,
        scopes: Vec<Scope>,
        grants: Vec<Grant>,
        now: Duration,
        lifetime: Duration,
    ) {
        self.issued.retain(|_, issued| issued.end + RETENTION > now);
        self.last += 1;
        let issued = IssuedToken {
            number: self.last,
            scopes,
            grants,
            end: now + lifetime,
        };
        self.issued.insert(secret, issued);
    }

    pub(crate) fn keep_refresh(&mut self, secret: String, user: &str) {
        self.refresh.insert(secret, user.to_owned());
    }

    pub(crate) fn user_of(&self, refresh: &str) -> Option<&str> {
        self.refresh.get(refresh).map(String::as_str)
    }

    pub(crate) fn valid(&self, secret: &str, now: Duration) -> Option<IssuedToken> {
        let issued = self.issued.get(secret).filter(|issued| issued.end > now);
        issued.cloned()
    }

    pub(crate) fn number(&self, secret: &str) -> Option<u64> {
        self.issued.get(secret).map(|issued| issued.number)
    }

    pub(crate) fn issued(&self) -> Vec<String> {
        self.issued.keys().cloned().collect()
    }

    pub(crate) fn expire(&mut self, secret: &str) {
        if let Some(issued) = self.issued.get_mut(secret) {
            issued.end = Duration::ZERO;
        }
    }

    pub(crate) fn expire_all(&mut self) {
        for issued in self.issued.values_mut() {
            issued.end = Duration::ZERO;
        }
    }
}
