//! Users, their passwords and what they are granted.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Actor;

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

/// Someone with a password.
#[derive(Clone)]
pub struct User {
    /// Name, without a colon.
    pub name: String,
    /// Password.
    pub password: String,
    /// A refresh token the token endpoint takes for this user, as `identitytoken` in a Docker
    /// configuration.
    pub identity_token: Option<String>,
    /// What the user may do.
    pub grants: Vec<Grant>,
}

impl User {
    /// A user without an identity token.
    pub fn new(name: &str, password: &str, grants: impl Into<Vec<Grant>>) -> Self {
        Self {
            name: name.to_owned(),
            password: password.to_owned(),
            identity_token: None,
            grants: grants.into(),
        }
    }

    /// The same with an identity token.
    #[must_use]
    pub fn with_identity_token(mut self, token: &str) -> Self {
        self.identity_token = Some(token.to_owned());
        self
    }
}

impl fmt::Debug for User {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("User")
            .field("name", &self.name)
            .field("grants", &self.grants)
            .finish_non_exhaustive()
    }
}

/// Those a registry knows, and what those it does not know may do.
#[derive(Debug, Clone, Default)]
pub struct Accounts {
    /// Users, by name.
    pub users: Vec<User>,
    /// What anyone may do without a credential.
    pub anonymous: Vec<Grant>,
}

impl Accounts {
    /// Users, and nothing for anyone else.
    pub fn of(users: impl Into<Vec<User>>) -> Self {
        Self {
            users: users.into(),
            anonymous: Vec::new(),
        }
    }

    pub(crate) fn anyone(&self) -> Actor {
        Actor::Holder {
            grants: self.anonymous.clone(),
            known: false,
        }
    }

    /// Who sent this `Authorization` header; none if it is not a user's.
    pub(crate) fn holder(&self, sent: &str) -> Option<Actor> {
        let (name, password) = name_and_password(sent)?;
        let user = self.user(&name, &password)?;
        Some(Actor::Holder {
            grants: user.grants.clone(),
            known: true,
        })
    }

    pub(crate) fn user(&self, name: &str, password: &str) -> Option<&User> {
        let mut users = self.users.iter();
        users.find(|user| user.name == name && user.password == password)
    }

    pub(crate) fn named(&self, name: &str) -> Option<&User> {
        self.users.iter().find(|user| user.name == name)
    }

    pub(crate) fn with_identity_token(&self, token: &str) -> Option<&User> {
        let mut users = self.users.iter();
        users.find(|user| user.identity_token.as_deref() == Some(token))
    }
}

/// What follows an authentication scheme, whose case does not matter.
pub(crate) fn scheme<'a>(sent: &'a str, scheme: &str) -> Option<&'a str> {
    let (sent_scheme, rest) = sent.split_once(' ')?;
    sent_scheme
        .eq_ignore_ascii_case(scheme)
        .then(|| rest.trim())
}

pub(crate) fn name_and_password(sent: &str) -> Option<(String, String)> {
    let decoded = STANDARD.decode(scheme(sent, "basic")?).ok()?;
    let decoded = String::from_utf8(decoded).ok()?;
    let (name, password) = decoded.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
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

    #[test]
    fn a_user_is_shown_without_a_secret() {
        let user = User::new("alice", "hunter2", []).with_identity_token("opaque");
        let shown = format!("{user:?}");
        assert!(shown.contains("alice"));
        assert!(!shown.contains("hunter2") && !shown.contains("opaque"));
    }

    #[test]
    fn a_password_may_hold_colons() {
        let sent = format!("basic {}", STANDARD.encode("a:b:c"));
        assert_eq!(name_and_password(&sent), Some(("a".into(), "b:c".into())));
    }
}
