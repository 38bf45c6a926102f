//! The trusted root of `windlass-config`, which says whom the controller believes.

use windlass_sandbox::fulcio::Fulcio;
use windlass_sandbox::rekor::{Options as LogOptions, Rekor};
use windlass_sandbox::sigstore::trusted_root;
use windlass_sandbox::timestamps::TimestampAuthority;

use super::keyless::Stage;
use super::*;

/// A controller without a key that logs to a log of version 2 and is told whom to believe by a trusted root.
struct Believing {
    stage: Stage,
    log: Rekor,
    times: TimestampAuthority,
}

impl Believing {
    /// The controller, with this trusted root once it is told all else.
    async fn start(root: impl FnOnce(&Self) -> Value) -> Self {
        let believing = Self {
            stage: Stage::unconfigured().await,
            log: Rekor::start(LogOptions::default()).await.unwrap(),
            times: TimestampAuthority::start().await.unwrap(),
        };
        believing.stage.scene.create(json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": { "name": "windlass-config", "namespace": SYSTEM },
            "data": {
                "storage.oci.encoding-format": "both",
                "transparency.origin": believing.log.origin(),
                "transparency.timestamp-url": believing.times.url(),
                "transparency.version": "2",
                "trusted_root.json": root(&believing).to_string(),
            },
        }));
        let logging = json!({
            "transparency.enabled": "true", "transparency.url": believing.log.url(),
        });
        believing.stage.configure(logging).await;
        believing
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
