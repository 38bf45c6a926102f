//! What is to be recorded of a run, collected note by note.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use windlass_core::annotation;
use windlass_core::config::{Storage, StoreKind};
use windlass_core::error::Chain;
use windlass_core::retry::Retry;
use windlass_core::run::{Kind, Metadata};
use windlass_core::seal;
use windlass_core::signed::{Artifact, LogEntry, Signed};

use super::delivery::Delivery;
use super::progress::{Progress, is_unique, key};
use crate::store::run::{self as run_store, Annotations, TooLarge};
use crate::store::{Put, StoreError};

/// What came of a pass over a run.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// What goes into the annotations of the run.
    on_run: Vec<Arc<Signed>>,
    /// Signatures that cannot be made again and are not in every store yet.
    unique: Vec<Arc<Signed>>,
    /// What was left out, for the annotation that gives reasons.
    pub(crate) note: Option<String>,
    /// What could not be expressed in a payload, or is not stored though that is no failure.
    pub(crate) warnings: Vec<String>,
    failures: Vec<(Retry, String)>,
    /// Registry hosts that something goes to in a later pass.
    postponed: BTreeSet<String>,
    /// The digest of what was signed of the run itself, for the seal.
    pub(crate) payload: Option<String>,
    /// What has yet to be read back, and the signatures made so far.
    pub(crate) progress: Progress,
    after: Option<Duration>,
    is_anywhere: bool,
}

/// Whether everything that is enabled is done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// What can be done without these registry hosts is done.
    Postponed(BTreeSet<String>),
    /// Every step of every artifact is confirmed: the run may be marked.
    Complete,
    /// All is written; some of it has to be read back after this time.
    Confirm(Duration),
    /// Something is missing, for this reason. Some of the rest may have to be read back after a time.
    Incomplete {
        retry: Retry,
        reason: String,
        confirm: Option<Duration>,
    },
}

impl Record {
    pub(super) fn new(warnings: Vec<String>, storage: &Storage) -> Self {
        Self {
            warnings,
            progress: Progress::under(storage),
            ..Self::default()
        }
    }

    /// Takes in how it went with one artifact.
    pub(super) fn add(&mut self, delivery: Delivery) {
        let Delivery {
            signed,
            failed,
            unlogged,
            notes,
            postponed,
            warnings,
        } = delivery;
        self.warnings.extend(warnings);
        self.postpone(postponed);
        if let Some(error) = unlogged {
            let why = Chain(&error);
            self.warnings
                .push(format!("it has no entry in the transparency log: {why}"));
        }
        if let Some(error) = failed {
            self.fail(error.retry(), Chain(&error).to_string());
        }
        let Some(signed) = signed else {
            return;
        };
        self.progress.keep(&signed);
        if let Artifact::Run { .. } = signed.artifact {
            self.payload = Some(seal::payload_digest(&signed.payload.bytes));
        }
        if is_unique(&signed) {
            self.unique.push(Arc::clone(&signed));
        }
        for (store, note) in notes {
            self.note(&signed, store, note);
        }
    }

    /// Notes which hosts something goes to in a later pass.
    pub(super) fn postpone(&mut self, hosts: BTreeSet<String>) {
        self.postponed.extend(hosts);
    }

    fn note(&mut self, signed: &Arc<Signed>, store: StoreKind, note: Result<Put, StoreError>) {
        match note {
            Ok(Put::Nowhere) => return,
            Ok(Put::Present | Put::Stored) => self.progress.done(signed, store),
            Ok(Put::WithRecord) => self.on_run.push(Arc::clone(signed)),
            Ok(Put::Confirm(what)) => {
                self.after = self.after.max(Some(what.after()));
                self.progress.confirm(signed, store, what);
            }
            Err(error) => return self.fail(error.retry(), Chain(&error).to_string()),
        }
        self.is_anywhere = true;
    }

    pub(super) fn fail(&mut self, retry: Retry, reason: String) {
        // many artifacts fail for one reason
        if !self.failures.iter().any(|(_, other)| *other == reason) {
            self.failures.push((retry, reason));
        }
    }

    /// Says so where nothing at all had a place to be stored, and each warning once.
    pub(super) fn finish(&mut self, kind: Kind) {
        let mut seen = BTreeSet::new();
        self.warnings.retain(|warning| seen.insert(warning.clone()));
        if !self.is_anywhere && self.failures.is_empty() && self.postponed.is_empty() {
            let nothing = format!(
                "nothing was stored: the run names no image and `oci` is the only storage; add `tekton` \
                 to artifacts.{}.storage",
                kind.singular()
            );
            self.warnings.push(nothing.clone());
            self.note = Some(nothing);
        }
    }

    /// Adds what is missing from the run itself.
    pub(crate) fn incomplete(&mut self, what: Option<String>) {
        let Some(what) = what else {
            return;
        };
        let what = format!("incomplete: {what}");
        self.note = Some(match self.note.take() {
            Some(note) => format!("{what}; {note}"),
            None => what.clone(),
        });
        self.warnings.insert(0, what);
    }

    /// Whether the run may be marked.
    pub(crate) fn state(&self) -> State {
        // what failed besides is tried again in that pass
        if !self.postponed.is_empty() {
            return State::Postponed(self.postponed.clone());
        }
        if !self.failures.is_empty() {
            let retry = Retry::of_all(self.failures.iter().map(|(retry, _)| *retry));
            let reasons = self.failures.iter().map(|(_, reason)| reason.as_str());
            let reason = reasons.collect::<Vec<_>>().join("; ");
            let confirm = self.after;
            return State::Incomplete {
                retry,
                reason,
                confirm,
            };
        }
        match self.after {
            Some(after) => State::Confirm(after),
            None => State::Complete,
        }
    }

