//! A registry with an image, and things attached to it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use windlass_core::dsse::IN_TOTO;
use windlass_core::image::Image;
use windlass_core::key::PrivateKey;
use windlass_core::payload::Payload;
use windlass_sandbox::registry::{Options, Registry};

use crate::envelope::sign;
use crate::shell::{Outcome, Shell};

pub const SLSA: &str = "https://slsa.dev/provenance/v0.2";
pub const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const REPOSITORY: &str = "team/app";

/// A registry on threads of its own, a folder with the public key `cosign.pub`, and an image.
pub struct ImageScene {
    pub shell: Shell,
    pub registry: Registry,
    pub key: PrivateKey,
    pub digest: String,
    _runtime: tokio::runtime::Runtime,
}

impl ImageScene {
    pub fn new(options: Options) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let registry = runtime.block_on(Registry::start(options)).unwrap();
        let key = PrivateKey::generate_p256(&[7; 32]).unwrap();
        let shell = Shell::new();
        shell.write("cosign.pub", key.public_key().to_pem());
        let mut scene = Self {
            shell,
            registry,
            key,
            digest: String::new(),
            _runtime: runtime,
        };
        scene.digest = scene.push("v1", &[], None);
        scene
    }

    /// The image by its digest.
    pub fn image(&self) -> String {
        format!("{}/{REPOSITORY}@{}", self.registry.host(), self.digest)
    }

    /// The image by its tag.
    pub fn tagged(&self) -> String {
        format!("{}/{REPOSITORY}:v1", self.registry.host())
    }

    pub fn hex(&self) -> &str {
        self.digest.strip_prefix("sha256:").unwrap()
    }

    /// Verifies the image, with more flags.
    pub fn verify(&self, flags: &str) -> Outcome {
        let image = self.image();
        self.shell
            .run(&format!("verify --key cosign.pub {flags} {image}"))
    }

    pub fn put_blob(&self, content: &str) -> Value {
        let digest = self.registry.put_blob(REPOSITORY, content.to_owned());
        json!({ "size": content.len(), "digest": digest })
    }

    /// Pushes a manifest under a tag.
    pub fn push(&self, tag: &str, layers: &[Value], subject: Option<&str>) -> String {
        let mut config = self.put_blob("{}");
        config["mediaType"] = json!(CONFIG);
        let mut manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers,
        });
        if let Some(digest) = subject {
            manifest["subject"] = json!({ "mediaType": MANIFEST, "size": 1, "digest": digest });
            manifest["artifactType"] = json!(BUNDLE);
        }
        self.registry
            .put_manifest(REPOSITORY, tag, MANIFEST, manifest.to_string())
    }

    /// Signs the image as cosign 2 does, with the key given.
    pub fn sign(&self, key: &PrivateKey) {
        let image = Image::parse(&format!("r.io/app@{}", self.digest)).unwrap();
        let payload = String::from_utf8(Payload::of_image(&image).bytes).unwrap();
        self.sign_payload(key, &payload);
    }

    /// Signs the image as one of a repository, whatever its name.
    pub fn sign_as(&self, repository: &str) {
        let payload = json!({ "critical": {
            "identity": { "docker-reference": repository },
            "image": { "docker-manifest-digest": self.digest },
            "type": "cosign container image signature",
        }, "optional": null });
        self.sign_payload(&self.key, &payload.to_string());
    }

    /// Signs the image with these annotations.
    pub fn sign_with(&self, annotations: &Value) {
        self.sign_json(&json!({ "critical": {
            "identity": { "docker-reference": "r.io/app" },
            "image": { "docker-manifest-digest": self.digest },
            "type": "cosign container image signature",
        }, "optional": annotations }));
    }

    /// Signs whatever this says, and attaches it to the image.
    pub fn sign_json(&self, payload: &Value) {
        self.sign_payload(&self.key, &payload.to_string());
    }

    fn sign_payload(&self, key: &PrivateKey, payload: &str) {
        let mut layer = self.put_blob(payload);
        layer["mediaType"] = json!("application/vnd.dev.cosign.simplesigning.v1+json");
        let signature = STANDARD.encode(key.sign(payload.as_bytes()).unwrap());
        layer["annotations"] = json!({ "dev.cosignproject.cosign/signature": signature });
        self.push(&format!("sha256-{}.sig", self.hex()), &[layer], None);
    }

    /// Attaches envelopes with these payloads under the tag of attestations.
    pub fn attest(&self, payloads: &[String]) {
        let layers = payloads.iter().map(|payload| {
            let mut layer = self.put_blob(&self.envelope(payload));
            layer["mediaType"] = json!("application/vnd.dsse.envelope.v1+json");
            layer
        });
        let layers: Vec<Value> = layers.collect();
        self.push(&format!("sha256-{}.att", self.hex()), &layers, None);
    }

    pub fn envelope(&self, payload: &str) -> String {
        sign(&self.key, IN_TOTO, payload.as_bytes()).to_json()
    }

    /// Attaches a bundle that refers to the image.
    pub fn refer(&self, payload: &str) -> String {
        self.refer_to(payload, &self.digest)
    }

    pub fn refer_to(&self, payload: &str, digest: &str) -> String {
        self.push("bundle", &[self.bundle(payload)], Some(digest))
    }

    /// A layer with a bundle.
    pub fn bundle(&self, payload: &str) -> Value {
        let envelope: Value = serde_json::from_str(&self.envelope(payload)).unwrap();
        let bundle = json!({
            "mediaType": BUNDLE, "verificationMaterial": {}, "dsseEnvelope": envelope,
        });
        let mut layer = self.put_blob(&bundle.to_string());
        layer["mediaType"] = json!(BUNDLE);
        layer
    }

    /// Size of a manifest.
    pub fn size_of(&self, digest: &str) -> usize {
        let manifest = self.registry.manifest(REPOSITORY, digest).unwrap();
        manifest.bytes.len()
    }

    /// Lists a referrer in the index under the tag of the image, with this size.
    pub fn list_under_tag(&self, digest: &str, size: usize) {
        const INDEX: &str = "application/vnd.oci.image.index.v1+json";
        let entry = json!({ "mediaType": MANIFEST, "size": size, "digest": digest });
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [entry] });
        let tag = format!("sha256-{}", self.hex());
        self.registry
            .put_manifest(REPOSITORY, &tag, INDEX, index.to_string());
    }

    /// The statement with which cosign 3 signs an image.
    pub fn signature_statement(&self) -> String {
        let image = Image::parse(&format!("r.io/app@{}", self.digest)).unwrap();
        String::from_utf8(Payload::image_statement(&image).bytes).unwrap()
    }

    /// Provenance of an image.
    pub fn provenance(hex: &str) -> Value {
        json!({
            "_type": "https://in-toto.io/Statement/v0.1",
            "subject": [{ "name": "r.io/app", "digest": { "sha256": hex } }],
            "predicateType": SLSA,
            "predicate": {
                "builder": { "id": "https://tekton.dev/chains/v2" },
                "materials": [{ "uri": "git+https://g.io/r.git", "digest": { "sha1": "33" } }],
                "invocation": { "configSource": {
                    "uri": "git+https://g.io/tasks.git", "digest": { "sha1": "55" },
                } },
            },
        })
    }
}
