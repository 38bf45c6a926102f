//! A cluster, its controllers, its users, and what must hold whatever happens.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use windlass_sandbox::{Cluster, Options as ClusterOptions};

use super::link::Link;
use super::registry_link::{HOST, RegistryLink};
use super::script::{MOST_CONTROLLERS, Plan, STORM, Script, Step};
use super::store::{Store, give_credentials, key};
use super::weather::{LONGEST_DELAY, Noted, Weather};
use super::*;
use crate::cluster::time_of_day;
use crate::controller::tests::registries::everywhere;
use crate::controller::{Mode, run};
use crate::telemetry::Metrics;

/// How long after the storm everything must be done: longer than the longest pause between two tries.
const AFTERMATH: Duration = Duration::from_secs(3_600);
/// How long nothing may be written once everything is done.
const PEACE: Duration = Duration::from_secs(7_200);
/// Most writes to one run: far more than it needs, far fewer than those of a loop.
const MOST_WRITES: usize = 60;
const NAMES: [&str; MOST_CONTROLLERS] = ["first", "second", "third"];
const KEY: &[u8] = include_bytes!("../../../../../core/tests/fixtures/x509/p256.pem");

/// What is attached to an image, and the versions of the runs that are marked.
type Told = (Vec<String>, Vec<(usize, String)>);

pub(super) struct World {
    cluster: Arc<Cluster>,
    store: Option<Store>,
    weather: Arc<Weather>,
    controllers: Vec<Option<JoinHandle<()>>>,
    mode: Mode,
    /// Uids of pipeline runs, by the place of the run.
    uids: BTreeMap<usize, String>,
    /// What runs that are marked say of themselves, by their places, and their versions. It stays attached to
    /// their images, whatever becomes of the runs.
    told: BTreeMap<usize, (String, Value)>,
    /// What was verified last of each image, and was true.
    verified: BTreeMap<usize, Told>,
}

fn plural(plan: &Plan) -> &'static str {
    if plan.is_pipeline {
        "pipelineruns"
    } else {
        "taskruns"
    }
}

