//! The few fields of a run that lists show.

use std::fmt;

use jiff::Timestamp;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use windlass_core::annotation;
use windlass_core::seal;

/// A run without all that lists leave out.
#[derive(Debug, Deserialize)]
pub(crate) struct Summary {
    pub(crate) metadata: Metadata,
    #[serde(default, deserialize_with = "null_as_default")]
    pub(crate) status: Status,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Metadata {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) namespace: String,
    #[serde(default)]
    uid: String,
    #[serde(default, deserialize_with = "null_as_default")]
    annotations: Marks,
}

/// The annotations that tell the state of the signature.
#[derive(Debug, Default)]
struct Marks {
    signed: Option<String>,
    retries: Option<String>,
    seal: Option<String>,
    /// Keys of the artifacts whose signatures are on the run.
    signatures: Vec<String>,
}

impl<'de> Deserialize<'de> for Marks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;

        impl<'de> Visitor<'de> for Names {
            type Value = Marks;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("annotations")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Marks, A::Error> {
                let prefix = annotation::signature("");
                let mut marks = Marks::default();
                while let Some(name) = access.next_key::<String>()? {
                    match name.as_str() {
                        annotation::SIGNED => marks.signed = access.next_value()?,
                        annotation::RETRIES => marks.retries = access.next_value()?,
                        annotation::SEAL => marks.seal = access.next_value()?,
                        other => {
                            access.next_value::<IgnoredAny>()?;
                            let key = other.strip_prefix(&prefix);
                            marks.signatures.extend(key.map(str::to_owned));
                        }
                    }
                }
                Ok(marks)
            }
        }

        deserializer.deserialize_map(Names)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Status {
    pub(crate) start_time: Option<Timestamp>,
    pub(crate) completion_time: Option<Timestamp>,
    conditions: Option<Vec<Condition>>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct Condition {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) status: String,
    pub(crate) reason: String,
    pub(crate) message: String,
}

fn null_as_default<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Default + Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// How far a run's signature is, by its annotations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignatureState {
    /// The run is marked as signed, and its signature or the seal of the mark is on it.
    Signed,
    /// The run is marked as signed, which its author may have done.
    Marked,
    /// Signing was given up.
    Failed,
    /// Signing failed and is tried again.
    Retrying,
    /// Nothing was written on the run.
    None,
}

impl Summary {
    /// How far its signature is. Nothing is verified here, and who may patch the run can forge a trace
    /// of the controller. The author of a run can not: each trace has the uid, which a run gets when it
    /// is created. `managedFields` are no trace, since the author may write them.
    pub(crate) fn signature(&self) -> SignatureState {
        let marks = &self.metadata.annotations;
        match (marks.signed.as_deref(), &marks.retries) {
            (Some("true"), _) if self.has_traces() => SignatureState::Signed,
            (Some("true"), _) => SignatureState::Marked,
            (Some("failed"), _) => SignatureState::Failed,
            (_, Some(_)) => SignatureState::Retrying,
            (_, None) => SignatureState::None,
        }
    }
}

impl Summary {
    fn has_traces(&self) -> bool {
        let Metadata {
            uid, annotations, ..
        } = &self.metadata;
        let mut signatures = annotations.signatures.iter();
        let is_own = |key: &String| !uid.is_empty() && key.ends_with(uid.as_str());
        let seal = annotations.seal.as_deref();
        seal.is_some_and(|seal| seal::names(seal, uid)) || signatures.any(is_own)
    }
}

impl Status {
    /// The condition that decides: `Succeeded`, or the first where there is none of that type.
    pub(crate) fn condition(&self) -> Option<&Condition> {
        let conditions = self.conditions.as_deref().unwrap_or_default();
        conditions
            .iter()
            .find(|condition| condition.kind == "Succeeded")
            .or(conditions.first())
    }
}

