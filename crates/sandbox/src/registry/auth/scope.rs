//! Scopes of tokens: `repository:NAME:pull,push` or `registry:catalog:*`. Source: Distribution's
//! "Token Scope Documentation".

use std::fmt;

use super::grant::{Action, Grant};

/// What a token is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    Catalog,
    Repository(String, Vec<Action>),
}

impl Scope {
    /// Reads one scope. Kinds that are not known are none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text == "registry:catalog:*" {
            return Some(Self::Catalog);
        }
        let (name, actions) = text.strip_prefix("repository:")?.rsplit_once(':')?;
        let actions = actions.split(',').flat_map(|action| match action {
            "pull" => vec![Action::Pull],
            "push" => vec![Action::Push],
            "delete" => vec![Action::Delete],
            "*" => vec![Action::Pull, Action::Push, Action::Delete],
            _ => vec![],
        });
        Some(Self::Repository(name.to_owned(), actions.collect()))
    }

    /// What of this is granted; none if nothing is.
    pub(crate) fn within(self, grants: &[Grant]) -> Option<Self> {
        let Self::Repository(name, mut actions) = self else {
            return Some(self);
        };
        actions.retain(|action| Grant::allow(grants, *action, &name));
        (!actions.is_empty()).then_some(Self::Repository(name, actions))
    }

    pub(crate) fn allows(&self, action: Action, name: &str) -> bool {
        match self {
            Self::Catalog => false,
            Self::Repository(own, actions) => own == name && actions.contains(&action),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Repository(name, actions) = self else {
            return formatter.write_str("registry:catalog:*");
        };
        let actions: Vec<&str> = actions
            .iter()
            .map(|action| match action {
                Action::Pull => "pull",
                Action::Push => "push",
                Action::Delete => "delete",
            })
            .collect();
        write!(formatter, "repository:{name}:{}", actions.join(","))
    }
}
