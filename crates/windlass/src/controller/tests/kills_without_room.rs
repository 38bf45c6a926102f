//! The controller ends in the middle of a pass over a run without room for what vouches for its signatures, or for the
//! signatures themselves: another one takes them up from the registry, and the log has one entry of each artifact.
//!
//! What cannot be saved is a signature that was logged and is nowhere yet: no log gives it back. Each of these costs one
//! more entry, and the tests count them at the moment of the end.

use std::collections::BTreeSet;

use windlass_core::annotation;
use windlass_core::key::Certificate;
use windlass_sandbox::registry::{
    Fault as RegistryFault, FaultAnswer as RegistryAnswer, Options as RegistryOptions, Registry,
};
use windlass_sandbox::{Gate, rekor, timestamps};

use super::keyless::Stage;
use super::registries::{
    anonymous, attached, blob, built, image, verified_statements, verify_signature,
};
use super::transparency::bundles;
use super::version_two::Servers;
use super::*;
use crate::sign::Signer;

/// An annotation that is no part of what is signed.
const NOTES: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// Room on a run that is kept for its mark.
const MARKS: usize = 6144;
/// Requests that a log refuses that is down at first.
const REFUSALS: usize = 6;
/// Calls of a server that are tried at most.
const MOST_CALLS: usize = 60;

/// How runs are signed, and what fits on them.
#[derive(Debug, Clone, Copy)]
struct Case {
    is_keyless: bool,
    version: &'static str,
    mode: &'static str,
    encoding: &'static str,
    /// Room for what is about the image.
    room: usize,
    /// The log takes nothing at first.
    is_log_down: bool,
}

/// Less than any signature with its certificate.
const NO_ROOM: usize = 100;
/// Enough for two of them, and for no entry with its proof beside them.
const ROOM_FOR_TWO: usize = 6_500;

const KEYLESS: Case = Case {
    is_keyless: true,
    version: "1",
    mode: "required",
    encoding: "both",
    room: NO_ROOM,
    is_log_down: false,
};
const BY_KEY: Case = Case {
    is_keyless: false,
    ..KEYLESS
};

/// Where the controller is when it ends: its call was carried out, and the response is under way.
#[derive(Debug, Clone, Copy)]
enum Server {
    Cluster,
    Log,
    Times,
    Registry,
}

const SERVERS: [Server; 4] = [
    Server::Cluster,
    Server::Log,
    Server::Times,
    Server::Registry,
];

/// A controller, its servers, and a run that is about to be created.
struct Scenario {
    case: Case,
    stage: Stage,
    servers: Servers,
    registry: Registry,
    digest: String,
}

impl Scenario {
    async fn of(case: Case) -> Self {
        let mut options = options();
        options.signer = Signer::unique_from_entries;
        let servers = Servers::start().await;
        let stage = Stage::with(options).await;
        let mut settings = servers.own(case.version, case.encoding);
        settings["transparency.mode"] = json!(case.mode);
        stage.scene.configure_own(settings).await;
        let stores = json!({
            "artifacts.taskrun.storage": "tekton,oci", "artifacts.oci.storage": "oci",
            "signers.x509.fulcio.enabled": case.is_keyless.to_string(),
        });
        if !case.is_keyless {
            stage.scene.add_key();
        }
        stage.configure(servers.logging(stores)).await;
        let configured = |scene: &Scene| scene.local.metrics.config_accepted.get() >= 3;
        stage.scene.until("all is configured", configured).await;
        stage.ready().await;
        let registry = Registry::start(RegistryOptions::default()).await.unwrap();
        let digest = image(&registry);
        anonymous(&stage.scene);
        registry.clear_requests();
        Self {
            case,
            stage,
            servers,
            registry,
            digest,
        }
    }

    fn create(&self, notes: usize) {
        let mut run = built("app", &self.registry, &self.digest);
        run["metadata"]["annotations"] = json!({ NOTES: "n".repeat(notes) });
        self.stage.scene.create(run);
    }

    /// Ends the controller after the call with this number, and starts another; whether there is such a call.
    async fn ends_after(&mut self, server: Server, number: usize) -> bool {
        let gate = Gate::new();
        self.pause_after(server, number, &gate);
        let is_reached = tokio::select! {
            () = gate.reached(1) => true,
            _ = self.stage.scene.marked("app") => false,
        };
        if is_reached {
            self.settle().await;
        }
        is_reached
    }

