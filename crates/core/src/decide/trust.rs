//! Which marks are believed.
//!
//! A mark is believed for one of two reasons:
//!
//! 1. It is sealed with the loaded key or a retired one, or with one that a known authority certified,
//!    see [`seal`].
//! 2. It is from the time before windlass signed in this cluster: the run was finished by
//!    then, and `managedFields` name the signing controller as the one who marked it. Who may patch a
//!    run can forge that, so it counts for runs of that time only.
//!
//! Every other mark is one that the author of a run wrote, and counts as none.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::annotation;
use crate::certificate::Authority;
use crate::key::PublicKey;
use crate::run::{Kind, Metadata};
use crate::seal::{self, Known, Seal, SealError};

/// What marks are judged by.
#[derive(Debug, Clone, Copy, Default)]
pub struct Trust<'t> {
    /// The keys that sign now: that of the secret and that of the key service, as far as they are
    /// loaded and something is signed with them.
    pub loaded: [Option<&'t PublicKey>; 2],
    /// The authority of a signer without a key of its own, if that signs now.
    pub authority: Option<&'t Authority>,
    /// Keys that signed earlier.
    pub retired: &'t [PublicKey],
    /// Authorities whose certificates signed earlier.
    pub authorities: &'t [Authority],
    /// When windlass first signed in this cluster. Unknown means that only seals count.
    pub since: Option<Timestamp>,
    /// Seals that need not be verified again.
    pub known: Option<&'t Known>,
}

impl Trust<'_> {
    /// Whether the mark of a run that ended at `completed` is believed. Cheap reasons come first: no
    /// signature is verified for a run without a mark, nor for one of the time before.
    pub fn believes(
        &self,
        kind: Kind,
        metadata: &Metadata<'_>,
        completed: Option<Timestamp>,
    ) -> bool {
        if metadata.annotation(annotation::SIGNED).is_none() {
            return false;
        }
        if self.is_from_before(metadata, completed) && is_marked_by_controller(metadata) {
            return true;
        }
        self.seal(kind, metadata, self.known).is_ok()
    }

    /// Whether the mark is sealed with a key that nobody here knows: of another controller, or of
    /// nobody.
    pub fn has_foreign_seal(&self, kind: Kind, metadata: &Metadata<'_>) -> bool {
        self.seal(kind, metadata, None) == Err(SealError::UnknownKey)
    }

    fn seal<'r>(
        &self,
        kind: Kind,
        metadata: &'r Metadata<'_>,
        known: Option<&Known>,
    ) -> Result<Seal<'r>, SealError> {
        let authorities = self.authority.into_iter().chain(self.authorities);
        seal::verify_by(kind, metadata, self.keys(), authorities, known)
    }

    fn keys(&self) -> impl Iterator<Item = &PublicKey> {
        self.loaded.into_iter().flatten().chain(self.retired)
    }

    fn is_from_before(&self, metadata: &Metadata<'_>, completed: Option<Timestamp>) -> bool {
        let Some(since) = self.since else {
            return false;
        };
        let created = metadata.creation_timestamp;
        created.is_some_and(|created| created < since)
            && completed.is_none_or(|completed| completed < since)
    }
}

fn is_marked_by_controller(metadata: &Metadata<'_>) -> bool {
    let managed_fields = metadata.managed_fields.map(RawValue::get);
    managed_fields.is_some_and(names_controller)
}

/// Whether `managedFields`, as JSON, name the signing controller as the one who marked the run.
fn names_controller(managed_fields: &str) -> bool {
    let entries: Vec<Entry<'_>> = serde_json::from_str(managed_fields).unwrap_or_default();
    entries.iter().any(|entry| {
        let marks = entry.fields.metadata.annotations.signed.is_some();
        marks && entry.manager == annotation::FIELD_MANAGER && entry.subresource.is_empty()
    })
}

/// An entry of `managedFields`, as far as it is about the mark.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry<'a> {
    #[serde(borrow)]
    manager: Cow<'a, str>,
    #[serde(borrow)]
    subresource: Cow<'a, str>,
    #[serde(rename = "fieldsV1")]
    fields: Fields,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Fields {
    #[serde(rename = "f:metadata")]
    metadata: MetadataFields,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct MetadataFields {
    #[serde(rename = "f:annotations")]
    annotations: AnnotationFields,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AnnotationFields {
    #[serde(rename = "f:chains.tekton.dev/signed")]
    signed: Option<IgnoredAny>,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::run::TaskRun;

    const SINCE: &str = "2026-01-02T00:00:00Z";

    fn marked(manager: &str, created: &str) -> Value {
        json!({ "metadata": {
            "name": "n", "uid": "u", "creationTimestamp": created,
            "annotations": { "chains.tekton.dev/signed": "true" },
            "managedFields": [
                { "manager": "controller", "fieldsV1": { "f:status": {} }, "subresource": "status" },
                { "manager": manager, "operation": "Apply", "fieldsV1": { "f:metadata": {
                    "f:annotations": { ".": {}, "f:chains.tekton.dev/signed": {} } } } },
            ],
        } })
    }

    fn believed(run: &Value, completed: &str) -> bool {
        let text = run.to_string();
        let run = TaskRun::parse(text.as_bytes()).unwrap();
        let trust = Trust {
            since: SINCE.parse().ok(),
            ..Trust::default()
        };
        trust.believes(Kind::Task, &run.metadata, completed.parse().ok())
    }

    #[test]
    fn the_names_in_managed_fields_are_those_of_the_mark() {
        assert_eq!(annotation::SIGNED, "chains.tekton.dev/signed");
    }

    #[test]
    fn a_mark_of_chains_counts_for_runs_that_ended_before_the_takeover() {
        let (before, after) = ("2026-01-01T00:00:00Z", "2026-01-03T00:00:00Z");
        let chains = "tekton-chains-controller";
        assert!(believed(&marked(chains, before), before));
        assert!(!believed(&marked(chains, before), after));
        assert!(!believed(&marked(chains, after), before));
        // the moment itself counts as after
        assert!(!believed(&marked(chains, before), SINCE));
    }

    #[test]
    fn the_mark_of_an_author_is_not_that_of_a_controller() {
        let before = "2026-01-01T00:00:00Z";
        for manager in [
            "kubectl-create",
            "controller",
            "tekton-chains-controller/finalizers",
            "",
        ] {
            assert!(!believed(&marked(manager, before), before), "{manager}");
        }
        let mut other = marked("kubectl-create", before);
        // the controller wrote something else
        other["metadata"]["managedFields"][0] = json!({
            "manager": "tekton-chains-controller",
            "fieldsV1": { "f:metadata": { "f:annotations": { "f:chains.tekton.dev/retries": {} } } },
        });
        assert!(!believed(&other, before));
        other["metadata"]["managedFields"] = json!("odd");
        assert!(!believed(&other, before));
    }
}
