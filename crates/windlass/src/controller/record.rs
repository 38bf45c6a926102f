//! The one patch that records an outcome, the patch that adds the finalizer, and how they end.
//!
//! One JSON merge patch writes payloads, signatures and the mark, and removes the finalizer: all of
//! it or nothing. The patch carries the uid and the version of the run it was made from.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::Bytes;
use kube::Client;
use serde::Serialize;
use serde_json::json;
use windlass_core::annotation;
use windlass_core::decide::next_retries;
use windlass_core::run::Metadata;

use crate::cluster::call::{APPLY_PATCH, Call, CallError, MERGE_PATCH, ROW, WITHOUT_OBJECT};
use crate::cluster::runs::{RunId, RunKind};
use crate::store::run::Annotations;

/// A change to the metadata of a run.
#[derive(Debug, Serialize)]
pub(crate) struct Change<'a> {
    metadata: Patch<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Patch<'a> {
    uid: &'a str,
    resource_version: &'a str,
    /// `None` removes an annotation.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<&'a str, Option<Cow<'a, str>>>,
    /// All finalizers that stay; absent when none of ours is to be removed. A merge patch
    /// replaces the whole list, which the version makes safe.
    #[serde(skip_serializing_if = "Option::is_none")]
    finalizers: Option<Vec<&'a str>>,
}

impl<'a> Change<'a> {
    /// Takes the finalizer off.
    pub(crate) fn release(kind: RunKind, metadata: &'a Metadata<'_>) -> Self {
        Self::new(metadata, Finalizer::Remove(kind))
    }

    /// Takes off what says that the run is recorded.
    pub(crate) fn unmarked(metadata: &'a Metadata<'_>) -> Self {
        let mut change = Self::new(metadata, Finalizer::Keep);
        for name in [
            annotation::SIGNED,
            annotation::SEAL,
            annotation::RETRIES,
            annotation::REASON,
        ] {
            change.drop_annotation(metadata, name);
        }
        change
    }

    /// Records what was signed, with a note on what was left out, under a sealed mark.
    pub(crate) fn signed(
        kind: RunKind,
        metadata: &'a Metadata<'_>,
        annotations: &'a Annotations,
        note: Option<&str>,
        seal: &'a str,
    ) -> Self {
        let mut change = Self::new(metadata, Finalizer::Remove(kind));
        for (name, value) in annotations {
            change.annotate(name, value.as_str());
        }
        change.annotate(annotation::SIGNED, "true");
        change.annotate(annotation::SEAL, seal);
        match note {
            Some(note) => change.annotate(annotation::REASON, annotation::reason(note)),
            // the reason of an earlier delay is no longer true
            None => change.drop_annotation(metadata, annotation::REASON),
        }
        change
    }

    /// Records what could be made so far; nothing went wrong, and the rest goes to registries next.
    pub(crate) fn begun(metadata: &'a Metadata<'_>, annotations: &'a Annotations) -> Self {
        let mut change = Self::new(metadata, Finalizer::Keep);
        // a mark that it carries is one that nobody believed
        change.drop_annotation(metadata, annotation::SIGNED);
        for (name, value) in annotations {
            change.annotate(name, value.as_str());
        }
        change
    }

    /// Records what could be made and why that is not all; the run stays unmarked and protected.
    pub(crate) fn in_part(
        metadata: &'a Metadata<'_>,
        annotations: &'a Annotations,
        reason: &'a str,
    ) -> Self {
        let mut change = Self::held(metadata, reason);
        for (name, value) in annotations {
            change.annotate(name, value.as_str());
        }
        change
    }

    /// Records why the run is not signed yet. A mark that it carries is one that nobody believed.
    pub(crate) fn held(metadata: &'a Metadata<'_>, reason: &'a str) -> Self {
        let retries = next_retries(metadata.annotation(annotation::RETRIES));
        let mut change = Self::new(metadata, Finalizer::Keep);
        change.drop_annotation(metadata, annotation::SIGNED);
        change.annotate(annotation::RETRIES, retries.to_string());
        change.annotate(annotation::REASON, reason);
        change
    }

    /// Records what the run waits for; nothing went wrong.
    pub(crate) fn waiting(metadata: &'a Metadata<'_>, reason: &'a str) -> Self {
        let mut change = Self::new(metadata, Finalizer::Keep);
        change.drop_annotation(metadata, annotation::SIGNED);
        change.annotate(annotation::REASON, reason);
        change
    }

    /// Records why the run will never be signed, under a sealed mark.
    pub(crate) fn failed(
        kind: RunKind,
        metadata: &'a Metadata<'_>,
        reason: &'a str,
        seal: &'a str,
    ) -> Self {
        let mut change = Self::new(metadata, Finalizer::Remove(kind));
        change.annotate(annotation::SIGNED, "failed");
        change.annotate(annotation::SEAL, seal);
        change.annotate(annotation::REASON, reason);
        change
    }

    /// Removes annotations as well, where the run carries them.
    pub(crate) fn remove(&mut self, metadata: &'a Metadata<'_>, names: &'a [String]) {
        for name in names {
            self.drop_annotation(metadata, name);
        }
    }

