//! Signatures without a key that are in a registry alone: a run whose mark is taken off uses them again, with the entries
//! that they have, if the entry that the run carries is theirs.

use windlass_core::annotation;
use windlass_sandbox::registry::{
    Fault as RegistryFault, FaultAnswer as RegistryAnswer, Options as RegistryOptions, Registry,
};

use super::keyless::Stage;
use super::registries::{anonymous, attached, built, image};
use super::transparency::bundles;
use super::version_two::Servers;
use super::*;

const RUN: &str = "/apis/tekton.dev/v1/namespaces/default/taskruns/app";
/// The run's statement, the image as a payload and as a statement.
const ENTRIES: usize = 3;
/// Room on a run for its mark, and for less than an entry with its proof.
const ROOM: usize = (6 << 10) + 1200;
/// An annotation that is no part of what is signed.
const NOTES: &str = "kubectl.kubernetes.io/last-applied-configuration";

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
        Self::beside(version, lifetime, "").await
    }

    /// The same, with an annotation that leaves so much less room.
    async fn beside(version: &str, lifetime: Duration, annotation: &str) -> Self {
        let servers = Servers::start().await;
        let stage = Stage::unconfigured().await;
        stage.fulcio.set_lifetime(lifetime);
        stage
            .scene
            .configure_own(servers.own(version, "both"))
            .await;
        let stores = json!({
            "artifacts.taskrun.storage": "tekton,oci", "artifacts.oci.storage": "oci",
        });
        stage.configure(servers.logging(stores)).await;
        stage.ready().await;
        let registry = Registry::start(RegistryOptions::default()).await.unwrap();
        let digest = image(&registry);
        anonymous(&stage.scene);
        let mut run = built("app", &registry, &digest);
        run["metadata"]["annotations"] = json!({ NOTES: annotation });
        stage.scene.create(run);
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

    /// Bytes of all annotations but the entries of the image.
    fn size_without_image(&self) -> usize {
        let proofs = self.proofs_of_image();
        let annotations = self.stage.scene.annotations("app");
        let others = annotations
            .iter()
            .filter(|(name, _)| !proofs.contains(name));
        others.map(|(name, value)| name.len() + value.len()).sum()
    }

    /// The names of all annotations about the image.
    fn about_image(&self) -> Vec<String> {
        let annotations = self.stage.scene.annotations("app");
        let is_about_it = |name: &&String| {
            let after = name.strip_prefix("chains.tekton.dev/").unwrap_or_default();
            after.contains('-') && !after.contains("taskrun-")
        };
        annotations.keys().filter(is_about_it).cloned().collect()
    }

    /// Has it signed again once its certificate has ended: nothing is logged, stamped or stored a second time.
    async fn uses_its_entries_again(&mut self, version: &str) {
        assert_eq!(self.stored(), [1, 1, 2]);
        let stamped = self.servers.times.requests().len();
        tokio::time::sleep(Duration::from_secs(2)).await;
        self.stage.fulcio.set_lifetime(Duration::from_secs(600));
        self.again(json!({})).await;
        assert_eq!(
            self.servers.log.entries().len(),
            ENTRIES,
            "version {version}"
        );
        assert_eq!(self.servers.times.requests().len(), stamped);
        assert_eq!(self.stored(), [1, 1, 2]);
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
        assert_eq!(run.proofs_of_image().len(), 2);
        run.uses_its_entries_again(version).await;
        run.end().await;
    }
}

#[tokio::test]
async fn an_entry_that_does_not_fit_on_the_run_is_taken_up_from_the_registry() {
    for version in ["1", "2"] {
        // room for the entry of the run itself, and for none of the image
        let roomy = SignedRun::with(version, Duration::from_secs(2)).await;
        let others = annotation::TOTAL_SIZE_LIMIT - ROOM - roomy.size_without_image();
        roomy.end().await;
        let notes = "n".repeat(others);
        let mut run = SignedRun::beside(version, Duration::from_secs(2), &notes).await;
        assert_eq!(run.proofs_of_image(), Vec::<String>::new());
        run.uses_its_entries_again(version).await;
        run.end().await;
    }
}

