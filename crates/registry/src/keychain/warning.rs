//! Problems with sources of credentials, for people.

/// A problem with a source. It has no secret values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct Warning {
    /// The source, such as `secret ns/name`.
    pub place: String,
    /// The problem, and what to do.
    pub problem: String,
}
