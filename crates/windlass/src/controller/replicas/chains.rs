//! A lease of Tekton Chains, held while windlass runs so that Chains does not sign beside it, as after
//! a swap that is not finished.
//!
//! Chains that waits for its leases does nothing. Where Chains holds one, windlass signs nothing until
//! it is given up or was not renewed in time.

use std::time::Duration;

use kube::Client;

use windlass_core::terminal::quoted;

use super::identity::{DURATION, is_windlass};
use super::observation::Observation;
use crate::cluster::lease::term::Term;
use crate::cluster::lease::{Lease, LeaseError};

/// Longest time that a holder is believed to be there without a renewal.
const LONGEST: Duration = Duration::from_secs(600);

/// One lease of Chains.
#[derive(Debug)]
pub(super) struct ChainsLease {
    name: String,
    /// The lease as it is held here.
    held: Option<Lease>,
    /// It was taken, or that was tried.
    is_tried: bool,
    seen: Option<Observation>,
}

/// Who has a lease of Chains.
#[derive(Debug)]
pub(super) enum Holder {
    /// This replica or another one.
    Windlass,
    /// Somebody who is not windlass.
    Other(Rival),
}

/// Somebody else who signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rival {
    /// Name and uid of the lease.
    pub(super) lease: String,
    pub(super) uid: String,
    /// How it calls itself, in quotes.
    pub(super) holder: String,
}

impl ChainsLease {
    /// The lease of this name.
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            held: None,
            is_tried: false,
            seen: None,
        }
    }

    /// Renews the lease, or takes it from nobody and from one who is gone. `is_there` says whether
    /// another replica of windlass is.
    pub(super) async fn check(
        &mut self,
        client: &Client,
        (namespace, own): (&str, &str),
        is_there: impl Fn(&str) -> Option<bool>,
    ) -> Result<Holder, LeaseError> {
        let term = Term {
            holder: own,
            duration: Some(DURATION),
            renewed: None,
            annotations: &[],
        };
        if let Some(held) = &mut self.held {
            match held.take(client, &term).await {
                Err(error) if error.is_conflict() || error.is_missing() => self.held = None,
                taken => return taken.map(|()| Holder::Windlass),
            }
        }
        let mut lease = match Lease::read(client, namespace, &self.name).await {
            Err(error) if error.is_missing() => {
                self.is_tried = true;
                let labels = serde_json::json!({});
                let place = (namespace, self.name.as_str());
                let created = Lease::create_for(client, place, &labels, &term).await?;
                self.held = Some(created);
                return Ok(Holder::Windlass);
            }
            read => read?,
        };
        let seen = Observation::new(self.seen.as_ref(), &lease.term(), LONGEST);
        let holder = seen.holder().to_owned();
        let is_fresh = seen.is_fresh();
        self.seen = Some(seen);
        if is_fresh && holder != own {
            if !is_windlass(&holder) {
                return Ok(Holder::Other(Rival {
                    lease: lease.name().to_owned(),
                    uid: lease.uid().to_owned(),
                    holder: quoted(&holder),
                }));
            }
            if is_there(&holder).unwrap_or(true) {
                return Ok(Holder::Windlass);
            }
        }
        self.is_tried = true;
        lease.take(client, &term).await?;
        self.held = Some(lease);
        Ok(Holder::Windlass)
    }

    /// Its name, if it is held here, or may be.
    pub(super) fn held(&self) -> Option<&str> {
        self.is_tried.then_some(self.name.as_str())
    }
}
