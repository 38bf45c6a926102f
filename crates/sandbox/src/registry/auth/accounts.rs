//! Users, their passwords and what they are granted.

use std::fmt;

use super::grant::Grant;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_shown_without_a_secret() {
        let user = User::new("alice", "hunter2", []).with_identity_token("opaque");
        let shown = format!("{user:?}");
        assert!(shown.contains("alice"));
        assert!(!shown.contains("hunter2") && !shown.contains("opaque"));
    }
}
