//! Verification of a detached signature over some bytes, and of an envelope given by itself.
//!
//! A signature is tried as it is and decoded from base64. Where it is invalid, the finding says
//! which part is wrong as far as that can be known. A bundle is judged with what is in it.

use sha2::{Digest as _, Sha256};
use windlass_core::dsse::Envelope;
use windlass_core::error::Chain;
use windlass_core::hex;
use windlass_core::key::{PublicKey, VerifyError};
use windlass_core::verify::{self, Expected};

use super::ExpectedSigner;
use crate::inspect::layers::{decode, layers};
use crate::sigstore::verifier::blob_by_key;
use crate::sigstore::{Blob, Who};

/// A file that a bundle is about.
pub(crate) enum BlobContent {
    /// Its bytes.
    Bytes(Vec<u8>),
    /// Its SHA-256 alone.
    Digest([u8; 32]),
}

/// Checks the bundle of a file; the error is the finding.
pub(crate) fn bundle(
    signer: &ExpectedSigner,
    bundle: &[u8],
    content: &BlobContent,
) -> Result<(), String> {
    let blob = match content {
        BlobContent::Bytes(bytes) => Blob::Bytes(bytes),
        BlobContent::Digest(digest) => Blob::Digest(digest),
    };
    match signer {
        ExpectedSigner::Key(key, None) => blob_by_key(key, bundle, blob),
        ExpectedSigner::Key(key, Some(verifier)) => {
            verifier.blob(Who::Key(key), bundle, blob).map(drop)
        }
        ExpectedSigner::Certificate(signatory, verifier) => verifier
            .blob(Who::Certificate(signatory), bundle, blob)
            .map(drop),
    }
}

/// Checks the bundle of an attestation; the findings.
pub(crate) fn attestation(
    signer: &ExpectedSigner,
    bundle: &[u8],
    expected: &Expected,
) -> Vec<String> {
    let judged = match signer {
        ExpectedSigner::Key(key, None) => {
            let envelope = verify::envelope_of_bundle(bundle);
            return match envelope {
                Ok(envelope) => verify::attestation(&envelope, key, expected).findings,
                Err(damage) => vec![damage],
            };
        }
        ExpectedSigner::Key(key, Some(verifier)) => verifier.envelope(Who::Key(key), bundle),
        ExpectedSigner::Certificate(signatory, verifier) => {
            verifier.envelope(Who::Certificate(signatory), bundle)
        }
    };
    match judged {
        Ok(envelope) => verify::attestation_signed(&envelope, Ok(()), expected).findings,
        Err(finding) => vec![finding],
    }
}

/// Checks a signature over a payload; the error is the finding.
pub(crate) fn signature(key: &PublicKey, payload: &[u8], signature: &[u8]) -> Result<(), String> {
    if signature.trim_ascii().is_empty() {
        return Err("the signature is empty".to_owned());
    }
    let layers = layers(signature);
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
        "the signature is well-formed, but does not match the key {} and this payload (sha256 {}, \
         {} bytes)",
        describe(key),
        sha256(payload),
        payload.len()
    );
    let without_newline = payload.strip_suffix(b"\n");
    let hint = if without_newline.is_some_and(verifies) {
        "; the payload ends with a newline that was not signed".to_owned()
    } else if verifies(&[payload, b"\n"].concat()) {
        "; the payload lacks the signed newline at its end".to_owned()
    } else if decode(payload).is_some_and(|decoded| verifies(&decoded)) {
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

/// The envelope in `text`, which is JSON or the base64 of it; the error is the finding.
pub(crate) fn envelope(text: &[u8]) -> Result<Envelope, String> {
    if text.trim_ascii().is_empty() {
        return Err("the envelope is empty".to_owned());
    }
    let layers = layers(text);
    let json = layers
        .iter()
        .find(|layer| layer.trim_ascii_start().starts_with(b"{"));
    let Some(json) = json else {
        return Err(
            "the envelope is damaged: it is neither JSON nor the base64 of JSON".to_owned(),
        );
    };
    Envelope::from_json(json).map_err(|error| Chain(&error).to_string())
}

/// A SHA-256 in hexadecimal.
pub(crate) fn sha256_of_hex(text: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    let is_hex = text.len() == 64 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    if !is_hex {
        return None;
    }
    for (byte, at) in digest.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
    }
    Some(digest)
}

/// The lower-case hexadecimal SHA-256 of `bytes`.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex::digits(&Sha256::digest(bytes))
}
