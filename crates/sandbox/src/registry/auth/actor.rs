//! Who sent a request, and what they may do.

use super::accounts::Accounts;
use super::credential::name_and_password;
use super::grant::{Action, Grant};
use super::scope::Scope;
use super::tokens::IssuedToken;

/// Who sent a request, as far as it matters: what they may do.
#[derive(Debug, Clone)]
pub(crate) enum Actor {
    /// Anyone, on a registry without users.
    Anyone,
    /// A user, or a client without a credential.
    Holder { grants: Vec<Grant>, known: bool },
    /// The bearer of a token.
    Bearer(IssuedToken),
}

impl Actor {
    /// Who sends no credential.
    pub(crate) fn anyone(accounts: &Accounts) -> Self {
        Self::Holder {
            grants: accounts.anonymous.clone(),
            known: false,
        }
    }

    /// Who sent this `Authorization` header; none if it is not a user's.
    pub(crate) fn holder(accounts: &Accounts, sent: &str) -> Option<Self> {
        let (name, password) = name_and_password(sent)?;
        let user = accounts.user(&name, &password)?;
        Some(Self::Holder {
            grants: user.grants.clone(),
            known: true,
        })
    }

    /// Whether the credential sent allows this.
    pub(crate) fn may(&self, action: Action, name: &str) -> bool {
        match self {
            Self::Anyone => true,
            Self::Holder { grants, .. } => Grant::allow(grants, action, name),
            Self::Bearer(issued) => issued.scopes.iter().any(|scope| scope.allows(action, name)),
        }
    }

    /// Whether whoever has the credential may do this at all.
    pub(crate) fn sees(&self, action: Action, name: &str) -> bool {
        match self {
            Self::Bearer(issued) => Grant::allow(&issued.grants, action, name),
            _ => self.may(action, name),
        }
    }

    fn may_list(&self) -> bool {
        match self {
            Self::Anyone => true,
            Self::Holder { known, .. } => *known,
            Self::Bearer(issued) => issued.scopes.contains(&Scope::Catalog),
        }
    }

    pub(crate) fn may_all(&self, scopes: &[Scope]) -> bool {
        scopes.iter().all(|scope| match scope {
            Scope::Catalog => self.may_list(),
            Scope::Repository(name, actions) => {
                actions.iter().all(|action| self.may(*action, name))
            }
        })
    }
}
