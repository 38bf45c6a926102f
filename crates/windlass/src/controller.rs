//! The controller: watches task runs and pipeline runs and brings each finished one to an outcome.
//!
//! The settings keep the configuration and the key up to date, watches of the cluster show runs,
//! `queue` says which one is next, `reconcile` makes a pass over it: decide, pipeline, `record`.
//! Nothing is kept in memory of a run that has an outcome.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kube::Client;
use tokio::sync::{mpsc, watch as channel};
use tokio_util::sync::CancellationToken;

use self::flight::Flight;
use self::queue::{Limits, Message, Queue};
use self::reconcile::{Reconciler, Triage};
use self::released::Released;
use crate::cluster::runs::RunKind;
use crate::cluster::runs::{self, RunId};
use crate::cluster::watch::{Change, Sink, Source, follow};
use crate::log::Log;
use crate::settings::keys::{Keys, MakeSigner, follow_directory, follow_secret};
use crate::settings::{self, Settings};
use crate::sign::Signer;
use crate::store::oci::{self, Identity, Oci};
use crate::telemetry::{Health, Metrics, Part};

mod awaiting;
mod children;
mod flight;
mod queue;
mod reconcile;
mod record;
mod released;
mod work;

#[cfg(all(test, feature = "sandbox"))]
mod tests;

/// Messages that may stand between the watch and the queue, which takes them at once.
const BACKLOG: usize = 64;
/// How long a pass over a run may take.
const DEADLINE: Duration = Duration::from_secs(60);
/// How long a request to a registry may take with its whole response, which is small.
const REQUEST: Duration = Duration::from_secs(30);

/// How long no list of runs may have worked before the controller is no longer ready.
const LATE: Duration = Duration::from_secs(60);

/// What a controller is to do.
#[derive(Debug, Clone)]
pub struct Options {
    /// Namespace of `chains-config` and `signing-secrets`.
    pub system_namespace: String,
    /// Namespaces whose runs are looked at; empty means all.
    pub namespaces: BTreeSet<String>,
    /// Directory to read the key from, instead of the secret.
    pub signing_secrets_path: Option<PathBuf>,
    /// Runs that push to registries at the same time, a quarter of them of one namespace. As many again
    /// are signed and recorded, up to 64.
    pub concurrency: usize,
    /// How long a pass over a run may take. What is left of it is done in another one.
    pub deadline: Duration,
    /// How long a pipeline run waits for its task runs before it says so.
    pub patience: Duration,
    /// First and longest pause before a run that could not be recorded is tried again; each is
    /// twice as long as the one before.
    pub pauses: (Duration, Duration),
    /// How long a registry is left in peace that does not respond in time, at first and at most.
    pub silence: (Duration, Duration),
    /// Options for access to registries.
    pub registries: windlass_registry::Options,
    /// The credentials of this process, and who shares them.
    pub(crate) identity: Identity,
    /// How a signer is made of a key secret.
    pub(crate) signer: MakeSigner,
    /// The log to use whatever the configuration says.
    pub(crate) log: Option<Log>,
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
            silence: oci::OPEN,
            // longer than it takes to sign the last task runs
            patience: Duration::from_secs(60),
            pauses: (Duration::from_secs(1), Duration::from_secs(300)),
            registries,
            identity: Identity::default(),
            signer: Signer::from_entries,
            log: None,
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
    let sources = settings_sources(&client, &options, &current, &metrics);
    let work = work(&client, &options, current.subscribe(), &metrics, &stop);
    let reports = report_settings(current.subscribe(), &options.health);
    tokio::select! {
        () = sources => {}
        () = work => {}
        () = reports => {}
    }
    if stop.is_cancelled() {
        alive.end();
    }
}

/// What names the first list of a source.
fn first_list(kind: RunKind, source: &Source) -> String {
    format!("{} {}", kind.plural(), source.path.as_str())
}