impl World {
    pub(super) async fn start(script: &Script) -> Self {
        // any time: it decides whether a lease is fresh that was never seen before
        time_of_day::begin("2026-11-23T10:00:00Z".parse().unwrap());
        let options = ClusterOptions {
            namespaces: vec![SYSTEM.to_owned()],
            ..ClusterOptions::default()
        };
        let cluster = Arc::new(Cluster::start(options).await.unwrap());
        let mut data = if script.has_registry {
            everywhere()
        } else {
            in_toto()
        };
        data["artifacts.pipelinerun.format"] = json!("slsa/v2alpha4");
        if script.has_registry {
            data["artifacts.pipelinerun.storage"] = json!("tekton,oci");
            data["storage.oci.encoding-format"] = json!(script.encoding.0);
        }
        let config = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": { "name": "chains-config", "namespace": SYSTEM },
            "data": data,
        });
        cluster.create(config).unwrap();
        give_credentials(&cluster);
        let secret = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": { "name": "signing-secrets", "namespace": SYSTEM },
            "data": { "x509.pem": STANDARD.encode(self::KEY) },
        });
        cluster.create(secret).unwrap();
        let mut world = Self {
            cluster,
            store: if script.has_registry {
                Some(Store::start(script).await)
            } else {
                None
            },
            weather: Arc::new(Weather::of(script.seed)),
            controllers: Vec::new(),
            mode: if script.is_shared {
                Mode::Leases
            } else {
                Mode::Alone
            },
            uids: BTreeMap::new(),
            told: BTreeMap::new(),
            verified: BTreeMap::new(),
        };
        for number in 0..script.controllers {
            world.controllers.push(None);
            world.start_controller(number);
        }
        world
    }

    fn start_controller(&mut self, number: usize) {
        let link = Link {
            cluster: Arc::clone(&self.cluster),
            weather: Arc::clone(&self.weather),
            whose: NAMES[number],
        };
        let client = kube::Client::new(link, "default");
        let mut options = options();
        options.replication.mode = self.mode;
        options.replication.pod = Some(NAMES[number].to_owned());
        options.registries.carrier = self.store.as_ref().map(|store| {
            let link = RegistryLink {
                registry: Arc::clone(&store.registry),
                weather: Arc::clone(&self.weather),
                whose: NAMES[number],
            };
            link.carrier()
        });
        let (metrics, stop) = (Metrics::default(), CancellationToken::new());
        let running = run(client, options, metrics, stop);
        self.controllers[number] = Some(tokio::spawn(running));
    }

    async fn kill(&mut self, number: usize) {
        if let Some(controller) = self.controllers[number].take() {
            controller.abort();
            assert!(controller.await.is_err_and(|error| !error.is_panic()));
        }
    }

    /// Lets everything happen that is to happen, and the rest of the storm pass.
    pub(super) async fn play(&mut self, script: &Script) {
        let begun = Instant::now();
        for (at, step) in &script.steps {
            sleep_until(begun + *at).await;
            self.weather.note(&format!("{step:?}"));
            match *step {
                Step::Create(run) => self.create(script, run),
                Step::Finish(run) => self.finish(script, run).await,
                Step::Touch(run) => self.touch(&script.runs[run]).await,
                Step::Delete(run) => self.delete(&script.runs[run]).await,
                Step::Kill(number) => self.kill(number).await,
                Step::Start(number) => self.start_controller(number),
                Step::BreakConfig => self.configure("artifacts.taskrun.format", "no such").await,
                Step::MendConfig => self.configure("artifacts.taskrun.format", "in-toto").await,
            }
            self.no_mark_is_untrue(script);
        }
        while begun.elapsed() < STORM {
            sleep(Duration::from_secs(1)).await;
            self.no_mark_is_untrue(script);
        }
        self.weather.calm_down();
    }

    fn create(&mut self, script: &Script, run: usize) {
        let plan = &script.runs[run];
        let mut object = task_run(&plan.name);
        object["spec"]["serviceAccountName"] = json!("builder");
        if plan.is_pipeline {
            object["kind"] = json!("PipelineRun");
            object["spec"] = json!({
                "pipelineSpec": { "tasks": [] },
                "taskRunTemplate": { "serviceAccountName": "builder" },
            });
        }
        if let Some(parent) = plan.parent {
            let name = &script.runs[parent].name;
            object["metadata"]["labels"] = json!({
                "tekton.dev/pipelineRun": name,
                "tekton.dev/pipelineTask": plan.name,
            });
            object["metadata"]["ownerReferences"] = json!([{
                "apiVersion": "tekton.dev/v1",
                "kind": "PipelineRun",
                "name": name,
                "uid": self.uids[&parent],
                "controller": true,
                "blockOwnerDeletion": true,
            }]);
        }
        let made = self.cluster.create(object).unwrap();
        let uid = made["metadata"]["uid"].as_str().unwrap().to_owned();
        self.uids.insert(run, uid);
    }

    /// Writes the status, as Tekton's controller would.
    async fn finish(&self, script: &Script, run: usize) {
        let plan = &script.runs[run];
        let mut status = status();
        // no two runs say the same
        let ended = format!("2026-11-23T10:01:{run:02}Z");
        if plan.is_pipeline {
            let children = script.runs.iter().filter(|it| it.parent == Some(run));
            let references = children.clone().map(|child| {
                json!({
                    "apiVersion": "tekton.dev/v1",
                    "kind": "TaskRun",
                    "name": child.name,
                    "pipelineTaskName": child.name,
                })
            });
            let tasks = children.map(|it| json!({ "name": it.name, "taskSpec": { "steps": [] } }));
            status = json!({
                "conditions": [{ "type": "Succeeded", "status": "True", "reason": "Completed" }],
                "startTime": "2026-11-23T10:00:00Z",
                "childReferences": references.collect::<Vec<_>>(),
                "pipelineSpec": { "tasks": tasks.collect::<Vec<_>>() },
            });
        }
        status["completionTime"] = json!(ended);
        if let Some(store) = &self.store {
            status["results"] = json!([
                { "name": "IMAGE_URL", "value": format!("{HOST}/team/app") },
                { "name": "IMAGE_DIGEST", "value": store.images[plan.image] },
            ]);
        }
        let path = format!("{}/status", path(plan));
        self.ask("PATCH", &path, &json!({ "status": status })).await;
    }

    async fn touch(&self, plan: &Plan) {
        let body = json!({ "metadata": { "annotations": { "team.example/note": "seen" } } });
        self.ask("PATCH", &path(plan), &body).await;
    }

    async fn delete(&self, plan: &Plan) {
        self.ask("DELETE", &path(plan), &json!({})).await;
    }

    async fn configure(&self, key: &str, value: &str) {
        let path = format!("/api/v1/namespaces/{SYSTEM}/configmaps/chains-config");
        self.ask("PATCH", &path, &json!({ "data": { key: value } }))
            .await;
    }

    /// A request of a user, which always arrives.
    async fn ask(&self, method: &str, path: &str, body: &Value) {
        let request = Request::builder().method(method).uri(path);
        let request = request
            .header("Authorization", format!("Bearer {}", self.cluster.token()))
            .header(
                "Content-Type",
                if method == "PATCH" {
                    MERGE_PATCH
                } else {
                    "application/json"
                },
            )
            .body(http_body_util::Full::new(bytes::Bytes::from(
                body.to_string(),
            )))
            .unwrap();
        let response = self.cluster.respond(request).await.unwrap();
        // a run may be gone by now
        let status = response.status();
        assert!(
            status.is_success() || status == 404,
            "{method} {path}: {status}"
        );
    }

    fn object(&self, plan: &Plan) -> Option<Value> {
        let kind = format!("{}.tekton.dev", plural(plan));
        self.cluster.get(&kind, "default", &plan.name)
    }

    /// Whoever says that it is signed carries a signature over itself, and what it built has what was said,
    /// once.
    fn no_mark_is_untrue(&mut self, script: &Script) {
        for (number, plan) in script.runs.iter().enumerate() {
            let Some(run) = self.object(plan) else {
                continue;
            };
            let version = run["metadata"]["resourceVersion"].as_str().unwrap();
            let is_known = self.told.get(&number).is_some_and(|(of, _)| of == version);
            if mark(&run) != Some("true") || is_known {
                continue;
            }
            let told = catch_unwind(AssertUnwindSafe(|| verified(plan, &run)));
            let told = told.unwrap_or_else(|_| {
                panic!(
                    "{}",
                    self.report(&format!("{} is marked: {run:#}", plan.name))
                )
            });
            self.told.insert(number, (version.to_owned(), told));
        }
        for image in 0..script.images() {
            self.what_was_told_is_attached(script, image);
        }
    }

    /// Sees that what runs said of an image is attached to it, unless nothing has changed.
    fn what_was_told_is_attached(&mut self, script: &Script, image: usize) {
        let Some(store) = &self.store else {
            return;
        };
        let told = self.told.iter();
        let told = told.filter(|(run, _)| script.runs[**run].image == image);
        let (versions, statements): (Vec<_>, Vec<_>) = told
            .map(|(run, (version, statement))| ((*run, version.clone()), statement.clone()))
            .unzip();
        let state = (store.state(image), versions);
        if state.1.is_empty() || self.verified.get(&image) == Some(&state) {
            return;
        }
        let verified = catch_unwind(AssertUnwindSafe(|| {
            store.verify(image, &statements, script.most_attestations(image));
            // the images of a pipeline run are signed for its task runs
            if state
                .1
                .iter()
                .any(|(run, _)| !script.runs[*run].is_pipeline)
            {
                store.verify_signature(image);
            }
        }));
        let what = || self.report(&format!("image {image}, by runs {:?}", state.1));
        assert!(verified.is_ok(), "{}", what());
        self.verified.insert(image, state);
    }

    /// Waits until everything is done, and sees that it is and stays so.
    pub(super) async fn judge(&mut self, script: &Script) {
        for number in 0..script.controllers {
            if self.controllers[number].is_none() {
                self.start_controller(number);
            }
        }
        let storm_ended = Instant::now();
        while let Some(lacking) = self.lacking(script) {
            let waited = storm_ended.elapsed();
            assert!(waited < AFTERMATH, "{}", self.report(&lacking));
            sleep(Duration::from_secs(5)).await;
            self.no_mark_is_untrue(script);
        }
        // one that lists again finds everything done, and so does one whose watch still shows what was
        sleep(LONGEST_DELAY + Duration::from_secs(60)).await;
        self.cluster_writes(script, MOST_WRITES);
        self.cluster.clear_requests();
        sleep(PEACE).await;
        self.cluster_writes(script, 0);
    }

    /// Asserts that nothing was written more often than this.
    fn cluster_writes(&self, script: &Script, most: usize) {
        for plan in &script.runs {
            let path = format!("/{}/{}", plural(plan), plan.name);
            let writes = self.cluster.count("PATCH", &path);
            assert!(
                writes <= most,
                "{}",
                self.report(&format!("{writes} writes to {path}"))
            );
        }
    }

    /// The first run that is not as it has to be at the end.
    fn lacking(&self, script: &Script) -> Option<String> {
        script.runs.iter().find_map(|plan| {
            let name = &plan.name;
            let Some(run) = self.object(plan) else {
                return (!plan.is_deleted).then(|| format!("{name} is not there"));
            };
            let what = if plan.is_deleted {
                "was deleted and is still there"
            } else if mark(&run) != Some("true") {
                "is not signed"
            } else if run["metadata"]["finalizers"].is_array() {
                "has a finalizer"
            } else {
                return None;
            };
            Some(format!("{name} {what}: {run:#}"))
        })
    }

    fn report(&self, what: &str) -> String {
        let trace = self.weather.trace().into_iter();
        let lines = trace.map(|(at, what)| format!("{at:>12.1?} {what}\n"));
        lines.chain([what.to_owned()]).collect()
    }

    /// Ends the controllers and gives what happened.
    pub(super) async fn end(mut self) -> Vec<Noted> {
        for number in 0..self.controllers.len() {
            self.kill(number).await;
        }
        self.weather.trace()
    }
}

fn path(plan: &Plan) -> String {
    let (plural, name) = (plural(plan), &plan.name);
    format!("/apis/tekton.dev/v1/namespaces/default/{plural}/{name}")
}

fn mark(run: &Value) -> Option<&str> {
    run["metadata"]["annotations"]["chains.tekton.dev/signed"].as_str()
}

/// What a run says of itself, after a look at the signature: it is by the key, and over this run.
fn verified(plan: &Plan, run: &Value) -> Value {
    let uid = run["metadata"]["uid"].as_str().unwrap();
    let singular = plural(plan).trim_end_matches('s');
    let name = format!("chains.tekton.dev/signature-{singular}-{uid}");
    let signature = run["metadata"]["annotations"][&name].as_str();
    let signature = signature.unwrap_or_else(|| panic!("{} is marked only: {run:#}", plan.name));
    let envelope = Envelope::from_json(&STANDARD.decode(signature).unwrap()).unwrap();
    let payload = envelope.verify(&key()).unwrap().payload;
    assert!(run["status"]["completionTime"].is_string(), "{run:#}");
    let statement: Value = serde_json::from_slice(&payload).unwrap();
    assert!(statement["predicate"].is_object(), "{statement:#}");
    statement
}