    /// The annotations of a complete record, and a note on what did not fit.
    pub(crate) fn annotations(
        &self,
        metadata: &Metadata<'_>,
    ) -> Result<(Annotations, Option<String>), TooLarge> {
        let (mut annotations, note) = run_store::annotations(&self.on_run, metadata)?;
        if let Some(entry) = self.entry_of_run() {
            annotations.insert(annotation::TRANSPARENCY.to_owned(), entry.url.clone());
        }
        let urls = self.unique.iter().filter_map(|signed| log_entry(signed));
        // that of the run itself first: nothing else has it
        let (own, images): (Vec<_>, Vec<_>) =
            self.unique.iter().partition(|signed| is_of_run(signed));
        let proofs = own.into_iter().chain(images);
        let proofs = proofs.filter_map(|signed| proof(signed));
        let each = urls.chain(proofs).map(|one| vec![one]);
        add_fitting(&mut annotations, each, metadata);
        Ok((annotations, note))
    }

    /// The entry that the annotation of Chains is about: that of the run's own provenance. In Chains it
    /// is the last one, whatever that is of.
    fn entry_of_run(&self) -> Option<&LogEntry> {
        let own = self.unique.iter().find(|signed| is_of_run(signed));
        let own = own.and_then(|signed| signed.entry.get());
        own.or_else(|| self.unique.iter().rev().find_map(|one| one.entry.get()))
    }

    /// The same of a record that is not complete, with the signatures that cannot be made again, so
    /// that the next pass finds them. Those that do not fit are left out, which costs another signature
    /// each unless a registry has it.
    pub(crate) fn annotations_in_part(
        &self,
        metadata: &Metadata<'_>,
    ) -> Result<Annotations, TooLarge> {
        let (mut annotations, _) = run_store::annotations(&self.on_run, metadata)?;
        let each = self.unique.iter();
        let signatures = each.clone().map(|signed| resumption(signed));
        let proofs = each.filter_map(|signed| proof(signed).map(|one| vec![one]));
        add_fitting(&mut annotations, signatures.chain(proofs), metadata);
        Ok(annotations)
    }

    /// Annotations that an earlier record in part may have left and a complete one does not have.
    pub(crate) fn leftovers(&self, annotations: &Annotations) -> Vec<String> {
        let names = self.unique.iter().flat_map(|signed| {
            let key = key(&signed.artifact, signed.payload.format);
            [
                annotation::signature(&key),
                annotation::log_entry(&key),
                annotation::proof(&key),
                annotation::certificate(&key),
            ]
        });
        names
            .filter(|name| !annotations.contains_key(name))
            .collect()
    }

    /// Names of the signatures that are stored on the run once the record is written.
    pub(crate) fn on_run(&self) -> impl Iterator<Item = String> {
        let keys = self.on_run.iter().map(|signed| signed.artifact.short_key());
        keys.map(annotation::signature)
    }
}

fn is_of_run(signed: &Signed) -> bool {
    matches!(signed.artifact, Artifact::Run { .. })
}

/// The annotation with the address of the log entry of an artifact.
fn log_entry(signed: &Signed) -> Option<(String, String)> {
    let entry = signed.entry.get()?;
    let key = key(&signed.artifact, signed.payload.format);
    Some((annotation::log_entry(&key), entry.url.clone()))
}

/// The annotation with the log entry and the timestamps of an artifact.
fn proof(signed: &Signed) -> Option<(String, String)> {
    signed.entry.get()?;
    let key = key(&signed.artifact, signed.payload.format);
    let proof = Value::Object(signed.stored_proof());
    Some((annotation::proof(&key), proof.to_string()))
}

/// What the next pass needs to go on with a signature that cannot be made again: itself, the certificate that it is
/// checked with, and the place of its entry. No part of it is of use without the others.
fn resumption(signed: &Signed) -> Vec<(String, String)> {
    let key = key(&signed.artifact, signed.payload.format);
    let text = STANDARD.encode(signed.signature_text());
    let mut parts = vec![(annotation::signature(&key), text)];
    let pem = signed.identity.certificate_pem();
    if !pem.is_empty() {
        parts.push((annotation::certificate(&key), STANDARD.encode(pem)));
    }
    parts.extend(log_entry(signed));
    parts
}

/// Adds annotations as long as they fit beside what the run has, those of a group together: what comes first is what
/// the next pass needs most.
fn add_fitting(
    annotations: &mut Annotations,
    groups: impl Iterator<Item = Vec<(String, String)>>,
    metadata: &Metadata<'_>,
) {
    let mut size = run_store::size_with(annotations, metadata);
    for group in groups {
        let new = group
            .iter()
            .filter(|(name, _)| !annotations.contains_key(name));
        let (mut more, mut replaced) = (0, 0);
        for (name, text) in new {
            more += name.len() + text.len();
            let old = metadata.annotation(name);
            replaced += old.map_or(0, |old| name.len() + old.len());
        }
        let with_it = (size + more).saturating_sub(replaced);
        if with_it <= annotation::TOTAL_SIZE_LIMIT {
            size = with_it;
            annotations.extend(group);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_nothing_is_stored_the_setting_of_this_kind_of_run_is_named() {
        for kind in Kind::ALL {
            let mut record = Record::new(Vec::new(), &Storage::default());
            record.finish(kind);
            let note = record.note.unwrap();
            let setting = format!("artifacts.{}.storage", kind.singular());
            assert!(note.ends_with(&setting), "{note}");
        }
    }
}
