//! Google Cloud KMS, by its REST interface: `cryptoKeyVersions.list`, `getPublicKey` and
//! `asymmetricSign`.
//! Source: Cloud KMS REST reference, and its guidelines for data integrity (CRC32C).
//!
//! The algorithm of the key version decides hash and padding. Without a version in the reference the
//! newest one that is enabled is meant: the one with the greatest number, in whatever order the
//! service lists them.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;
use windlass_core::key::PublicKey;

use self::crc32c::crc32c;
use self::line::Line;
use self::operation::{ALGORITHM, operation, place};
use super::cloud::Hash;
use super::error::KmsError;
use super::means::Means;
use super::operation::Operation;
use super::reference::gcp::GcpKey;

mod crc32c;
mod line;
mod operation;
mod refusal;
#[cfg(test)]
mod tests;
mod versions;

/// What the service calls what a version signs, with the hash that is sent.
const ALGORITHMS: [(&str, Hash); 10] = [
    ("EC_SIGN_P256_SHA256", Hash::Sha256),
    ("EC_SIGN_P384_SHA384", Hash::Sha384),
    ("RSA_SIGN_PKCS1_2048_SHA256", Hash::Sha256),
    ("RSA_SIGN_PKCS1_3072_SHA256", Hash::Sha256),
    ("RSA_SIGN_PKCS1_4096_SHA256", Hash::Sha256),
    ("RSA_SIGN_PKCS1_4096_SHA512", Hash::Sha512),
    ("RSA_SIGN_PSS_2048_SHA256", Hash::Sha256),
    ("RSA_SIGN_PSS_3072_SHA256", Hash::Sha256),
    ("RSA_SIGN_PSS_4096_SHA256", Hash::Sha256),
    ("RSA_SIGN_PSS_4096_SHA512", Hash::Sha512),
];

/// Creates a key in a key ring that exists.
pub(super) async fn create(key: &GcpKey, means: &Means) -> Result<(), KmsError> {
    let Some((ring, id)) = key.name.rsplit_once("/cryptoKeys/") else {
        return Err(KmsError::Settings("the reference names no key".to_owned()));
    };
    if key.version.is_some() {
        return Err(KmsError::Settings(
            "Google Cloud KMS chooses the versions of keys; leave out /cryptoKeyVersions/N"
                .to_owned(),
        ));
    }
    let line = Line::of(means).await?;
    let permission = "cloudkms.cryptoKeys.create on the key ring to this identity \
                      (roles/cloudkms.admin); the key ring has to exist: gcloud kms keyrings create";
    let create = Operation::new("create", &place(&key.name), permission.to_owned());
    let wanted = json!({
        "purpose": "ASYMMETRIC_SIGN",
        "versionTemplate": { "algorithm": "EC_SIGN_P256_SHA256" },
    });
    let path = format!("{ring}/cryptoKeys?cryptoKeyId={id}");
    let _: IgnoredAny = line.call(&create, &path, Some(&wanted)).await?;
    Ok(())
}

/// One version of a key of Google Cloud KMS.
pub(crate) struct Gcp {
    line: Arc<Line>,
    key: GcpKey,
    /// The version that was read, `KEY/cryptoKeyVersions/N`.
    version: String,
    algorithm: &'static str,
    hash: Hash,
    public: PublicKey,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PublicHalf {
    pem: String,
    algorithm: String,
    /// A number as text, as 64-bit ones are in this kind of JSON.
    pem_crc32c: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Signed {
    signature: String,
    signature_crc32c: String,
    #[serde(default)]
    verified_digest_crc32c: bool,
    name: Option<String>,
}

impl Gcp {
    /// Reads the key with the application default credentials.
    pub(super) async fn open(key: &GcpKey, means: &Means) -> Result<Self, KmsError> {
        let line = Line::of(means).await?;
        Self::read(key, Arc::new(line)).await
    }

    /// The same key as it is now.
    pub(super) async fn reopen(&self) -> Result<Self, KmsError> {
        Self::read(&self.key, Arc::clone(&self.line)).await
    }

    async fn read(key: &GcpKey, line: Arc<Line>) -> Result<Self, KmsError> {
        let version = match &key.version {
            Some(version) => format!("{}/cryptoKeyVersions/{version}", key.name),
            None => versions::newest(&line, &key.name).await?,
        };
        let read = operation(
            "read the public key of",
            &version,
            "cloudkms.cryptoKeyVersions.viewPublicKey",
        );
        let path = format!("{version}/publicKey");
        let half: PublicHalf = line.call(&read, &path, None).await?;
        let known = ALGORITHMS
            .into_iter()
            .find(|(name, _)| *name == half.algorithm);
        let (algorithm, hash) = known.ok_or_else(|| read.unusable(ALGORITHM))?;
        let is_whole = half
            .pem_crc32c
            .is_none_or(|stated| stated == crc32c(half.pem.as_bytes()).to_string());
        if !is_whole {
            return Err(read.failed("the response was changed on the way (CRC32C)"));
        }
        let public = PublicKey::from_pem(half.pem.as_bytes());
        let public = public.map_err(|source| KmsError::PublicKey {
            key: place(&version),
            source,
        })?;
        Ok(Self {
            line,
            key: key.clone(),
            version,
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
        !self.algorithm.contains("_PKCS1_")
    }

    /// The version, for people.
    pub(super) fn name(&self) -> String {
        place(&self.version)
    }

    /// Has the version sign.
    pub(super) async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KmsError> {
        let sign = operation(
            "sign with",
            &self.version,
            "cloudkms.cryptoKeyVersions.useToSign",
        );
        let digest = self.hash.digest(message);
        let field = match self.hash {
            Hash::Sha256 => "sha256",
            Hash::Sha384 => "sha384",
            Hash::Sha512 => "sha512",
        };
        let wanted = json!({
            "digest": { field: STANDARD.encode(&digest) },
            "digestCrc32c": crc32c(&digest).to_string(),
        });
        let path = format!("{}:asymmetricSign", self.version);
        let signed: Signed = self.line.call(&sign, &path, Some(&wanted)).await?;
        if signed.name.is_some_and(|name| name != self.version) {
            return Err(KmsError::Mismatch { key: self.name() });
        }
        if !signed.verified_digest_crc32c {
            return Err(sign.failed("the request was changed on the way (CRC32C)"));
        }
        let signature = STANDARD.decode(&signed.signature);
        let signature = signature.map_err(|_| sign.failed("the response is malformed"))?;
        if signed.signature_crc32c != crc32c(&signature).to_string() {
            return Err(sign.failed("the response was changed on the way (CRC32C)"));
        }
        Ok(signature)
    }
}

impl fmt::Debug for Gcp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gcp({})", self.version)
    }
}
