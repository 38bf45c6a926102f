//! The secrets that each tenant used last.
//!
//! Of a secret only its beginning is kept, which is what it is looked for by: how long a secret is, a
//! tenant decides.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use super::forms::Beginning;
use super::patterns::Patterns;
use crate::auth::fingerprint::Fingerprint;
use crate::tenant::Tenant;

/// Most secrets of a tenant that are remembered: the newest.
pub(super) const EACH: usize = 256;
/// Most tenants whose secrets are remembered: those that used one last. More than have a request under
/// way at once.
const TENANTS: usize = 512;

/// The secrets of all tenants.
#[derive(Default)]
pub(super) struct Known {
    tenants: HashMap<Tenant, Used>,
    uses: u64,
}

/// What one tenant used.
#[derive(Default)]
struct Used {
    secrets: Arc<Mutex<Newest>>,
    /// The number of the last use.
    last: u64,
}

/// The secrets of one tenant, and what to look for because of them.
#[derive(Default)]
pub(super) struct Newest {
    /// The newest last.
    secrets: VecDeque<(Fingerprint, Beginning)>,
    /// Those of each beginning once.
    patterns: Patterns,
}

impl Known {
    /// The secrets of a tenant, which uses one more.
    pub(super) fn used(&mut self, tenant: &Tenant) -> Arc<Mutex<Newest>> {
        self.uses += 1;
        if !self.tenants.contains_key(tenant) {
            self.make_room();
        }
        let used = self.tenants.entry(tenant.clone()).or_default();
        used.last = self.uses;
        Arc::clone(&used.secrets)
    }

    /// The secrets of a tenant, if it has any.
    pub(super) fn of(&self, tenant: &Tenant) -> Option<Arc<Mutex<Newest>>> {
        let used = self.tenants.get(tenant)?;
        Some(Arc::clone(&used.secrets))
    }

    /// Forgets the tenant that used none for longest, if there are too many.
    fn make_room(&mut self) {
        if self.tenants.len() < TENANTS {
            return;
        }
        let oldest = self.tenants.iter().min_by_key(|(_, used)| used.last);
        if let Some(oldest) = oldest.map(|(tenant, _)| tenant.clone()) {
            self.tenants.remove(&oldest);
        }
    }
}

impl Newest {
    /// Makes a secret the newest.
    pub(super) fn note(&mut self, secret: &str) {
        let fingerprint = Fingerprint::of([secret.as_bytes()]);
        // most secrets are used several times in a row
        let mut places = self.secrets.iter();
        if let Some(place) = places.rposition(|(known, _)| *known == fingerprint) {
            let known = self.secrets.remove(place);
            return self.secrets.extend(known);
        }
        if self.secrets.len() == EACH
            && let Some((_, oldest)) = self.secrets.pop_front()
            && !self.has(&oldest)
        {
            self.patterns.remove(&oldest);
        }
        let beginning = Beginning::of(secret);
        if !self.has(&beginning) {
            self.patterns.add(&beginning);
        }
        self.secrets.push_back((fingerprint, beginning));
    }

    /// What to look for.
    pub(super) fn patterns(&self) -> &Patterns {
        &self.patterns
    }

    /// Tokens of one issuer often begin alike.
    fn has(&self, beginning: &Beginning) -> bool {
        self.secrets.iter().any(|(_, known)| known == beginning)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_looked_for_until_the_last_that_begins_like_it_is_forgotten() {
        let mut newest = Newest::default();
        let issuer = "eyJhbGciOiJSUzI1NiJ9.eyJ";
        for number in 0..2 {
            newest.note(&format!("{issuer}{number}"));
        }
        let is_hidden = |newest: &Newest| !newest.patterns().mask(issuer).contains("eyJ");
        for number in 0..EACH {
            assert!(is_hidden(&newest), "{number}");
            newest.note(&format!("further-{number}"));
        }
        assert!(!is_hidden(&newest));
        let only = newest.patterns().bytes();
        for number in 0..EACH {
            newest.note(&format!("another-{number}"));
        }
        // what is forgotten leaves nothing behind
        assert_eq!(newest.patterns().bytes(), only);
    }

    #[test]
    fn the_tenants_that_used_a_secret_last_are_remembered() {
        let mut known = Known::default();
        let tenant = |number: usize| Tenant::from(number.to_string().as_str());
        for number in 0..TENANTS {
            known.used(&tenant(number));
        }
        // used again
        known.used(&tenant(0));
        known.used(&tenant(TENANTS));
        assert_eq!(known.tenants.len(), TENANTS);
        assert!(known.of(&tenant(0)).is_some());
        assert!(known.of(&tenant(1)).is_none());
        assert!(known.of(&tenant(TENANTS)).is_some());
    }
}
