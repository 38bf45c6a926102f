//! The verifier: judges a signature and what it comes with by a trusted root and a policy.
//!
//! Signatures by keys are checked by windlass first, whose keys are of more kinds than the library's;
//! the library then judges the log entry. A certificate is for the library alone.

use std::fmt;
use std::sync::OnceLock;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use sigstore_trust_root::TrustedRoot;
use sigstore_types::bundle::{Bundle, SignatureContent};
use sigstore_types::{
    Artifact, ArtifactDigest, DerPublicKey, HashAlgorithm, KindVersion, Sha256Hash, SignatureBytes,
    Statement, TimeRange,
};
use sigstore_verify::{
    Error, PublicKeyVerificationPolicy, VerificationPolicy, VerificationResult, Verifier as Library,
};
use windlass_core::dsse::{Envelope, pae};
use windlass_core::error::Chain;
use windlass_core::json::strict;
use windlass_core::key::PublicKey;
use windlass_core::verify::envelope_of_bundle;

use super::dated::{self, Dating};
use super::explain::Explanation;
use super::material::Material;
use super::own_log::{BySigner, WITHOUT_TIMESTAMP};
use super::policy::{Policy, Rule};
use super::signatory::Subject;
use super::signed::{Blob, MAX_ROOT, RootError, Signed, Who};
use super::trust::{Role, Trusted};
use super::{assembly, bundle, finding, known, named};

mod seal;

/// How the media type of every version of a trusted root begins.
const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.trustedroot";

/// What judges signatures by a trusted root.
pub(crate) struct Verifier {
    library: Library,
    root: TrustedRoot,
    policy: Policy,
    /// Made once it is needed; none if that is not possible.
    dating: OnceLock<Option<Dating>>,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

impl Verifier {
    /// Reads a trusted root, `trusted_root.json` of cosign and TUF.
    pub(crate) fn new(root: &[u8], policy: Policy) -> Result<Self, RootError> {
        let damaged = |why: String| RootError(format!("the trusted root is damaged: {why}"));
        if root.len() > MAX_ROOT {
            let found = root.len();
            return Err(damaged(format!(
                "it has {found} bytes, and at most {MAX_ROOT} are read"
            )));
        }
        let text = strict(root).map_err(|error| damaged(Chain(&error).to_string()))?;
        let root = TrustedRoot::from_json(text).map_err(|_| {
            damaged(
                "it is not the JSON of a Sigstore trusted root, or a key, certificate or validity in \
                 it is malformed"
                    .to_owned(),
            )
        })?;
        if !root.media_type.starts_with(MEDIA_TYPE) {
            return Err(damaged(format!(
                "it is other JSON: the mediaType of a trusted root begins with {MEDIA_TYPE}"
            )));
        }
        let library = Library::new(&root).map_err(|_| {
            damaged(
                "a key, certificate or validity in it is malformed, or a log is there twice"
                    .to_owned(),
            )
        })?;
        Ok(Self {
            library,
            root,
            policy,
            dating: OnceLock::new(),
        })
    }

    /// What has to vouch for a signature.
    pub(crate) fn policy(&self) -> Policy {
        self.policy
    }

    /// What the trusted root has.
    pub(crate) fn contents(&self) -> Vec<Trusted> {
        contents(&self.root)
    }

    /// Judges a signature that was found with an image, a run or in a file; the error is the finding.
    pub(crate) fn signed(
        &self,
        who: Who<'_>,
        signed: Signed<'_>,
        material: &Material,
    ) -> Result<Subject, String> {
        let mut of_envelope = None;
        let bundle = match (material, signed) {
            (Material::Bundle(text), _) => bundle::read(text)?,
            (Material::None, Signed::Envelope(_) | Signed::Message { .. }) => {
                return Err(match who {
                    Who::Key(_) => {
                        "it has no log entry; leave out --trusted-root, or add \
                                    --insecure-ignore-tlog, to do without"
                    }
                    Who::Certificate(_) => NO_CERTIFICATE,
                }
                .to_owned());
            }
            (Material::Annotated(annotated), Signed::Message { message, signature }) => {
                let content = assembly::message(signature, &Sha256::digest(message));
                assembly::bundle(who, content, annotated)?
            }
            (Material::Annotated(annotated), Signed::Envelope(envelope)) => {
                let content = assembly::envelope(envelope)?;
                let mut bundle = assembly::bundle(who, content, annotated)?;
                if !annotated.envelope.is_empty() {
                    of_envelope = dated::take_time(&mut bundle, &annotated.envelope, &self.root)?;
                }
                bundle
            }
        };
        match signed {
            Signed::Message { message, .. } => {
                self.judge(who, (&bundle, None), Artifact::Blob(message))
            }
            Signed::Envelope(envelope) => {
                is_same(envelope, &bundle)?;
                self.judge_envelope(who, bundle, of_envelope)
            }
        }
    }