impl Condition {
    /// The state in a word, with the reason where it says more: `Failed(TaskRunTimeout)`. The words are
    /// those of `tkn`.
    pub(crate) fn text(&self) -> String {
        let by_status = match self.status.as_str() {
            "True" => "Succeeded",
            "False" => "Failed",
            _ => "Running",
        };
        let state = match self.reason.as_str() {
            "Completed" if by_status == "Succeeded" => return by_status.to_owned(),
            "Cancelled" => return "Cancelled".to_owned(),
            "PipelineRunPending" => return "Pending".to_owned(),
            "TaskRunCancelled" | "PipelineRunCancelled" => "Cancelled",
            "TaskRunStopping" | "PipelineRunStopping" => "Failed",
            "CreateContainerConfigError" | "ExceededNodeResources" | "ExceededResourceQuota" => {
                "Pending"
            }
            _ => by_status,
        };
        if self.reason.is_empty() || self.reason == state {
            return state.to_owned();
        }
        format!("{state}({})", self.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(status: &str, reason: &str) -> String {
        let (status, reason) = (status.to_owned(), reason.to_owned());
        Condition {
            status,
            reason,
            ..Condition::default()
        }
        .text()
    }

    #[test]
    fn a_status_names_its_reason_only_where_it_says_more() {
        assert_eq!(text("True", "Succeeded"), "Succeeded");
        assert_eq!(text("True", "Completed"), "Succeeded");
        assert_eq!(text("False", "Completed"), "Failed(Completed)");
        assert_eq!(text("False", "TaskRunTimeout"), "Failed(TaskRunTimeout)");
        assert_eq!(
            text("False", "TaskRunCancelled"),
            "Cancelled(TaskRunCancelled)"
        );
        assert_eq!(text("Unknown", "Running"), "Running");
        assert_eq!(text("Unknown", ""), "Running");
    }

    #[test]
    fn a_reason_that_contradicts_the_status_is_shown_as_tkn_shows_it() {
        for (status, reason, expected) in [
            ("False", "Cancelled", "Cancelled"),
            (
                "False",
                "PipelineRunCancelled",
                "Cancelled(PipelineRunCancelled)",
            ),
            ("Unknown", "PipelineRunPending", "Pending"),
            (
                "Unknown",
                "PipelineRunStopping",
                "Failed(PipelineRunStopping)",
            ),
            ("Unknown", "TaskRunStopping", "Failed(TaskRunStopping)"),
            (
                "Unknown",
                "CreateContainerConfigError",
                "Pending(CreateContainerConfigError)",
            ),
            (
                "Unknown",
                "ExceededNodeResources",
                "Pending(ExceededNodeResources)",
            ),
            (
                "Unknown",
                "ExceededResourceQuota",
                "Pending(ExceededResourceQuota)",
            ),
            ("Unknown", "Started", "Running(Started)"),
            ("False", "PipelineRunTimeout", "Failed(PipelineRunTimeout)"),
        ] {
            assert_eq!(text(status, reason), expected);
        }
    }

    fn state(metadata: &serde_json::Value) -> SignatureState {
        let run = serde_json::json!({ "metadata": metadata });
        let run: Summary = serde_json::from_str(&run.to_string()).unwrap();
        run.signature()
    }

    #[test]
    fn a_mark_without_the_uid_beside_it_is_told_from_a_signature() {
        use serde_json::json;
        use windlass_core::annotation::{RETRIES, SEAL, SIGNED};
        let marked = |more: &str, value: &str| {
            let annotations = json!({ SIGNED: "true", more: value });
            state(&json!({ "name": "n", "uid": "u-1", "annotations": annotations }))
        };
        assert_eq!(marked("other", "x"), SignatureState::Marked);
        assert_eq!(
            marked("chains.tekton.dev/signature-taskrun-u-2", "x"),
            SignatureState::Marked
        );
        assert_eq!(
            marked("chains.tekton.dev/signature-taskrun-u-1", "x"),
            SignatureState::Signed
        );
        assert_eq!(marked(SEAL, "x"), SignatureState::Marked);
        assert_eq!(marked(SEAL, "SHA256:x MEUC u-2"), SignatureState::Marked);
        assert_eq!(marked(SEAL, "SHA256:x MEUC u-1"), SignatureState::Signed);
        let other = |name: &str, value: &str| {
            state(&json!({ "name": "n", "annotations": { name: value } }))
        };
        assert_eq!(other(SIGNED, "failed"), SignatureState::Failed);
        assert_eq!(other(RETRIES, "3"), SignatureState::Retrying);
    }

    #[test]
    fn nulls_are_read_as_absent() {
        let run: Summary = serde_json::from_str(
            r#"{"metadata":{"name":"x","annotations":null},"status":{"conditions":null}}"#,
        )
        .unwrap();
        assert_eq!(run.signature(), SignatureState::None);
        assert!(run.status.condition().is_none());
    }
}
