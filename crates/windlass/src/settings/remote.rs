//! A signer behind a network: the key in a service that `signers.kms.kmsref` names, or an identity that
//! Fulcio certifies. It is opened when something is signed with it, looked at again and again, and
//! replaced as a whole when the service has another key or names another identity.
//!
//! While the service cannot be used there is no signer: what needs it waits, and everything else is
//! signed. A signer is never used under other settings than it was opened with.

use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use tokio::time::Instant;
use windlass_core::config::CHAINS_CONFIG;

use self::wanted::{Surroundings, Wanted};
use super::{Current, Setting};
use crate::cluster::config_map::ConfigMap;
use crate::cluster::event::{self, Regarding};
use crate::sign::Signer;
use crate::sign::kms::plugins::Plugins;
use crate::telemetry::Metrics;

pub(crate) use self::wanted::Kind;

mod wanted;

/// When a signer is looked at.
#[derive(Debug, Clone)]
pub(crate) struct Times {
    /// How often, while it works.
    pub(crate) look: Duration,
    /// Least time between two looks, however many signatures fail.
    pub(crate) gap: Duration,
    /// How long one may take.
    pub(crate) patience: Duration,
    /// First and longest pause after a failure; each is twice as long as the one before.
    pub(crate) pauses: (Duration, Duration),
}

impl Default for Times {
    fn default() -> Self {
        Self {
            look: Duration::from_secs(300),
            gap: Duration::from_secs(5),
            patience: Duration::from_secs(30),
            pauses: (Duration::from_secs(1), Duration::from_secs(30)),
        }
    }
}

/// Keeps the signer of this kind up to date; never ends.
pub(crate) async fn run(
    kind: Kind,
    client: Client,
    namespace: String,
    current: Current,
    metrics: Metrics,
    (times, plugins): (Times, Plugins),
) {
    let mut settings = current.subscribe();
    loop {
        let wanted = Wanted::of(kind, &settings.borrow_and_update());
        let follower = Follower {
            client: &client,
            namespace: &namespace,
            current: &current,
            metrics: &metrics,
            times: &times,
            plugins: &plugins,
            kind,
            last: None,
            told: None,
        };
        // the key of other settings is not used, whatever becomes of these
        follower.put(Setting::Unread);
        let changed = settings.wait_for(|now| Wanted::of(kind, now) != wanted);
        let is_over = match &wanted {
            None => changed.await.is_err(),
            Some(wanted) => tokio::select! {
                changed = changed => changed.is_err(),
                () = follower.follow(wanted) => false,
            },
        };
        if is_over {
            return;
        }
    }
}

/// Follows the signer of one state of the settings.
struct Follower<'a> {
    client: &'a Client,
    namespace: &'a str,
    current: &'a Current,
    metrics: &'a Metrics,
    times: &'a Times,
    plugins: &'a Plugins,
    kind: Kind,
    /// The key as it was last seen, also while it cannot be used.
    last: Option<Arc<Signer>>,
    /// The failure that was told last.
    told: Option<String>,
}

impl Follower<'_> {
    async fn follow(mut self, wanted: &Wanted) {
        let mut pause = self.times.pauses.0;
        loop {
            let began = Instant::now();
            match self.look(wanted).await {
                Ok(()) => {
                    pause = self.times.pauses.0;
                    self.rest(began).await;
                }
                Err(reason) => {
                    self.refuse(reason).await;
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(self.times.pauses.1);
                }
            }
        }
    }

    /// Waits until the key is due for another look, or a signature failed.
    async fn rest(&self, began: Instant) {
        let doubt = self.kind.doubt(&self.current.borrow());
        let _ = tokio::time::timeout(self.times.look, doubt.notified()).await;
        tokio::time::sleep_until(began + self.times.gap).await;
    }

    /// Opens the key, or looks whether it is still the same.
    async fn look(&mut self, wanted: &Wanted) -> Result<(), String> {
        let doubt = self.kind.doubt(&self.current.borrow());
        let around = Surroundings {
            client: self.client,
            namespace: self.namespace,
            plugins: self.plugins,
        };
        let opened = wanted.open(self.last.as_deref(), around, &doubt);
        let found = tokio::time::timeout(self.times.patience, opened).await;
        let place = format!(
            "{} of {}/{CHAINS_CONFIG}",
            self.kind.setting(),
            self.namespace
        );
        let Ok(found) = found else {
            let seconds = self.times.patience.as_secs();
            return Err(format!(
                "{place}: the service did not respond within {seconds} s"
            ));
        };
        let found = found.map_err(|why| format!("{place}: {why}"))?;
        let signer = match (found, &self.last) {
            (Some(new), last) => {
                let old = last.clone();
                let new = Arc::new(new);
                self.loaded(&new, old.as_deref()).await;
                new
            }
            (None, Some(same)) => Arc::clone(same),
            (None, None) => return Ok(()),
        };
        self.told = None;
        self.last = Some(Arc::clone(&signer));
        self.put(Setting::InForce(signer));
        Ok(())
    }

    /// Tells that there is a key, and of which key it takes the place.
    async fn loaded(&self, new: &Signer, old: Option<&Signer>) {
        let name = new.name();
        self.metrics.keys_loaded.inc();
        tracing::info!(key_id = new.key_id(), "{name} loaded");
        for gap in new.gaps() {
            tracing::warn!("{gap}");
        }
        let Some(old) = old else { return };
        let message = self.kind.replacement(old, new);
        tracing::warn!("{message}");
        self.tell("KeyRotated", &message).await;
    }

    /// Notes that there is no signer for this reason, and tells it once.
    async fn refuse(&mut self, reason: String) {
        if self.told.as_ref() == Some(&reason) {
            tracing::debug!("{reason}; trying again");
            return;
        }
        self.metrics.key_refused.inc();
        tracing::error!("{reason}; what needs this signer waits");
        self.put(Setting::Missing(reason.clone()));
        self.tell(self.kind.unavailable(), &reason).await;
        self.told = Some(reason);
    }

    /// Puts a state into the settings, and wakes nobody where it is that already.
    fn put(&self, state: Setting<Signer>) {
        self.current.send_if_modified(|settings| {
            let slot = self.kind.slot(settings);
            let is_new = !slot.is_same(&state);
            if is_new {
                *slot = state;
            }
            is_new
        });
    }

    async fn tell(&self, reason: &str, message: &str) {
        let map = ConfigMap::read(self.client, self.namespace, CHAINS_CONFIG).await;
        let uid = map.map(|map| map.uid).unwrap_or_default();
        let regarding = Regarding::config_map(self.namespace, CHAINS_CONFIG, uid);
        event::warn(self.client, &regarding, reason, message).await;
    }
}
