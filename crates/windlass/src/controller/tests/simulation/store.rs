//! The registry of a world.

use std::collections::BTreeSet;
use std::sync::Arc;

use windlass_core::config::Encoding;
use windlass_sandbox::Cluster;
use windlass_sandbox::registry::{
    Accounts, Authentication, Grant, Options, Referrers, Registry, User,
};

use super::registry_link::HOST;
use super::script::Script;
use super::*;
use crate::controller::tests::registries::{
    blob, image_with, manifest, verified_statements, verify_signature,
};

const PUBLIC: &str = include_str!("../../../../../core/tests/fixtures/x509/p256.pub");
/// Where the images are.
const REPOSITORY: &str = "team/app";
/// Who may push, and by which password.
const USER: &str = "robot";
const PASSWORD: &str = "beep";

/// Predicate type of the signature of an image as a statement.
const SIGNED: &str = "https://sigstore.dev/cosign/sign/v1";

/// A registry with the images that runs build.
pub(super) struct Store {
    pub(super) registry: Arc<Registry>,
    /// Their digests.
    pub(super) images: Vec<String>,
    encoding: Encoding,
}

impl Store {
    /// Lets in whoever has the name and the password.
    pub(super) async fn start(script: &Script) -> Self {
        let user = User::new(USER, PASSWORD, [Grant::push("team")]);
        let options = Options {
            authentication: Authentication::Basic(Accounts::of([user])),
            referrers: if script.has_referrers {
                Referrers::Served
            } else {
                Referrers::NotFound
            },
            ..Options::default()
        };
        let registry = Registry::start(options).await.unwrap();
        let images = 0..script.images();
        let images = images.map(|number| image_with(&registry, &format!("image {number}")));
        Self {
            images: images.collect(),
            registry: Arc::new(registry),
            encoding: script.encoding.1,
        }
    }

    /// What changes whenever something is attached to an image, or taken away.
    pub(super) fn state(&self, image: usize) -> Vec<String> {
        let digest = self.images[image].replace(':', "-");
        let of_tags = ["", ".sig", ".att"].map(|suffix| {
            let found = self
                .registry
                .manifest(REPOSITORY, &format!("{digest}{suffix}"));
            found.map(|found| found.digest).unwrap_or_default()
        });
        let manifests = self.registry.manifests(REPOSITORY);
        of_tags.into_iter().chain(manifests).collect()
    }

    /// Sees that an image is signed, and once, in each way that the settings ask for.
    pub(super) fn verify_signature(&self, image: usize) {
        let image = &self.images[image];
        if self.encoding.in_tags() {
            verify_signature(&self.registry, image, &key());
        }
        if self.encoding.in_bundles() {
            let (signatures, _) = self.bundles(image);
            assert_eq!(signatures.len(), 1, "one signature, not {signatures:#?}");
        }
    }

    /// Sees that these statements are attached to an image, none twice, and with others at most so many, in
    /// each way that the settings ask for.
    pub(super) fn verify(&self, image: usize, statements: &[Value], most: usize) {
        let (registry, image) = (&self.registry, &self.images[image]);
        let mut ways = Vec::new();
        if self.encoding.in_tags() {
            ways.push(verified_statements(registry, image, &key()));
        }
        if self.encoding.in_bundles() {
            let (_, attestations) = self.bundles(image);
            ways.push(attestations);
        }
        for attached in ways {
            let distinct = attached.iter().map(Value::to_string);
            let distinct = distinct.collect::<BTreeSet<_>>();
            assert_eq!(distinct.len(), attached.len(), "{attached:#?}");
            assert!(attached.len() <= most, "{attached:#?}");
            for statement in statements {
                let is_there = attached.contains(statement);
                assert!(is_there, "{statement:#} is not in {attached:#?}");
            }
        }
    }

    /// The statements of the bundles that refer to an image and are listed: those that are its signature, and
    /// the others.
    fn bundles(&self, image: &str) -> (Vec<Value>, Vec<Value>) {
        let registry = &self.registry;
        let tag = image.replace(':', "-");
        let listed = match registry.manifest(REPOSITORY, &tag) {
            // the registry has no list of its own
            Some(index) => {
                let index: Value = serde_json::from_slice(&index.bytes).unwrap();
                let entries = index["manifests"].as_array().unwrap().iter();
                let digests = entries.map(|entry| entry["digest"].as_str().unwrap().to_owned());
                digests.collect()
            }
            None => registry.manifests(REPOSITORY),
        };
        let manifests = listed.iter().map(|digest| manifest(registry, digest));
        let referring = manifests.filter(|it| it["subject"]["digest"] == *image);
        let statements = referring.map(|it| {
            let bundle: Value = serde_json::from_slice(&blob(registry, &it["layers"][0])).unwrap();
            let envelope = bundle["dsseEnvelope"].to_string();
            let envelope = Envelope::from_json(envelope.as_bytes()).unwrap();
            let payload = envelope.verify(&key()).unwrap().payload;
            serde_json::from_slice::<Value>(&payload).unwrap()
        });
        statements.partition(|statement| statement["predicateType"] == SIGNED)
    }
}

/// The account of the runs, with the password of the registry.
pub(super) fn give_credentials(cluster: &Cluster) {
    let auth = STANDARD.encode(format!("{USER}:{PASSWORD}"));
    let config = json!({ "auths": { HOST: { "auth": auth } } }).to_string();
    let secret = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": { "name": "push", "namespace": "default" },
        "type": "kubernetes.io/dockerconfigjson",
        "data": { ".dockerconfigjson": STANDARD.encode(config) },
    });
    let account = json!({
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": { "name": "builder", "namespace": "default" },
        "secrets": [{ "name": "push" }],
    });
    cluster.create(secret).unwrap();
    cluster.create(account).unwrap();
}

/// The key that signs.
pub(super) fn key() -> PublicKey {
    PublicKey::from_pem(self::PUBLIC.as_bytes()).unwrap()
}
