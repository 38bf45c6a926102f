//! AWS KMS, by the three operations that signing takes: `DescribeKey`, `GetPublicKey` and `Sign`.
//! Source: AWS KMS API reference.
//!
//! As with sigstore's libraries, the first of the key's signing algorithms decides hash and padding.
//! A key has one version. An alias may come to name another key: the service says which key it used,
//! and a signature by another one than was read is none of it. The alias itself is what is asked for,
//! because a policy may allow no more.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;
use windlass_core::key::PublicKey;

use self::line::Line;
use self::operation::Call;
use super::cloud::Hash;
use super::error::KmsError;
use super::means::Means;
use super::reference::aws::AwsKey;

mod line;
mod operation;
mod refusal;
#[cfg(test)]
mod tests;

/// What the service calls what a key may sign, with the hash that is sent.
const ALGORITHMS: [(&str, Hash); 9] = [
    ("ECDSA_SHA_256", Hash::Sha256),
    ("ECDSA_SHA_384", Hash::Sha384),
    ("ECDSA_SHA_512", Hash::Sha512),
    ("RSASSA_PKCS1_V1_5_SHA_256", Hash::Sha256),
    ("RSASSA_PKCS1_V1_5_SHA_384", Hash::Sha384),
    ("RSASSA_PKCS1_V1_5_SHA_512", Hash::Sha512),
    ("RSASSA_PSS_SHA_256", Hash::Sha256),
    ("RSASSA_PSS_SHA_384", Hash::Sha384),
    ("RSASSA_PSS_SHA_512", Hash::Sha512),
];

/// Creates a key, and an alias that names it: the service chooses the id of a key.
pub(super) async fn create(key: &AwsKey, means: &Means) -> Result<(), KmsError> {
    if !key.id.starts_with("alias/") {
        return Err(KmsError::Settings(
            "AWS KMS chooses the ids of keys; give the alias that the new key is to have, as \
             awskms:///alias/NAME"
                .to_owned(),
        ));
    }
    let line = Line::of(key, means).await?;
    let what = format!("key {} of {}", key.id, line.place());
    let create = Call::new("CreateKey", "create", &what);
    let wanted = json!({
        "KeySpec": "ECC_NIST_P256",
        "KeyUsage": "SIGN_VERIFY",
        "Description": "Created by windlass generate-key-pair",
    });
    let Description { key_metadata } = line.call(&create, &wanted).await?;
    let name = Call::new("CreateAlias", "name a new key", &what);
    let wanted = json!({ "AliasName": key.id, "TargetKeyId": key_metadata.arn });
    line.send_off(&name, &wanted).await
}

/// A key of AWS KMS.
pub(crate) struct Aws {
    line: Arc<Line>,
    key: AwsKey,
    /// Which key the reference named when it was read.
    arn: String,
    algorithm: &'static str,
    hash: Hash,
    public: PublicKey,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Description {
    key_metadata: Metadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata {
    arn: String,
    key_usage: Option<String>,
    key_state: Option<String>,
    #[serde(default)]
    signing_algorithms: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PublicHalf {
    key_id: String,
    public_key: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Signed {
    key_id: String,
    signature: String,
}

impl Aws {
    /// Reads the key with the identity that the environment gives.
    pub(super) async fn open(key: &AwsKey, means: &Means) -> Result<Self, KmsError> {
        // a large future, and seldom needed
        let line = Box::pin(Line::of(key, means)).await?;
        Self::read(key, Arc::new(line)).await
    }

    /// The same key as it is now.
    pub(super) async fn reopen(&self) -> Result<Self, KmsError> {
        Self::read(&self.key, Arc::clone(&self.line)).await
    }

    async fn read(key: &AwsKey, line: Arc<Line>) -> Result<Self, KmsError> {
        let what = format!("key {} of {}", key.id, line.place());
        let wanted = json!({ "KeyId": key.id });
        let describe = Call::new("DescribeKey", "read", &what);
        let Description { key_metadata } = line.call(&describe, &wanted).await?;
        let (algorithm, hash) = usable(&key_metadata).map_err(|why| KmsError::Unusable {
            key: what.clone(),
            why: why.to_owned(),
        })?;
        let read = Call::new("GetPublicKey", "read the public key of", &what);
        let half: PublicHalf = line.call(&read, &wanted).await?;
        let read = read.operation;
        if half.key_id != key_metadata.arn {
            return Err(read.failed("the alias was moved to another key meanwhile"));
        }
        let der = STANDARD.decode(&half.public_key);
        let der = der.map_err(|_| read.failed("the response is malformed"))?;
        let public = PublicKey::from_der(&der);
        let public = public.map_err(|source| KmsError::PublicKey { key: what, source })?;
        Ok(Self {
            line,
            key: key.clone(),
            arn: key_metadata.arn,
            algorithm,
            hash,
            public,
        })
    }

    /// The public key that was read.
    pub(super) fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// Whether every signature of a message is another one.
    pub(super) fn is_random(&self) -> bool {
        self.algorithm.starts_with("ECDSA") || self.algorithm.starts_with("RSASSA_PSS")
    }

    /// The key, for people: as the reference names it.
    pub(super) fn name(&self) -> String {
        format!("key {} of {}", self.key.id, self.line.place())
    }

    /// Has the key sign.
    pub(super) async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KmsError> {
        let name = self.name();
        let sign = Call::new("Sign", "sign with", &name);
        let wanted = json!({
            "KeyId": self.key.id,
            "Message": STANDARD.encode(self.hash.digest(message)),
            "MessageType": "DIGEST",
            "SigningAlgorithm": self.algorithm,
        });
        let signed: Signed = self.line.call(&sign, &wanted).await?;
        if signed.key_id != self.arn {
            return Err(KmsError::Mismatch { key: name });
        }
        let signature = STANDARD.decode(&signed.signature);
        signature.map_err(|_| sign.operation.failed("the response is malformed"))
    }
}

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Aws({})", self.name())
    }
}

/// With which algorithm a key signs, or why it does not.
fn usable(key: &Metadata) -> Result<(&'static str, Hash), &'static str> {
    if key.key_usage.as_deref() != Some("SIGN_VERIFY") {
        return Err(
            "its usage is not SIGN_VERIFY, which cannot be changed; create a key with \
                    --key-usage SIGN_VERIFY --key-spec ECC_NIST_P256",
        );
    }
    match key.key_state.as_deref() {
        Some("Enabled") | None => {}
        Some("Disabled") => return Err(refusal::DISABLED),
        Some("PendingDeletion" | "PendingReplicaDeletion") => {
            return Err(
                "it is to be deleted; cancel that (kms:CancelKeyDeletion) and enable it, or use \
                        another key",
            );
        }
        Some(_) => return Err("its state is not Enabled; see `aws kms describe-key`"),
    }
    let first = key.signing_algorithms.first();
    let known = ALGORITHMS
        .into_iter()
        .find(|(name, _)| first.is_some_and(|first| first == name));
    known.ok_or(
        "it signs with an algorithm that is not supported; use the key spec ECC_NIST_P256, \
         ECC_NIST_P384, ECC_NIST_P521, RSA_2048, RSA_3072 or RSA_4096",
    )
}
