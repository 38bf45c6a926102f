//! What may be done to which repositories.

/// What is done to a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Reading manifests, blobs, tags and referrers.
    Pull,
    /// Writing manifests and blobs.
    Push,
    /// Deleting manifests and blobs.
    Delete,
}

/// Some actions on the repositories under a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// `team` means `team` and `team/app`, not `team-b`; empty means every repository.
    pub prefix: String,
    /// What is allowed there.
    pub actions: Vec<Action>,
}

impl Grant {
    /// Reading.
    pub fn pull(prefix: &str) -> Self {
        Self::of(prefix, &[Action::Pull])
    }

    /// Reading and writing.
    pub fn push(prefix: &str) -> Self {
        Self::of(prefix, &[Action::Pull, Action::Push])
    }

    /// Reading, writing and deleting.
    pub fn all(prefix: &str) -> Self {
        Self::of(prefix, &[Action::Pull, Action::Push, Action::Delete])
    }

    fn of(prefix: &str, actions: &[Action]) -> Self {
        Self {
            prefix: prefix.to_owned(),
            actions: actions.to_vec(),
        }
    }

    fn covers(&self, name: &str) -> bool {
        let rest = name.strip_prefix(self.prefix.as_str());
        self.prefix.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    pub(crate) fn allow(grants: &[Self], action: Action, name: &str) -> bool {
        let mut covering = grants.iter().filter(|grant| grant.covers(name));
        covering.any(|grant| grant.actions.contains(&action))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_ends_at_a_slash() {
        let grants = [Grant::push("team")];
        assert!(Grant::allow(&grants, Action::Push, "team"));
        assert!(Grant::allow(&grants, Action::Push, "team/app"));
        assert!(!Grant::allow(&grants, Action::Push, "team-b/app"));
        assert!(!Grant::allow(&grants, Action::Delete, "team/app"));
        assert!(Grant::allow(&[Grant::pull("")], Action::Pull, "any/thing"));
    }
}