    /// Judges the bundle of a file; the error is the finding.
    pub(crate) fn blob(
        &self,
        who: Who<'_>,
        text: &[u8],
        blob: Blob<'_>,
    ) -> Result<Subject, String> {
        let (bundle, signature) = of_file(who, text, blob)?;
        if let (Who::Key(key), Blob::Bytes(bytes)) = (who, blob) {
            own(key, bytes, &signature)?;
        }
        let artifact = match blob {
            Blob::Bytes(bytes) => Artifact::Blob(bytes),
            Blob::Digest(digest) => Artifact::from_digest(Sha256Hash::new(*digest)),
        };
        self.judge(who, (&bundle, None), artifact)
    }

    /// The envelope of a bundle, once it is judged; the error is the finding. Its statement may be about
    /// anything.
    pub(crate) fn envelope(&self, who: Who<'_>, text: &[u8]) -> Result<Envelope, String> {
        let bundle = bundle::read(text)?;
        let envelope = envelope_of_bundle(text)?;
        if let Who::Key(key) = who {
            envelope
                .verify(key)
                .map_err(|error| Chain(&error).to_string())?;
        }
        is_same(&envelope, &bundle)?;
        self.judge_envelope(who, bundle, None)?;
        Ok(envelope)
    }

    /// Judges an envelope, whatever its statement is about: that is compared elsewhere. A timestamp of all of
    /// it told a time that is not in the bundle.
    fn judge_envelope(
        &self,
        who: Who<'_>,
        mut bundle: Bundle,
        of_envelope: Option<Timestamp>,
    ) -> Result<Subject, String> {
        let SignatureContent::DsseEnvelope(envelope) = &bundle.content else {
            return Err("the bundle has no dsseEnvelope".to_owned());
        };
        if let Some(own) = own_subject(envelope.payload.as_bytes()) {
            return self.judge(who, (&bundle, of_envelope), Artifact::Digest(own));
        }
        let entries = &bundle.verification_material.tlog_entries;
        let is_hash = |kind: KindVersion| {
            matches!(
                kind,
                KindVersion::HashedRekordV001 | KindVersion::HashedRekordV002
            )
        };
        if !entries.iter().all(|entry| is_hash(entry.kind_version)) {
            return Err(WITHOUT_SUBJECT.to_owned());
        }
        // the library wants a subject; without one, the envelope is a signature over its encoding
        let message = pae(&envelope.payload_type, envelope.payload.as_bytes());
        let signature = envelope.signature.sig.as_bytes();
        bundle.content = assembly::message(signature, &Sha256::digest(&message));
        self.judge(who, (&bundle, of_envelope), Artifact::Blob(&message))
    }

    /// Judges a bundle, and where it is refused with entries or timestamps of strangers, without these.
    fn judge(
        &self,
        who: Who<'_>,
        (bundle, of_envelope): (&Bundle, Option<Timestamp>),
        artifact: Artifact<'_>,
    ) -> Result<Subject, String> {
        let judged = self.judge_whole(who, (bundle, of_envelope), artifact.clone());
        if judged.is_ok() {
            return judged;
        }
        match known::without_strangers(bundle, &self.root) {
            Some(known) => self.judge_whole(who, (&known, of_envelope), artifact),
            None => judged,
        }
    }