/// Tells whether there are a configuration and a signer; ends with the settings.
async fn report_settings(mut settings: channel::Receiver<Settings>, health: &Health) {
    loop {
        let now = settings.borrow_and_update().clone();
        let config = now.config.get().map(drop).map_err(str::to_owned);
        let signer = now.signer.get().map(drop).map_err(str::to_owned);
        for (part, state) in [(Part::Config, config), (Part::Signer, signer)] {
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
    );
    let key = async {
        match &options.signing_secrets_path {
            Some(directory) => follow_directory(directory.clone(), keys).await,
            None => follow_secret(client.clone(), namespace.clone(), keys).await,
        }
    };
    let history = settings::takeover::run(client.clone(), namespace.clone(), current.clone());
    tokio::join!(configs, key, history);
}

/// Waits for settings, then watches runs and works on them until `stop`.
async fn work(
    client: &Client,
    options: &Options,
    mut settings: channel::Receiver<Settings>,
    metrics: &Metrics,
    stop: &CancellationToken,
) {
    tokio::select! {
        () = stop.cancelled() => return,
        read = settings.wait_for(Settings::were_read) => if read.is_err() { return },
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
        ),
        log: options.log.clone(),
        flight: Flight::default(),
        released: Released::default(),
    });
    let (sender, receiver) = mpsc::channel(BACKLOG);
    let limits = Limits {
        places: options.concurrency,
        pauses: options.pauses,
        deadline: options.deadline,
    };
    let queue = Queue::new(Arc::clone(&reconciler), limits);
    let working = queue.run(receiver, settings.clone(), stop.clone());
    let sources = options.sources();
    let watching = sources.iter().map(|(kind, source)| {
        let sink = RunSink {
            kind: *kind,
            first_list: Part::FirstList(first_list(*kind, source)),
            list: Part::List(first_list(*kind, source)),
            health: options.health.clone(),
            reconciler: Arc::clone(&reconciler),
            sender: sender.clone(),
        };
        watch_runs(client, source, sink, settings.clone())
    });
    tokio::select! {
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

/// Shows runs to the queue; never ends. A change of what is enabled begins anew, since runs that
/// were passed over may count now.
async fn watch_runs(
    client: &Client,
    source: &Source,
    sink: RunSink,
    mut settings: channel::Receiver<Settings>,
) {
    loop {
        let selection = settings.borrow_and_update().selection();
        tokio::select! {
            never = follow(client, source, sink.clone()) => match never {},
            changed = settings.wait_for(|settings| settings.selection() != selection) => {
                if changed.is_err() {
                    return;
                }
            }
        }
        tracing::info!("the selection of runs changed; listing again");
    }
}

/// Passes on what something has to be done about, and drops the rest at once.
#[derive(Clone)]
struct RunSink {
    kind: RunKind,
    first_list: Part,
    list: Part,
    health: Health,
    reconciler: Arc<Reconciler>,
    sender: mpsc::Sender<Message>,
}

impl RunSink {
    async fn send(&self, message: Message) {
        // the queue outlives the watch
        let _ = self.sender.send(message).await;
    }

    /// A task run that was deleted keeps nobody waiting.
    async fn gone(&self, object: &[u8]) {
        let Some(id) = RunId::of(self.kind, object) else {
            return;
        };
        if self.kind == RunKind::Task {
            self.send(Message::Settled(id.clone())).await;
        }
        self.send(Message::Gone(id)).await;
    }
}

impl Sink for RunSink {
    async fn take(&mut self, change: Change) {
        match change {
            Change::Seen(object) => {
                let Triage {
                    due,
                    is_leaving,
                    settled,
                } = self.reconciler.triage(self.kind, &object);
                if let Some(child) = settled {
                    self.send(Message::Settled(child)).await;
                }
                if let Some(id) = due {
                    self.send(Message::Seen {
                        id,
                        object,
                        is_leaving,
                    })
                    .await;
                }
            }
            Change::Gone(object) => self.gone(&object).await,
            Change::Synced => {
                self.health.works(&self.first_list);
                self.health.works(&self.list);
            }
            Change::Skipped(why) => {
                tracing::warn!("passed over: {why}");
                self.reconciler.metrics.skipped.inc();
            }
            Change::Lost(reason) => {
                let late = Instant::now() + LATE;
                self.health.expect(self.list.clone(), late, reason);
            }
        }
    }
}