#[tokio::test]
async fn an_entry_in_the_registry_is_taken_up_where_the_run_says_nothing_of_it() {
    let mut run = SignedRun::with("1", Duration::from_secs(600)).await;
    run.again(without(&run.about_image())).await;
    assert_eq!(run.servers.log.entries().len(), ENTRIES);
    assert_eq!(run.stored(), [1, 1, 2]);
    run.end().await;
}

#[tokio::test]
async fn an_entry_in_the_registry_that_another_log_has_is_not_taken_up() {
    let mut run = SignedRun::with("1", Duration::from_secs(600)).await;
    let other = Servers::start().await;
    let data = other.own("1", "both");
    let uri = format!("/api/v1/namespaces/{SYSTEM}/configmaps/windlass-config");
    run.stage.scene.patch(&uri, json!({ "data": data })).await;
    let address = json!({ "transparency.url": other.log.url() });
    run.stage.scene.configure(address).await;
    run.again(without(&run.about_image())).await;
    assert_eq!(other.log.entries().len(), ENTRIES);
    run.end().await;
}

#[tokio::test]
async fn an_entry_of_something_else_beside_our_signature_in_a_registry_makes_no_second_one() {
    let mut run = SignedRun::with("1", Duration::from_secs(600)).await;
    let tag = format!("{}.sig", run.digest.replace(':', "-"));
    let stored = run.registry.manifest("team/app", &tag).unwrap();
    let mut manifest: Value = serde_json::from_slice(&stored.bytes).unwrap();
    let notes = &mut manifest["layers"][0]["annotations"];
    let entry = notes["dev.sigstore.cosign/bundle"].as_str().unwrap();
    let mut entry: Value = serde_json::from_str(entry).unwrap();
    let number = entry["Payload"]["logIndex"].as_u64().unwrap();
    entry["Payload"]["logIndex"] = json!((number + 1) % ENTRIES as u64);
    notes["dev.sigstore.cosign/bundle"] = json!(entry.to_string());
    // beside it, the right entry with a signature that is not ours
    let mut forged = manifest["layers"][0].clone();
    forged["annotations"]["dev.cosignproject.cosign/signature"] = json!("Zm9yZ2Vk");
    entry["Payload"]["logIndex"] = json!(number);
    forged["annotations"]["dev.sigstore.cosign/bundle"] = json!(entry.to_string());
    manifest["layers"].as_array_mut().unwrap().push(forged);
    let bytes = manifest.to_string();
    run.registry
        .put_manifest("team/app", &tag, &stored.media_type, bytes);
    run.again(without(&run.about_image())).await;
    // the signature beside the wrong entry is ours, and the log says where its entry is
    assert_eq!(run.servers.log.entries().len(), ENTRIES);
    run.end().await;
}

#[tokio::test]
async fn while_a_registry_refuses_to_say_what_it_has_nothing_is_logged_again() {
    let mut run = SignedRun::with("1", Duration::from_secs(600)).await;
    run.registry.fail(RegistryFault {
        method: Some("GET".to_owned()),
        path_contains: ".sig".to_owned(),
        answer: RegistryAnswer::Status(403.into()),
        ..RegistryFault::default()
    });
    run.again(without(&run.about_image())).await;
    assert_eq!(run.servers.log.entries().len(), ENTRIES);
    assert_eq!(run.stored(), [1, 1, 2]);
    run.end().await;
}

/// A change that takes these annotations off.
fn without(names: &[String]) -> Value {
    let each = names.iter().map(|name| (name.clone(), Value::Null));
    Value::Object(each.collect())
}

#[tokio::test]
async fn an_entry_on_the_run_that_is_of_something_else_is_not_taken_up() {
    let mut run = SignedRun::with("1", Duration::from_secs(600)).await;
    let annotations = run.stage.scene.annotations("app");
    let [one, other] = &run.proofs_of_image()[..] else {
        panic!("two proofs");
    };
    // the registry has none of them any more
    for name in run.registry.manifests("team/app") {
        if name != run.digest {
            assert!(run.registry.delete_manifest("team/app", &name));
        }
    }
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
