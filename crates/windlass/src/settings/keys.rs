//! `signing-secrets`: read through the API with a watch, or from a mounted directory.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kube::Client;
use windlass_core::error::Chain;
use zeroize::Zeroizing;

use super::{Current, Setting};
use crate::apart::apart;
use crate::cluster::event::{self, Regarding};
use crate::cluster::path::{ApiPath, Resource};
use crate::cluster::secret::{MalformedSecret, Secret};
use crate::cluster::watch::{Change, Sink, Source, follow};
use crate::sign::Signer;
use crate::sign::entries::{Entries, EntriesError, Fingerprint, NAMES};
use crate::telemetry::Metrics;

/// Name of the secret, as in Chains.
pub(crate) const SIGNING_SECRETS: &str = "signing-secrets";

/// How often a mounted directory is looked at. The kubelet refreshes it about once a minute.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// Largest file that is taken for a key.
const FILE_LIMIT: u64 = 1024 * 1024;

/// Makes a signer of the entries of a secret.
pub(crate) type MakeSigner = fn(&Entries) -> Result<Signer, EntriesError>;

/// Loads keys into the settings and refuses what cannot be used.
pub(crate) struct Keys {
    current: Current,
    metrics: Metrics,
    make: MakeSigner,
    /// What was last looked at, good or not, so that nothing is decrypted twice.
    last: Option<Fingerprint>,
}

/// Why there is no key.
#[derive(Debug, Clone, Copy)]
enum Doubt {
    /// There is one, and it cannot be used: somebody made a mistake.
    Unusable,
    /// Nobody has made one yet, as at the start of every installation.
    Absent,
}

impl Keys {
    /// Keys for these settings.
    pub(crate) fn new(current: Current, metrics: Metrics, make: MakeSigner) -> Self {
        Self {
            current,
            metrics,
            make,
            last: None,
        }
    }

    /// Makes the key in `entries` the one in force. `Err` says why the last good one stays.
    async fn load(&mut self, place: &str, entries: Entries) -> Result<(), String> {
        let fingerprint = Fingerprint::of(&entries);
        if self.last == Some(fingerprint) {
            return Ok(());
        }
        self.last = Some(fingerprint);
        let make = self.make;
        let signer = apart("key", move || make(&entries)).await;
        let reason = match signer {
            Ok(Ok(signer)) => {
                tracing::info!(key_id = signer.key_id(), "key loaded from {place}");
                let signer = Setting::InForce(Arc::new(signer));
                self.current.send_modify(|settings| settings.x509 = signer);
                self.metrics.keys_loaded.inc();
                return Ok(());
            }
            Ok(Err(error)) => format!("{place}: {}", Chain(&error)),
            Err(error) => format!(
                "{place}: reading the key was interrupted: {}",
                Chain(&error)
            ),
        };
        self.metrics.keys_loaded.inc();
        Err(self.refuse(reason))
    }

    /// Says that the key stays, or that there is none, and gives the reason back.
    fn refuse(&mut self, reason: String) -> String {
        self.told(reason, Doubt::Unusable)
    }

    fn told(&mut self, reason: String, doubt: Doubt) -> String {
        let is_needed = self.current.borrow().needs_secret();
        if is_needed {
            self.metrics.key_refused.inc();
        }
        let kept = self.current.borrow().x509.in_force();
        if kept {
            tracing::error!("{reason}; the last valid key stays loaded");
        } else {
            if is_needed {
                let pause = "signing is paused until there is a key";
                match doubt {
                    Doubt::Unusable => tracing::error!("{reason}; {pause}"),
                    Doubt::Absent => tracing::warn!("{reason}; {pause}"),
                }
            } else {
                tracing::debug!("{reason}; nothing is signed with it");
            }
            self.current
                .send_modify(|settings| settings.x509 = Setting::Missing(reason.clone()));
        }
        reason
    }

    fn absent(&mut self, place: &str) {
        self.last = None;
        let reason = format!(
            "{place} does not exist; create it with: windlass generate-key-pair k8s://{}",
            place.trim_start_matches("secret ")
        );
        self.told(reason, Doubt::Absent);
    }
}

/// Follows the secret and keeps the key in force up to date.
pub(crate) async fn follow_secret(client: Client, namespace: String, keys: Keys) {
    let place = format!("secret {namespace}/{SIGNING_SECRETS}");
    let source = Source {
        what: place.clone(),
        path: ApiPath::within(&namespace, Resource::SECRETS),
        name: Some(SIGNING_SECRETS.to_owned()),
        labels: None,
    };
    let sink = SecretSink {
        client: &client,
        namespace,
        place,
        keys,
        listed: false,
    };
    follow(&client, &source, sink).await;
}

struct SecretSink<'a> {
    client: &'a Client,
    namespace: String,
    place: String,
    keys: Keys,
    /// The list that is under way showed it.
    listed: bool,
}

impl Sink for SecretSink<'_> {
    async fn take(&mut self, change: Change) {
        match change {
            Change::Seen(object) => {
                self.listed = true;
                self.seen(&object).await;
            }
            Change::Skipped(why) => tracing::error!("cannot use {}: {why}", self.place),
            Change::Lost(_) => self.listed = false,
            Change::Synced if std::mem::take(&mut self.listed) => {}
            Change::Gone(_) | Change::Synced => self.keys.absent(&self.place),
        }
    }
}

impl SecretSink<'_> {
    async fn seen(&mut self, object: &Bytes) {
        let place = &self.place;
        let (uid, outcome) = match entries_of(object) {
            Ok((uid, entries)) => (uid, self.keys.load(place, entries).await),
            Err(reason) => (
                String::new(),
                Err(self.keys.refuse(format!("{place}: {reason}"))),
            ),
        };
        let Err(reason) = outcome else { return };
        let regarding = Regarding {
            api_version: "v1",
            kind: "Secret",
            namespace: self.namespace.clone(),
            name: SIGNING_SECRETS.to_owned(),
            uid,
        };
        event::warn(self.client, &regarding, "KeyRefused", &reason).await;
    }
}

fn entries_of(object: &[u8]) -> Result<(String, Entries), MalformedSecret> {
    let secret = Secret::parse(object)?;
    Ok((secret.uid().to_owned(), secret.entries_of(&NAMES)?))
}

/// Looks at a mounted directory again and again.
pub(crate) async fn follow_directory(directory: PathBuf, mut keys: Keys) {
    let place = directory.display().to_string();
    let mut problem = None;
    loop {
        let outcome = match read_directory(&directory).await {
            Ok(entries) => keys.load(&place, entries).await,
            Err(reason) if problem.as_ref() == Some(&reason) => Err(reason),
            Err(reason) => {
                keys.refuse(reason.clone());
                Err(reason)
            }
        };
        problem = outcome.err();
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

async fn read_directory(directory: &Path) -> Result<Entries, String> {
    let mut entries = Entries::new();
    for name in NAMES {
        let path = directory.join(name);
        let size = match tokio::fs::metadata(&path).await {
            Ok(found) => found.len(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(format!("cannot access {}: {error}", path.display())),
        };
        if size > FILE_LIMIT {
            return Err(format!(
                "{} is larger than {FILE_LIMIT} bytes",
                path.display()
            ));
        }
        let value = tokio::fs::read(&path)
            .await
            .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        entries.insert(name.to_owned(), Zeroizing::new(value));
    }
    Ok(entries)
}
