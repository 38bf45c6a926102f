//! What a replica knows of all of them, and the share that follows from it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kube::Client;
use tokio::sync::{Notify, watch};
use windlass_core::error::Chain;

use super::backlog::Backlog;
use super::chains::{ChainsLease, Rival};
use super::current::{Change, CurrentShare};
use super::identity::Identity;
use super::members::Members;
use super::own::OwnLease;
use super::share::{Part, Share};
use crate::cluster::lease::LeaseError;
use crate::telemetry::{Detail, Health, Metrics};

/// How long one request about a lease may take: it is of no use once the lease has ended. A shorter
/// time would only have a slow API server asked more often.
pub(super) const REQUEST: Duration = Duration::from_secs(10);

/// The replicas, as one of them knows them.
pub(super) struct Board {
    pub(super) client: Client,
    pub(super) namespace: String,
    pub(super) health: Health,
    metrics: Metrics,
    share: CurrentShare,
    pub(super) backlog: Arc<Backlog>,
    state: Mutex<State>,
    /// Somebody left: what he held is free.
    pub(super) changed: Notify,
    /// A lease of a replica was seen.
    pub(super) seen: Notify,
    /// What is noted on the own lease changed.
    pub(super) noted: Notify,
    pub(super) own: tokio::sync::Mutex<OwnLease>,
    pub(super) chains: tokio::sync::Mutex<Vec<ChainsLease>>,
}

/// What is known.
#[derive(Default)]
pub(super) struct State {
    pub(super) roll: Roll,
    pub(super) members: Members,
    /// The name of the own lease.
    pub(super) own: Option<String>,
    /// The namespace whose task runs this replica divides.
    pub(super) divides: Option<String>,
    pub(super) rivals: Rivals,
}

/// Who shares the work.
#[derive(Debug, Default)]
pub(super) enum Roll {
    /// That is not known yet.
    #[default]
    Unread,
    /// Nobody else.
    Alone,
    /// Those who hold leases.
    Members,
    /// The pods with these ordinals.
    Ordinals { own: u32, buckets: u32 },
}

/// Whether somebody else signs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Rivals {
    /// That is not known yet.
    #[default]
    Unread,
    None,
    Some(Vec<Rival>),
}

impl Board {
    /// A replica that knows nothing yet.
    pub(super) fn new(
        client: Client,
        namespace: String,
        identity: Identity,
        (health, metrics): (Health, Metrics),
    ) -> Self {
        Self {
            client,
            namespace,
            health,
            metrics,
            share: CurrentShare::default(),
            backlog: Arc::default(),
            state: Mutex::default(),
            changed: Notify::new(),
            seen: Notify::new(),
            noted: Notify::new(),
            own: tokio::sync::Mutex::new(OwnLease::new(identity)),
            chains: tokio::sync::Mutex::default(),
        }
    }

    /// The share of this replica, as it changes.
    pub(super) fn share(&self) -> watch::Receiver<Share> {
        self.share.share()
    }

    /// How often the share grew.
    pub(super) fn growth(&self) -> watch::Receiver<u64> {
        self.share.growth()
    }

    /// Changes what is known, and the share with it.
    pub(super) fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state();
        change(&mut state);
        let share = state.share();
        let count = state.count();
        drop(state);
        let detail = detail(&share, count);
        self.metrics.see_replicas(count, share.size());
        self.health.note(Detail::Replicas, detail.clone());
        let changed = self.share.set(share);
        if changed != Change::None {
            tracing::info!("{detail}");
        }
        if changed == Change::Growth {
            self.changed.notify_one();
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn share(&self) -> Share {
        match &self.rivals {
            Rivals::Unread => return Share::Unknown,
            Rivals::Some(_) => return Share::Nothing,
            Rivals::None => {}
        }
        match &self.roll {
            Roll::Unread => Share::Unknown,
            Roll::Alone => Share::Everything,
            Roll::Ordinals { own, buckets } => Share::among(Part {
                own: own.to_string(),
                replicas: (0..*buckets).map(|bucket| bucket.to_string()).collect(),
                divided: BTreeSet::new(),
            }),
            Roll::Members => {
                let Some(own) = &self.own else {
                    return Share::Unknown;
                };
                let mut divided = self.members.divided(Some(own));
                divided.extend(self.divides.clone());
                Share::among(Part {
                    own: own.clone(),
                    replicas: self.names(),
                    divided,
                })
            }
        }
    }

    /// How many replicas are seen, this one among them.
    pub(super) fn count(&self) -> usize {
        match self.roll {
            Roll::Unread => 0,
            Roll::Alone => 1,
            Roll::Members => self.names().len(),
            Roll::Ordinals { buckets, .. } => usize::try_from(buckets).unwrap_or(usize::MAX),
        }
    }

    fn names(&self) -> BTreeSet<String> {
        let others = self.members.names().map(str::to_owned);
        others.chain(self.own.clone()).collect()
    }
}

/// A share in words.
fn detail(share: &Share, count: usize) -> String {
    match share {
        Share::Unknown => "replicas: not known yet".to_owned(),
        Share::Nothing => {
            format!("replicas: {count} seen; this one signs nothing, since somebody else does")
        }
        Share::Everything => format!("replicas: {count} seen; this one has all namespaces"),
        Share::Part(Part { own, divided, .. }) => {
            let percent = share.size() * 100.0;
            let divided: Vec<&str> = divided.iter().map(String::as_str).collect();
            let divided = match divided[..] {
                [] => String::new(),
                _ => format!("; the task runs of {} are divided", divided.join(", ")),
            };
            format!(
                "replicas: {count} seen; this one ({own}) has {percent:.0} % of the namespaces{divided}"
            )
        }
    }
}

/// The sentence that names what is missing in the role.
pub(super) fn rule(namespace: &str) -> String {
    format!(
        "allow get, list, watch, create and update of leases (coordination.k8s.io) in namespace \
         {namespace}"
    )
}

/// A request about leases, within the time in which it is of use.
pub(super) async fn in_time<T>(
    request: impl Future<Output = Result<T, LeaseError>>,
) -> Result<T, Option<LeaseError>> {
    match tokio::time::timeout(REQUEST, request).await {
        Ok(response) => response.map_err(Some),
        Err(_) => Err(None),
    }
}

/// Why a request about leases failed, in words.
pub(super) fn reason(error: Option<&LeaseError>) -> String {
    error.map_or_else(
        || format!("no response about leases within {} s", REQUEST.as_secs()),
        |error| Chain(error).to_string(),
    )
}
