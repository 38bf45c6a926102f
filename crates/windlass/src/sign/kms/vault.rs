//! The secrets engine transit of HashiCorp Vault and OpenBao.
//! Source: their HTTP API references, "Transit secrets engine"; the hash is the one that Tekton Chains
//! asks for, SHA-256 for every ECDSA and RSA key.
//!
//! Ed25519 signs the message itself. Chains has such keys sign the digest of the message, which nobody
//! verifies.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use windlass_core::key::PublicKey;

use self::access::{Access, Asked};
use super::error::KmsError;
use super::means::Means;
use super::reference::vault::{Product, VaultKey};

mod access;
mod login;
mod server;
mod session;

/// What comes before the key in the DER of an Ed25519 public key (RFC 8410).
const ED25519_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// Checks what the settings say of a server and a login.
pub(super) fn check(product: Product, means: &Means) -> Result<(), KmsError> {
    if !means.settings.auth_address.is_empty() {
        server::address(product, means)?;
    }
    login::check(means)
}

/// Creates a key.
pub(super) async fn create(key: &VaultKey, means: &Means) -> Result<(), KmsError> {
    let access = Access::of(key.product, means).await?;
    let path = format!("{}/keys/{}", access.engine(), key.name);
    let doing = format!("create key {path} of {}", access.place());
    let body = json!({ "type": "ecdsa-p256" }).to_string();
    let asked = Asked::write(doing, path, body);
    let answer = access.ask(&asked).await?;
    if answer.is_success() {
        return Ok(());
    }
    Err(answer.failure(&asked.doing).into())
}

/// One version of a key of the engine.
pub(crate) struct Vault {
    access: Arc<Access>,
    key: VaultKey,
    version: u64,
    algorithm: Algorithm,
    public: PublicKey,
}

/// How a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Ecdsa,
    Rsa,
    Ed25519,
}

/// What the engine says of a key.
#[derive(Deserialize)]
struct KeyAnswer {
    data: KeyData,
}

#[derive(Deserialize)]
struct KeyData {
    #[serde(rename = "type")]
    kind: String,
    latest_version: u64,
    /// By version. Symmetric keys have numbers here, which are left unread.
    keys: BTreeMap<String, serde_json::Value>,
    #[serde(default)]
    derived: bool,
}

#[derive(Deserialize)]
struct SignAnswer {
    data: SignData,
}

#[derive(Deserialize)]
struct SignData {
    signature: String,
}

impl Vault {
    /// Logs in, and reads the latest version of the key.
    pub(super) async fn open(key: &VaultKey, means: &Means) -> Result<Self, KmsError> {
        let access = Access::of(key.product, means).await?;
        Self::read(key, Arc::new(access)).await
    }

    /// The same key as it is now.
    pub(super) async fn reopen(&self) -> Result<Self, KmsError> {
        Self::read(&self.key, Arc::clone(&self.access)).await
    }

    async fn read(key: &VaultKey, access: Arc<Access>) -> Result<Self, KmsError> {
        let path = format!("{}/keys/{}", access.engine(), key.name);
        let what = format!("key {path} of {}", access.place());
        let asked = Asked::read(format!("read {what}"), path.clone());
        let answer = access.ask(&asked).await?;
        if answer.status == 404 {
            return Err(KmsError::Missing {
                what,
                remedy: "create it, or correct the name; TRANSIT_SECRET_ENGINE_PATH names the engine \
                         if it is not `transit`",
            });
        }
        let KeyAnswer { data } = answer.json(&asked.doing)?;
        let algorithm = algorithm(&data).map_err(|why| KmsError::Unusable {
            key: what.clone(),
            why,
        })?;
        let public = public_key(&data, algorithm, &what)?;
        Ok(Self {
            access,
            key: key.clone(),
            version: data.latest_version,
            algorithm,
            public,
        })
    }

