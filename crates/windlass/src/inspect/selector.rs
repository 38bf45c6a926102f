//! What a person types to name a run: `build`, `taskrun/build`, `pr/release`.

use std::fmt;
use std::str::FromStr;

use windlass_core::run::Kind;

/// A run by name, perhaps of one kind only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunSelector {
    pub(crate) kind: Option<Kind>,
    pub(crate) name: String,
}

/// Why a text names no run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SelectorError {
    /// Nothing follows the kind.
    #[error("the name is missing")]
    NoName,
    /// What stands before the name is something else.
    #[error("{0:?} is no kind of run; use taskrun (tr) or pipelinerun (pr)")]
    Kind(String),
}

impl FromStr for RunSelector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        let (kind, name) = match text.split_once('/') {
            Some((word, name)) => (Some(kind_of(word)?), name),
            None => (None, text),
        };
        if name.is_empty() {
            return Err(SelectorError::NoName);
        }
        let name = name.to_owned();
        Ok(Self { kind, name })
    }
}

impl fmt::Display for RunSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Some(kind) => write!(f, "{}/{}", kind.singular(), self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// The kind that a word names as `kubectl` reads it: singular, plural or short, with or without
/// version and group.
pub(crate) fn kind_of(word: &str) -> Result<Kind, SelectorError> {
    let lower = word.to_ascii_lowercase();
    let (resource, group) = lower.split_once('.').unwrap_or((&lower, "tekton.dev"));
    let is_known_group = group == "tekton.dev" || group.ends_with(".tekton.dev");
    match resource {
        "taskrun" | "taskruns" | "tr" | "trs" if is_known_group => Ok(Kind::Task),
        "pipelinerun" | "pipelineruns" | "pr" | "prs" if is_known_group => Ok(Kind::Pipeline),
        _ => Err(SelectorError::Kind(word.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_named_as_kubectl_names_it() {
        for text in [
            "taskrun/a",
            "tr/a",
            "taskruns/a",
            "TaskRun/a",
            "taskrun.tekton.dev/a",
            "taskruns.v1.tekton.dev/a",
        ] {
            let selector = RunSelector::from_str(text).unwrap();
            assert_eq!(
                (selector.kind, selector.name.as_str()),
                (Some(Kind::Task), "a")
            );
        }
        let selector = RunSelector::from_str("pr/a").unwrap();
        assert_eq!(selector.to_string(), "pipelinerun/a");
        assert_eq!(RunSelector::from_str("a").unwrap().kind, None);
    }

    #[test]
    fn what_names_no_run_is_refused() {
        for text in ["pod/a", "taskrun.apps/a", "tr/", ""] {
            assert!(RunSelector::from_str(text).is_err(), "{text}");
        }
    }
}
