//! An image, a key in `signer.pem` and its public half in `cosign.pub`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use windlass_core::key::PrivateKey;
use windlass_sandbox::registry::Options;

use crate::shell::Outcome;
use crate::verify::registry::ImageScene;

pub const REPOSITORY: &str = "team/app";

/// A key as a PEM text.
pub fn pem(key: &PrivateKey) -> String {
    let body = STANDARD.encode(key.to_pkcs8_der().unwrap());
    format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n")
}

pub fn scene() -> ImageScene {
    let scene = ImageScene::new(Options::default());
    scene.shell.write("signer.pem", pem(&scene.key));
    scene
}

/// A command that has to succeed, with the image at its end.
#[track_caller]
pub fn succeed(scene: &ImageScene, line: &str) -> Outcome {
    let line = format!("{line} {}", scene.image());
    let outcome = scene.shell.run(&line);
    assert_eq!(outcome.code, 0, "{line}: {}", outcome.stderr);
    outcome
}

/// The layers under a tag of the image.
pub fn layers(scene: &ImageScene, suffix: &str) -> Vec<Value> {
    let tag = format!("sha256-{}{suffix}", scene.hex());
    let Some(manifest) = scene.registry.manifest(REPOSITORY, &tag) else {
        return Vec::new();
    };
    let manifest: Value = serde_json::from_slice(&manifest.bytes).unwrap();
    manifest["layers"].as_array().unwrap().clone()
}
