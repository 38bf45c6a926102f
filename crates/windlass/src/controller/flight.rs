//! The memory of runs that are worked on.
//!
//! Whoever may create a run decides how large it is, and a pass over it takes several times its size,
//! many times if it names many images: each is signed, uploaded, and reported where that fails.
//! Small runs are read at once. A large one is read, and worked on, once there is room for it in a
//! budget that all namespaces share, and of which none has more than a quarter. What does not fit is
//! measured and not kept, so that nothing is held in memory by those that wait. A run that is larger
//! than such a quarter, as one with thousands of images, has a budget of its own kind: few of them are
//! worked on at once, and no other run waits for them.

use std::time::Duration;

use bytes::Bytes;
use kube::Client;
use memchr::memmem;
use windlass_core::run::PipelineRun;
use windlass_registry::{Budget, Exhausted, Share};

use crate::cluster::call::{Call, CallError, OBJECT_LIMIT};
use crate::cluster::children::{self, Children, ChildrenError};
use crate::cluster::runs::RunId;

/// Bytes of a run that need no room.
const FREE: usize = 64 << 10;
/// Bytes of the children of a pipeline run, all together, that need no room.
const FREE_CHILDREN: usize = 256 << 10;
/// Images of a run that need no room.
const FREE_IMAGES: usize = 64;
/// What is in memory for each further image during a pass.
const PER_IMAGE: usize = 4 << 10;
/// What each image that a run names has in it.
const DIGEST: &[u8] = b"sha256:";
/// Bytes of all large runs in memory.
const RUNS: usize = 16 << 20;
/// The part of that which one namespace can have. A run that takes more is a giant.
const PART: usize = RUNS / 4;
/// Giants that are worked on at once, each of another namespace.
const GIANTS: usize = 2;
/// Bytes that each of them may take: a pass over a run with 8,000 images takes as many.
const GIANT: usize = 64 << 20;
/// Bytes of the children of all pipeline runs in memory.
const CHILDREN: usize = 32 << 20;
/// How long a pass waits for room unless a test is less patient.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often a run is measured that has grown since.
const ATTEMPTS: usize = 3;

/// The room for runs that are worked on. It is taken for runs first and for their children then, so
/// that nobody waits for somebody who waits for him.
pub(crate) struct Flight {
    runs: Budget,
    giants: Budget,
    children: Budget,
    /// How long a pass waits for room before its run is put off.
    patience: Duration,
}

/// A run, and its room if it is large.
pub(crate) struct Boarded {
    pub(crate) object: Bytes,
    pub(crate) room: Option<Share>,
}

/// Why a run is not worked on now.
pub(crate) enum FlightError {
    Call(CallError),
    /// There is no room.
    Full,
}

impl Default for Flight {
    fn default() -> Self {
        Self {
            runs: Budget::new(RUNS),
            giants: Budget::in_parts(GIANTS * GIANT, GIANTS),
            children: Budget::new(CHILDREN),
            patience: PATIENCE,
        }
    }
}

impl Flight {
    /// Takes in a run that is in memory already.
    pub(crate) async fn take(&self, id: &RunId, object: Bytes) -> Result<Boarded, FlightError> {
        let room = match extent(&object) {
            0..=FREE => None,
            bytes => Some(self.room(id, bytes).await?),
        };
        Ok(Boarded { object, room })
    }

    /// Reads a run.
    pub(crate) async fn read(&self, client: &Client, id: &RunId) -> Result<Boarded, FlightError> {
        let (mut keep, mut room) = (FREE, None);
        for _ in 0..ATTEMPTS {
            let call = Call::get(format!("read {id}"), id.path());
            let read = call.send_up_to(client, keep).await;
            let bytes = match read.map_err(FlightError::Call)? {
                Ok(object) => match extent(&object).min(OBJECT_LIMIT) {
                    bytes if bytes > keep => bytes,
                    _ => return Ok(Boarded { object, room }),
                },
                Err(bytes) => bytes,
            };
            // whoever waits for more gives back what he has
            drop(room.take());
            keep = (bytes + bytes / 4).min(OBJECT_LIMIT);
            room = Some(self.room(id, keep).await?);
        }
        Err(FlightError::Full)
    }

    async fn room(&self, id: &RunId, bytes: usize) -> Result<Share, FlightError> {
        let (budget, bytes) = match bytes {
            0..=PART => (&self.runs, bytes),
            _ => (&self.giants, GIANT),
        };
        let taken = budget.take(&id.namespace, bytes, self.patience).await;
        taken.map_err(|Exhausted| FlightError::Full)
    }

