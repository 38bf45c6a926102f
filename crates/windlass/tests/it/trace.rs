//! Traces: from an image or a run to what it was made from, across registries.

use serde_json::{Value, json};
use windlass_core::dsse::IN_TOTO;
use windlass_core::key::PrivateKey;
use windlass_sandbox::registry::{Accounts, Authentication, Grant, Options, Registry, User};

use crate::envelope::sign;
use crate::shell::{Outcome, Shell};

mod formats;
mod runs;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const SLSA: &str = "https://slsa.dev/provenance/v0.2";

/// Registries on threads of their own, and a folder with `cosign.pub`.
struct Scene {
    shell: Shell,
    key: PrivateKey,
    runtime: tokio::runtime::Runtime,
}

impl Scene {
    fn new() -> Self {
        let key = PrivateKey::generate_p256(&[7; 32]).unwrap();
        let shell = Shell::new();
        shell.write("cosign.pub", key.public_key().to_pem());
        Self {
            shell,
            key,
            runtime: tokio::runtime::Runtime::new().unwrap(),
        }
    }

    fn registry(&self, options: Options) -> Registry {
        self.runtime.block_on(Registry::start(options)).unwrap()
    }

    fn trace(&self, words: &str) -> Outcome {
        self.shell.run(&format!("trace --key cosign.pub {words}"))
    }

    fn json(&self, words: &str) -> Value {
        let outcome = self.trace(&format!("-o json {words}"));
        let document = serde_json::from_str(&outcome.stdout);
        assert!(document.is_ok(), "{}", outcome.stderr);
        document.unwrap()
    }
}

/// Attaches a statement to an image, signed with this key.
fn attest(image: &Image<'_>, key: &PrivateKey, statements: &[Value]) {
    let layers = statements.iter().map(|statement| {
        let envelope = sign(key, IN_TOTO, statement.to_string().as_bytes()).to_json();
        let size = envelope.len();
        let digest = image.registry.put_blob(image.repository, envelope);
        json!({
            "mediaType": "application/vnd.dsse.envelope.v1+json", "size": size, "digest": digest,
        })
    });
    let tag = format!("{}.att", image.digest.replace(':', "-"));
    put(
        image.registry,
        image.repository,
        &tag,
        &layers.collect::<Vec<_>>(),
    );
}

/// An image in a registry.
struct Image<'a> {
    registry: &'a Registry,
    repository: &'a str,
    digest: String,
}

impl<'a> Image<'a> {
    /// An image that differs from every other by its repository.
    fn push(registry: &'a Registry, repository: &'a str) -> Self {
        let content = format!("content of {repository}");
        let layer = json!({
            "mediaType": "application/octet-stream", "size": content.len(),
            "digest": registry.put_blob(repository, content),
        });
        let digest = put(registry, repository, "v1", &[layer]);
        Self {
            registry,
            repository,
            digest,
        }
    }

    fn name(&self) -> String {
        format!(
            "{}/{}@{}",
            self.registry.host(),
            self.repository,
            self.digest
        )
    }

    fn hex(&self) -> &str {
        self.digest.strip_prefix("sha256:").unwrap()
    }

    /// As the material of a run.
    fn material(&self) -> Value {
        json!({
            "uri": format!("oci://{}/{}", self.registry.host(), self.repository),
            "digest": { "sha256": self.hex() },
        })
    }

    /// The provenance of a pipeline run that built it from a commit, with steps in these images.
    fn provenance(&self, images: &[Value]) -> Value {
        let source = json!({ "uri": "git+https://g.io/app.git", "digest": { "sha1": "33" } });
        let materials: Vec<Value> = images.iter().cloned().chain([source]).collect();
        json!({
            "_type": "https://in-toto.io/Statement/v0.1",
            "predicateType": SLSA,
            "subject": [{ "name": self.repository, "digest": { "sha256": self.hex() } }],
            "predicate": {
                "builder": { "id": "https://tekton.dev/chains/v2" },
                "buildType": "tekton.dev/v1/PipelineRun",
                "buildConfig": { "tasks": [{ "name": "build", "serviceAccountName": "bot" }] },
                "invocation": {
                    "configSource": {
                        "uri": "git+https://g.io/pipelines.git", "digest": { "sha1": "55" },
                        "entryPoint": "release.yaml",
                    },
                    "environment": { "labels": { "tekton.dev/pipeline": self.repository } },
                },
                "materials": materials,
                "metadata": {
                    "buildStartedOn": "2026-11-23T10:00:00Z",
                    "buildFinishedOn": "2026-11-23T10:01:30Z",
                },
            },
        })
    }
}

