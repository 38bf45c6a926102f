//! The part of the replicas that keeps Tekton Chains from signing beside windlass, and windlass beside
//! Chains.

use std::time::Duration;

use futures::future::join_all;
use tokio::time::sleep;

use super::board::{Board, REQUEST, Rivals, Roll, in_time, reason, rule};
use super::chains::{ChainsLease, Holder, Rival};
use super::election::Election;
use super::keep::{FORBIDDEN, RENEW, RETRY};
use crate::cluster::event::{self, Regarding};
use crate::cluster::lease::LeaseError;
use crate::telemetry::Part;

/// How often it is asked whether a rival is gone.
const LOOK: Duration = Duration::from_secs(2);

impl Board {
    /// Holds the leases of Chains, and signs nothing while somebody else does; never ends.
    pub(super) async fn keep_rivals_out(&self, election: Election) {
        *self.chains.lock().await = election.leases.into_iter().map(ChainsLease::new).collect();
        let mut is_said = false;
        loop {
            let pause = match self.find_rivals().await {
                Ok(rivals) => {
                    let pause = if rivals.is_empty() { RENEW } else { LOOK };
                    self.note_rivals(rivals).await;
                    pause
                }
                Err(Some(error)) if error.is_conflict() => RETRY,
                Err(Some(error)) if !error.is_transient() => {
                    if !std::mem::replace(&mut is_said, true) {
                        tracing::warn!(
                            "{}; nothing keeps Tekton Chains from signing at the same time; {}",
                            reason(Some(&error)),
                            rule(&self.namespace)
                        );
                    }
                    self.note_rivals(Vec::new()).await;
                    FORBIDDEN
                }
                // what was known stays
                Err(error) => {
                    tracing::warn!("{}; trying again", reason(error.as_ref()));
                    RETRY
                }
            };
            tokio::select! {
                biased;
                () = sleep(pause) => {}
                () = self.changed.notified() => {}
            }
        }
    }

    /// Everybody else who holds a lease of Chains.
    async fn find_rivals(&self) -> Result<Vec<Rival>, Option<LeaseError>> {
        let own = self.own.lock().await.identity.holder.clone();
        let is_there = |holder: &str| {
            let state = self.state();
            matches!(state.roll, Roll::Members).then(|| state.members.has_holder(holder))
        };
        let mut leases = self.chains.lock().await;
        let place = (self.namespace.as_str(), own.as_str());
        let checks = leases
            .iter_mut()
            .map(|lease| in_time(lease.check(&self.client, place, is_there)));
        let (mut rivals, mut failed) = (Vec::new(), None);
        for checked in join_all(checks).await {
            match checked {
                Ok(Holder::Windlass) => {}
                Ok(Holder::Other(rival)) => rivals.push(rival),
                Err(error) => failed = Some(error),
            }
        }
        match failed {
            Some(error) if rivals.is_empty() => Err(error),
            _ => Ok(rivals),
        }
    }

    /// Stops or resumes signing, and tells people.
    async fn note_rivals(&self, rivals: Vec<Rival>) {
        let now = if rivals.is_empty() {
            Rivals::None
        } else {
            Rivals::Some(rivals.clone())
        };
        let was_stopped = {
            let state = self.state();
            if state.rivals == now {
                return;
            }
            matches!(state.rivals, Rivals::Some(_))
        };
        if let Some(first) = rivals.first() {
            let reason = self.sentence(first);
            tracing::warn!("{reason}");
            self.health.wait_for(Part::Rivals, reason);
        }
        let is_free = now == Rivals::None;
        self.change(|state| state.rivals = now);
        if is_free {
            self.health.works(&Part::Rivals);
            if was_stopped {
                tracing::info!(
                    "nobody else holds the leases of Tekton Chains any longer; signing again"
                );
            }
        }
        for rival in &rivals {
            let regarding = Regarding {
                api_version: "coordination.k8s.io/v1",
                kind: "Lease",
                namespace: self.namespace.clone(),
                name: rival.lease.clone(),
                uid: rival.uid.clone(),
            };
            let sentence = self.sentence(rival);
            let told = event::warn(&self.client, &regarding, "SigningPaused", &sentence);
            // what could not be told is in the log
            let _ = tokio::time::timeout(REQUEST, told).await;
        }
    }

    fn sentence(&self, rival: &Rival) -> String {
        let (namespace, Rival { lease, holder, .. }) = (&self.namespace, rival);
        format!(
            "nothing is signed while {holder} holds the lease {namespace}/{lease} of Tekton Chains; \
             scale Chains down, and signing goes on once the lease is given up or has ended"
        )
    }
}
