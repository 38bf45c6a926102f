//! What the configuration asks for and this version does not have.

/// A setting that cannot be followed, with what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{setting} is {value:?}, which this version of windlass does not support yet; {remedy}")]
pub struct Unsupported {
    /// The key in the ConfigMap.
    pub setting: String,
    /// Its value.
    pub value: String,
    /// What to set instead.
    pub remedy: &'static str,
}
