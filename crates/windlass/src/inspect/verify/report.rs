//! A verification report: each entry with its findings, and the verdict.

use serde_json::{Value, json};
use windlass_core::dsse::Envelope;
use windlass_core::run::Kind;
use windlass_core::verify::{Outcome, Story};

use super::ExpectedSigner;

/// Most characters of a text in a report: what is found in a registry may be of any length.
const LONGEST: usize = 1000;
/// Most valid attestations that are read for what they tell.
const MOST_READ: usize = 16;

/// What kind of thing an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntryKind {
    Signature,
    Attestation,
    /// The signature over the mark of a run.
    Seal,
    /// Nothing that is verified, such as a list of packages without signature.
    Other,
}

impl EntryKind {
    /// Its name in reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Attestation => "attestation",
            Self::Seal => "seal",
            Self::Other => "other",
        }
    }
}

/// Something that was found, and what is wrong with it.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) kind: EntryKind,
    /// Where it was found.
    pub(crate) place: String,
    /// What is wrong with it.
    pub(crate) outcome: Outcome,
    /// The envelope of an attestation.
    pub(crate) envelope: Option<Envelope>,
    /// What a valid signature of an image says, in the form of cosign's payload.
    pub(crate) claims: Option<Value>,
}

impl Entry {
    /// Whether it was verified, and is valid.
    pub(crate) fn is_valid(&self) -> bool {
        self.kind != EntryKind::Other && self.outcome.holds()
    }
}

/// What kind of thing can satisfy a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Requirement {
    /// A signature of the image, or what a run has.
    Signature,
    /// An attestation: the request is about what one says.
    Attestation,
}

impl Requirement {
    /// The kind of entry that can, and its name.
    fn kind(self) -> (EntryKind, &'static str) {
        match self {
            Self::Signature => (EntryKind::Signature, "image signature"),
            Self::Attestation => (EntryKind::Attestation, "attestation"),
        }
    }
}

/// All that was found, and what it comes to.
#[derive(Debug)]
pub(crate) struct Report {
    /// What was verified.
    pub(crate) target: String,
    /// The digest of an image.
    pub(crate) digest: Option<String>,
    /// Who has to have signed: fingerprint and algorithm of the key, or whom a certificate names.
    pub(crate) key: String,
    /// What was asked of logs.
    pub(crate) log: &'static str,
    pub(crate) entries: Vec<Entry>,
    /// What the first valid provenance tells, and where it was found.
    story: Option<(Story, String)>,
    /// How many attestations were read for that.
    read: usize,
    verdict: Result<(), String>,
}

impl Report {
    /// A report without entries; nothing is verified yet.
    pub(super) fn new(target: String, digest: Option<String>, signer: &ExpectedSigner) -> Self {
        Self {
            target,
            digest,
            key: signer.describe(),
            log: signer.log(),
            entries: Vec::new(),
            story: None,
            read: 0,
            verdict: Err("nothing was checked".to_owned()),
        }
    }

    /// Whether the target is verified; the error says why it is not.
    pub(crate) fn verdict(&self) -> Result<(), &str> {
        self.verdict.as_ref().copied().map_err(String::as_str)
    }

    /// Adds an entry, its texts cut where nobody reads on.
    pub(super) fn add(&mut self, mut entry: Entry) {
        let Outcome {
            predicate_type,
            findings,
            not_covered: _,
            attributions,
            references,
        } = &mut entry.outcome;
        let texts = predicate_type.iter_mut().chain(findings).chain(references);
        texts
            .chain(attributions.iter_mut().map(|one| &mut one.by))
            .for_each(cut);
        self.tell(&entry);
        self.entries.push(entry);
    }

    /// Keeps what a valid attestation tells, if it is the first, or that of a pipeline run beside that
    /// of one of its task runs.
    fn tell(&mut self, entry: &Entry) {
        let is_told = matches!(&self.story, Some((story, _)) if story.kind == Kind::Pipeline);
        let is_attestation = entry.kind == EntryKind::Attestation && entry.is_valid();
        if is_told || !is_attestation || self.read == MOST_READ {
            return;
        }
        let Some(envelope) = &entry.envelope else {
            return;
        };
        self.read += 1;
        let payload = envelope.decode_payload().unwrap_or_default();
        let Some(story) = Story::of(&payload) else {
            return;
        };
        if self.story.is_none() || story.kind == Kind::Pipeline {
            self.story = Some((story, entry.place.clone()));
        }
    }

    /// What was built, by what a valid provenance tells, and where that was found.
    pub(crate) fn story(&self) -> Option<(&Story, &str)> {
        let (story, place) = self.story.as_ref()?;
        Some((story, place))
    }

    /// The target is verified if one entry is valid that can satisfy the request.
    pub(super) fn decide_by_one(&mut self, requirement: Requirement) {
        let (kind, name) = requirement.kind();
        let candidates = || self.entries.iter().filter(|entry| entry.kind == kind);
        if candidates().any(Entry::is_valid) {
            self.verdict = Ok(());
            return;
        }
        let mut reason = match candidates().count() {
            0 => format!("no {name} was found"),
            count => format!("{count} found, but none is a valid {name}"),
        };
        if let (Requirement::Signature, Some(other)) = (requirement, self.valid_predicate()) {
            reason = format!("{reason}; an attestation is valid, and accepted with --type {other}");
        }
        self.verdict = Err(reason);
    }

