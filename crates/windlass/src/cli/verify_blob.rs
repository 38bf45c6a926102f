//! `verify-blob`: checks a detached signature over a file, with the flags of cosign.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use windlass_core::key::{PublicKey, VerifyError};

use super::verdict;
use crate::cluster::Connection;
use crate::sign::reference::KeyRef;

/// Verify a signature over a file
///
/// Exits with 0 and prints "Verified OK" when the signature is one by the key over the file, with
/// 1 when it is not, with 2 when it could not be checked.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass verify-blob --key k8s://openshift-pipelines/signing-secrets --signature ./signature ./payload
  windlass verify-blob --key cosign.pub --signature signature -   < payload")]
pub(crate) struct VerifyBlob {
    /// Key: a file, k8s://<namespace>/<secret> or env://<variable>
    #[arg(long, value_name = "REF")]
    key: KeyRef,
    /// Signature: a file, `-` for standard input, or the base64 text itself
    #[arg(long, value_name = "FILE")]
    signature: String,
    /// Accepted for compatibility: no transparency log is consulted
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    insecure_ignore_tlog: Option<bool>,
    /// Accepted for compatibility: the signature is always detached
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    new_bundle_format: Option<bool>,
    /// The signed file, or `-` for standard input
    #[arg(value_name = "FILE")]
    blob: PathBuf,
}

impl VerifyBlob {
    pub(crate) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        let Self {
            key,
            signature,
            insecure_ignore_tlog: _,
            new_bundle_format: _,
            blob,
        } = self;
        anyhow::ensure!(
            signature != "-" || blob != Path::new("-"),
            "the signature and the file cannot both come from standard input"
        );
        let signature = read_signature(&signature)?;
        let payload = verdict::read(&blob, "file")?;
        let findings = match verdict::key(&key, connection).await? {
            Ok(key) => check(&key, &payload, &signature)
                .err()
                .into_iter()
                .collect(),
            Err(damaged) => vec![damaged],
        };
        Ok(verdict::report(&findings))
    }
}

/// The content of the file `reference`, or `reference` itself where that is a signature.
fn read_signature(reference: &str) -> anyhow::Result<Vec<u8>> {
    // the shortest signature, Ed25519's, has 64 bytes; no path is taken for one
    let literal = verdict::decode(reference.as_bytes()).is_some_and(|bytes| bytes.len() >= 64);
    if literal && !Path::new(reference).exists() {
        return Ok(reference.as_bytes().to_vec());
    }
    verdict::read(Path::new(reference), "signature")
}

/// Checks the signature as it is and decoded once and twice. The error says which part is wrong as
/// far as that can be known.
fn check(key: &PublicKey, payload: &[u8], signature: &[u8]) -> Result<(), String> {
    if signature.trim_ascii().is_empty() {
        return Err("the signature is empty".to_owned());
    }
    let layers = verdict::layers(signature);
    let mut well_formed = None;
    for layer in &layers {
        match key.verify(payload, layer) {
            Ok(_) => return Ok(()),
            Err(VerifyError::Mismatch) => well_formed = Some(layer),
            Err(VerifyError::Malformed { .. }) => {}
        }
    }
    match well_formed {
        Some(signature) => Err(mismatch(key, payload, signature)),
        None => Err(malformed(key, &layers)),
    }
}

fn malformed(key: &PublicKey, layers: &[Vec<u8>]) -> String {
    let innermost = layers.last().map(Vec::as_slice).unwrap_or_default();
    if innermost.trim_ascii_start().starts_with(b"{") {
        return "the signature is JSON, such as an envelope or a bundle; check an envelope with \
                `windlass verify-blob-attestation`"
            .to_owned();
    }
    let reason = key
        .verify(b"", innermost)
        .err()
        .unwrap_or(VerifyError::Mismatch);
    let encoding = if layers.len() == 1 {
        "it is not base64, and as raw bytes "
    } else {
        ""
    };
    format!(
        "the signature is damaged: {encoding}{reason} ({})",
        describe(key)
    )
}

fn mismatch(key: &PublicKey, payload: &[u8], signature: &[u8]) -> String {
    let verifies = |bytes: &[u8]| key.verify(bytes, signature).is_ok();
    let found = format!(
        "the signature is well-formed, but it is not one by the key {} over this payload \
         (sha256 {}, {} bytes)",
        describe(key),
        verdict::sha256(payload),
        payload.len()
    );
    let without_newline = payload.strip_suffix(b"\n");
    let hint = if without_newline.is_some_and(verifies) {
        "; the payload has a newline at its end that was not signed".to_owned()
    } else if verifies(&[payload, b"\n"].concat()) {
        "; the payload lacks the newline at its end that was signed".to_owned()
    } else if verdict::decode(payload).is_some_and(|decoded| verifies(&decoded)) {
        "; the payload is still base64: decode it first".to_owned()
    } else {
        damage(payload).unwrap_or_else(|| {
            ": payload or signature was changed, or another key signed".to_owned()
        })
    };
    found + &hint
}

/// A payload that looks like JSON but no longer is.
fn damage(payload: &[u8]) -> Option<String> {
    let looks_like_json = payload.trim_ascii_start().first() == Some(&b'{');
    let error = serde_json::from_slice::<serde::de::IgnoredAny>(payload).err()?;
    looks_like_json.then(|| format!("; the payload was changed: it is not valid JSON ({error})"))
}

fn describe(key: &PublicKey) -> String {
    format!("{}, {}", key.key_id(), key.algorithm())
}
