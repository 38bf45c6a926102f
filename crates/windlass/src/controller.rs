//! The controller: watches task runs and brings each finished one to an outcome.
//!
//! `settings` keeps the configuration and the key up to date, `watch` shows runs, `queue` says
//! which one is next, `reconcile` makes a pass over it, `record` is what is written, `event` tells
//! people. Nothing is kept in memory of a run that has an outcome.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use kube::Client;
use tokio::sync::{mpsc, watch as channel};
use tokio_util::sync::CancellationToken;

use self::queue::{Message, Queue};
use self::reconcile::Reconciler;
use self::settings::signing_secret::{Keys, follow_directory, follow_secret};
use self::settings::{Settings, config_maps};
use self::watch::{Change, Sink, Source, follow};
use crate::telemetry::Metrics;

mod event;
mod queue;
mod reconcile;
mod record;
mod settings;
mod watch;

#[cfg(all(test, feature = "sandbox"))]
mod tests;

/// Runs that may stand between the watch and the workers.
const BACKLOG: usize = 64;

/// What a controller is to do.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Namespace of `chains-config` and `signing-secrets`.
    pub(crate) system_namespace: String,
    /// Namespaces whose runs are looked at; empty means all.
    pub(crate) namespaces: BTreeSet<String>,
    /// Directory to read the key from, instead of the secret.
    pub(crate) signing_secrets_path: Option<PathBuf>,
    /// Runs worked on at once.
    pub(crate) concurrency: usize,
}

/// Runs the controller until `stop`.
pub(crate) async fn run(
    client: Client,
    options: Options,
    metrics: Metrics,
    stop: CancellationToken,
) {
    let current = Settings::unread();
    let sources = settings_sources(&client, &options, &current, &metrics);
    let work = work(&client, &options, current.subscribe(), &metrics, &stop);
    tokio::select! {
        () = sources => {}
        () = work => {}
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
    let keys = Keys::new(current.clone(), metrics.clone());
    let configs = config_maps::run(
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
    tokio::join!(configs, key);
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
    });
    let (sender, receiver) = mpsc::channel(BACKLOG);
    let queue = Queue::new(Arc::clone(&reconciler), options.concurrency);
    let working = queue.run(receiver, settings.clone(), stop.clone());
    let sources = options.sources();
    let watching = sources.iter().map(|source| {
        let reconciler = Arc::clone(&reconciler);
        watch_runs(client, source, reconciler, sender.clone(), settings.clone())
    });
    tokio::select! {
        () = working => {}
        _ = futures::future::join_all(watching) => {}
    }
}

impl Options {
    fn sources(&self) -> Vec<Source> {
        let source = |what: String, path: String| Source {
            what,
            path,
            name: None,
        };
        if self.namespaces.is_empty() {
            let what = "task runs of all namespaces".to_owned();
            return vec![source(what, "/apis/tekton.dev/v1/taskruns".to_owned())];
        }
        let of = |namespace: &String| {
            let path = format!("/apis/tekton.dev/v1/namespaces/{namespace}/taskruns");
            source(format!("task runs of namespace {namespace}"), path)
        };
        self.namespaces.iter().map(of).collect()
    }
}

/// Shows runs to the queue; never ends. A change of what is enabled begins anew, since runs that
/// were passed over may count now.
async fn watch_runs(
    client: &Client,
    source: &Source,
    reconciler: Arc<Reconciler>,
    sender: mpsc::Sender<Message>,
    mut settings: channel::Receiver<Settings>,
) {
    loop {
        let selection = settings.borrow_and_update().selection();
        let sink = RunSink {
            reconciler: Arc::clone(&reconciler),
            sender: sender.clone(),
        };
        tokio::select! {
            never = follow(client, source, sink) => match never {},
            changed = settings.wait_for(|settings| settings.selection() != selection) => {
                if changed.is_err() {
                    return;
                }
            }
        }
        tracing::info!("other runs count now, listing again");
    }
}

/// Passes on what something has to be done about, and drops the rest at once.
struct RunSink {
    reconciler: Arc<Reconciler>,
    sender: mpsc::Sender<Message>,
}

impl Sink for RunSink {
    async fn take(&mut self, change: Change) {
        let message = match change {
            Change::Seen(object) => self
                .reconciler
                .look(&object)
                .map(|id| Message::Seen(id, object)),
            Change::Gone(object) => reconcile::id_of(&object).map(Message::Gone),
            Change::Synced => None,
        };
        if let Some(message) = message {
            // the queue outlives the watch
            let _ = self.sender.send(message).await;
        }
    }
}
