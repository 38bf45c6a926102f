//! The controller: watches task runs and pipeline runs and brings each finished one to an outcome.
//!
//! The settings keep the configuration and the key up to date, `replicas` say which runs are this
//! one's, watches of the cluster show runs (`feed`), `queue` says which one is next, `reconcile` makes a
//! pass over it: decide, pipeline, `record`. Nothing is kept in memory of a run that has an outcome.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use tokio::sync::{mpsc, watch as channel};
use tokio_util::sync::CancellationToken;
use windlass_core::config::SignerKind;

use self::conceded::Conceded;
use self::feed::{Foreign, RunSink, watch_runs};
use self::flight::Flight;
use self::queue::{Limits, Queue};
use self::reconcile::Reconciler;
use self::released::Released;
pub use self::replicas::{Mode, OrdinalError, Replication, ordinal};
use self::replicas::{Replicas, Share};
use crate::cluster::runs::{self, RunKind};
use crate::cluster::watch::Source;
use crate::log::Logs;
use crate::service::breaker::OPEN;
use crate::settings::keys::{Keys, MakeSigner, follow_directory, follow_secret};
use crate::settings::remote::Kind as Remote;
use crate::settings::{self, Setting, Settings};
use crate::sign::Signer;
use crate::sign::kms::plugins::Plugins;
use crate::store::oci::{self, Identity, Oci};
use crate::telemetry::{Health, Metrics, Part};

mod awaiting;
mod children;
mod conceded;
mod feed;
mod flight;
mod queue;
mod reconcile;
mod record;
mod released;
mod replicas;
pub(crate) mod resign;
mod work;

#[cfg(all(test, feature = "sandbox"))]
mod tests;

/// Messages that may stand between the watch and the queue, which takes them at once.
const BACKLOG: usize = 64;
/// How long a pass over a run may take.
const DEADLINE: Duration = Duration::from_secs(60);
/// How long a request to a registry may take with its whole response, which is small.
const REQUEST: Duration = Duration::from_secs(30);

/// What a controller is to do.
#[derive(Debug, Clone)]
pub struct Options {
    /// Namespace of `chains-config` and `signing-secrets`.
    pub system_namespace: String,
    /// Namespaces whose runs are looked at; empty means all.
    pub namespaces: BTreeSet<String>,
    /// Directory to read the key from, instead of the secret.
    pub signing_secrets_path: Option<PathBuf>,
    /// Runs that push to registries at the same time, 32 at least and a quarter of them of one
    /// namespace. As many again are signed and recorded, up to 256.
    pub concurrency: usize,
    /// How long a pass over a run may take. What is left of it is done in another one.
    pub deadline: Duration,
    /// How long a pipeline run waits for its task runs before it says so.
    pub patience: Duration,
    /// First and longest pause before a run that could not be recorded is tried again; each is
    /// twice as long as the one before.
    pub pauses: (Duration, Duration),
    /// How long a registry or a log is left in peace that does not respond in time, at first and at most.
    pub silence: (Duration, Duration),
    /// Options for access to registries.
    pub registries: windlass_registry::Options,
    /// The credentials of this process, and who shares them.
    pub(crate) identity: Identity,
    /// How a signer is made of a key secret.
    pub(crate) signer: MakeSigner,
    /// When signers behind a network are looked at.
    pub(crate) remote: settings::remote::Times,
    /// When the mirror of the trusted root is asked.
    pub(crate) mirror: settings::mirror::Times,
    /// The programs that sign with keys of their own.
    pub(crate) plugins: Plugins,
    /// How several controllers share the work.
    pub replication: Replication,
    /// Where the state of the controller is told.
    pub health: Health,
}

impl Options {
    /// Everything as it is unless something else is said: all namespaces, the key from the secret.
    pub fn new(system_namespace: String, concurrency: usize) -> Self {
        let mut registries = oci::options();
        registries.timeouts.request = REQUEST;
        Self {
            system_namespace,
            namespaces: BTreeSet::new(),
            signing_secrets_path: None,
            concurrency,
            deadline: DEADLINE,
            silence: OPEN,
            // longer than it takes to sign the last task runs
            patience: Duration::from_secs(60),
            pauses: (Duration::from_secs(1), Duration::from_secs(300)),
            registries,
            identity: Identity::default(),
            signer: Signer::from_entries,
            remote: settings::remote::Times::default(),
            mirror: settings::mirror::Times::default(),
            plugins: Plugins::Off,
            replication: Replication::default(),
            health: Health::default(),
        }
    }
}

/// Runs the controller until `stop`.
pub async fn run(client: Client, options: Options, metrics: Metrics, stop: CancellationToken) {
    let alive = options.health.alive();
    let current = Settings::unread();
    for (kind, source) in options.sources() {
        let reason = format!("the first list of {} is not in yet", source.what);
        options
            .health
            .wait_for(Part::FirstList(first_list(kind, &source)), reason);
    }
    let replicas = Replicas::new(
        client.clone(),
        options.system_namespace.clone(),
        options.replication.clone(),
        (options.health.clone(), metrics.clone()),
    );
    let sources = settings_sources(&client, &options, &current, &metrics);
    let work = work(
        &client,
        &options,
        current.subscribe(),
        &replicas,
        &metrics,
        &stop,
    );
    let reports = report_settings(current.subscribe(), &options.health);
    tokio::select! {
        biased;
        () = sources => {}
        () = work => {}
        () = reports => {}
        () = replicas.run(&stop) => {}
    }
    replicas.leave().await;
    if stop.is_cancelled() {
        alive.end();
    }
}

