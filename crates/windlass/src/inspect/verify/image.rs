//! Verification of an image: reads the signatures and attestations attached to it, and checks each.

use futures::{StreamExt, TryStreamExt, stream};
use windlass_core::format::IMAGE_PREDICATE;
use windlass_core::verify::{self, Claim, Expected, Outcome};
use windlass_registry::{Digest, Reference};

use super::report::{Entry, EntryKind, Report};
use super::{VerifyError, VerifyRequest};
use crate::inspect::image::ResolvedImage;
use crate::store::oci::attached::{self, Evidence, Place};

/// How much is read at once of what is attached to an image.
const AT_ONCE: usize = 8;

/// Checks everything that is attached to an image, which is called `reference` in the report.
pub(crate) async fn verify(
    reference: &Reference,
    image: &ResolvedImage,
    request: &VerifyRequest,
) -> Result<Report, VerifyError> {
    let ResolvedImage {
        remote,
        tags,
        digest,
        warnings: _,
    } = image;
    let target = reference.to_string();
    let mut report = Report::new(target, Some(digest.as_str().to_owned()), &request.key);
    let attached = attached::list(remote, tags, digest).await?;
    let reads: Vec<_> = attached
        .iter()
        .map(|one| {
            let from = match &one.place {
                Place::Tag(_) => tags,
                Place::Referrer(_) => remote,
            };
            one.read(from, digest)
        })
        .collect();
    let read: Vec<Evidence> = stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
    for (one, evidence) in attached.iter().zip(read) {
        let place = format!("{}, {}", one.place, one.descriptor.digest);
        report.add(check(evidence, place, digest, request));
    }
    report.decide_by_one(request.requirement());
    Ok(report)
}

fn check(evidence: Evidence, place: String, digest: &Digest, request: &VerifyRequest) -> Entry {
    let mut entry = Entry {
        kind: EntryKind::Attestation,
        place,
        outcome: Outcome::default(),
        envelope: None,
    };
    match evidence {
        Evidence::Signature { payload, signature } => {
            entry.kind = EntryKind::Signature;
            entry.outcome =
                verify::image_signature(&payload, &signature, &request.key, Some(digest.as_str()));
        }
        Evidence::Statement(envelope) => {
            let about = Expected {
                subject: Some(Claim {
                    algorithm: digest.algorithm().to_owned(),
                    digest: digest.hex().to_owned(),
                }),
                ..Expected::default()
            };
            let outcome = verify::attestation(&envelope, &request.key, &about);
            if outcome.predicate_type.as_deref() == Some(IMAGE_PREDICATE) {
                entry.kind = EntryKind::Signature;
                entry.outcome = outcome;
            } else {
                let expected = Expected {
                    subject: about.subject,
                    ..request.expected.clone()
                };
                entry.outcome = verify::attestation(&envelope, &request.key, &expected);
            }
            entry.envelope = Some(envelope);
        }
        Evidence::Damaged(why) => entry.outcome = Outcome::failed(why),
        Evidence::Other(media_type) => {
            entry.kind = EntryKind::Other;
            entry.outcome = Outcome::failed(format!(
                "skipped: {media_type} is not a signature or attestation"
            ));
        }
    }
    entry
}