    fn drop_annotation(&mut self, metadata: &Metadata<'_>, name: &'a str) {
        if metadata.annotation(name).is_some() {
            self.metadata.annotations.insert(name, None);
        }
    }

    /// The patch as it is sent. Nothing of it can fail to become JSON, and the API server refuses an empty one.
    fn body(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    fn new(metadata: &'a Metadata<'_>, finalizer: Finalizer) -> Self {
        let finalizers = match finalizer {
            Finalizer::Remove(kind) if kind.is_protected(metadata) => Some(
                metadata
                    .finalizers
                    .iter()
                    .filter(|name| !kind.owns_finalizer(name))
                    .map(|name| &**name)
                    .collect(),
            ),
            Finalizer::Remove(_) | Finalizer::Keep => None,
        };
        Self {
            metadata: Patch {
                uid: &metadata.uid,
                resource_version: &metadata.resource_version,
                annotations: BTreeMap::new(),
                finalizers,
            },
        }
    }

    fn annotate(&mut self, name: &'a str, value: impl Into<Cow<'a, str>>) {
        self.metadata.annotations.insert(name, Some(value.into()));
    }
}

#[derive(Debug, Clone, Copy)]
enum Finalizer {
    Keep,
    Remove(RunKind),
}

/// How many of these annotations the run does not carry yet.
pub(crate) fn new_ones(
    metadata: &Metadata<'_>,
    annotations: &Annotations,
    names: impl Iterator<Item = String>,
) -> u64 {
    let new = names.filter(|name| {
        let value = annotations.get(name).map(String::as_str);
        metadata.annotation(name) != value
    });
    new.fold(0, |count, _| count + 1)
}

/// Whether the run carries this record in part, with this reason, already.
pub(crate) fn is_recorded(
    metadata: &Metadata<'_>,
    annotations: &Annotations,
    reason: &str,
) -> bool {
    metadata.annotation(annotation::REASON) == Some(reason) && has_all(metadata, annotations)
}

/// Whether the run carries all of these annotations.
pub(crate) fn has_all(metadata: &Metadata<'_>, annotations: &Annotations) -> bool {
    let mut each = annotations.iter();
    each.all(|(name, value)| metadata.annotation(name) == Some(value.as_str()))
}

/// The server-side apply that adds the finalizer, in Chains' form.
fn finalizer_apply(kind: RunKind, metadata: &Metadata<'_>) -> Vec<u8> {
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

/// Why a write did not take place.
#[derive(Debug)]
pub(crate) enum WriteError {
    /// The run is gone.
    Gone,
    /// The run is not what it was.
    Changed,
    /// The run would be larger than the API server allows, which no repetition changes.
    TooLarge(String),
    Failed(CallError),
}

/// Makes a change, unless the run is no longer what the change was made from.
pub(crate) async fn write(
    client: &Client,
    id: &RunId,
    change: &Change<'_>,
) -> Result<(), WriteError> {
    // what the run is then need not be encoded and sent: the watch shows it
    let call = patch(id, change, &[WITHOUT_OBJECT]).accept(ROW);
    ended(call.send(client).await).map(drop)
}

/// The same, and gives the metadata of the run as it is then.
pub(crate) async fn write_and_read(
    client: &Client,
    id: &RunId,
    change: &Change<'_>,
) -> Result<Bytes, WriteError> {
    ended(patch(id, change, &[]).send(client).await)
}

fn patch<'a>(id: &RunId, change: &Change<'_>, more: &[(&str, &str)]) -> Call<'a> {
    let manager = ("fieldManager", annotation::FIELD_MANAGER);
    let uri = id.path().query(&[&[manager], more].concat());
    let action = format!("write the record of {id}");
    Call::patch(action, uri, MERGE_PATCH, change.body())
}

/// Adds the finalizer.
pub(crate) async fn protect(
    client: &Client,
    id: &RunId,
    metadata: &Metadata<'_>,
) -> Result<(), WriteError> {
    let manager = ("fieldManager", annotation::FINALIZER_FIELD_MANAGER);
    let uri = id
        .path()
        .query(&[manager, ("force", "false"), WITHOUT_OBJECT]);
    let body = finalizer_apply(id.kind, metadata);
    let call = Call::patch(format!("add the finalizer to {id}"), uri, APPLY_PATCH, body);
    ended(call.accept(ROW).send(client).await).map(drop)
}

/// How a write ended.
fn ended(response: Result<Bytes, CallError>) -> Result<Bytes, WriteError> {
    let error = match response {
        Ok(written) => return Ok(written),
        Err(error) => error,
    };
    let CallError::Refused {
        status, message, ..
    } = &error
    else {
        return Err(WriteError::Failed(error));
    };
    let lower = message.to_lowercase();
    Err(match status {
        404 => WriteError::Gone,
        409 => WriteError::Changed,
        422 if lower.contains("uid") && lower.contains("immutable") => WriteError::Gone,
        413 | 422 | 500 if lower.contains("too long") || lower.contains("too large") => {
            WriteError::TooLarge(error.to_string())
        }
        _ => WriteError::Failed(error),
    })
}
