//! A registry on loopback and a client that does not wait in earnest.

use std::time::Duration;

use bytes::Bytes;
use windlass_registry::keychain::{Candidate, Candidates};
use windlass_registry::manifest::{CONFIG, Descriptor, Manifest};
use windlass_registry::{Client, Clock, Credential, Digest, Policy, Remote, Repository};
use windlass_sandbox::registry::{Fault, FaultAnswer, Options, Registry};

/// Media type of an image manifest.
pub const MANIFEST: &str = windlass_registry::manifest::MANIFEST;

/// A registry and a client of it.
pub struct At {
    pub registry: Registry,
    pub client: Client,
    pub clock: Clock,
}

/// Settings of a client whose clock is moved by hand.
pub fn options() -> windlass_registry::Options {
    windlass_registry::Options {
        clock: Clock::manual(),
        network: Policy::of_workstation(),
        timeouts: windlass_registry::Timeouts {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(5),
            idle: Duration::from_secs(5),
            request: Duration::from_secs(10),
        },
        ..Default::default()
    }
}

/// No credential.
pub fn anonymous() -> Candidates {
    Candidates::anonymous()
}

/// A name and password from a secret.
pub fn password(secret: &str, username: &str, password: &str) -> Candidate {
    Candidate {
        source: format!("secret ns/{secret}"),
        key: Some("127.0.0.1".to_owned()),
        credential: Credential::Password {
            username: username.to_owned().into(),
            password: password.to_owned().into(),
        },
    }
}

/// Starts a registry and a client.
pub async fn start(registry: Options) -> At {
    let registry = Registry::start(registry).await.unwrap();
    let options = options();
    let clock = options.clock.clone();
    At {
        registry,
        client: At::client(options),
        clock,
    }
}

/// Pushes config and layer of an image and gives its manifest, which is not pushed.
pub async fn image(remote: &Remote, layer: &'static [u8]) -> (Bytes, Digest) {
    remote.push_blob(&"{}".into(), None).await.unwrap();
    remote.push_blob(&layer.into(), None).await.unwrap();
    let mut manifest = Manifest::new(Descriptor::of(CONFIG, b"{}"));
    manifest.layers.push(Descriptor::of("text/plain", layer));
    let bytes = Bytes::from(serde_json::to_vec(&manifest).unwrap());
    let digest = Digest::of(&bytes);
    (bytes, digest)
}

impl At {
    pub fn client(options: windlass_registry::Options) -> Client {
        Client::new(options).unwrap()
    }

    pub fn repository(&self, path: &str) -> Repository {
        Repository::parse(&format!("{}/{path}", self.registry.host())).unwrap()
    }

    pub fn remote(&self, path: &str) -> Remote {
        self.remote_as(path, [])
    }

    /// With these candidates, and no credential last.
    pub fn remote_as(&self, path: &str, candidates: impl IntoIterator<Item = Candidate>) -> Remote {
        let candidates = candidates.into_iter().chain([Candidate::anonymous()]);
        self.client
            .repository(self.repository(path), Candidates::new(candidates))
    }

    /// Settings of a client that trusts the registry's authority.
    pub fn trusting(&self) -> windlass_registry::Options {
        let mut options = options();
        options.ca_certificates = vec![self.registry.ca_pem().unwrap().as_bytes().to_vec()];
        options
    }

    pub fn fail(&self, method: &str, path: &str, times: usize, answer: FaultAnswer) {
        self.registry.fail(Fault {
            method: Some(method.to_owned()),
            path_contains: path.to_owned(),
            times,
            answer,
            ..Fault::default()
        });
    }

    pub fn always(&self, path: &str, answer: FaultAnswer) {
        self.registry.fail(Fault {
            path_contains: path.to_owned(),
            times: usize::MAX,
            answer,
            ..Fault::default()
        });
    }

    /// Method and status of each request since the last time.
    pub fn seen(&self) -> Vec<String> {
        let requests = self.registry.take_requests().into_iter();
        requests
            .map(|seen| format!("{} {}", seen.method, seen.status))
            .collect()
    }
}