/// Pushes a manifest under a tag, and gives its digest.
fn put(registry: &Registry, repository: &str, tag: &str, layers: &[Value]) -> String {
    let config = json!({
        "mediaType": "application/vnd.oci.image.config.v1+json", "size": 2,
        "digest": registry.put_blob(repository, "{}"),
    });
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers,
    });
    registry.put_manifest(repository, tag, MANIFEST, manifest.to_string())
}

/// The node whose name contains this.
#[track_caller]
fn node<'a>(trace: &'a Value, name: &str) -> &'a Value {
    let mut nodes = trace["nodes"].as_array().unwrap().iter();
    let found = nodes.find(|node| node["name"].as_str().unwrap().contains(name));
    assert!(found.is_some(), "no node {name} in {trace:#}");
    found.unwrap()
}

fn other_key() -> PrivateKey {
    PrivateKey::generate_p256(&[8; 32]).unwrap()
}

#[test]
fn a_trace_leads_from_an_image_to_its_run_its_source_and_the_images_below_it() {
    let scene = Scene::new();
    let registry = scene.registry(Options::default());
    let (app, base) = (
        Image::push(&registry, "team/app"),
        Image::push(&registry, "base/go"),
    );
    attest(&app, &scene.key, &[app.provenance(&[base.material()])]);
    attest(&base, &scene.key, &[base.provenance(&[])]);
    let outcome = scene.trace(&app.name());
    assert_eq!(outcome.code, 0, "{}{}", outcome.stdout, outcome.stderr);
    let key = scene.key.public_key().key_id();
    for line in [
        format!("image: {} [verified]", app.name()),
        "run: a pipeline run [verified]".to_owned(),
        "built by: pipeline run, pipeline team/app, task build (claimed by the run)".to_owned(),
        "builder: https://tekton.dev/chains/v2".to_owned(),
        "account: bot".to_owned(),
        "time: 2026-11-23T10:00:00Z to 2026-11-23T10:01:30Z".to_owned(),
        format!("signed with: {key}"),
        "source: git+https://g.io/app.git@sha1:33 [claimed]".to_owned(),
        "definition: git+https://g.io/pipelines.git#release.yaml@sha1:55 [verified]".to_owned(),
        format!("image: {} [verified]", base.name()),
        "pipeline base/go".to_owned(),
    ] {
        assert!(outcome.stdout.contains(&line), "{line}\n{}", outcome.stdout);
    }
    assert_eq!(outcome.stderr, "Verified OK\n");
}

#[test]
fn provenance_that_no_given_key_signed_leads_nowhere() {
    let scene = Scene::new();
    let registry = scene.registry(Options::default());
    let (app, base) = (
        Image::push(&registry, "team/app"),
        Image::push(&registry, "base/go"),
    );
    let statement = app.provenance(&[base.material()]);
    attest(&app, &other_key(), std::slice::from_ref(&statement));
    let outcome = scene.trace(&app.name());
    assert_eq!(outcome.code, 1, "{}", outcome.stdout);
    assert!(!outcome.stdout.contains("base/go"), "{}", outcome.stdout);
    assert!(
        outcome
            .stderr
            .contains("no provenance that a given key or name signed"),
        "{}",
        outcome.stderr
    );
    assert_eq!(registry.count("GET", "base/go"), 0);
    // nor does what is signed for another image
    attest(&base, &scene.key, std::slice::from_ref(&statement));
    assert_eq!(scene.trace(&base.name()).code, 1);
    // one of several keys suffices
    let other = other_key().public_key().to_pem();
    scene.shell.write("other.pub", other);
    let outcome = scene.trace(&format!("--key other.pub {}", app.name()));
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
}

