//! Verification of a run by its annotations.
//!
//! A valid signature is not enough: it may be that of another run. What was signed is created again
//! from the run as it is and compared, see [`windlass_core::verify::statement_of_run`].

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kube::Client;
use windlass_core::annotation;
use windlass_core::dsse::Envelope;
use windlass_core::format::IMAGE_PREDICATE;
use windlass_core::key::{Certificate, PublicKey};
use windlass_core::run::{Kind, Run};
use windlass_core::seal::{self, Seal, SealError};
use windlass_core::verify::{self, Comparison, Outcome};

use super::report::{Entry, EntryKind, Report, Requirement};
use super::{ExpectedSigner, SealRule, VerifyError, VerifyRequest};
use crate::inspect::documents::Documents;
use crate::inspect::on_cluster;
use crate::sigstore::Material;
use crate::store::Wanted;
use crate::store::evidence::{Evidence, Found};

/// Why a run is not verified if its seal is required.
const NO_SEAL: &str = "the mark of the run has no seal (chains.tekton.dev/seal), so nothing that was \
                       signed has to be about this run; Tekton Chains writes none";

/// Reads a run from the cluster and checks its annotations. Task runs that cannot be read count as
/// missing.
pub(crate) async fn on_cluster(
    client: &Client,
    kind: Kind,
    namespace: &str,
    name: &str,
    request: &VerifyRequest,
) -> Result<Report, VerifyError> {
    let run = on_cluster::run(client, kind, namespace, name).await?;
    let children = on_cluster::children(client, kind, &run).await;
    let documents = on_cluster::with(kind, run, &children.unwrap_or_default());
    let target = format!("{}/{name} in namespace {namespace}", kind.singular());
    verify(target, &documents, request).await
}

/// Checks the annotations of a run, given as a document, with its task runs if it is a pipeline run.
pub(crate) async fn verify(
    target: String,
    documents: &Documents,
    request: &VerifyRequest,
) -> Result<Report, VerifyError> {
    let run = documents.run(&mut Vec::new())?;
    let mut report = Report::new(target, None, &request.signer);
    let own = run.short_key();
    let mut has_own = false;
    let mut seal = Sealed::of(&run, request);
    let judge = |found: Found| {
        let is_own = found.key.as_ref() == Some(&own);
        has_own |= is_own;
        let payload = found.evidence.payload();
        let mut entry = check(&run, found, request);
        if is_own && seal.covers(payload.as_deref()) {
            let not_covered = &mut entry.outcome.not_covered;
            not_covered.retain(|part| !verify::IDENTITY.contains(&part.as_str()));
        }
        report.add(entry);
    };
    Wanted::Run(&run).each(judge).await?;
    let lacks_seal = request.seal == SealRule::Required && seal.verified.is_none();
    if let Some(seal) = seal.entry() {
        report.add(seal);
    }
    let missing = if lacks_seal {
        Some(NO_SEAL.to_owned())
    } else if !has_own {
        Some(without_signature(&run))
    } else if request.requirement() == Requirement::Attestation
        && report.valid_attestations().next().is_none()
    {
        Some("no attestation of the run satisfies the options".to_owned())
    } else {
        None
    };
    report.decide_by_all(missing);
    Ok(report)
}

/// Why a run has no signature among its annotations, and what to do.
fn without_signature(run: &Run<'_>) -> String {
    let metadata = run.metadata();
    let why = match metadata.annotation(annotation::SIGNED) {
        _ if metadata.uid.is_empty() => {
            "it has no uid, so it never was on a cluster; export it with kubectl get -o yaml"
        }
        Some("true") => {
            "it is marked as signed, so what was signed is in another store, such as a registry: verify \
             the images that it built, which `windlass explain` lists"
        }
        Some(_) => "signing it failed; `windlass resign` has it tried again",
        None => "it is not marked as signed; the controller signs it once it has ended",
    };
    let name = annotation::signature(&run.short_key());
    format!("the run has no signature of its own ({name}): {why}")
}

/// The seal of the run's mark. It names the run also where the format of the signed payload does not, and
/// that payload by its digest: a rightful seal on the content of another run proves nothing.
struct Sealed<'r> {
    /// None if the run has no seal: Chains writes none.
    verified: Option<Result<Seal<'r>, SealError>>,
    /// A payload of the run is not the one that the seal names.
    is_of_another: bool,
}

impl<'r> Sealed<'r> {
    fn of(run: &'r Run<'_>, request: &VerifyRequest) -> Self {
        let metadata = run.metadata();
        let has_seal = metadata.annotation(annotation::SEAL).is_some();
        let key = key_of_seal(run, request);
        Self {
            verified: has_seal.then(|| seal::verify(run.kind(), metadata, &key)),
            is_of_another: false,
        }
    }