    /// Reads the task runs of a pipeline run, with the room that they take; none if there is no room.
    pub(crate) async fn read_children(
        &self,
        client: &Client,
        id: &RunId,
        run: &PipelineRun<'_>,
    ) -> Result<Option<(Children, Option<Share>)>, ChildrenError> {
        let measured = children::read(client, id, run, FREE_CHILDREN).await?;
        let Some(bytes) = measured.excess() else {
            return Ok(Some((measured, None)));
        };
        drop(measured);
        let keep = bytes + bytes / 4;
        let room = self.children.take(&id.namespace, keep, self.patience);
        let Ok(room) = room.await else {
            return Ok(None);
        };
        let children = children::read(client, id, run, keep).await?;
        // those that have grown meanwhile are measured anew in another pass
        let fits = children.excess().is_none();
        Ok(fits.then_some((children, Some(room))))
    }
}

/// What a pass over a run takes, as far as its text tells: an image is named by its digest.
fn extent(object: &[u8]) -> usize {
    let images = memmem::find_iter(object, DIGEST).count();
    object.len() + images.saturating_sub(FREE_IMAGES) * PER_IMAGE
}

#[cfg(all(test, feature = "sandbox"))]
mod tests {
    use serde_json::{Value, json};
    use windlass_sandbox::cluster::Cluster;

    use super::*;
    use crate::cluster::runs::RunKind;
    use crate::dev_cluster;

    fn id(name: &str) -> RunId {
        RunId {
            kind: RunKind::Task,
            namespace: "default".to_owned(),
            name: name.to_owned(),
            uid: "u".to_owned(),
        }
    }

    /// A result with the digest of an image.
    fn result(number: usize) -> Value {
        json!({ "name": "d", "value": format!("sha256:{number}") })
    }

    #[tokio::test]
    async fn a_large_run_is_not_kept_without_room_and_a_small_one_needs_none() {
        let cluster = Cluster::start(windlass_sandbox::cluster::Options::default())
            .await
            .unwrap();
        let client = dev_cluster::client(&cluster).await.unwrap();
        for (name, bytes) in [("large", 1 << 20), ("small", 1000)] {
            let run = json!({
                "apiVersion": "tekton.dev/v1",
                "kind": "TaskRun",
                "metadata": { "name": name, "namespace": "default" },
                "spec": { "params": [{ "name": "p", "value": "x".repeat(bytes) }] },
            });
            cluster.create(run).unwrap();
        }
        let flight = Flight {
            patience: Duration::from_millis(50),
            ..Flight::default()
        };
        let all = RUNS / 4;
        let held = flight.runs.take("default", all, PATIENCE).await.unwrap();
        let small = flight.read(&client, &id("small")).await;
        assert!(small.is_ok_and(|small| small.room.is_none()));
        let large = flight.read(&client, &id("large")).await;
        assert!(matches!(large, Err(FlightError::Full)));
        drop(held);
        let large = flight.read(&client, &id("large")).await;
        assert!(large.is_ok_and(|large| large.object.len() > 1 << 20 && large.room.is_some()));
    }

    #[tokio::test]
    async fn a_small_run_with_many_images_needs_room_for_what_is_made_of_them() {
        let images = |number: usize| {
            let results: Vec<Value> = (0..number).map(result).collect();
            json!({ "status": { "results": results } }).to_string()
        };
        assert!(extent(images(FREE_IMAGES).as_bytes()) <= FREE);
        let many = Bytes::from(images(500));
        assert!(many.len() < FREE);
        let flight = Flight {
            patience: Duration::from_millis(50),
            ..Flight::default()
        };
        let all = RUNS / 4;
        let held = flight.runs.take("default", all, PATIENCE).await.unwrap();
        let full = flight.take(&id("many"), many.clone()).await;
        assert!(matches!(full, Err(FlightError::Full)));
        drop(held);
        let taken = flight.take(&id("many"), many).await;
        assert!(taken.is_ok_and(|taken| taken.room.is_some()));
    }

    #[tokio::test(start_paused = true)]
    async fn two_runs_with_thousands_of_images_are_worked_on_at_once_and_no_other_waits_for_them() {
        let run = |images: usize| {
            let results: Vec<Value> = (0..images).map(result).collect();
            Bytes::from(json!({ "status": { "results": results } }).to_string())
        };
        let id = |namespace: &str| RunId {
            namespace: namespace.to_owned(),
            ..id("run")
        };
        let flight = Flight::default();
        let (giant, large) = (run(8000), run(900));
        let first = flight.take(&id("a"), giant.clone()).await.ok().unwrap();
        // no namespace has both
        assert!(flight.take(&id("a"), giant.clone()).await.is_err());
        let second = flight.take(&id("b"), giant.clone()).await.ok().unwrap();
        assert!(flight.take(&id("c"), giant.clone()).await.is_err());
        let mut taken = Vec::new();
        for namespace in ["a", "b", "c", "d"] {
            taken.push(
                flight
                    .take(&id(namespace), large.clone())
                    .await
                    .ok()
                    .unwrap(),
            );
        }
        drop((first, second));
        assert!(flight.take(&id("c"), giant).await.is_ok());
    }
}
