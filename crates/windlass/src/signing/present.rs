//! Whether a signer has signed something already: looked for before it signs, so that what cannot be
//! signed again with the same bytes, such as by a key service, is neither attached nor logged twice.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::Value;
use windlass_core::certificate::is_current;
use windlass_core::key::{Certificate, PublicKey};
use windlass_core::payload::Payload;
use windlass_core::signed::timestamp_in;
use windlass_core::timestamp::Stamp;
use windlass_registry::Digest;

use crate::sign::Signer;
use crate::sigstore::{Annotated, Material};
use crate::store;
use crate::store::evidence::Evidence;
use crate::store::oci::attached::AttachedError;
use crate::store::oci::{Layout, Target};

/// What is looked for.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) payload: &'a Payload,
    pub(super) layout: Layout,
    /// How many log entries it has to have.
    pub(super) entries: usize,
    /// How many timestamps it has to have.
    pub(super) timestamps: usize,
}

/// What vouches for a signature, as far as it is looked at here.
#[derive(Debug, Default, PartialEq, Eq)]
struct Voucher {
    leaf: Option<Certificate>,
    entries: usize,
    timestamps: usize,
}

/// Whether the signer has signed it, and that is attached to the image.
pub(super) async fn is_attached(
    target: Target<'_>,
    signer: &Signer,
    wanted: Wanted<'_>,
) -> Result<bool, AttachedError> {
    let mut is_there = false;
    let store = store::Wanted::Image {
        remote: target.remote,
        tags: target.tags,
        digest: target.digest,
    };
    let see = |found: store::evidence::Found| is_there |= is_it(&found.evidence, signer, wanted);
    store.each(see).await?;
    Ok(is_there)
}

fn is_it(evidence: &Evidence, signer: &Signer, wanted: Wanted<'_>) -> bool {
    let material = match evidence {
        Evidence::Signature { material, .. } | Evidence::Statement { material, .. } => material,
        Evidence::Other(_) | Evidence::Damaged(_) => return false,
    };
    let layout = match material {
        Material::Bundle(_) => Layout::Bundle,
        Material::None | Material::Annotated(_) => Layout::Tag,
    };
    if layout != wanted.layout
        || evidence.payload().as_deref() != Some(wanted.payload.bytes.as_slice())
    {
        return false;
    }
    let voucher = Voucher::of(material);
    if voucher.entries < wanted.entries || voucher.timestamps < wanted.timestamps {
        return false;
    }
    let key = match signer.authority() {
        None => signer.key().cloned(),
        Some(authority) => {
            let leaf = voucher.leaf.filter(|leaf| authority.has_issued(leaf));
            // nobody can tell when something was signed that no log and no authority knows
            let is_dated = voucher.entries + voucher.timestamps > 0;
            let leaf = leaf.filter(|leaf| is_dated || is_current(leaf, Timestamp::now()));
            leaf.map(|leaf| leaf.public_key().clone())
        }
    };
    key.is_some_and(|key| is_signed_with(evidence, &key))
}

fn is_signed_with(evidence: &Evidence, key: &PublicKey) -> bool {
    match evidence {
        Evidence::Signature {
            payload: Some(payload),
            signature,
            ..
        } => key.verify(payload, signature).is_ok(),
        Evidence::Statement { envelope, .. } => envelope.verify(key).is_ok(),
        Evidence::Signature { payload: None, .. } | Evidence::Other(_) | Evidence::Damaged(_) => {
            false
        }
    }
}

/// Whether there is a timestamp. One beside an envelope has to be of that, as cosign looks for it.
fn is_stamped(annotated: &Annotated) -> bool {
    if annotated.envelope.is_empty() {
        return !annotated.timestamp.trim().is_empty();
    }
    let stamp = timestamp_in(&annotated.timestamp);
    let stamp = stamp.and_then(|response| Stamp::read(&response).ok());
    stamp.is_some_and(|stamp| stamp.digest() == Digest::of(&annotated.envelope).as_str())
}

impl Voucher {
    fn of(material: &Material) -> Self {
        match material {
            Material::None => Self::default(),
            Material::Annotated(annotated) => Self {
                leaf: Certificate::from_pem(annotated.certificate.as_bytes()).ok(),
                entries: usize::from(!annotated.entry.trim().is_empty()),
                timestamps: usize::from(is_stamped(annotated)),
            },
            Material::Bundle(bundle) => {
                let bundle: Value = serde_json::from_slice(bundle).unwrap_or_default();
                let material = &bundle["verificationMaterial"];
                let first = &material["x509CertificateChain"]["certificates"][0];
                let one = &material["certificate"];
                let der = [one, first]
                    .iter()
                    .find_map(|one| one["rawBytes"].as_str())
                    .and_then(|text| STANDARD.decode(text).ok());
                let entries = material["tlogEntries"].as_array();
                let stamps = &material["timestampVerificationData"]["rfc3161Timestamps"];
                let stamps = stamps.as_array();
                Self {
                    leaf: der.and_then(|der| Certificate::from_der(der).ok()),
                    entries: entries.map_or(0, Vec::len),
                    timestamps: stamps.map_or(0, Vec::len),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn voucher(bundle: &str) -> Voucher {
        Voucher::of(&Material::Bundle(Bytes::copy_from_slice(bundle.as_bytes())))
    }

    #[test]
    fn a_bundle_that_is_none_vouches_for_nothing() {
        for text in [
            "",
            "[]",
            "{}",
            r#"{"verificationMaterial":[]}"#,
            r#"{"verificationMaterial":{"certificate":{"rawBytes":"%"},"tlogEntries":{}}}"#,
            r#"{"verificationMaterial":{"certificate":{"rawBytes":"AAAA"},"tlogEntries":[]}}"#,
        ] {
            assert_eq!(voucher(text), Voucher::default(), "{text}");
        }
        let logged = r#"{"verificationMaterial":{"tlogEntries":[{},{}]}}"#;
        assert_eq!(voucher(logged).entries, 2);
    }
}
