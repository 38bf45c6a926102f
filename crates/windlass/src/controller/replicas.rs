//! The replicas of the controller: which ones there are, and which runs are this one's.
//!
//! Each replica holds a lease in the system namespace, for 15 s from each renewal, every 10 s. Those
//! that are seen to hold one share the runs by [`Share`]. A replica that gives its lease up, or whose
//! lease the API server still shows unchanged after that time, is gone, and the others have its share
//! at once. With ordinals shares are fixed and nobody holds such a lease.
//!
//! Beside that, the leases of Tekton Chains are held, so that it does not sign beside windlass; while
//! somebody else holds one of them, the share is nothing.
//!
//! Correctness never rests on a lease: two replicas that both believe that a run is theirs write to it
//! with the version that they read, and one of them is refused. An account that may not use leases is
//! therefore a warning, and the controller works alone.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use kube::Client;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use windlass_core::error::Chain;

pub(crate) use self::backlog::Backlog;
use self::board::{Board, Rivals, Roll};
use self::chains::ChainsLease;
use self::election::Election;
pub use self::election::{OrdinalError, ordinal};
use self::identity::Identity;
#[cfg(all(test, feature = "sandbox"))]
pub(crate) use self::share::Part;
pub(crate) use self::share::Share;
use crate::cluster::lease::Lease;
use crate::telemetry::{Health, Metrics};

mod backlog;
mod board;
mod chains;
mod current;
mod election;
mod identity;
mod keep;
mod members;
mod observation;
mod own;
mod rivals;
mod share;

/// How long a replica that was asked to stop keeps its share at most, for the passes under way.
const HANDOVER: Duration = Duration::from_secs(10);
/// How long it takes at most to give the leases up.
const FAREWELL: Duration = Duration::from_secs(5);

/// How the work is shared.
#[derive(Debug, Clone)]
pub struct Replication {
    /// By what.
    pub mode: Mode,
    /// The pod of this replica; none if it runs elsewhere, or the name may be that of another.
    pub pod: Option<String>,
    /// ConfigMaps of leader election; the first one that exists counts.
    pub election: Vec<String>,
}

/// By what the work is shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// By nothing: this replica does everything, and looks at no lease.
    Alone,
    /// By the leases of those who are there.
    Leases,
    /// By the ordinal of the pod, among as many as there are buckets.
    Ordinal(u32),
}

impl Default for Replication {
    fn default() -> Self {
        let names = [
            "config-leader-election-chains-controller",
            "tekton-chains-config-leader-election",
        ];
        Self {
            mode: Mode::Leases,
            pod: None,
            election: names.map(str::to_owned).into(),
        }
    }
}

/// The replicas, as one of them sees them.
pub(crate) struct Replicas {
    replication: Replication,
    board: Board,
}

impl Replicas {
    /// Replicas that share the work like this.
    pub(crate) fn new(
        client: Client,
        namespace: String,
        replication: Replication,
        telemetry: (Health, Metrics),
    ) -> Self {
        let identity = Identity::new(replication.pod.as_deref());
        Self {
            replication,
            board: Board::new(client, namespace, identity, telemetry),
        }
    }

    /// The share of this replica, as it changes.
    pub(crate) fn share(&self) -> watch::Receiver<Share> {
        self.board.share()
    }

    /// How often the share grew: what was passed over before may be in it.
    pub(crate) fn growth(&self) -> watch::Receiver<u64> {
        self.board.growth()
    }

    /// Where the runs are counted that wait in this replica.
    pub(crate) fn backlog(&self) -> Arc<Backlog> {
        Arc::clone(&self.board.backlog)
    }

    /// Keeps the share up to date; never ends. Some time after `stop` the share is given up.
    pub(crate) async fn run(&self, stop: &CancellationToken) {
        let handover = async {
            stop.cancelled().await;
            tokio::time::sleep(HANDOVER).await;
        };
        tokio::select! {
            biased;
            () = self.keep_share() => {}
            () = handover => self.leave().await,
        }
        std::future::pending::<()>().await;
    }

    async fn keep_share(&self) {
        let board = &self.board;
        if self.replication.mode == Mode::Alone {
            board.change(|state| {
                state.roll = Roll::Alone;
                state.rivals = Rivals::None;
            });
            return std::future::pending().await;
        }
        let election = async {
            let names = &self.replication.election;
            Election::read(&board.client, &board.namespace, names).await
        };
        let Mode::Ordinal(own) = self.replication.mode else {
            let rivals = async { board.keep_rivals_out(election.await).await };
            tokio::join!(board.keep_membership(), rivals);
            return;
        };
        let election = election.await;
        let buckets = election.buckets;
        if own >= buckets {
            tracing::error!(
                "this pod has the ordinal {own} and there are {buckets} buckets, so that it has \
                 nothing to do; set buckets in config map {} of namespace {} to the number of pods",
                self.replication.election.first().map_or("", String::as_str),
                board.namespace
            );
        }
        board.change(|state| state.roll = Roll::Ordinals { own, buckets });
        board.keep_rivals_out(election).await;
    }

    /// Gives up all leases; those of Chains only if no other replica takes them over.
    pub(crate) async fn leave(&self) {
        let board = &self.board;
        let is_last = board.state().count() <= 1;
        let leave = async {
            let holder = board.own.lock().await.identity.holder.clone();
            let mut names: Vec<String> = board.state().own.clone().into_iter().collect();
            if is_last {
                let chains = board.chains.lock().await;
                names.extend(
                    chains
                        .iter()
                        .filter_map(ChainsLease::held)
                        .map(str::to_owned),
                );
            }
            let releases = names
                .iter()
                .map(|name| Lease::release(&board.client, (&board.namespace, name), &holder));
            for error in join_all(releases).await.into_iter().filter_map(Result::err) {
                tracing::warn!("{}; it ends by itself", Chain(&error));
            }
        };
        if tokio::time::timeout(FAREWELL, leave).await.is_err() {
            tracing::warn!("the leases could not be given up in time; they end by themselves");
        }
    }
}
