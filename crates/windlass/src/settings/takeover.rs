//! The lease `windlass` of the system namespace, in which the [`History`] is kept: the API server dates
//! the lease when it is created, which is when the first key is loaded, and its annotation holds the
//! public keys.
//!
//! A lease and not a ConfigMap, because the account of Tekton Chains, which windlass takes over, may
//! write leases there and no ConfigMaps. Whoever may write it decides on marks, as whoever may write
//! the key secret decides on signatures.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::Client;
use windlass_core::error::Chain;

use super::history::{self, History, Mark};
use super::{Current, Setting, Settings};
use crate::cluster::lease::{Lease, LeaseError};

/// Name of the lease.
const LEASE: &str = "windlass";
/// Annotation of the lease: the public keys, PEM blocks one after another.
const KEYS: &str = "chains.tekton.dev/keys";
/// Annotation of the lease: the authorities of certificates, JSON.
const AUTHORITIES: &str = "chains.tekton.dev/authorities";
/// First and longest pause before the lease is asked for again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// Where the history is kept.
#[derive(Debug)]
enum Place {
    /// The lease as it was last seen.
    Found(Lease),
    /// There is no lease: nothing was ever signed here.
    Empty,
    /// The account may not use leases, or the API server does not know them.
    Unusable,
}

impl Place {
    fn history(&self) -> History {
        match self {
            Self::Found(lease) => History {
                since: lease.created(),
                ..written(lease)
            },
            Self::Empty => History {
                since: Some(Timestamp::MAX),
                ..History::default()
            },
            Self::Unusable => History::default(),
        }
    }
}

/// Reads the history, then notes each key that is loaded and used; never ends.
pub(crate) async fn run(client: Client, namespace: String, current: Current) {
    let mut settings = current.subscribe();
    let mut place = look(&client, &namespace).await;
    let history = place.history().into();
    current.send_modify(|settings| settings.history = Setting::InForce(history));
    loop {
        let marks = loaded(&settings.borrow_and_update());
        for mark in marks {
            if let Place::Empty = place {
                place = begin(&client, &namespace).await;
                let since = place.history().since;
                remember(&current, |known| known.since = since);
            }
            remember(&current, |known| {
                known.add(&mark);
            });
            if let Place::Found(lease) = &mut place {
                keep(&client, lease, &mark).await;
            }
        }
        if settings.changed().await.is_err() {
            return;
        }
    }
}

/// What signs, once it is known what does.
fn loaded(settings: &Settings) -> Vec<Mark> {
    if settings.config().is_none() {
        return Vec::new();
    }
    let keys = settings.keys().into_iter().flatten().cloned();
    let authority = settings.authority().cloned();
    let authority = authority.map(Mark::Authority);
    keys.map(Mark::Key).chain(authority).collect()
}

/// What is written on the lease.
fn written(lease: &Lease) -> History {
    let text = |name| lease.annotation(name).unwrap_or_default();
    History {
        since: None,
        keys: history::keys(text(KEYS)),
        authorities: history::authorities(text(AUTHORITIES)),
    }
}

/// Changes what is known in memory. Nobody is woken up: it is for runs that are looked at from now on.
fn remember(current: &Current, change: impl FnOnce(&mut History)) {
    current.send_if_modified(|settings| {
        if let Setting::InForce(history) = &mut settings.history {
            change(Arc::make_mut(history));
        }
        false
    });
}

/// What the cluster remembers of windlass: nothing yet where there is no lease.
pub(crate) async fn read(client: &Client, namespace: &str) -> Result<History, LeaseError> {
    let place = match Lease::read(client, namespace, LEASE).await {
        Err(error) if error.is_missing() => Place::Empty,
        read => Place::Found(read?),
    };
    Ok(place.history())
}

/// Looks for the lease.
async fn look(client: &Client, namespace: &str) -> Place {
    patiently(namespace, || async {
        match Lease::read(client, namespace, LEASE).await {
            Err(error) if error.is_missing() => Ok(Place::Empty),
            read => read.map(Place::Found),
        }
    })
    .await
}

/// Creates the lease, unless another replica was faster.
async fn begin(client: &Client, namespace: &str) -> Place {
    patiently(namespace, || async {
        let lease = Lease::open(client, namespace, LEASE).await;
        lease.map(Place::Found)
    })
    .await
}

/// Repeats a call until it succeeds or never will.
async fn patiently<F>(namespace: &str, call: impl Fn() -> F) -> Place
where
    F: Future<Output = Result<Place, LeaseError>>,
{
    let mut pause = PAUSES.0;
    loop {
        match call().await {
            Ok(place) => return place,
            Err(error) if error.is_transient() => {
                tracing::warn!("{}; trying again", Chain(&error));
            }
            Err(error) => {
                tracing::error!(
                    "{}; runs that Tekton Chains marked are signed again, because it is unknown \
                     since when windlass signs in this cluster, and keys are forgotten at the next \
                     start; allow get, create and update of leases in namespace {namespace}",
                    Chain(&error)
                );
                return Place::Unusable;
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}

/// Writes what signs to the lease.
async fn keep(client: &Client, lease: &mut Lease, mark: &Mark) {
    let mut pause = PAUSES.0;
    loop {
        let mut history = written(lease);
        if !history.add(mark) {
            return;
        }
        let (name, text) = match mark {
            Mark::Key(_) => (KEYS, history.pem()),
            Mark::Authority(_) => (AUTHORITIES, history.json()),
        };
        match lease.annotate(client, name, &text).await {
            Ok(()) => return,
            Err(error) if error.is_transient() => {
                tracing::debug!("{}; trying again", Chain(&error));
            }
            Err(error) => {
                tracing::error!(
                    "{}; once the key is replaced and windlass started again, runs that were \
                     signed with it are signed again",
                    Chain(&error)
                );
                return;
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
        // another replica may have written it
        match Lease::open(client, lease.namespace(), LEASE).await {
            Ok(newer) => *lease = newer,
            Err(error) => tracing::debug!("{}", Chain(&error)),
        }
    }
}
