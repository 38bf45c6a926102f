//! The registry of a world.

use std::collections::BTreeSet;
use std::sync::Arc;

use windlass_sandbox::Cluster;
use windlass_sandbox::registry::{Accounts, Authentication, Grant, Options, Registry, User};

use super::registry_link::HOST;
use super::script::Script;
use super::*;
use crate::controller::tests::registries::{image_with, verified_statements, verify_signature};

const PUBLIC: &str = include_str!("../../../../../core/tests/fixtures/x509/p256.pub");
/// Who may push, and by which password.
const USER: &str = "robot";
const PASSWORD: &str = "beep";

/// A registry with an image for each run.
pub(super) struct Store {
    pub(super) registry: Arc<Registry>,
    /// Digests, by the place of the run.
    pub(super) images: Vec<String>,
}

impl Store {
    /// Lets in whoever has the name and the password.
    pub(super) async fn start(script: &Script) -> Self {
        let user = User::new(USER, PASSWORD, [Grant::push("team")]);
        let options = Options {
            authentication: Authentication::Basic(Accounts::of([user])),
            ..Options::default()
        };
        let registry = Registry::start(options).await.unwrap();
        let images = script.runs.iter();
        let images = images.map(|plan| image_with(&registry, &plan.name));
        Self {
            images: images.collect(),
            registry: Arc::new(registry),
        }
    }

    /// Sees that the image of a run is signed once, and that of what is told of it, at most so much,
    /// nothing is told twice.
    pub(super) fn verify(&self, run: usize, most: usize) {
        let (registry, image) = (&self.registry, &self.images[run]);
        verify_signature(registry, image, &key());
        let statements = verified_statements(registry, image, &key());
        let distinct = statements
            .iter()
            .map(Value::to_string)
            .collect::<BTreeSet<_>>();
        assert_eq!(distinct.len(), statements.len(), "{statements:#?}");
        assert!((1..=most).contains(&distinct.len()), "{statements:#?}");
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