    /// The public key of the pinned version.
    pub(super) fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// The key and its version, for people.
    pub(super) fn name(&self) -> String {
        let (engine, place) = (self.access.engine(), self.access.place());
        let (name, version) = (&self.key.name, self.version);
        format!("version {version} of key {engine}/keys/{name} of {place}")
    }

    /// Has the pinned version sign.
    pub(super) async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KmsError> {
        let asked = Asked::write(
            format!("sign with {}", self.name()),
            self.sign_path(),
            self.request(message).to_string(),
        );
        let answer = self.access.ask(&asked).await?;
        if answer.status == 400 {
            return Err(KmsError::failed(
                asked.doing,
                "HTTP 400; the version may have been disabled, or the key not be for signing",
            ));
        }
        let SignAnswer { data } = answer.json(&asked.doing)?;
        let mut parts = data.signature.splitn(3, ':');
        let (_, version, encoded) = (parts.next(), parts.next(), parts.next());
        let is_pinned = version == Some(format!("v{}", self.version).as_str());
        let bytes = encoded.and_then(|encoded| STANDARD.decode(encoded).ok());
        bytes
            .filter(|_| is_pinned)
            .ok_or_else(|| KmsError::Mismatch { key: self.name() })
    }

    /// What Chains asks, too, but for Ed25519: there the message is too long to be a digest.
    fn sign_path(&self) -> String {
        let (engine, name) = (self.access.engine(), &self.key.name);
        match self.algorithm {
            Algorithm::Ecdsa | Algorithm::Rsa => format!("{engine}/sign/{name}/sha2-256"),
            Algorithm::Ed25519 => format!("{engine}/sign/{name}"),
        }
    }

    fn request(&self, message: &[u8]) -> serde_json::Value {
        let version = self.version;
        let digest = || STANDARD.encode(Sha256::digest(message));
        match self.algorithm {
            Algorithm::Ecdsa => json!({
                "input": digest(), "prehashed": true, "key_version": version,
                "marshaling_algorithm": "asn1",
            }),
            Algorithm::Rsa => json!({
                "input": digest(), "prehashed": true, "key_version": version,
                "signature_algorithm": "pkcs1v15",
            }),
            Algorithm::Ed25519 => json!({
                "input": STANDARD.encode(message), "prehashed": false, "key_version": version,
            }),
        }
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault({})", self.name())
    }
}

fn algorithm(data: &KeyData) -> Result<Algorithm, String> {
    let algorithm = match data.kind.as_str() {
        "ecdsa-p256" | "ecdsa-p384" | "ecdsa-p521" => Algorithm::Ecdsa,
        "rsa-2048" | "rsa-3072" | "rsa-4096" => Algorithm::Rsa,
        "ed25519" => Algorithm::Ed25519,
        _ => {
            return Err(
                "its type is not for signatures; use ecdsa-p256, ecdsa-p384, ecdsa-p521, ed25519, \
                 rsa-2048, rsa-3072 or rsa-4096"
                    .to_owned(),
            );
        }
    };
    if data.derived {
        return Err(
            "it is derived, so that it is another key in each context; create one that is not \
             derived"
                .to_owned(),
        );
    }
    Ok(algorithm)
}

fn public_key(data: &KeyData, algorithm: Algorithm, what: &str) -> Result<PublicKey, KmsError> {
    let version = data.latest_version.to_string();
    let text = data.keys.get(&version);
    let text = text.and_then(|key| key.get("public_key")?.as_str());
    let text = text.ok_or_else(|| KmsError::Unusable {
        key: what.to_owned(),
        why: format!("the server gives no public key of version {version}"),
    })?;
    let read = match algorithm {
        Algorithm::Ecdsa | Algorithm::Rsa => PublicKey::from_pem(text.as_bytes()),
        Algorithm::Ed25519 => {
            let raw = STANDARD.decode(text).unwrap_or_default();
            PublicKey::from_der(&[&ED25519_PREFIX, raw.as_slice()].concat())
        }
    };
    read.map_err(|source| KmsError::PublicKey {
        key: what.to_owned(),
        source,
    })
}