    fn pause_after(&self, server: Server, number: usize, gate: &Gate) {
        let gate = gate.clone();
        match server {
            Server::Cluster => self.stage.scene.local.cluster.fail(Fault {
                path_contains: "/namespaces/default/".to_owned(),
                skip: number,
                answer: FaultAnswer::PauseAfterwards(gate),
                ..Fault::default()
            }),
            Server::Log => self.servers.log.fail(rekor::Fault {
                skip: number,
                answer: rekor::FaultAnswer::PauseAfterwards(gate),
                ..rekor::Fault::default()
            }),
            Server::Times => self.servers.times.fail(timestamps::Fault {
                skip: number,
                answer: timestamps::FaultAnswer::PauseAfterwards(gate),
                ..timestamps::Fault::default()
            }),
            Server::Registry => self.registry.fail(RegistryFault {
                skip: number,
                answer: RegistryAnswer::PauseAfterwards(gate),
                ..RegistryFault::default()
            }),
        }
    }

    /// Waits until no server is asked for anything any more.
    async fn settle(&self) {
        let asked = || {
            let (servers, cluster) = (&self.servers, &self.stage.scene.local.cluster);
            let others = self.registry.requests().len() + cluster.requests().len();
            servers.log.requests().len() + servers.times.requests().len() + others
        };
        let mut before = usize::MAX;
        while before != asked() {
            before = asked();
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
    }

    /// Signatures that are on the run or in the registry, in base64.
    fn saved(&self) -> BTreeSet<String> {
        let mut saved = self.stored();
        for (name, value) in self.stage.scene.annotations("app") {
            if name.starts_with(&annotation::signature("")) {
                let text = STANDARD.decode(&value).unwrap();
                let envelope = Envelope::from_json(&text).ok();
                saved.insert(envelope.map_or(value, |it| it.signatures[0].sig.clone()));
            } else if name.starts_with(&annotation::proof("")) {
                let proof: Value = serde_json::from_str(&value).unwrap();
                let body = proof["tlogEntries"][0]["canonicalizedBody"].as_str();
                let body = STANDARD.decode(body.unwrap()).unwrap();
                saved.insert(signature_of(&String::from_utf8(body).unwrap()));
            }
        }
        saved
    }

    /// Those that are in the registry.
    fn stored(&self) -> BTreeSet<String> {
        let [signatures, attestations] = [".sig", ".att"].map(|suffix| self.layers(suffix));
        let detached = signatures.iter().map(|layer| {
            let notes = &layer["annotations"];
            notes["dev.cosignproject.cosign/signature"].clone()
        });
        let enveloped = attestations.iter().map(|layer| {
            let envelope: Value = serde_json::from_slice(&blob(&self.registry, layer)).unwrap();
            envelope["signatures"][0]["sig"].clone()
        });
        let bundled = bundles(&self.registry, &self.digest);
        let bundled = bundled
            .iter()
            .map(|bundle| bundle["dsseEnvelope"]["signatures"][0]["sig"].clone());
        let all = detached.chain(enveloped).chain(bundled);
        all.map(|one| one.as_str().unwrap().to_owned()).collect()
    }

    fn layers(&self, suffix: &str) -> Vec<Value> {
        let tag = format!("{}{suffix}", self.digest.replace(':', "-"));
        match self.registry.manifest("team/app", &tag) {
            Some(_) => attached(&self.registry, &self.digest, suffix),
            None => Vec::new(),
        }
    }

    /// Signatures that are logged.
    fn logged(&self) -> Vec<String> {
        let entries = self.servers.log.entries();
        entries.iter().map(|entry| signature_of(entry)).collect()
    }

    /// How many signatures are logged and nowhere else.
    fn lost(&self) -> usize {
        let saved = self.saved();
        let logged = self.logged();
        logged.iter().filter(|one| !saved.contains(*one)).count()
    }

    /// Waits for the mark, and sees that everything is in its places once and verifies.
    async fn is_whole(&self, lost: usize, context: &str) {
        assert_eq!(self.stage.scene.marked("app").await, "true", "{context}");
        let (artifacts, tags, bundled) = match self.case.encoding {
            "both" => (3, 1, 2),
            "dsse" => (2, 1, 0),
            _ => (2, 0, 2),
        };
        let logged = self.logged();
        assert_eq!(logged.len(), artifacts + lost, "{context}: entries");
        let without_entry = |bundle: &&Value| {
            let entries = &bundle["verificationMaterial"]["tlogEntries"];
            entries.as_array().is_none_or(Vec::is_empty)
        };
        let all = bundles(&self.registry, &self.digest);
        let early = all.iter().filter(without_entry).count();
        assert_eq!(all.len() - early, bundled, "{context}: bundles");
        assert!(
            self.case.is_log_down && early <= bundled || early == 0,
            "{context}: {early} bundles without an entry"
        );
        for suffix in [".sig", ".att"] {
            let layers = self.layers(suffix);
            assert_eq!(layers.len(), tags, "{context}: {suffix}");
            for layer in layers {
                self.verify(suffix, &layer);
            }
        }
        let logged = BTreeSet::from_iter(logged);
        assert!(self.stored().is_subset(&logged), "{context}: not logged");
    }

    fn verify(&self, suffix: &str, layer: &Value) {
        let pem = layer["annotations"]["dev.sigstore.cosign/certificate"].as_str();
        let pem = pem.filter(|pem| !pem.is_empty());
        let key = match pem {
            Some(pem) => Certificate::from_pem(pem.as_bytes())
                .unwrap()
                .public_key()
                .clone(),
            None => PublicKey::from_pem(PUBLIC.as_bytes()).unwrap(),
        };
        assert_eq!(pem.is_some(), self.case.is_keyless);
        if suffix == ".sig" {
            verify_signature(&self.registry, &self.digest, &key);
        } else {
            verified_statements(&self.registry, &self.digest, &key);
        }
    }

    async fn end(self) {
        self.registry.shutdown().await;
        self.stage.end().await;
    }
}

/// The signature in the body of an entry, of whatever kind.
fn signature_of(body: &str) -> String {
    let body: Value = serde_json::from_str(body).unwrap();
    let spec = &body["spec"];
    let places = [
        &spec["signature"]["content"],
        &spec["signatures"][0]["signature"],
        &spec["hashedRekordV002"]["signature"]["content"],
    ];
    let mut texts = places.into_iter().filter_map(Value::as_str);
    texts.next().unwrap().to_owned()
}

/// How many bytes another annotation has to have so that this much room is left beside what is on a run anyway.
async fn notes_for(case: Case) -> usize {
    let scenario = Scenario::of(case).await;
    scenario.create(0);
    assert_eq!(scenario.stage.scene.marked("app").await, "true");
    let annotations = scenario.stage.scene.annotations("app");
    let kinds = [
        annotation::payload("taskrun-"),
        annotation::signature("taskrun-"),
        annotation::certificate("taskrun-"),
        annotation::chain("taskrun-"),
    ];
    let is_own = |name: &str| kinds.iter().any(|kind| name.starts_with(kind));
    let own = annotations.iter().filter(|(name, _)| is_own(name));
    let own: usize = own.map(|(name, value)| name.len() + value.len()).sum();
    scenario.end().await;
    annotation::TOTAL_SIZE_LIMIT - MARKS - NOTES.len() - own - case.room
}

/// Ends the controller after every call of every server in turn.
async fn killed_after_every_call(case: Case) {
    let notes = notes_for(Case {
        is_log_down: false,
        ..case
    });
    let notes = Box::pin(notes).await;
    let mut lost_in_all = 0;
    for server in SERVERS {
        for number in 0..MOST_CALLS {
            let context = format!("{case:?} {server:?} {number}");
            let mut scenario = Scenario::of(case).await;
            if case.is_log_down {
                scenario.servers.log.fail(rekor::Fault {
                    method: Some("POST".to_owned()),
                    times: REFUSALS,
                    answer: rekor::FaultAnswer::Status(503.into()),
                    ..rekor::Fault::default()
                });
            }
            scenario.create(notes);
            if !scenario.ends_after(server, number).await {
                scenario.is_whole(0, &context).await;
                scenario.end().await;
                assert!(number >= 2, "{context}: too few calls");
                break;
            }
            let lost = scenario.lost();
            lost_in_all += lost;
            scenario
                .stage
                .scene
                .local
                .kill_and_start_controller()
                .await
                .unwrap();
            scenario.servers.log.clear_faults();
            scenario.is_whole(lost, &context).await;
            scenario.end().await;
        }
    }
    let is_safe = case.room > NO_ROOM || case.is_log_down;
    assert_eq!(lost_in_all == 0, is_safe, "{case:?}: {lost_in_all} lost");
}

#[tokio::test]
async fn killed_anywhere_a_keyless_run_without_room_for_its_signatures_has_one_entry_for_each() {
    Box::pin(killed_after_every_call(KEYLESS)).await;
}

#[tokio::test]
async fn killed_anywhere_a_keyless_run_with_room_for_signatures_alone_has_one_entry_for_each() {
    Box::pin(killed_after_every_call(Case {
        version: "2",
        mode: "deferred",
        room: ROOM_FOR_TWO,
        ..KEYLESS
    }))
    .await;
}

#[tokio::test]
async fn killed_anywhere_a_run_of_a_key_without_room_for_signatures_has_one_entry_for_each() {
    Box::pin(killed_after_every_call(Case {
        version: "2",
        encoding: "sigstore-bundle",
        ..BY_KEY
    }))
    .await;
}

#[tokio::test]
async fn killed_anywhere_what_was_stored_while_the_log_was_down_is_logged_and_not_made_again() {
    Box::pin(killed_after_every_call(Case {
        mode: "deferred",
        encoding: "dsse",
        is_log_down: true,
        ..KEYLESS
    }))
    .await;
}
