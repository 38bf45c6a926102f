//! Bundles made of what cosign and Chains store without one: a signature or an envelope, and the
//! annotations beside it.
//!
//! So one verifier judges everything. A log entry in an annotation has the promise of its log and no
//! proof, as in bundles of version 0.1.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::value::RawValue;
use sigstore_types::bundle::{
    Bundle, CertificateContent, InclusionPromise, LogId, MediaType, MessageDigest,
    MessageSignature, PublicKeyIdentifier, Rfc3161Timestamp, SignatureContent,
    TimestampVerificationData, TransparencyLogEntry, VerificationMaterial,
    VerificationMaterialContent, X509Certificate,
};
use sigstore_types::{
    CanonicalizedBody, DerCertificate, DigestBytes, DsseEnvelope, DsseSignature, HashAlgorithm,
    KeyId, KindVersion, LogIndex, LogKeyId, PayloadBytes, SignatureBytes, SignedTimestamp,
    TimestampToken,
};
use windlass_core::dsse::Envelope;
use windlass_core::error::Chain;
use windlass_core::json::strict;
use windlass_core::key::{Certificate, END_OF_CERTIFICATE, pem_blocks};

use super::bundle;
use super::material::Annotated;
use super::signed::{MAX_BUNDLE, Who};

/// Most certificates of a chain.
const MOST_CERTIFICATES: usize = 16;

/// A log entry as cosign annotates it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Annotation {
    signed_entry_timestamp: String,
    payload: EntryPayload,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EntryPayload {
    body: String,
    integrated_time: i64,
    log_index: u64,
    #[serde(rename = "logID")]
    log_id: String,
}

/// A timestamp as cosign annotates it.
#[derive(Deserialize)]
struct TimestampAnnotation {
    #[serde(rename = "SignedRFC3161Timestamp")]
    signed_rfc3161_timestamp: String,
}

/// What cosign 2 writes as the bundle of a file.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LocalBundle<'a> {
    base64_signature: String,
    /// PEM in base64, of a certificate or a public key.
    #[serde(default)]
    cert: Option<String>,
    #[serde(borrow, default)]
    rekor_bundle: Option<&'a RawValue>,
}

/// The signature and what comes with it in a bundle of a file as cosign 2 writes it; nothing if it is
/// another kind of bundle.
pub(super) fn local(text: &[u8]) -> Option<(Vec<u8>, Annotated)> {
    let text = text.get(..MAX_BUNDLE).map_or(text, |_| b"");
    let bundle: LocalBundle<'_> = serde_json::from_str(strict(text).ok()?).ok()?;
    let signature = STANDARD.decode(bundle.base64_signature.trim()).ok()?;
    let pem = STANDARD
        .decode(bundle.cert.unwrap_or_default().trim())
        .ok()?;
    let entry = bundle.rekor_bundle.map(|entry| entry.get().to_owned());
    let annotated = Annotated {
        certificate: String::from_utf8(pem).ok()?,
        entry: entry.unwrap_or_default(),
        ..Annotated::default()
    };
    Some((signature, annotated))
}

/// The kind of an entry, by its body.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    kind: String,
    api_version: String,
}

/// The bundle of a signature with its annotations; the error is the finding.
pub(super) fn bundle(
    who: Who<'_>,
    content: SignatureContent,
    annotated: &Annotated,
) -> Result<Bundle, String> {
    if !annotated.proof.trim().is_empty() {
        return with_proof(who, content, annotated);
    }
    let entries: Vec<_> = entry(&annotated.entry)?.into_iter().collect();
    let timestamps: Vec<_> = timestamp(&annotated.timestamp)?.into_iter().collect();
    // version 0.1 is that of promises without proof
    let media_type = if entries.is_empty() {
        MediaType::Bundle0_2
    } else {
        MediaType::Bundle0_1
    };
    let signer = match who {
        Who::Key(key) => {
            VerificationMaterialContent::PublicKey(PublicKeyIdentifier::new(key.hint()))
        }
        Who::Certificate(_) => certificates(annotated)?,
    };
    let material = VerificationMaterial::new(signer)
        .with_tlog_entries(entries)
        .with_timestamp_verification_data(TimestampVerificationData::new(timestamps));
    Ok(Bundle::new(media_type, material, content))
}

/// What a run keeps of a log entry and a timestamp.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Proof {
    #[serde(default)]
    tlog_entries: Vec<TransparencyLogEntry>,
    #[serde(default)]
    timestamp_verification_data: TimestampVerificationData,
}

/// The bundle of a signature whose run keeps the entry with its proof: one of version 0.3, which has the
/// certificate alone.
fn with_proof(
    who: Who<'_>,
    content: SignatureContent,
    annotated: &Annotated,
) -> Result<Bundle, String> {
    let damaged = || "the annotated log entry or timestamp is damaged".to_owned();
    let text = annotated.proof.as_bytes();
    let text = text.get(..MAX_BUNDLE).map_or(text, |_| b"");
    let text = strict(text).map_err(|_| damaged())?;
    let proof: Proof = serde_json::from_str(text).map_err(|_| damaged())?;
    let signer = match who {
        Who::Key(key) => {
            VerificationMaterialContent::PublicKey(PublicKeyIdentifier::new(key.hint()))
        }
        Who::Certificate(_) => {
            let leaf = DerCertificate::from_bytes(leaf(annotated)?.der());
            VerificationMaterialContent::Certificate(CertificateContent::new(leaf))
        }
    };
    let material = VerificationMaterial::new(signer)
        .with_tlog_entries(proof.tlog_entries)
        .with_timestamp_verification_data(proof.timestamp_verification_data);
    let bundle = Bundle::new(MediaType::Bundle0_3, material, content);
    bundle::check(&bundle)?;
    Ok(bundle)
}

