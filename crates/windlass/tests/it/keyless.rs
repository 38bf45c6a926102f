//! What a controller without a key signed, asked about by whom its certificates name: a cluster whose
//! controller signs so, with the sandbox's Sigstore.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::runtime::Runtime;
use windlass::dev_cluster::DevCluster;
use windlass::dev_cluster::keyless::{Keyless, LogVersion};

use crate::shell::{Outcome, Shell};

mod audit;
mod lists;
mod traces;

const SYSTEM: &str = "tekton-chains";

/// A cluster and a controller on threads of their own, and a folder with the trusted root in `root.json`.
pub struct Scene {
    pub shell: Shell,
    pub dev: DevCluster,
    pub keyless: Keyless,
    pub runtime: Runtime,
}

impl Scene {
    /// With these settings in `chains-config` too.
    pub fn new(more: &Value) -> Self {
        let runtime = Runtime::new().unwrap();
        let start = async {
            let dev = DevCluster::start(None, SYSTEM).await.unwrap();
            let keyless = Keyless::start(SYSTEM, LogVersion::V2).await.unwrap();
            dev.sign_without_key(&keyless).await.unwrap();
            dev.configure(more).await.unwrap();
            (dev, keyless)
        };
        let (dev, keyless) = runtime.block_on(start);
        let mut shell = Shell::new();
        let root = std::fs::read(keyless.trusted_root()).unwrap();
        shell.write("root.json", root);
        shell.kubeconfig = Some(dev.cluster.kubeconfig());
        Self {
            shell,
            dev,
            keyless,
            runtime,
        }
    }

    /// The flags that ask for the controller's name.
    pub fn who(&self) -> String {
        self.keyless.flags("root.json".as_ref())
    }

    /// A line with them, and the same with somebody else's name.
    pub fn as_controller_and_somebody(&self, line: &str) -> (Outcome, Outcome) {
        let who = self.who();
        let somebody = who.replace(&self.keyless.identity(), "https://somebody.example");
        (
            self.shell.run(&format!("{line} {who}")),
            self.shell.run(&format!("{line} {somebody}")),
        )
    }

    /// Creates a run that has ended and says that it built an image, and waits for its signature. The version
    /// of the object is left out, so that it can be created on another cluster.
    pub fn signed(&self, name: &str) -> Value {
        let run = json!({
            "apiVersion": "tekton.dev/v1", "kind": "TaskRun",
            "metadata": { "name": name, "namespace": "default" },
            "spec": { "taskRef": { "name": "build" } },
            "status": {
                "conditions": [{ "type": "Succeeded", "status": "True", "reason": "Succeeded" }],
                "startTime": "2026-01-01T00:00:00Z", "completionTime": "2026-01-01T00:01:00Z",
                "taskSpec": {},
                "results": [
                    { "name": "IMAGE_URL", "type": "string", "value": "r.invalid/app" },
                    { "name": "IMAGE_DIGEST", "type": "string",
                      "value": format!("sha256:{}", "2".repeat(64)) },
                ],
            },
        });
        self.dev.cluster.create(run).unwrap();
        let found = || self.dev.cluster.get("taskruns.tekton.dev", "default", name);
        let mark = |run: &Value| run["metadata"]["annotations"]["chains.tekton.dev/signed"].clone();
        let mut patience = 3000;
        let mut run = found().unwrap();
        while mark(&run) != "true" {
            patience -= 1;
            assert!(patience > 0, "{run:#}");
            std::thread::sleep(Duration::from_millis(20));
            run = found().unwrap();
        }
        // to be created somewhere else
        let metadata = run["metadata"].as_object_mut().unwrap();
        metadata.remove("resourceVersion");
        run
    }
}