    /// Whether the seal holds and is for this payload.
    fn covers(&mut self, payload: Option<&[u8]>) -> bool {
        let (Some(Ok(seal)), Some(payload)) = (&self.verified, payload) else {
            return false;
        };
        let covers = seal.is_of(payload);
        self.is_of_another |= !covers && seal.payload.is_some();
        covers
    }

    fn entry(&self) -> Option<Entry> {
        let outcome = match self.verified.as_ref()? {
            Ok(_) if self.is_of_another => Outcome::failed(
                "the seal is for another payload than the one on the run".to_owned(),
            ),
            Ok(_) => Outcome::default(),
            Err(error) => Outcome::failed(error.to_string()),
        };
        Some(Entry {
            kind: EntryKind::Seal,
            place: format!("annotation {}", annotation::SEAL),
            outcome,
            envelope: None,
            claims: None,
        })
    }
}

/// The key that made the seal: the one of whoever signed the run. That of a certificate counts only with
/// the run's own signature, without which nothing of a run is valid.
fn key_of_seal(run: &Run<'_>, request: &VerifyRequest) -> Option<PublicKey> {
    if let ExpectedSigner::Key(key, _) = &request.signer {
        return Some((**key).clone());
    }
    let name = annotation::certificate(&run.short_key());
    let pem = STANDARD.decode(run.metadata().annotation(&name)?).ok()?;
    let certificate = Certificate::from_pem(&pem).ok()?;
    Some(certificate.public_key().clone())
}

fn check(run: &Run<'_>, found: Found, request: &VerifyRequest) -> Entry {
    let Found {
        place,
        key,
        evidence,
    } = found;
    let mut entry = Entry {
        kind: EntryKind::Signature,
        place,
        outcome: Outcome::default(),
        envelope: None,
        claims: None,
    };
    let key = key.unwrap_or_default();
    match evidence {
        Evidence::Statement {
            envelope,
            payload,
            material,
        } => {
            entry.kind = EntryKind::Attestation;
            let signed = (&envelope, &material);
            entry.outcome = attestation(run, &key, signed, payload.as_deref(), request);
            entry.envelope = Some(envelope);
        }
        Evidence::Signature {
            payload,
            signature: bytes,
            material,
        } => {
            entry.outcome = match payload {
                None => Outcome::failed("the signed payload was not found on the run"),
                Some(payload) => {
                    let signed = (payload.as_slice(), bytes.as_slice(), &material);
                    signature(run, &key, signed, request)
                }
            };
        }
        Evidence::Damaged(why) => entry.outcome = Outcome::failed(why),
        Evidence::Other(media_type) => {
            entry.kind = EntryKind::Other;
            entry.outcome = Outcome::failed(media_type);
        }
    }
    entry
}

fn attestation(
    run: &Run<'_>,
    key: &str,
    (envelope, material): (&Envelope, &Material),
    stored: Option<&[u8]>,
    request: &VerifyRequest,
) -> Outcome {
    let expected = &request.expected;
    let mut outcome = request.signer.attestation(envelope, material, expected);
    let Ok(signed) = envelope.decode_payload() else {
        return outcome;
    };
    if stored.is_some_and(|stored| stored != signed) {
        let finding = "the payload annotation differs from the payload in the envelope";
        outcome.findings.push(finding.to_owned());
    }
    let is_of_image = outcome.predicate_type.as_deref() == Some(IMAGE_PREDICATE);
    if key == run.short_key() {
        compare(&mut outcome, verify::statement_of_run(run, &signed));
    } else if is_of_image {
        let image = verify::image_of_run(run, key, &signed);
        outcome.findings.extend(image.err());
    } else {
        outcome.findings.push(foreign(key));
    }
    outcome
}

/// A signature without an envelope: over the status of the run, in the format `tekton`, or over an
/// image that it built.
fn signature(
    run: &Run<'_>,
    key: &str,
    (payload, signature, material): (&[u8], &[u8], &Material),
    request: &VerifyRequest,
) -> Outcome {
    let signature = request.signer.message(payload, signature, material);
    if key != run.short_key() {
        let mut outcome = verify::image_payload(payload, signature, None);
        let image = verify::image_of_run(run, key, payload);
        outcome.findings.extend(image.err());
        outcome.references = verify::docker_reference(payload).into_iter().collect();
        return outcome;
    }
    let mut outcome = Outcome::default();
    outcome.findings.extend(signature.err());
    compare(&mut outcome, verify::status_of_run(run, payload));
    outcome
}

fn compare(outcome: &mut Outcome, comparison: Comparison) {
    let Comparison {
        findings,
        not_covered,
    } = comparison;
    outcome.findings.extend(findings);
    outcome.not_covered = not_covered;
}

fn foreign(key: &str) -> String {
    format!("the annotation is not about this run or an image of it, but about {key}")
}