/// A signature over some bytes, as the content of a bundle.
pub(super) fn message(signature: &[u8], sha256: &[u8]) -> SignatureContent {
    let digest = MessageDigest::new(HashAlgorithm::Sha2256, DigestBytes::new(sha256.to_vec()));
    let signature = MessageSignature::new(SignatureBytes::from_bytes(signature));
    SignatureContent::MessageSignature(signature.with_message_digest(digest))
}

/// An envelope with its one signature, as the content of a bundle.
pub(super) fn envelope(envelope: &Envelope) -> Result<SignatureContent, String> {
    let payload = envelope
        .decode_payload()
        .map_err(|error| Chain(&error).to_string())?;
    let signature = only_signature(envelope)?;
    let signature = DsseSignature::new(SignatureBytes::new(signature), KeyId::default());
    let payload = PayloadBytes::new(payload);
    let envelope = DsseEnvelope::new(envelope.payload_type.clone(), payload, signature);
    Ok(SignatureContent::DsseEnvelope(envelope))
}

/// The signature of an envelope that has one.
pub(super) fn only_signature(envelope: &Envelope) -> Result<Vec<u8>, String> {
    let [signature] = &envelope.signatures[..] else {
        return Err(format!(
            "the envelope has {} signatures, and a certificate vouches for one",
            envelope.signatures.len()
        ));
    };
    signature
        .decode()
        .ok_or_else(|| "the envelope's signature is not valid base64".to_owned())
}

fn leaf(annotated: &Annotated) -> Result<Certificate, String> {
    if annotated.certificate.trim().is_empty() {
        return Err(
            "it has no certificate: it is signed with a key; give that with --key".to_owned(),
        );
    }
    let leaf = Certificate::from_pem(annotated.certificate.as_bytes());
    leaf.map_err(|_| "the certificate is damaged".to_owned())
}

fn certificates(annotated: &Annotated) -> Result<VerificationMaterialContent, String> {
    let mut certificates = vec![certificate(leaf(annotated)?.der())];
    for block in pem_blocks(&annotated.chain, END_OF_CERTIFICATE) {
        if certificates.len() > MOST_CERTIFICATES {
            return Err(format!(
                "the chain has more than {MOST_CERTIFICATES} certificates"
            ));
        }
        let above = Certificate::from_pem(block.as_bytes())
            .map_err(|_| "the chain of the certificate is damaged".to_owned())?;
        certificates.push(certificate(above.der()));
    }
    Ok(VerificationMaterialContent::X509CertificateChain { certificates })
}

fn certificate(der: &[u8]) -> X509Certificate {
    X509Certificate::new(DerCertificate::from_bytes(der))
}

fn entry(text: &str) -> Result<Option<TransparencyLogEntry>, String> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let read = strict(text.as_bytes()).ok();
    let read = read.and_then(|text| serde_json::from_str::<Annotation>(text).ok());
    let damaged = || "the annotated log entry is damaged, or of a kind that is not read".to_owned();
    let read = read.ok_or_else(damaged)?;
    if STANDARD
        .decode(&read.payload.body)
        .is_ok_and(|body| is_first_intoto(&body))
    {
        return Err(bundle::FIRST_INTOTO.to_owned());
    }
    made(read).map(Some).ok_or_else(damaged)
}

fn made(annotation: Annotation) -> Option<TransparencyLogEntry> {
    let Annotation {
        signed_entry_timestamp,
        payload,
    } = annotation;
    let body = STANDARD.decode(&payload.body).ok()?;
    let log = LogKeyId::new(unhex(&payload.log_id)?);
    let entry = TransparencyLogEntry::new(
        LogIndex::new(payload.log_index).ok()?,
        LogId::new(log),
        kind(&body)?,
        CanonicalizedBody::new(body),
    );
    let promise = SignedTimestamp::from_base64(&signed_entry_timestamp).ok()?;
    let time = jiff::Timestamp::from_second(payload.integrated_time).ok()?;
    Some(
        entry
            .with_integrated_time(time)
            .with_inclusion_promise(InclusionPromise::new(promise)),
    )
}

/// Whether the body of an entry is of that form.
fn is_first_intoto(body: &[u8]) -> bool {
    let body = strict(body).ok();
    let body = body.and_then(|text| serde_json::from_str::<Body>(text).ok());
    body.is_some_and(|body| (&*body.kind, &*body.api_version) == ("intoto", "0.0.1"))
}

fn kind(body: &[u8]) -> Option<KindVersion> {
    let body: Body = serde_json::from_str(strict(body).ok()?).ok()?;
    Some(match (body.kind.as_str(), body.api_version.as_str()) {
        ("hashedrekord", "0.0.1") => KindVersion::HashedRekordV001,
        ("dsse", "0.0.1") => KindVersion::DsseV001,
        ("intoto", "0.0.2") => KindVersion::IntotoV002,
        _ => return None,
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| {
            digit
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        })
        .collect();
    let digits = digits.filter(|digits| digits.len() == 64)?;
    Some(
        digits
            .chunks(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect(),
    )
}

fn timestamp(text: &str) -> Result<Option<Rfc3161Timestamp>, String> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let read = strict(text.as_bytes()).ok();
    let read = read.and_then(|text| serde_json::from_str::<TimestampAnnotation>(text).ok());
    let token =
        read.and_then(|read| TimestampToken::from_base64(&read.signed_rfc3161_timestamp).ok());
    let token = token.ok_or("the annotated timestamp is damaged")?;
    Ok(Some(Rfc3161Timestamp::new(token)))
}
