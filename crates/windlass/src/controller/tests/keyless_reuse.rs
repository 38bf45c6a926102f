//! Signatures without a key that are in a registry alone: a run whose mark is taken off uses them again, with the entries
//! that they have, if the entry that the run carries is theirs.

use windlass_core::annotation;
use windlass_sandbox::registry::{Options as RegistryOptions, Registry};

use super::keyless::Stage;
use super::registries::{anonymous, attached, built, image};
use super::transparency::bundles;
use super::version_two::{Servers, own};
use super::*;

const RUN: &str = "/apis/tekton.dev/v1/namespaces/default/taskruns/app";
/// The run's statement, the image as a payload and as a statement.
const ENTRIES: usize = 3;

/// A run that is signed without a key, with everything about its image in a registry alone.
struct SignedRun {
    stage: Stage,
    servers: Servers,
    registry: Registry,
    digest: String,
}

impl SignedRun {
    /// It, with certificates that live so long, and a log of this version.
    async fn with(version: &str, lifetime: Duration) -> Self {
        let servers = Servers::start().await;
        let stage = Stage::unconfigured().await;
        stage.fulcio.set_lifetime(lifetime);
        own(&stage.scene, servers.own(version, "both")).await;
        let stores = json!({
            "artifacts.taskrun.storage": "tekton,oci", "artifacts.oci.storage": "oci",
        });
        stage.configure(servers.logging(stores)).await;
        stage.ready().await;
        let registry = Registry::start(RegistryOptions::default()).await.unwrap();
        let digest = image(&registry);
        anonymous(&stage.scene);
        stage.scene.create(built("app", &registry, &digest));
        assert_eq!(stage.scene.marked("app").await, "true");
        assert_eq!(servers.log.entries().len(), ENTRIES);
        Self {
            stage,
            servers,
            registry,
            digest,
        }
    }

    /// Takes off the mark, changes these annotations, and has another controller sign it again.
    async fn again(&mut self, annotations: Value) {
        let mut changed = json!({ "chains.tekton.dev/signed": null });
        let Value::Object(more) = annotations else {
            panic!("no annotations");
        };
        changed.as_object_mut().unwrap().extend(more);
        self.stage
            .scene
            .local
            .kill_and_start_controller()
            .await
            .unwrap();
        let change = json!({ "metadata": { "annotations": changed } });
        self.stage.scene.patch(RUN, change).await;
        assert_eq!(self.stage.scene.marked("app").await, "true");
    }

    /// How often each is in the registry: the signature and the attestation under tags, and bundles.
    fn stored(&self) -> [usize; 3] {
        let under = |suffix| attached(&self.registry, &self.digest, suffix).len();
        [
            under(".sig"),
            under(".att"),
            bundles(&self.registry, &self.digest).len(),
        ]
    }

    /// The names of the annotations with entries of the image.
    fn proofs_of_image(&self) -> Vec<String> {
        let annotations = self.stage.scene.annotations("app");
        let is_proof = |name: &&String| name.starts_with(&annotation::proof(""));
        let proofs = annotations.keys().filter(is_proof);
        let of_image = proofs.filter(|name| !name.contains("taskrun-"));
        of_image.cloned().collect()
    }

    async fn end(self) {
        self.registry.shutdown().await;
        self.stage.end().await;
    }
}

#[tokio::test]
async fn a_run_whose_mark_is_taken_off_has_no_second_entry_for_what_is_in_the_registry_alone() {
    for version in ["1", "2"] {
        // in version 2 the time is told by timestamps, which the run carries too
        let mut run = SignedRun::with(version, Duration::from_secs(2)).await;
        assert_eq!(run.stored(), [1, 1, 2]);
        assert_eq!(run.proofs_of_image().len(), 2);
        let stamped = run.servers.times.requests().len();
        tokio::time::sleep(Duration::from_secs(2)).await;
        run.stage.fulcio.set_lifetime(Duration::from_secs(600));
        run.again(json!({})).await;
        assert_eq!(
            run.servers.log.entries().len(),
            ENTRIES,
            "version {version}"
        );
        assert_eq!(run.servers.times.requests().len(), stamped);
        assert_eq!(run.stored(), [1, 1, 2]);
        run.end().await;
    }
}

#[tokio::test]
async fn an_entry_on_the_run_that_is_of_something_else_is_not_taken_up() {
    let mut run = SignedRun::with("1", Duration::from_secs(600)).await;
    let annotations = run.stage.scene.annotations("app");
    let [one, other] = &run.proofs_of_image()[..] else {
        panic!("two proofs");
    };
    // each has the entry of the other, and the address of nothing
    let swapped = json!({ one: annotations[other], other: annotations[one] });
    run.again(swapped).await;
    assert_eq!(run.servers.log.entries().len(), ENTRIES + 2);
    run.end().await;
}

#[tokio::test]
async fn a_signature_whose_certificate_ended_is_made_again_where_its_entry_is_in_another_log() {
    for version in ["1", "2"] {
        let mut run = SignedRun::with(version, Duration::from_secs(2)).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        run.stage.fulcio.set_lifetime(Duration::from_secs(600));
        let other = Servers::start().await;
        let data = other.own(version, "both");
        let uri = format!("/api/v1/namespaces/{SYSTEM}/configmaps/windlass-config");
        run.stage.scene.patch(&uri, json!({ "data": data })).await;
        let address = json!({ "transparency.url": other.log.url() });
        run.stage.scene.configure(address).await;
        run.again(json!({})).await;
        assert_eq!(other.log.entries().len(), ENTRIES, "version {version}");
        run.end().await;
    }
}
