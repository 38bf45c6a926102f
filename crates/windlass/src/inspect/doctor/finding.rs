//! One thing that was looked at, and how it is.

use serde::Serialize;
use windlass_core::error::Chain;

use crate::cluster::call::CallError;

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// It is well.
    Ok,
    /// It works, and should be changed.
    Advice,
    /// It could not be looked at.
    Unknown,
    /// Something does not work.
    Problem,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// What it belongs to: `key`, `rights`.
    pub(crate) area: &'static str,
    pub(crate) level: Level,
    /// What was found, in one line.
    pub(crate) what: String,
    /// What to do about it; nothing if it is well.
    #[serde(flatten)]
    pub(crate) help: Option<Help>,
}

/// What to do about a thing that is not well. Nothing is told without all three.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Help {
    pub(crate) cause: String,
    pub(crate) remedy: String,
    /// What to type.
    pub(crate) command: String,
}

impl Finding {
    pub(super) fn new(
        area: &'static str,
        level: Level,
        what: impl Into<String>,
        help: Help,
    ) -> Self {
        Self {
            area,
            level,
            what: what.into(),
            help: Some(help),
        }
    }

    pub(super) fn ok(area: &'static str, what: impl Into<String>) -> Self {
        Self {
            area,
            level: Level::Ok,
            what: what.into(),
            help: None,
        }
    }

    /// A thing that could not be looked at, for this reason; the command looks at it.
    pub(super) fn unknown(
        area: &'static str,
        what: impl Into<String>,
        error: &CallError,
        command: String,
    ) -> Self {
        let remedy = match error.status() {
            Some(401) => "log in to the cluster again, or choose another context",
            Some(403) => "ask with an account that may see it",
            _ => "see whether the API server responds, and ask again",
        };
        let help = Help {
            cause: Chain(error).to_string(),
            remedy: remedy.to_owned(),
            command,
        };
        Self::new(area, Level::Unknown, what, help)
    }
}

impl Help {
    pub(super) fn new(
        cause: impl Into<String>,
        remedy: impl Into<String>,
        command: impl Into<String>,
    ) -> Self {
        Self {
            cause: cause.into(),
            remedy: remedy.into(),
            command: command.into(),
        }
    }
}
