//! The second part of the demo: an image that a run built, in a registry that requires a password.

use serde_json::json;
use windlass_sandbox::registry::{
    Accounts, Authentication, Grant, Options as RegistryOptions, Registry, User,
};

use super::stage::{NAMESPACE, Stage};
use crate::dev_cluster::examples::BUILD_IMAGE;

/// The user of the registry.
pub(super) const USER: &str = "robot";
/// Configuration of this part.
const OF_IMAGES: &str = r#"{"data":{"artifacts.oci.storage": "oci", "artifacts.taskrun.format":"slsa/v1", "artifacts.taskrun.storage": "oci"}}"#;
/// The image and its digest in the example.
const IMAGE: &str = "registry.example.com/team/app:v1";
const DIGEST: &str = "sha256:2222222222222222222222222222222222222222222222222222222222222222";

/// Signs the image and verifies it.
pub(super) async fn play(stage: &Stage, registry: &Registry) -> anyhow::Result<()> {
    let image = format!("{}/team/app", registry.host());
    let digest = push_image(registry);
    let screen = stage.screen;

    screen
        .say("9. The same for an image, in a registry that requires a password")
        .await;
    stage.configure(OF_IMAGES).await?;

    screen
        .say("10. Let the runs of an account push there")
        .await;
    stage
        .shell(
            "windlass registry grant --docker-config config.json -n default \
             --service-account build-bot",
        )
        .await?;
    stage
        .shell(&format!(
            "windlass registry check {image}:v1 -n default --service-account build-bot"
        ))
        .await?;

    screen
        .say("11. Create a run of that account that builds an image")
        .await;
    let run = BUILD_IMAGE
        .text
        .replace(IMAGE, &format!("{image}:v1"))
        .replace(DIGEST, &digest);
    let (name, _) = stage.create_run(BUILD_IMAGE.file, &run).await?;
    stage.signed(&name).await?;
    stage.shell(&format!("windlass tree {image}:v1")).await?;

    screen
        .say("12. Anyone who has the public key can check where the image comes from")
        .await;
    let key = format!("--key k8s://{NAMESPACE}/signing-secrets");
    stage
        .shell(&format!("windlass verify {key} {image}:v1"))
        .await?;
    stage
        .shell(&format!(
            "windlass verify {key} --type slsaprovenance {image}@{digest}"
        ))
        .await
}

/// A registry on loopback that lets its one user push.
pub(super) async fn registry() -> anyhow::Result<Registry> {
    let users = [User::new(USER, "wine-dark", [Grant::push("team")])];
    let options = RegistryOptions {
        authentication: Authentication::Basic(Accounts::of(users)),
        ..RegistryOptions::default()
    };
    Ok(Registry::start(options).await?)
}

/// Puts an image without layers where the run will say that it pushed one.
fn push_image(registry: &Registry) -> String {
    const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    let config = registry.put_blob("team/app", "{}");
    let kind = "application/vnd.oci.image.config.v1+json";
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": { "mediaType": kind, "size": 2, "digest": config },
        "layers": [],
    });
    registry.put_manifest("team/app", "v1", MANIFEST, manifest.to_string())
}