    fn judge_whole(
        &self,
        who: Who<'_>,
        (bundle, of_envelope): (&Bundle, Option<Timestamp>),
        artifact: Artifact<'_>,
    ) -> Result<Subject, String> {
        check_kind(who, bundle)?;
        let now = Timestamp::now();
        let explanation = Explanation {
            bundle,
            root: &self.root,
            of_envelope,
            now,
        };
        let explain = |error: Error| finding::of(&error, &explanation);
        if let (Who::Key(key), None) = (who, of_envelope)
            && let Some(own) = BySigner::beyond_library(key, bundle, &artifact)
        {
            for time in own.judge(self.policy, &explanation)? {
                not_in_the_future(time, now)?;
            }
            return Ok(Subject::default());
        }
        let is_unlogged = bundle.verification_material.tlog_entries.is_empty();
        let result = match of_envelope {
            Some(time) => {
                not_in_the_future(time, now)?;
                if !is_unlogged || self.policy.log != Rule::Waived {
                    let result = self.verify(who, bundle, artifact.clone());
                    self.check_times(bundle, &result.map_err(explain)?, of_envelope, now)?;
                }
                self.verify_at(time, who, bundle, artifact)
            }
            None => self.verify(who, bundle, artifact),
        };
        let result = result.map_err(explain)?;
        self.check_times(bundle, &result, of_envelope, now)?;
        match who {
            Who::Key(_) => Ok(Subject::default()),
            Who::Certificate(signatory) => {
                let leaf = bundle.signing_certificate();
                let subject = named::subject(result.certificate(), leaf);
                signatory.check(&subject)?;
                Ok(subject)
            }
        }
    }

    /// Has the library judge a bundle.
    fn verify(
        &self,
        who: Who<'_>,
        bundle: &Bundle,
        artifact: Artifact<'_>,
    ) -> Result<VerificationResult, Error> {
        self.verify_by(&self.library, who, (bundle, self.policy.log), artifact)
    }

    fn verify_by(
        &self,
        library: &Library,
        who: Who<'_>,
        (bundle, log): (&Bundle, Rule),
        artifact: Artifact<'_>,
    ) -> Result<VerificationResult, Error> {
        match who {
            Who::Key(key) => {
                let mut policy =
                    PublicKeyVerificationPolicy::new(DerPublicKey::from_bytes(key.der()));
                if log == Rule::Waived {
                    policy = policy.skip_tlog_unsafe();
                }
                library.verify(artifact, bundle, &policy)
            }
            Who::Certificate(_) => {
                let mut policy = VerificationPolicy::any_identity();
                if log == Rule::Waived {
                    policy = policy.skip_tlog_unsafe();
                }
                if self.policy.sct == Rule::Waived {
                    policy = policy.skip_sct();
                }
                library.verify(artifact, bundle, &policy)
            }
        }
    }

    /// Has the library judge a bundle at a time that has been checked, without its log entries.
    fn verify_at(
        &self,
        time: Timestamp,
        who: Who<'_>,
        bundle: &Bundle,
        artifact: Artifact<'_>,
    ) -> Result<VerificationResult, Error> {
        let dating = self.dating.get_or_init(|| Dating::new(&self.root));
        let dated = dating
            .as_ref()
            .and_then(|dating| Some((dating, dating.at(who, bundle, time)?)));
        let Some((dating, dated)) = dated else {
            return Err(Error::InvalidBundle(String::new()));
        };
        self.verify_by(&dating.library, who, (&dated, Rule::Waived), artifact)
    }

