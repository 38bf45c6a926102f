//! The credentials of accounts, read from the cluster: once for all runs that end together.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use kube::Client as Kube;
use windlass_core::run::Run;
use windlass_registry::keychain::{Account, Source};

use super::credentials::{self, CredentialsError};

/// How long what was read counts: too short for anybody to wait for a change of a secret.
const FRESH: Duration = Duration::from_secs(2);

/// An account, and the secrets that a run names for its pods besides.
type Key = (Account, Vec<String>);
type Place = Arc<tokio::sync::Mutex<Option<Kept>>>;

struct Kept {
    sources: Arc<[Source]>,
    since: Instant,
}

/// What was read in the last moments.
pub(super) struct Accounts {
    kube: Kube,
    places: Mutex<HashMap<Key, Place>>,
}

impl Accounts {
    pub(super) fn new(kube: Kube) -> Self {
        Self {
            kube,
            places: Mutex::default(),
        }
    }

    /// The account of a run, and its sources of credentials in the order in which they count. One
    /// reads, the others wait for it.
    pub(super) async fn sources(
        &self,
        run: &Run<'_>,
    ) -> Result<(Account, Arc<[Source]>), CredentialsError> {
        let account = credentials::account(run);
        let of_pods: Vec<String> = run.image_pull_secrets().map(str::to_owned).collect();
        let place = self.place((account.clone(), of_pods));
        let mut kept = place.lock().await;
        if let Some(kept) = kept.as_ref().filter(|kept| kept.since.elapsed() < FRESH) {
            return Ok((account, Arc::clone(&kept.sources)));
        }
        // read no later than now, whenever the answer comes
        let since = Instant::now();
        let sources = credentials::sources(&self.kube, &account, run).await?;
        let sources: Arc<[Source]> = sources.into();
        *kept = Some(Kept {
            sources: Arc::clone(&sources),
            since,
        });
        Ok((account, sources))
    }

    /// Where an account is kept. Those that nobody asks for any longer are forgotten with what is in
    /// their secrets.
    fn place(&self, key: Key) -> Place {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.retain(|_, place| {
            let is_fresh = |kept: &Option<Kept>| {
                let kept = kept.as_ref();
                kept.is_some_and(|kept| kept.since.elapsed() < FRESH)
            };
            // one that is locked is being read
            place.try_lock().map_or(true, |kept| is_fresh(&kept))
        });
        Arc::clone(places.entry(key).or_default())
    }
}
