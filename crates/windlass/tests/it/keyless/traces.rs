//! `trace` by a name.

use serde_json::{Value, json};
use windlass_sandbox::fulcio::Subject;
use windlass_sandbox::registry::{Options, Registry};

use super::Scene;

#[test]
fn a_run_is_traced_by_the_name_of_the_controller() {
    let scene = Scene::new(&json!({}));
    let run = scene.signed("app");
    scene.shell.write("run.json", run.to_string());
    for target in ["taskrun/app", "run.json"] {
        let line = format!("trace {target}");
        let (controller, somebody) = scene.as_controller_and_somebody(&line);
        let told = format!("{}{}", controller.stdout, controller.stderr);
        assert_eq!(controller.code, 0, "{told}");
        let name = scene.keyless.identity();
        let signer = format!("signed with: the identity `{name}` by `https://issuer.sandbox`");
        assert!(told.contains(&signer), "{told}");
        assert!(
            told.contains("product: r.invalid/app@sha256:2222"),
            "{told}"
        );
        assert_eq!(somebody.code, 1, "{}", somebody.stdout);
        assert!(
            !somebody.stdout.contains("r.invalid"),
            "{}",
            somebody.stdout
        );
    }
    let none = "trace taskrun/app";
    scene.shell.fail(2, none, "--key");
    let both = format!("trace --key key.pub {} taskrun/app", scene.who());
    scene.shell.fail(2, &both, "cannot be used with");
}

/// An image without layers.
fn push(registry: &Registry, repository: &str) -> String {
    const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    let config = registry.put_blob(repository, "{}");
    let kind = "application/vnd.oci.image.config.v1+json";
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "layers": [],
        "config": { "mediaType": kind, "size": 2, "digest": config },
    });
    let digest = registry.put_manifest(repository, "v1", MANIFEST, manifest.to_string());
    format!("{}/{repository}@{digest}", registry.host())
}

/// The provenance that a person gives: who built it and from what.
fn predicate() -> Value {
    json!({
        "builder": { "id": "https://tekton.dev/chains/v2" },
        "buildType": "tekton.dev/v1/TaskRun",
        "invocation": { "configSource": {} },
        "materials": [{ "uri": "git+https://g.io/app.git", "digest": { "sha1": "33" } }],
    })
}

#[test]
fn an_image_is_traced_by_the_name_in_the_certificate_of_its_attestation() {
    let scene = Scene::new(&json!({}));
    let registry = scene.runtime.block_on(Registry::start(Options::default()));
    let registry = registry.unwrap();
    let image = push(&registry, "team/app");
    let token = scene.keyless.sigstore.fulcio.issue(&Subject {
        email: Some("me@example.com".to_owned()),
        ..Subject::default()
    });
    scene.shell.write("token", token);
    scene.shell.write("predicate.json", predicate().to_string());
    scene.shell.succeed(&format!(
        "attest --identity-token token --fulcio-url {} --rekor-url {} --predicate predicate.json \
         --type slsaprovenance {image}",
        scene.keyless.sigstore.fulcio.url(),
        scene.keyless.sigstore.log.url(),
    ));
    let me = "--trusted-root root.json --certificate-identity me@example.com \
              --certificate-oidc-issuer https://issuer.sandbox";
    let outcome = scene.shell.run(&format!("trace {me} {image}"));
    assert_eq!(outcome.code, 0, "{}{}", outcome.stdout, outcome.stderr);
    for line in [
        format!("image: {image} [verified]"),
        "source: git+https://g.io/app.git@sha1:33 [claimed]".to_owned(),
        "signed with: the identity `me@example.com`".to_owned(),
    ] {
        assert!(outcome.stdout.contains(&line), "{line}\n{}", outcome.stdout);
    }
    let line = format!("trace {} {image}", scene.who());
    let outcome = scene.shell.run(&line);
    assert_eq!(outcome.code, 1, "{}", outcome.stdout);
    let why = "none of 1 signatures and attestations was made with a given key or name";
    assert!(outcome.stdout.contains(why), "{}", outcome.stdout);
}