    /// The predicate type of a valid attestation.
    fn valid_predicate(&self) -> Option<&str> {
        let mut valid = self.valid_attestations();
        valid.find_map(|entry| entry.outcome.predicate_type.as_deref())
    }

    /// The target is verified if all entries are valid and nothing is missing.
    pub(super) fn decide_by_all(&mut self, missing: Option<String>) {
        let broken = self.entries.iter().filter(|entry| !entry.outcome.holds());
        self.verdict = match (missing, broken.count()) {
            (Some(missing), _) => Err(missing),
            (None, 0) => Ok(()),
            (None, count) => Err(format!("{count} of {} are invalid", self.entries.len())),
        };
    }

    /// The attestations that are valid.
    pub(crate) fn valid_attestations(&self) -> impl Iterator<Item = &Entry> {
        let valid = self.entries.iter().filter(|entry| entry.is_valid());
        valid.filter(|entry| entry.kind == EntryKind::Attestation)
    }

    /// The report for programs.
    pub(crate) fn json(&self) -> Value {
        let entries = self.entries.iter().map(|entry| {
            let claims = entry.outcome.attributions.iter().map(|one| {
                json!({
                    "claim": one.claim,
                    "value": one.value,
                    "standing": one.standing.name(),
                    "by": one.by,
                })
            });
            json!({
                "kind": entry.kind.name(),
                "place": entry.place,
                "predicateType": entry.outcome.predicate_type,
                "references": entry.outcome.references,
                "claims": claims.collect::<Vec<_>>(),
                "verified": entry.is_valid(),
                "findings": entry.outcome.findings,
                "notCovered": entry.outcome.not_covered,
            })
        });
        json!({
            "target": self.target,
            "digest": self.digest,
            "key": self.key,
            "verified": self.verdict.is_ok(),
            "reason": self.verdict.as_ref().err(),
            "story": self.story.as_ref().map(|(story, _)| story.json()),
            "entries": entries.collect::<Vec<_>>(),
        })
    }
}

/// Cuts a text at [`LONGEST`].
fn cut(text: &mut String) {
    if let Some((at, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(at);
        text.shrink_to_fit();
        text.push('…');
    }
}

#[cfg(test)]
mod tests {
    use windlass_core::key::PrivateKey;

    use super::*;

    fn report(entries: &[(EntryKind, &[&str])]) -> Report {
        let key = PrivateKey::generate_p256(&[7; 32]).unwrap();
        let signer = ExpectedSigner::of_key(key.public_key());
        let mut report = Report::new("run".to_owned(), None, &signer);
        for (kind, findings) in entries {
            let findings = findings.iter().map(ToString::to_string);
            report.add(Entry {
                kind: *kind,
                place: "here".to_owned(),
                outcome: Outcome {
                    findings: findings.collect(),
                    ..Outcome::default()
                },
                envelope: None,
                claims: None,
            });
        }
        report
    }

    #[test]
    fn a_report_that_nobody_decided_verifies_nothing() {
        let report = report(&[(EntryKind::Signature, &[])]);
        assert_eq!(report.verdict(), Err("nothing was checked"));
    }

    #[test]
    fn a_signature_cannot_satisfy_a_request_for_an_attestation() {
        let mut report = report(&[
            (EntryKind::Signature, &[]),
            (EntryKind::Attestation, &["it is damaged"]),
        ]);
        report.decide_by_one(Requirement::Signature);
        assert_eq!(report.verdict(), Ok(()));
        report.decide_by_one(Requirement::Attestation);
        assert_eq!(
            report.verdict(),
            Err("1 found, but none is a valid attestation")
        );
        assert_eq!(report.valid_attestations().count(), 0);
    }

    #[test]
    fn a_valid_attestation_is_no_signature_of_an_image_and_the_flag_that_accepts_it_is_named() {
        let mut report = report(&[
            (EntryKind::Attestation, &[]),
            (EntryKind::Signature, &["it is damaged"]),
        ]);
        report.entries[0].outcome.predicate_type =
            Some("https://slsa.dev/provenance/v1".to_owned());
        report.decide_by_one(Requirement::Signature);
        assert_eq!(
            report.verdict(),
            Err(
                "1 found, but none is a valid image signature; an attestation is valid, and \
                 accepted with --type https://slsa.dev/provenance/v1"
            )
        );
    }

    #[test]
    fn one_invalid_entry_is_enough_where_all_have_to_be_valid() {
        let mut report = report(&[
            (EntryKind::Signature, &[]),
            (EntryKind::Signature, &["it is damaged"]),
        ]);
        report.decide_by_all(None);
        assert_eq!(report.verdict(), Err("1 of 2 are invalid"));
        assert_eq!(report.json()["entries"][0]["verified"], true);
        assert_eq!(report.json()["entries"][1]["verified"], false);
    }

    #[test]
    fn what_is_nothing_to_verify_is_never_valid() {
        let mut report = report(&[(EntryKind::Other, &[])]);
        report.decide_by_one(Requirement::Signature);
        let reason = "no image signature was found";
        assert_eq!(report.verdict(), Err(reason));
        assert_eq!(report.json()["entries"][0]["verified"], false);
    }
}
