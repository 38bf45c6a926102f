//! How a registry tells who sent a request, and how it issues and refuses tokens.

use std::time::Duration;

use super::accounts::Accounts;

/// Who may use the registry, and how they show it.
#[derive(Debug, Clone, Default)]
pub enum Authentication {
    /// Anyone, for everything.
    #[default]
    None,
    /// Users, with name and password on every request.
    Basic(Accounts),
    /// Users, and anyone, with a token from the registry's own endpoint `/token`.
    Bearer(Accounts, Tokens),
}

impl Authentication {
    pub(crate) fn accounts(&self) -> Option<&Accounts> {
        match self {
            Self::None => None,
            Self::Basic(accounts) | Self::Bearer(accounts, _) => Some(accounts),
        }
    }
}

/// How tokens are issued and refused.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// How long a token is valid, whole seconds.
    pub lifetime: Duration,
    /// The status for a token whose scopes do not reach: 401 with a challenge, or 403.
    pub denied: u16,
    /// Where the challenge sends clients; `None` is `/token` of this registry.
    pub realm: Option<String>,
    /// Under which names a response to `GET /token` contains the token.
    pub fields: TokenFields,
    /// Whether `POST /token` (refresh tokens) is served; 404 if not.
    pub oauth2: bool,
}

impl Default for Tokens {
    fn default() -> Self {
        Self {
            lifetime: Duration::from_secs(300),
            denied: 401,
            realm: None,
            fields: TokenFields::Both,
            oauth2: true,
        }
    }
}

/// The names of the token in a response to `GET /token`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenFields {
    /// `token` and `access_token`.
    Both,
    /// `token`.
    Token,
    /// `access_token`.
    AccessToken,
}
