//! Who may do what in which repository.

/// Who may use the registry.
#[derive(Debug, Clone, Default)]
pub enum Authentication {
    /// Anyone, for everything.
    #[default]
    None,
}

/// What is done to a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Reading manifests, blobs, tags and referrers.
    Pull,
    /// Writing manifests and blobs.
    Push,
    /// Deleting manifests and blobs.
    Delete,
}

/// Who sent a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Actor;

impl Actor {
    #[expect(clippy::unused_self, clippy::trivially_copy_pass_by_ref)]
    pub(crate) fn may(&self, _: Action, _: &str) -> bool {
        true
    }

    #[expect(clippy::trivially_copy_pass_by_ref)]
    pub(crate) fn sees(&self, action: Action, name: &str) -> bool {
        self.may(action, name)
    }
}
