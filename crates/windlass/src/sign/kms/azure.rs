//! Azure Key Vault and Managed HSM, by two operations of their REST interface: get key and sign.
//! Source: Azure Key Vault REST API reference, version 7.4.
//!
//! The key decides hash and padding as with sigstore's libraries: the hash of the curve's size for
//! ECDSA; PKCS#1 v1.5 with SHA-256, SHA-384 and SHA-512 for RSA of 2048, 3072 and 4096 bits. The
//! version is the one that was read, whatever the latest one is later.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;
use windlass_core::key::PublicKey;

use self::bundle::Bundle;
use self::line::Line;
use super::cloud::Hash;
use super::error::KmsError;
use super::reference::azure::AzureKey;

mod bundle;
mod line;
mod operation;
mod refusal;
#[cfg(test)]
mod tests;

/// What the service calls what a key signs, by the key, with the hash that is sent.
const ALGORITHMS: [(&str, &str, Hash); 6] = [
    ("ECDSA P-256", "ES256", Hash::Sha256),
    ("ECDSA P-384", "ES384", Hash::Sha384),
    ("ECDSA P-521", "ES512", Hash::Sha512),
    ("RSA 2048", "RS256", Hash::Sha256),
    ("RSA 3072", "RS384", Hash::Sha384),
    ("RSA 4096", "RS512", Hash::Sha512),
];

/// Creates a key.
pub(super) async fn create(key: &AzureKey) -> Result<(), KmsError> {
    if key.version.is_some() {
        return Err(KmsError::Settings(
            "Azure Key Vault chooses the versions of keys; leave out the version".to_owned(),
        ));
    }
    let line = Line::of(key).await?;
    let create = operation::create(&format!("key {} of {}", key.name, line.place()));
    let wanted = json!({ "kty": "EC", "crv": "P-256", "key_ops": ["sign", "verify"] });
    let path = format!("keys/{}/create", key.name);
    let _: IgnoredAny = line.call(&create, &path, Some(&wanted)).await?;
    Ok(())
}

/// One version of a key of a vault.
pub(crate) struct Azure {
    line: Arc<Line>,
    key: AzureKey,
    version: String,
    bundle: Bundle,
    algorithm: &'static str,
    hash: Hash,
    public: PublicKey,
}

#[derive(Deserialize)]
struct Signed {
    kid: String,
    value: String,
}

/// Checks a reference as far as that is possible without asking the vault.
pub(super) fn check(key: &AzureKey) -> Result<(), KmsError> {
    line::scope(&key.host).map(drop)
}

impl Azure {
    /// Reads the key with the identity that the environment gives.
    pub(super) async fn open(key: &AzureKey) -> Result<Self, KmsError> {
        let line = Line::of(key).await?;
        Self::read(key, Arc::new(line)).await
    }

    /// The same key as it is now.
    pub(super) async fn reopen(&self) -> Result<Self, KmsError> {
        Self::read(&self.key, Arc::clone(&self.line)).await
    }

    async fn read(key: &AzureKey, line: Arc<Line>) -> Result<Self, KmsError> {
        let what = format!("key {} of {}", key.name, line.place());
        let read = operation::read(&what);
        let path = match &key.version {
            Some(version) => format!("keys/{}/{version}", key.name),
            None => format!("keys/{}", key.name),
        };
        let bundle: Bundle = line.call(&read, &path, None).await?;
        let version = bundle.version(&key.name);
        let version = version.filter(|version| {
            let wanted = key.version.as_deref();
            wanted.is_none_or(|wanted| wanted.eq_ignore_ascii_case(version))
        });
        let version = version.ok_or_else(|| read.failed("the response is of another key"))?;
        let version = version.to_owned();
        let unusable = |source| KmsError::PublicKey {
            key: what.clone(),
            source,
        };
        let public = bundle.public_key().map_err(unusable)?;
        let mut known = ALGORITHMS.into_iter();
        let known = known.find(|(kind, _, _)| *kind == public.algorithm());
        let (_, algorithm, hash) = known.ok_or_else(|| {
            read.unusable(
                "it is of a kind that is not supported; use EC with the curve P-256, P-384 or P-521, \
                 or RSA of 2048, 3072 or 4096 bits",
            )
        })?;
        Ok(Self {
            line,
            key: key.clone(),
            version,
            bundle,
            algorithm,
            hash,
            public,
        })
    }

    /// The public key of the version.
    pub(super) fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// Whether every signature of a message is another one.
    pub(super) fn is_random(&self) -> bool {
        self.is_ecdsa()
    }

    fn is_ecdsa(&self) -> bool {
        self.algorithm.starts_with("ES")
    }

    /// The version, for people.
    pub(super) fn name(&self) -> String {
        let (name, place) = (&self.key.name, self.line.place());
        format!("version {} of key {name} of {place}", self.version)
    }

    /// Has the version sign.
    pub(super) async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KmsError> {
        let name = self.name();
        if let Some(why) = self.bundle.obstacle(SystemTime::now()) {
            let why = why.to_owned();
            return Err(KmsError::Unusable { key: name, why });
        }
        let sign = operation::sign(&name);
        let wanted = json!({
            "alg": self.algorithm,
            "value": URL_SAFE_NO_PAD.encode(self.hash.digest(message)),
        });
        let path = format!("keys/{}/{}/sign", self.key.name, self.version);
        let signed: Signed = self.line.call(&sign, &path, Some(&wanted)).await?;
        if bundle::version(&signed.kid, &self.key.name) != Some(self.version.as_str()) {
            return Err(KmsError::Mismatch { key: name });
        }
        let malformed = || sign.failed("the response is malformed");
        let raw = URL_SAFE_NO_PAD.decode(&signed.value);
        let raw = raw.map_err(|_| malformed())?;
        if self.is_ecdsa() {
            return self.public.der_signature(&raw).map_err(|_| malformed());
        }
        Ok(raw)
    }
}

impl fmt::Debug for Azure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Azure({})", self.name())
    }
}
