//! The trusted root of `windlass-config`, or of a mirror, which says whom the controller believes.

use windlass_sandbox::fulcio::Fulcio;
use windlass_sandbox::rekor::{Options as LogOptions, Rekor};
use windlass_sandbox::sigstore::trusted_root;
use windlass_sandbox::timestamps::TimestampAuthority;
use windlass_sandbox::tuf::TufMirror;

use super::keyless::Stage;
use super::*;

/// The target of a mirror, and the entry of `windlass-config`.
const TRUSTED: &str = "trusted_root.json";

fn add(to: &mut Value, more: Value) {
    let Value::Object(more) = more else { return };
    to.as_object_mut().unwrap().extend(more);
}

/// Waits for an Event that says this.
async fn told(scene: &Scene, text: &str) {
    let says = |event: &Value| {
        event["message"]
            .as_str()
            .is_some_and(|it| it.contains(text))
    };
    let is_told = |scene: &Scene| scene.local.cluster.list("events").iter().any(says);
    scene.until(text, is_told).await;
}

/// A controller without a key that logs to a log of version 2 and is told whom to believe by a trusted root.
struct Believing {
    stage: Stage,
    log: Rekor,
    times: TimestampAuthority,
}

impl Believing {
    /// The controller, with this trusted root once it is told all else.
    async fn start(root: impl FnOnce(&Self) -> Value) -> Self {
        let believing = Self::unconfigured().await;
        let root = root(&believing).to_string();
        let own = json!({ "trusted_root.json": root });
        believing.configure(json!({}), own).await;
        believing
    }

    /// The controller and its servers.
    async fn unconfigured() -> Self {
        Self {
            stage: Stage::unconfigured().await,
            log: Rekor::start(LogOptions::default()).await.unwrap(),
            times: TimestampAuthority::start().await.unwrap(),
        }
    }

    /// Has it log to its servers, with more of `chains-config` and `windlass-config`.
    async fn configure(&self, chains: Value, own: Value) {
        let mut data = json!({
            "storage.oci.encoding-format": "both",
            "transparency.origin": self.log.origin(),
            "transparency.timestamp-url": self.times.url(),
            "transparency.version": "2",
        });
        add(&mut data, own);
        self.stage.scene.create(windlass_config(&data));
        let mut logging = json!({
            "transparency.enabled": "true", "transparency.url": self.log.url(),
        });
        add(&mut logging, chains);
        self.stage.configure(logging).await;
    }

    /// Has it follow a mirror that it believes by this root.
    async fn follow(&self, mirror: &TufMirror, root: String) {
        let chains = json!({ "signers.x509.tuf.mirror.url": mirror.url() });
        let own = json!({ "signers.x509.tuf.root": root });
        self.configure(chains, own).await;
    }

    /// A mirror with the right trusted root.
    async fn mirror(&self) -> TufMirror {
        let root = self.right().to_string();
        TufMirror::start(&[(TRUSTED, &root)]).await.unwrap()
    }

    /// Sees that a run is not signed, and that no certificate was asked for.
    fn has_signed_nothing(&self, run: &str) {
        assert_eq!(self.stage.fulcio.requests().len(), 0);
        let annotations = self.stage.scene.annotations(run);
        assert!(!annotations.contains_key("chains.tekton.dev/signed"));
    }

    /// The trusted root of its servers, but with this authority.
    fn root(&self, fulcio: &Fulcio) -> Value {
        trusted_root(fulcio, &self.log, &self.times)
    }

    fn right(&self) -> Value {
        self.root(&self.stage.fulcio)
    }

    /// Changes the trusted root.
    async fn trust(&self, root: &Value) {
        let uri = format!("/api/v1/namespaces/{SYSTEM}/configmaps/windlass-config");
        let data = json!({ "data": { "trusted_root.json": root.to_string() } });
        self.stage.scene.patch(&uri, data).await;
    }

    async fn end(self) {
        self.stage.end().await;
        self.log.shutdown().await;
        self.times.shutdown().await;
    }
}

#[tokio::test]
async fn a_change_of_the_trusted_root_counts_without_a_restart() {
    let believing = Believing::start(Believing::right).await;
    let stage = &believing.stage;
    stage.ready().await;
    stage.signs("before").await;
    assert_eq!(believing.log.entries().len(), 1);
    assert_eq!(believing.times.requests().len(), 1);
    // an authority that did not certify the controller
    let other = Fulcio::start().await.unwrap();
    believing.trust(&believing.root(&other)).await;
    let why = stage.not_ready("the certificate").await;
    assert!(why.contains("signers.x509.fulcio.enabled"), "{why}");
    let event = stage.scene.event("CertificateUnavailable").await;
    assert!(event["message"].is_string());
    stage.scene.create(finished("waits"));
    believing.trust(&believing.right()).await;
    stage.ready().await;
    assert_eq!(stage.scene.marked("waits").await, "true");
    other.shutdown().await;
    believing.end().await;
}

#[tokio::test]
async fn a_log_that_is_not_in_the_trusted_root_is_not_believed() {
    let believing = Believing::start(Believing::right).await;
    let stage = &believing.stage;
    stage.ready().await;
    stage.signs("before").await;
    let other = Rekor::start(LogOptions::default()).await.unwrap();
    believing
        .trust(&trusted_root(&stage.fulcio, &other, &believing.times))
        .await;
    let accepted = &stage.scene.local.metrics.config_accepted;
    stage
        .scene
        .until("the root is loaded", |_| accepted.get() >= 2)
        .await;
    stage.ready().await;
    stage.scene.create(finished("after"));
    let reason = stage.scene.reason("after").await;
    assert!(reason.contains("transparency log"), "{reason}");
    assert!(
        !stage
            .scene
            .annotations("after")
            .contains_key("chains.tekton.dev/signed")
    );
    other.shutdown().await;
    believing.end().await;
}