    fn check_times(
        &self,
        bundle: &Bundle,
        result: &VerificationResult,
        of_envelope: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), String> {
        let times = result.verified_timestamps().iter().copied();
        for time in times.chain(of_envelope) {
            not_in_the_future(time, now)?;
        }
        let stamps = &bundle.verification_material.timestamp_verification_data;
        let has_none = stamps.rfc3161_timestamps.is_empty() && of_envelope.is_none();
        if self.policy.timestamp == Rule::Required && has_none {
            return Err(WITHOUT_TIMESTAMP.to_owned());
        }
        Ok(())
    }
}

fn not_in_the_future(time: Timestamp, now: Timestamp) -> Result<(), String> {
    if time > now {
        return Err(format!("it was signed at {time}, which is in the future"));
    }
    Ok(())
}

fn contents(root: &TrustedRoot) -> Vec<Trusted> {
    let of = |role, name: String, valid_for: Option<TimeRange>| Trusted {
        role,
        name,
        from: valid_for.map(|range| range.start),
        until: valid_for.and_then(|range| range.end),
    };
    let authorities = root.certificate_authorities.iter();
    let authorities = authorities.map(|one| of(Role::Authority, one.uri.clone(), one.valid_for));
    let certificate_logs = root.ctlogs.iter();
    let certificate_logs = certificate_logs.map(|one| {
        let valid_for = one.public_key.valid_for;
        of(Role::CertificateLog, one.base_url.clone(), valid_for)
    });
    let logs = root.tlogs.iter();
    let logs = logs.map(|one| of(Role::Log, one.base_url.clone(), one.public_key.valid_for));
    let stamps = root.timestamp_authorities.iter().map(|one| {
        let names = [
            &one.uri,
            &one.subject.common_name,
            &one.subject.organization,
        ];
        let name = names.into_iter().flatten().next().cloned();
        let name = name.unwrap_or_else(|| "unnamed".to_owned());
        of(Role::TimestampAuthority, name, one.valid_for)
    });
    let all = authorities
        .chain(certificate_logs)
        .chain(logs)
        .chain(stamps);
    all.collect()
}

/// Whether a bundle is signed with what is expected, a key or a certificate.
fn check_kind(who: Who<'_>, bundle: &Bundle) -> Result<(), String> {
    match (who, bundle.signing_certificate()) {
        (Who::Key(_), Some(_)) => Err(
            "it has a certificate and is not signed with a key; give the name with \
             --certificate-identity and --certificate-oidc-issuer in place of --key"
                .to_owned(),
        ),
        (Who::Certificate(_), None) => Err(NO_CERTIFICATE.to_owned()),
        _ => Ok(()),
    }
}

/// Checks the bundle of a file by its signature alone, with a key; the error is the finding.
pub(crate) fn blob_by_key(key: &PublicKey, text: &[u8], blob: Blob<'_>) -> Result<(), String> {
    let (_, signature) = of_file(Who::Key(key), text, blob)?;
    let Blob::Bytes(bytes) = blob else {
        return Err("a digest is not enough without a log entry; give the file".to_owned());
    };
    own(key, bytes, &signature)
}

/// The bundle of a file and the signature in it, in the form of Sigstore or in that of cosign 2.
fn of_file(who: Who<'_>, text: &[u8], blob: Blob<'_>) -> Result<(Bundle, SignatureBytes), String> {
    if let Some((signature, annotated)) = assembly::local(text) {
        let content = match blob {
            Blob::Bytes(bytes) => assembly::message(&signature, &Sha256::digest(bytes)),
            Blob::Digest(digest) => assembly::message(&signature, digest),
        };
        let bundle = assembly::bundle(who, content, &annotated)?;
        return Ok((bundle, SignatureBytes::new(signature)));
    }
    let bundle = bundle::read(text)?;
    match &bundle.content {
        SignatureContent::MessageSignature(message) => {
            let signature = message.signature.clone();
            Ok((bundle, signature))
        }
        _ => Err(ATTESTATION.to_owned()),
    }
}

/// What is said of an envelope in a log of version 1 whose statement is about nothing.
const WITHOUT_SUBJECT: &str = "its statement has no subject, and such a statement cannot be judged by an \
                               entry of version 1, which is of an envelope; log to Rekor version 2, or add \
                               --insecure-ignore-tlog to do without where it is signed with a key";

/// What is said of a signature without a certificate where one is expected.
const NO_CERTIFICATE: &str = "it has no certificate: it is signed with a key; give that with --key";

/// What is said of a bundle with an envelope where one of a file is expected.
const ATTESTATION: &str =
    "the bundle has an attestation; check it with `windlass verify-blob-attestation`";

/// Checks the signature of a key over some bytes.
fn own(key: &PublicKey, message: &[u8], signature: &SignatureBytes) -> Result<(), String> {
    let checked = key.verify(message, signature.as_bytes());
    checked.map(drop).map_err(|error| Chain(&error).to_string())
}

/// Whether the library reads the envelope that windlass reads.
fn is_same(envelope: &Envelope, bundle: &Bundle) -> Result<(), String> {
    let SignatureContent::DsseEnvelope(read) = &bundle.content else {
        return Err("the bundle has no dsseEnvelope".to_owned());
    };
    let payload = envelope.decode_payload().unwrap_or_default();
    if payload != read.payload.as_bytes() || envelope.payload_type != read.payload_type {
        return Err("the envelope of the bundle can be read in two ways".to_owned());
    }
    Ok(())
}

/// A digest that the statement itself is about.
fn own_subject(statement: &[u8]) -> Option<ArtifactDigest> {
    let statement: Statement = serde_json::from_slice(statement).ok()?;
    statement.subject.iter().find_map(|subject| {
        let digest = &subject.digest;
        let sha256 = digest.sha256.as_ref().map(ArtifactDigest::from);
        sha256.or_else(|| {
            let sha512 = digest.sha512.as_ref()?.as_bytes().to_vec();
            ArtifactDigest::new(HashAlgorithm::Sha2512, sha512).ok()
        })
    })
}