/// What names the first list of a source.
fn first_list(kind: RunKind, source: &Source) -> String {
    format!("{} {}", kind.plural(), source.path.as_str())
}

/// Tells whether there are a configuration and the signers that it asks for; ends with the settings.
async fn report_settings(mut settings: channel::Receiver<Settings>, health: &Health) {
    loop {
        let now = settings.borrow_and_update().clone();
        let config = now.config.get().map(drop).map_err(str::to_owned);
        let signer = |kind, signer: &Setting<Signer>| match signer.get() {
            Err(missing) if now.signs_with(kind) => Err(missing.to_owned()),
            _ => Ok(()),
        };
        let x509 = signer(SignerKind::X509, now.of(SignerKind::X509));
        // without a configuration it is unknown whether there is such a key
        let kms = match now.config() {
            Some(_) => signer(SignerKind::Kms, &now.kms),
            None => Ok(()),
        };
        for (part, state) in [
            (Part::Config, config),
            (Part::Signer, x509),
            (Part::Kms, kms),
        ] {
            match state {
                Ok(()) => health.works(&part),
                Err(reason) => health.wait_for(part, reason),
            }
        }
        if settings.changed().await.is_err() {
            return;
        }
    }
}

/// Keeps the settings up to date; never ends.
async fn settings_sources(
    client: &Client,
    options: &Options,
    current: &settings::Current,
    metrics: &Metrics,
) {
    let namespace = &options.system_namespace;
    let keys = Keys::new(current.clone(), metrics.clone(), options.signer);
    let configs = settings::config::run(
        client.clone(),
        namespace.clone(),
        current.clone(),
        metrics.clone(),
        options.mirror.clone(),
    );
    let key = async {
        match &options.signing_secrets_path {
            Some(directory) => follow_directory(directory.clone(), keys).await,
            None => follow_secret(client.clone(), namespace.clone(), keys).await,
        }
    };
    let history = settings::takeover::run(client.clone(), namespace.clone(), current.clone());
    let remote = |kind| {
        settings::remote::run(
            kind,
            client.clone(),
            namespace.clone(),
            current.clone(),
            metrics.clone(),
            (options.remote.clone(), options.plugins.clone()),
        )
    };
    let (kms, keyless) = (remote(Remote::Kms), remote(Remote::Keyless));
    tokio::join!(configs, key, kms, keyless, history);
}

/// Waits for settings and a share, then watches runs and works on them until `stop`.
async fn work(
    client: &Client,
    options: &Options,
    mut settings: channel::Receiver<Settings>,
    replicas: &Replicas,
    metrics: &Metrics,
    stop: &CancellationToken,
) {
    let mut share = replicas.share();
    let known = async {
        let read = settings.wait_for(Settings::were_read).await.is_ok();
        read && share.wait_for(Share::is_known).await.is_ok()
    };
    tokio::select! {
        biased;
        () = stop.cancelled() => return,
        known = known => if !known { return },
    }
    let reconciler = Arc::new(Reconciler {
        client: client.clone(),
        settings: settings.clone(),
        namespaces: options.namespaces.clone(),
        metrics: metrics.clone(),
        patience: options.patience,
        registries: Oci::new(
            client.clone(),
            options.registries.clone(),
            options.identity.clone(),
            options.silence,
        )
        .showing(metrics.detail.circuits.clone()),
        logs: Logs::new(options.silence, metrics.detail.circuits.clone()),
        flight: Flight::default(),
        released: Released::default(),
        conceded: Conceded::default(),
    });
    let (sender, receiver) = mpsc::channel(BACKLOG);
    let limits = Limits {
        places: options.concurrency,
        pauses: options.pauses,
        deadline: options.deadline,
    };
    let queue = Queue::new(Arc::clone(&reconciler), limits, replicas);
    let working = queue.run(receiver, settings.clone(), stop.clone());
    let sources = options.sources();
    let watching = sources.iter().map(|(kind, source)| {
        let list = first_list(*kind, source);
        let sink = RunSink {
            kind: *kind,
            first_list: Part::FirstList(list.clone()),
            list: Part::List(list),
            health: options.health.clone(),
            share: share.clone(),
            foreign: Foreign::default(),
            reconciler: Arc::clone(&reconciler),
            sender: sender.clone(),
        };
        watch_runs(client, source, sink, (settings.clone(), replicas.growth()))
    });
    tokio::select! {
        biased;
        () = working => {}
        _ = futures::future::join_all(watching) => {}
    }
}

impl Options {
    /// Everything to watch. Pipeline runs come after the task runs they wait for.
    fn sources(&self) -> Vec<(RunKind, Source)> {
        let mut namespaces: Vec<Option<&str>> = vec![None];
        if !self.namespaces.is_empty() {
            namespaces = self.namespaces.iter().map(|name| Some(&**name)).collect();
        }
        let kinds = [RunKind::Task, RunKind::Pipeline];
        let sources = namespaces.into_iter().flat_map(|namespace| {
            kinds.map(|kind| {
                let place = namespace.map_or_else(
                    || "all namespaces".to_owned(),
                    |name| format!("namespace {name}"),
                );
                let source = Source {
                    what: format!("{}s of {place}", kind.words()),
                    path: runs::collection(kind, namespace),
                    name: None,
                    labels: None,
                };
                (kind, source)
            })
        });
        sources.collect()
    }
}