#[tokio::test]
async fn a_trusted_root_that_cannot_be_used_is_told_and_the_last_one_stays() {
    let believing = Believing::start(Believing::right).await;
    let stage = &believing.stage;
    stage.ready().await;
    believing.trust(&json!({ "mediaType": "planted" })).await;
    let event = stage.scene.event("ConfigRefused").await;
    let message = event["message"].as_str().unwrap();
    assert!(message.contains("trusted_root.json"), "{message}");
    stage.signs("after").await;
    believing.end().await;
}

#[tokio::test]
async fn nothing_is_signed_by_a_trusted_root_without_the_authority_until_it_has_one() {
    let without = |believing: &Believing| {
        let mut root = believing.right();
        root["certificateAuthorities"] = json!([]);
        root
    };
    let believing = Believing::start(without).await;
    let stage = &believing.stage;
    let event = stage.scene.event("ConfigRefused").await;
    let message = event["message"].as_str().unwrap();
    assert!(message.contains("trusted_root.json"), "{message}");
    assert!(
        message.contains("without a certificate authority"),
        "{message}"
    );
    stage.scene.create(finished("waits"));
    assert_eq!(stage.fulcio.requests().len(), 0);
    believing.trust(&believing.right()).await;
    stage.ready().await;
    assert_eq!(stage.scene.marked("waits").await, "true");
    believing.end().await;
}

#[tokio::test]
async fn a_mirror_says_whom_the_controller_believes_and_a_change_counts_without_a_restart() {
    let believing = Believing::unconfigured().await;
    let mirror = believing.mirror().await;
    believing.follow(&mirror, mirror.root()).await;
    let stage = &believing.stage;
    stage.ready().await;
    stage.signs("before").await;
    assert_eq!(believing.log.entries().len(), 1);
    // another root, and in it an authority that did not certify the controller
    let other = Fulcio::start().await.unwrap();
    mirror.replace_root_key().unwrap();
    let root = believing.root(&other).to_string();
    mirror.put(TRUSTED, &root).unwrap();
    let why = stage.not_ready("the certificate").await;
    assert!(why.contains("signers.x509.fulcio.enabled"), "{why}");
    stage.scene.create(finished("waits"));
    let right = believing.right().to_string();
    mirror.put(TRUSTED, &right).unwrap();
    stage.ready().await;
    assert_eq!(stage.scene.marked("waits").await, "true");
    other.shutdown().await;
    mirror.shutdown().await;
    believing.end().await;
}

#[tokio::test]
async fn a_mirror_is_believed_by_the_root_that_is_pinned_and_not_by_its_own() {
    let believing = Believing::unconfigured().await;
    let (mirror, other) = (believing.mirror().await, believing.mirror().await);
    believing.follow(&mirror, other.root()).await;
    let stage = &believing.stage;
    let event = stage.scene.event("TrustedRootUnavailable").await;
    let message = event["message"].as_str().unwrap();
    assert!(message.contains("signers.x509.tuf.mirror.url"), "{message}");
    assert!(
        message.contains("not signed by enough of the keys"),
        "{message}"
    );
    stage.scene.create(finished("waits"));
    believing.has_signed_nothing("waits");
    let uri = format!("/api/v1/namespaces/{SYSTEM}/configmaps/windlass-config");
    let pin = |root: String| json!({ "data": { "signers.x509.tuf.root": root } });
    // no root at all is no more use than the one of another
    stage.scene.patch(&uri, pin("{}".to_owned())).await;
    told(&stage.scene, "the pinned root of the metadata is damaged").await;
    believing.has_signed_nothing("waits");
    stage.scene.patch(&uri, pin(mirror.root())).await;
    stage.ready().await;
    assert_eq!(stage.scene.marked("waits").await, "true");
    mirror.shutdown().await;
    other.shutdown().await;
    believing.end().await;
}

#[tokio::test]
async fn a_mirror_without_a_pinned_root_is_not_asked_and_that_is_told() {
    let stage = Stage::unconfigured().await;
    let mirror = TufMirror::start(&[(TRUSTED, "{}")]).await.unwrap();
    let following = json!({ "signers.x509.tuf.mirror.url": mirror.url() });
    stage.configure(following).await;
    told(&stage.scene, "has no effect without signers.x509.tuf.root").await;
    stage.ready().await;
    stage.signs("run").await;
    assert_eq!(mirror.connections(), 0);
    mirror.shutdown().await;
    stage.end().await;
}

#[tokio::test]
async fn a_mirror_that_is_out_of_reach_or_goes_back_stops_no_signature_once_it_was_read() {
    let believing = Believing::unconfigured().await;
    let mirror = believing.mirror().await;
    mirror.publish_as(5).unwrap();
    believing.follow(&mirror, mirror.root()).await;
    let stage = &believing.stage;
    stage.ready().await;
    mirror.publish_as(2).unwrap();
    let event = stage.scene.event("TrustedRootUnavailable").await;
    let message = event["message"].as_str().unwrap();
    assert!(
        message.contains("older than what was fetched before"),
        "{message}"
    );
    stage.signs("after").await;
    mirror.shutdown().await;
    stage.signs("later").await;
    // what an operator does about it, and nothing of the flags of verbs
    told(
        &stage.scene,
        "no connection: check signers.x509.tuf.mirror.url",
    )
    .await;
    let events = stage.scene.local.cluster.list("events");
    let is_of_verbs = |event: &Value| event["message"].as_str().unwrap().contains("--");
    assert!(!events.iter().any(is_of_verbs), "{events:?}");
    believing.end().await;
}
