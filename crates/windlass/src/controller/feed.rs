//! What the watches show of runs, as far as it is this replica's: the rest is dropped at once.

use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use tokio::sync::{mpsc, watch as channel};
use tokio::time::Instant;

use super::queue::Message;
use super::reconcile::{Reconciler, Triage};
use super::replicas::Share;
use crate::cluster::peek::Identity;
use crate::cluster::runs::{RunId, RunKind};
use crate::cluster::watch::{Change, Sink, Source, follow};
use crate::settings::Settings;
use crate::telemetry::{Health, Part};

mod foreign;

pub(super) use self::foreign::Foreign;

/// How long no list of runs may have worked before the controller is no longer ready.
const LATE: Duration = Duration::from_secs(60);

/// Shows runs to the queue; never ends. A change of what is enabled begins anew, since runs that
/// were passed over may count now; so does a share that grew.
pub(super) async fn watch_runs(
    client: &Client,
    source: &Source,
    sink: RunSink,
    (mut settings, mut growth): (channel::Receiver<Settings>, channel::Receiver<u64>),
) {
    loop {
        let selection = settings.borrow_and_update().selection();
        growth.mark_unchanged();
        tokio::select! {
            biased;
            never = follow(client, source, sink.clone()) => match never {},
            changed = settings.wait_for(|settings| settings.selection() != selection) => {
                if changed.is_err() {
                    return;
                }
                tracing::info!("the selection of runs changed; listing again");
            }
            grew = growth.changed() => {
                if grew.is_err() {
                    return;
                }
                tracing::info!("this replica has more runs now; listing again");
            }
        }
    }
}

/// Passes on what something has to be done about, and drops the rest at once.
#[derive(Clone)]
pub(super) struct RunSink {
    pub(super) kind: RunKind,
    pub(super) first_list: Part,
    pub(super) list: Part,
    pub(super) health: Health,
    /// The runs of this replica.
    pub(super) share: channel::Receiver<Share>,
    /// Those of others, since the list under way or the watch after it began.
    pub(super) foreign: Foreign,
    pub(super) reconciler: Arc<Reconciler>,
    pub(super) sender: mpsc::Sender<Message>,
}

impl RunSink {
    /// What is to be passed on of an object.
    fn triage(&mut self, object: &[u8]) -> Triage {
        let share = self.share.borrow();
        let kind = self.kind;
        if *share == Share::Everything {
            return self.reconciler.triage(kind, object);
        }
        let has = |namespace: &str, uid: &str| {
            share.has_namespace(namespace) || share.has_object(kind, namespace, uid)
        };
        // what is others' is not even read
        let Identity { namespace, uid, .. } = Identity::peek(object);
        if !namespace.is_empty() && !uid.is_empty() && !has(&namespace, &uid) {
            self.foreign.count(&namespace);
            return Triage::default();
        }
        let triage = self.reconciler.triage(kind, object);
        Triage {
            due: triage.due.filter(|id| share.has(id)),
            ..triage
        }
    }

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
                } = self.triage(&object);
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

    fn shard_selector(&self) -> String {
        let share = self.share.borrow();
        self.foreign
            .selector(|namespace| !share.may_have(namespace))
    }
}
