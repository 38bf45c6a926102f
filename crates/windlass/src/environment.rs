//! The environment of this process.

/// A variable; one that is empty is not set, as in Tekton Chains and the tools of the clouds.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
