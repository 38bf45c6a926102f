//! The one patch that records an outcome, and the patch that adds the finalizer.
//!
//! Everything that is recorded of a run, payloads, signatures, the mark and the finalizer's removal,
//! is in one JSON merge patch: it lands as a whole or not at all. The patch carries the uid and the
//! version of the run it was made from.

use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;
use windlass_core::annotation;
use windlass_core::run::{Metadata, Run, Text};

use crate::cluster::runs::RunKind;
use crate::pipeline::Record;

/// A change to the metadata of a run.
#[derive(Debug, Serialize)]
pub(crate) struct Change {
    metadata: Patch,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Patch {
    uid: String,
    resource_version: String,
    /// `None` removes an annotation.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, Option<String>>,
    /// All finalizers that stay; absent when none of ours is to be removed. A merge patch
    /// replaces the whole list, which the version makes safe.
    #[serde(skip_serializing_if = "Option::is_none")]
    finalizers: Option<Vec<String>>,
}

impl Change {
    /// Takes the finalizer off.
    pub(crate) fn release(kind: RunKind, metadata: &Metadata<'_>) -> Self {
        Self::new(metadata, Finalizer::Remove(kind))
    }

    /// Takes off what says that the run is recorded.
    pub(crate) fn unmarked(metadata: &Metadata<'_>) -> Self {
        let mut change = Self::new(metadata, Finalizer::Keep);
        for name in [annotation::SIGNED, annotation::RETRIES, annotation::REASON] {
            if value_of(metadata, name).is_some() {
                change.metadata.annotations.insert(name.to_owned(), None);
            }
        }
        change
    }

    /// Records what was signed.
    pub(crate) fn signed(kind: RunKind, metadata: &Metadata<'_>, record: &Record) -> Self {
        let mut change = Self::new(metadata, Finalizer::Remove(kind));
        for (name, value) in &record.annotations {
            change.annotate(name, value);
        }
        change.annotate(annotation::SIGNED, "true");
        match &record.note {
            Some(note) => change.annotate(annotation::REASON, &annotation::reason(note)),
            // the reason of an earlier delay is no longer true
            None if value_of(metadata, annotation::REASON).is_some() => {
                change
                    .metadata
                    .annotations
                    .insert(annotation::REASON.to_owned(), None);
            }
            None => {}
        }
        change
    }

    /// Records what could be made and why that is not all; the run stays unmarked and protected.
    pub(crate) fn in_part(
        metadata: &Metadata<'_>,
        record: &Record,
        retries: u8,
        reason: &str,
    ) -> Self {
        let mut change = Self::held(metadata, retries, reason);
        for (name, value) in &record.annotations {
            change.annotate(name, value);
        }
        change
    }

    /// Records why the run is not signed yet.
    pub(crate) fn held(metadata: &Metadata<'_>, retries: u8, reason: &str) -> Self {
        let mut change = Self::new(metadata, Finalizer::Keep);
        change.annotate(annotation::RETRIES, &retries.to_string());
        change.annotate(annotation::REASON, reason);
        change
    }

    /// Records what the run waits for; nothing went wrong.
    pub(crate) fn waiting(metadata: &Metadata<'_>, reason: &str) -> Self {
        let mut change = Self::new(metadata, Finalizer::Keep);
        change.annotate(annotation::REASON, reason);
        change
    }

    /// Records why the run will never be signed.
    pub(crate) fn failed(kind: RunKind, metadata: &Metadata<'_>, reason: &str) -> Self {
        let mut change = Self::new(metadata, Finalizer::Remove(kind));
        change.annotate(annotation::SIGNED, "failed");
        change.annotate(annotation::REASON, reason);
        change
    }

    /// The patch as it is sent.
    pub(crate) fn body(&self) -> Vec<u8> {
        json!(self).to_string().into_bytes()
    }

    fn new(metadata: &Metadata<'_>, finalizer: Finalizer) -> Self {
        let finalizers = match finalizer {
            Finalizer::Remove(kind) if kind.is_protected(metadata) => Some(
                metadata
                    .finalizers
                    .iter()
                    .filter(|name| !kind.owns_finalizer(name))
                    .map(ToString::to_string)
                    .collect(),
            ),
            Finalizer::Remove(_) | Finalizer::Keep => None,
        };
        Self {
            metadata: Patch {
                uid: metadata.uid.to_string(),
                resource_version: metadata.resource_version.to_string(),
                annotations: BTreeMap::new(),
                finalizers,
            },
        }
    }

    fn annotate(&mut self, name: &str, value: &str) {
        self.metadata
            .annotations
            .insert(name.to_owned(), Some(value.to_owned()));
    }
}

#[derive(Debug, Clone, Copy)]
enum Finalizer {
    Keep,
    Remove(RunKind),
}

/// Value of an annotation of the run.
pub(crate) fn value_of<'m>(metadata: &'m Metadata<'_>, name: &str) -> Option<&'m str> {
    metadata.annotations.get(name).map(Text::as_str)
}

/// Bytes of the annotations that stay beside what will be recorded: keys and values.
pub(crate) fn size_besides(run: &Run<'_>) -> usize {
    // an earlier record of the same run is replaced, not added to
    let (key, metadata) = (run.short_key(), run.metadata());
    let replaced = [
        annotation::payload(&key),
        annotation::signature(&key),
        annotation::certificate(&key),
        annotation::chain(&key),
        annotation::REASON.to_owned(),
    ];
    let stays = metadata
        .annotations
        .iter()
        .filter(|(name, _)| !replaced.iter().any(|other| *other == ***name));
    stays
        .map(|(name, value)| name.len() + value.len())
        .sum::<usize>()
        + MARKS
}

/// Whether the run carries this record in part, with this reason, already.
pub(crate) fn is_recorded(metadata: &Metadata<'_>, record: &Record, reason: &str) -> bool {
    let found = |name: &str| value_of(metadata, name);
    found(annotation::REASON) == Some(reason)
        && record
            .annotations
            .iter()
            .all(|(name, value)| found(name) == Some(value.as_str()))
}

/// Room for the mark, the retry counter and a reason.
const MARKS: usize = 1024;

/// The server-side apply that adds the finalizer, in the reference's form.
pub(crate) fn finalizer_apply(kind: RunKind, metadata: &Metadata<'_>) -> Vec<u8> {
    json!({
        "apiVersion": "tekton.dev/v1",
        "kind": kind.name(),
        "metadata": {
            "finalizers": [kind.finalizer()],
            "name": &*metadata.name,
            "namespace": &*metadata.namespace,
            "uid": &*metadata.uid,
        },
    })
    .to_string()
    .into_bytes()
}
