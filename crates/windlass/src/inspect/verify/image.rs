//! Verification of an image: reads the signatures and attestations attached to it, and checks each.

use windlass_core::dsse::Envelope;
use windlass_core::format::IMAGE_PREDICATE;
use windlass_core::verify::{self, Claim, Expected, Outcome};
use windlass_registry::{Digest, Reference};

use super::report::{Entry, EntryKind, Report};
use super::{VerifyError, VerifyRequest, claims, identity};
use crate::inspect::image::ResolvedImage;
use crate::sigstore::Material;
use crate::store::Wanted;
use crate::store::evidence::{Evidence, Found};

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
    } = image;
    let target = reference.to_string();
    let mut report = Report::new(target, Some(digest.as_str().to_owned()), &request.signer);
    let wanted = Wanted::Image {
        remote,
        tags,
        digest,
    };
    let judge = |found: Found| report.add(check(found.evidence, found.place, digest, request));
    wanted.each(judge).await?;
    report.decide_by_one(request.requirement());
    Ok(report)
}

fn check(evidence: Evidence, place: String, digest: &Digest, request: &VerifyRequest) -> Entry {
    let mut entry = Entry {
        kind: EntryKind::Attestation,
        place,
        outcome: Outcome::default(),
        envelope: None,
        claims: None,
    };
    match evidence {
        Evidence::Signature {
            payload,
            signature,
            material,
        } => {
            entry.kind = EntryKind::Signature;
            match payload {
                Some(payload) => {
                    let says = claims::of_payload(&payload);
                    let signed = (payload.as_slice(), signature.as_slice(), &material);
                    entry.outcome = image_signature(signed, digest, request);
                    claims::compare(&mut entry.outcome, says.as_ref(), &request.annotations);
                    entry.claims = entry.outcome.holds().then_some(says).flatten();
                }
                None => entry.outcome = Outcome::failed("the signed payload was not found"),
            }
        }
        Evidence::Statement {
            envelope, material, ..
        } => {
            (entry.kind, entry.outcome) = statement(&envelope, &material, digest, request);
            if entry.kind == EntryKind::Signature {
                let payload = envelope.decode_payload().unwrap_or_default();
                let says = claims::of_statement(&payload, &claim_of(digest));
                claims::compare(&mut entry.outcome, Some(&says), &request.annotations);
                entry.claims = entry.outcome.holds().then_some(says);
            }
            // what is invalid is not printed, and of any size
            entry.envelope = entry.outcome.holds().then_some(envelope);
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

fn image_signature(
    (payload, signature, material): (&[u8], &[u8], &Material),
    digest: &Digest,
    request: &VerifyRequest,
) -> Outcome {
    let digest = request.checks_subject.then_some(digest.as_str());
    let signature = request.signer.message(payload, signature, material);
    let mut outcome = verify::image_payload(payload, signature, digest);
    let named = verify::docker_reference(payload);
    identity::compare(&mut outcome, named, request.identity.as_ref());
    outcome
}

fn statement(
    envelope: &Envelope,
    material: &Material,
    digest: &Digest,
    request: &VerifyRequest,
) -> (EntryKind, Outcome) {
    let claim = claim_of(digest);
    let about = Expected {
        subject: request.checks_subject.then(|| claim.clone()),
        ..Expected::default()
    };
    let mut outcome = request.signer.attestation(envelope, material, &about);
    let kind = if outcome.predicate_type.as_deref() == Some(IMAGE_PREDICATE) {
        EntryKind::Signature
    } else {
        let expected = Expected {
            subject: about.subject,
            ..request.expected.clone()
        };
        outcome = request.signer.attestation(envelope, material, &expected);
        EntryKind::Attestation
    };
    if outcome.predicate_type.is_some() {
        let payload = envelope.decode_payload().unwrap_or_default();
        let named = verify::subject_names(&payload, &claim);
        identity::compare(&mut outcome, named, request.identity.as_ref());
    }
    (kind, outcome)
}

fn claim_of(digest: &Digest) -> Claim {
    Claim {
        algorithm: digest.algorithm().to_owned(),
        digest: digest.hex().to_owned(),
    }
}
