//! Reading a bundle: bounded, with nothing in it that two readers could understand differently.
//!
//! The bounds on entries and timestamps are those of sigstore-go. They are checked before anything is
//! built, so a bundle of a hundred thousand entries costs no more than reading its text.

use serde::Deserialize;
use serde::de::IgnoredAny;
use sigstore_types::bundle::{Bundle, SignatureContent};
use sigstore_types::{SignatureBytes, TransparencyLogEntry};
use windlass_core::error::Chain;
use windlass_core::json::{Flaw, strict};
use windlass_core::verify::BUNDLES;

use super::signed::MAX_BUNDLE;

/// Most log entries, and most timestamps.
const MOST: usize = 32;
/// Most certificates.
const MOST_CERTIFICATES: usize = 16;
/// What is said of the first form of an entry about an attestation, which has no signature in it.
pub(super) const FIRST_INTOTO: &str = "its log entry is of the kind intoto 0.0.1, which is not read: it has the hash of the envelope and no signature. \
     Attest it again, or have it verified by its key alone, without a trusted root";

/// The signature in a bundle: of a file, or of an envelope.
pub(super) fn signature(bundle: &Bundle) -> Option<&SignatureBytes> {
    match &bundle.content {
        SignatureContent::MessageSignature(message) => Some(&message.signature),
        SignatureContent::DsseEnvelope(envelope) => Some(&envelope.signature.sig),
        _ => None,
    }
}

/// A bundle, as far as it has to be known before it is read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outline {
    #[serde(default)]
    media_type: Option<String>,
    verification_material: MaterialOutline,
    #[serde(default)]
    message_signature: Option<IgnoredAny>,
    #[serde(default)]
    dsse_envelope: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MaterialOutline {
    #[serde(default)]
    certificate: Option<IgnoredAny>,
    #[serde(default, rename = "x509CertificateChain")]
    chain: Option<ChainOutline>,
    #[serde(default)]
    public_key: Option<IgnoredAny>,
    #[serde(default)]
    tlog_entries: Option<Vec<IgnoredAny>>,
    #[serde(default)]
    timestamp_verification_data: Option<TimestampOutline>,
}

#[derive(Deserialize)]
struct ChainOutline {
    #[serde(default)]
    certificates: Vec<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TimestampOutline {
    #[serde(default)]
    rfc3161_timestamps: Option<Vec<IgnoredAny>>,
}

/// The bundle in a text; the error is the finding.
pub(super) fn read(text: &[u8]) -> Result<Bundle, String> {
    if text.len() > MAX_BUNDLE {
        return Err(format!(
            "the bundle has {} bytes, and at most {MAX_BUNDLE} are read",
            text.len()
        ));
    }
    let text = strict(text).map_err(|error| format!("the bundle is damaged: {}", Chain(&error)))?;
    let outline: Outline = serde_json::from_str(text)
        .map_err(|error| format!("it is not a Sigstore bundle: {}", Flaw::from(error)))?;
    outline.check()?;
    let bundle: Bundle = serde_json::from_str(text)
        .map_err(|_| format!("the bundle is damaged: {}", culprit(text)))?;
    check(&bundle)?;
    Ok(bundle)
}

impl Outline {
    fn check(&self) -> Result<(), String> {
        let media_type = self.media_type.as_deref().unwrap_or_default();
        if !BUNDLES.contains(&media_type) {
            return Err(format!(
                "its mediaType is `{media_type:.200}`, which is not a Sigstore bundle of version \
                 0.1, 0.2 or 0.3"
            ));
        }
        let contents = [
            self.message_signature.is_some(),
            self.dsse_envelope.is_some(),
        ];
        if contents.iter().filter(|is_there| **is_there).count() != 1 {
            return Err(
                "the bundle has to have either a messageSignature or a dsseEnvelope".to_owned(),
            );
        }
        self.verification_material.check()
    }
}

impl MaterialOutline {
    fn check(&self) -> Result<(), String> {
        let kinds = [
            self.certificate.is_some(),
            self.chain.is_some(),
            self.public_key.is_some(),
        ];
        if kinds.iter().filter(|is_there| **is_there).count() != 1 {
            return Err(
                "the bundle has to have one of certificate, x509CertificateChain and publicKey"
                    .to_owned(),
            );
        }
        let timestamps = self.timestamp_verification_data.as_ref();
        let timestamps = timestamps.and_then(|data| data.rfc3161_timestamps.as_ref());
        let certificates = self.chain.as_ref().map(|chain| &chain.certificates);
        for (name, found, most) in [
            ("log entries", self.tlog_entries.as_ref(), MOST),
            ("timestamps", timestamps, MOST),
            ("certificates", certificates, MOST_CERTIFICATES),
        ] {
            let found = found.map_or(0, Vec::len);
            if found > most {
                return Err(format!(
                    "the bundle has {found} {name}, and at most {most} are read"
                ));
            }
        }
        Ok(())
    }
}

/// Checks what the library leaves open.
pub(super) fn check(bundle: &Bundle) -> Result<(), String> {
    let entries = &bundle.verification_material.tlog_entries;
    let stamps = &bundle.verification_material.timestamp_verification_data;
    if entries.len() > MOST || stamps.rfc3161_timestamps.len() > MOST {
        return Err(format!(
            "there are more than {MOST} log entries or timestamps"
        ));
    }
    for (number, entry) in entries.iter().enumerate() {
        if entry.inclusion_proof.is_none() && entry.inclusion_promise.is_none() {
            return Err("a log entry of the bundle has neither proof nor promise".to_owned());
        }
        if entries[..number].iter().any(|other| is_same(entry, other)) {
            return Err("the bundle has the same log entry twice".to_owned());
        }
    }
    Ok(())
}

/// Whether two entries are one of their log.
fn is_same(one: &TransparencyLogEntry, other: &TransparencyLogEntry) -> bool {
    one.log_id == other.log_id
        && (one.log_index == other.log_index || one.canonicalized_body == other.canonicalized_body)
}

/// Whether one of some entries is of the first form of those about attestations.
fn has_first_intoto(entries: &str) -> bool {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Entry {
        kind_version: Kind,
    }
    #[derive(Deserialize)]
    struct Kind {
        kind: String,
        version: String,
    }
    let entries: Vec<Entry> = serde_json::from_str(entries).unwrap_or_default();
    let is_it =
        |it: &Entry| (&*it.kind_version.kind, &*it.kind_version.version) == ("intoto", "0.0.1");
    entries.iter().any(is_it)
}

/// Which part of a bundle cannot be read.
fn culprit(text: &str) -> &'static str {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Parts<'a> {
        #[serde(borrow)]
        verification_material: Material<'a>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Material<'a> {
        #[serde(borrow, default)]
        tlog_entries: Option<&'a serde_json::value::RawValue>,
    }
    #[derive(Deserialize)]
    struct Content {
        #[serde(flatten)]
        _content: SignatureContent,
    }
    if serde_json::from_str::<Content>(text).is_err() {
        return "its signature or envelope is malformed; an envelope has one signature";
    }
    let entries = serde_json::from_str::<Parts<'_>>(text).ok();
    let entries = entries.and_then(|parts| parts.verification_material.tlog_entries);
    let is_readable = |entries: &serde_json::value::RawValue| {
        serde_json::from_str::<Vec<TransparencyLogEntry>>(entries.get()).is_ok()
    };
    match entries {
        Some(entries) if has_first_intoto(entries.get()) => FIRST_INTOTO,
        Some(entries) if !is_readable(entries) => {
            "a log entry is malformed, or of a kind that is not read"
        }
        _ => "its certificate, key or timestamp is malformed",
    }
}
