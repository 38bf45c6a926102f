//! The few fields of a run that lists show.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

/// A run without all that lists leave out.
#[derive(Debug, Deserialize)]
pub(crate) struct Summary {
    pub(crate) metadata: Metadata,
    #[serde(default, deserialize_with = "null_as_default")]
    pub(crate) status: Status,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) namespace: String,
    #[serde(default, deserialize_with = "null_as_default")]
    annotations: Marks,
}

/// The annotations that tell the state of the signature.
#[derive(Debug, Default, Deserialize)]
struct Marks {
    #[serde(rename = "chains.tekton.dev/signed")]
    signed: Option<String>,
    #[serde(rename = "chains.tekton.dev/retries")]
    retries: Option<String>,
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
    /// The run is marked as signed.
    Signed,
    /// Signing was given up.
    Failed,
    /// Signing failed and is tried again.
    Retrying,
    /// Nothing was written on the run.
    None,
}

impl Summary {
    /// How far its signature is.
    pub(crate) fn signature(&self) -> SignatureState {
        let marks = &self.metadata.annotations;
        match (marks.signed.as_deref(), &marks.retries) {
            (Some("true"), _) => SignatureState::Signed,
            (Some("failed"), _) => SignatureState::Failed,
            (_, Some(_)) => SignatureState::Retrying,
            (_, None) => SignatureState::None,
        }
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
    /// The state in a word, with the reason where it says more: `Failed(TaskRunTimeout)`.
    pub(crate) fn text(&self) -> String {
        let cancelled = matches!(
            self.reason.as_str(),
            "Cancelled" | "TaskRunCancelled" | "PipelineRunCancelled"
        );
        let state = match self.status.as_str() {
            _ if cancelled => "Cancelled",
            "True" => "Succeeded",
            "False" => "Failed",
            _ => "Running",
        };
        if self.reason.is_empty() || self.reason == state {
            return state.to_owned();
        }
        if self.reason == "Completed" {
            return self.reason.clone();
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
        assert_eq!(text("True", "Completed"), "Completed");
        assert_eq!(text("False", "TaskRunTimeout"), "Failed(TaskRunTimeout)");
        assert_eq!(
            text("False", "TaskRunCancelled"),
            "Cancelled(TaskRunCancelled)"
        );
        assert_eq!(text("Unknown", "Running"), "Running");
        assert_eq!(text("Unknown", ""), "Running");
    }

    #[test]
    fn the_names_of_the_marks_are_those_of_the_core() {
        use windlass_core::annotation::{RETRIES, SIGNED};
        let marks = serde_json::json!({ SIGNED: "failed", RETRIES: "3" });
        let marks: Marks = serde_json::from_value(marks).unwrap();
        assert_eq!(
            (marks.signed.as_deref(), marks.retries.as_deref()),
            (Some("failed"), Some("3"))
        );
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
