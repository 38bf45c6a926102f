//! Verification of an image: reads the signatures and attestations attached to it, and checks each. A
//! signature may also be given by itself.

use windlass_core::dsse::Envelope;
use windlass_core::format::IMAGE_PREDICATE;
use windlass_core::key::PublicKey;
use windlass_core::verify::{self, Claim, Expected, Outcome};
use windlass_registry::Digest;

use super::report::{Entry, EntryKind, Report, Requirement};
use super::subject::Subject;
use super::{VerifyError, VerifyRequest, blob, claims, identity};
use crate::sigstore::Material;
use crate::store::evidence::{Evidence, Found};

/// Checks everything that is attached to an image.
pub(crate) async fn verify(
    subject: &Subject,
    request: &VerifyRequest,
) -> Result<Report, VerifyError> {
    let mut report = report(subject, request);
    let digest = subject.digest();
    let judge = |found: Found| report.add(check(found.evidence, found.place, digest, request));
    subject.wanted().each(judge).await?;
    report.decide_by_one(request.requirement());
    Ok(report)
}

/// A signature that is not attached to its image.
pub(crate) struct Detached<'a> {
    /// The key that it has to be made with: no certificate goes with it.
    pub(crate) key: &'a PublicKey,
    pub(crate) payload: &'a [u8],
    /// Its bytes, or their base64.
    pub(crate) signature: &'a [u8],
}

/// Checks a signature of an image that is given by itself. Nothing that is attached is read.
pub(crate) fn verify_detached(
    subject: &Subject,
    detached: &Detached<'_>,
    request: &VerifyRequest,
) -> Report {
    let Detached {
        key,
        payload,
        signature,
    } = *detached;
    let mut entry = entry(EntryKind::Signature, "given with --signature".to_owned());
    let signature = blob::signature(key, payload, signature);
    judge_signature(&mut entry, payload, signature, subject.digest(), request);
    let mut report = report(subject, request);
    report.add(entry);
    report.decide_by_one(Requirement::Signature);
    report
}

fn report(subject: &Subject, request: &VerifyRequest) -> Report {
    let digest = subject.digest().as_str().to_owned();
    Report::new(subject.name(), Some(digest), &request.signer)
}

fn entry(kind: EntryKind, place: String) -> Entry {
    Entry {
        kind,
        place,
        outcome: Outcome::default(),
        envelope: None,
        claims: None,
    }
}

fn check(evidence: Evidence, place: String, digest: &Digest, request: &VerifyRequest) -> Entry {
    let mut entry = entry(EntryKind::Attestation, place);
    match evidence {
        Evidence::Signature {
            payload,
            signature,
            material,
        } => {
            entry.kind = EntryKind::Signature;
            match payload {
                Some(payload) => {
                    let signature = request.signer.message(&payload, &signature, &material);
                    judge_signature(&mut entry, &payload, signature, digest, request);
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

/// Judges a payload, about whose signature is known whether it is valid.
fn judge_signature(
    entry: &mut Entry,
    payload: &[u8],
    signature: Result<(), String>,
    digest: &Digest,
    request: &VerifyRequest,
) {
    let says = claims::of_payload(payload);
    let digest = request.checks_subject.then_some(digest.as_str());
    let mut outcome = verify::image_payload(payload, signature, digest);
    let named = verify::docker_reference(payload);
    identity::compare(&mut outcome, named, request.identity.as_ref());
    claims::compare(&mut outcome, says.as_ref(), &request.annotations);
    entry.claims = outcome.holds().then_some(says).flatten();
    entry.outcome = outcome;
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