#[test]
fn a_registry_that_provenance_names_is_not_asked_unless_it_is_public_or_listed() {
    let scene = Scene::new();
    let (registry, inner) = (
        scene.registry(Options::default()),
        scene.registry(Options::default()),
    );
    let (app, base) = (
        Image::push(&registry, "team/app"),
        Image::push(&inner, "base/go"),
    );
    attest(&app, &scene.key, &[app.provenance(&[base.material()])]);
    let trace = scene.json(&app.name());
    let found = node(&trace, "base/go");
    assert_eq!(found["state"], "unread", "{found:#}");
    assert_eq!(inner.count("GET", "/v2"), 0);
    assert_eq!(trace["verified"], true);
    let listed = format!("--registry {} {}", inner.host(), app.name());
    let trace = scene.json(&listed);
    assert_eq!(node(&trace, "base/go")["state"], "unverified");
    assert!(inner.count("GET", "base/go") > 0);
}

#[test]
fn a_credential_goes_only_where_whoever_asks_sends_it() {
    let mut scene = Scene::new();
    let grants = [Grant::push("team"), Grant::push("base")];
    let users = Accounts::of([User::new("robot", "secret", grants)]);
    let registry = scene.registry(Options {
        authentication: Authentication::Basic(users),
        ..Options::default()
    });
    let (app, base) = (
        Image::push(&registry, "team/app"),
        Image::push(&registry, "base/go"),
    );
    attest(&app, &scene.key, &[app.provenance(&[base.material()])]);
    attest(&base, &scene.key, &[base.provenance(&[])]);
    scene.shell.docker_config = registry.docker_config("robot");
    let trace = scene.json(&app.name());
    assert_eq!(trace["verified"], true, "{trace:#}");
    // the same registry, whose password this machine has
    assert_eq!(node(&trace, "base/go")["state"], "unread");
    let listed = format!("--registry {}/base {}", registry.host(), app.name());
    assert_eq!(node(&scene.json(&listed), "base/go")["state"], "verified");
    let other = format!("--registry {}/bas {}", registry.host(), app.name());
    assert_eq!(node(&scene.json(&other), "base/go")["state"], "unread");
}

#[test]
fn a_walk_ends_at_its_bounds_and_says_which() {
    let scene = Scene::new();
    let registry = scene.registry(Options::default());
    let names: Vec<String> = (0..6).map(|number| format!("chain/n{number}")).collect();
    let images: Vec<Image<'_>> = names
        .iter()
        .map(|name| Image::push(&registry, name))
        .collect();
    for (at, image) in images.iter().enumerate() {
        // the last is made from the first again
        let below = images[(at + 1) % images.len()].material();
        attest(image, &scene.key, &[image.provenance(&[below])]);
    }
    let top = images[0].name();
    let trace = scene.json(&format!("--depth 2 {top}"));
    assert_eq!(node(&trace, "chain/n2")["state"], "verified");
    let beyond = node(&trace, "chain/n3");
    assert_eq!(
        (&beyond["state"], &beyond["reason"]),
        (&json!("beyond"), &json!("farther than --depth 2"))
    );
    assert_eq!(registry.count("GET", "chain/n3"), 0);
    let trace = scene.json(&format!("--depth 20 --most 4 {top}"));
    assert_eq!(
        node(&trace, "chain/n4")["reason"],
        "more than --most 4 images"
    );
    // a circle ends by itself
    let outcome = scene.trace(&format!("--depth 20 {top}"));
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let again = format!("image: {top} [verified] (see above)");
    assert_eq!(
        outcome.stdout.matches(&again).count(),
        1,
        "{}",
        outcome.stdout
    );
}

#[test]
fn a_run_with_thousands_of_materials_fills_no_memory_and_asks_few_registries() {
    let scene = Scene::new();
    let registry = scene.registry(Options::default());
    let app = Image::push(&registry, "team/app");
    let host = registry.host();
    let many: Vec<Value> = (0..5000)
        .map(|number| {
            json!({ "uri": format!("oci://{host}/flood/n{number}"), "digest": { "sha256": app.hex() } })
        })
        .collect();
    attest(&app, &scene.key, &[app.provenance(&many)]);
    let trace = scene.json(&format!("--most 10 {}", app.name()));
    assert!(trace["nodes"].as_array().unwrap().len() < 60);
    assert_eq!(trace["leftOut"], 5000 - 50);
    assert!(registry.count("GET", "flood/") < 60);
}

#[test]
fn an_image_that_is_not_there_is_no_verdict() {
    let scene = Scene::new();
    let registry = scene.registry(Options::default());
    let outcome = scene.trace(&format!("{}/team/app:v1", registry.host()));
    assert_eq!(outcome.code, 2, "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("was not found"),
        "{}",
        outcome.stderr
    );
}
