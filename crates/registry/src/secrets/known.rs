//! The secrets that each tenant used last.
//!
//! Of a secret only its beginning is kept, which is what it is looked for by: how long a secret is, a
//! tenant decides.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

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
    /// What to look for, of the tenant that asked last.
    patterns: Option<(Tenant, Arc<Patterns>)>,
    uses: u64,
}

/// The secrets of one tenant, the newest last.
#[derive(Default)]
struct Used {
    secrets: VecDeque<(Fingerprint, Beginning)>,
    /// The number of the last use.
    last: u64,
}

impl Known {
    pub(super) fn note(&mut self, tenant: &Tenant, secret: &str) {
        self.uses += 1;
        if !self.tenants.contains_key(tenant) {
            self.make_room();
        }
        let used = self.tenants.entry(tenant.clone()).or_default();
        used.last = self.uses;
        if used.note(secret) {
            self.patterns.take_if(|(of, _)| of == tenant);
        }
    }

    /// What to look for of a tenant's secrets; none if it has none.
    pub(super) fn patterns(&mut self, tenant: &Tenant) -> Option<Arc<Patterns>> {
        if let Some((of, patterns)) = &self.patterns
            && of == tenant
        {
            return Some(Arc::clone(patterns));
        }
        let used = self.tenants.get(tenant)?;
        let secrets = used.secrets.iter().map(|(_, beginning)| beginning);
        let patterns = Arc::new(Patterns::of(secrets)?);
        self.patterns = Some((tenant.clone(), Arc::clone(&patterns)));
        Some(patterns)
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

impl Used {
    /// Makes a secret the newest. Tells whether it is a new one.
    fn note(&mut self, secret: &str) -> bool {
        let fingerprint = Fingerprint::of([secret.as_bytes()]);
        let mut places = self.secrets.iter();
        if let Some(place) = places.position(|(known, _)| *known == fingerprint) {
            let known = self.secrets.remove(place);
            self.secrets.extend(known);
            return false;
        }
        if self.secrets.len() == EACH {
            self.secrets.pop_front();
        }
        self.secrets.push_back((fingerprint, Beginning::of(secret)));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tenants_that_used_a_secret_last_are_remembered() {
        let mut known = Known::default();
        let tenant = |number: usize| Tenant::from(number.to_string().as_str());
        for number in 0..TENANTS {
            known.note(&tenant(number), "a-secret");
        }
        // used again
        known.note(&tenant(0), "a-secret");
        known.note(&tenant(TENANTS), "a-secret");
        assert_eq!(known.tenants.len(), TENANTS);
        assert!(known.patterns(&tenant(0)).is_some());
        assert!(known.patterns(&tenant(1)).is_none());
        assert!(known.patterns(&tenant(TENANTS)).is_some());
    }
}
