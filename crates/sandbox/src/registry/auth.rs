//! Who may do what in which repository, and how a request shows who sent it: not at all, with a
//! user's name and password, or with a token that [`token`] has issued for some scopes.
//! Sources: RFC 7617; the reference registry's "Token Authentication Specification", its scopes
//! and its challenges.

use std::time::Duration;

use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, Method, StatusCode};

use crate::query::Query;

use super::answer::Refusal;
use super::fault::status;
use super::route::{Place, Route, is_name};
use super::state::State;

mod accounts;
mod scope;
pub(crate) mod token;
mod tokens;

pub use accounts::{Accounts, Action, Grant, User};
pub(crate) use scope::Scope;
pub(crate) use tokens::{Issued, Issuer};

/// The service the token endpoint issues tokens for.
pub(crate) const SERVICE: &str = "windlass-sandbox";

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
    /// How long a token holds, whole seconds.
    pub lifetime: Duration,
    /// The status for a token whose scopes do not reach: 401 with a challenge, or 403.
    pub denied: u16,
    /// Where the challenge sends clients; `None` is `/token` of this registry.
    pub realm: Option<String>,
    /// Under which names an answer to `GET /token` holds the token.
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

/// The names of the token in an answer to `GET /token`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenFields {
    /// `token` and `access_token`.
    Both,
    /// `token`.
    Token,
    /// `access_token`.
    AccessToken,
}

/// Who sent a request, as far as it matters: what they may do.
#[derive(Debug, Clone)]
pub(crate) enum Actor {
    /// Anyone on a registry that asks no one.
    Anyone,
    /// A user, or no one in particular.
    Holder { grants: Vec<Grant>, known: bool },
    /// The bearer of a token.
    Bearer(Issued),
}

impl Actor {
    /// Whether the credential sent allows this.
    pub(crate) fn may(&self, action: Action, name: &str) -> bool {
        match self {
            Self::Anyone => true,
            Self::Holder { grants, .. } => Grant::allow(grants, action, name),
            Self::Bearer(issued) => issued.scopes.iter().any(|scope| scope.allows(action, name)),
        }
    }

    /// Whether whoever holds the credential may do this at all.
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

    fn may_all(&self, scopes: &[Scope]) -> bool {
        scopes.iter().all(|scope| match scope {
            Scope::Catalog => self.may_list(),
            Scope::Repository(name, actions) => {
                actions.iter().all(|action| self.may(*action, name))
            }
        })
    }
}

/// Lets a request in, or says which credential it lacks.
pub(crate) fn admit(
    state: &State,
    headers: &HeaderMap,
    route: &Route,
    method: &Method,
    query: &Query,
    origin: &str,
) -> Result<Actor, Refusal> {
    let needed = needed(route, method);
    let wanted = [wished(query), needed.clone()].concat();
    let refuse = |error| challenge(state, origin, &wanted, error);
    let actor = identify(state, headers).map_err(refuse)?;
    let base_wants_a_name = matches!(actor, Actor::Holder { known: false, .. });
    if *route == Route::Base && base_wants_a_name {
        return Err(refuse(None));
    }
    if actor.may_all(&needed) {
        return Ok(actor);
    }
    Err(match (&actor, &state.options.authentication) {
        (Actor::Holder { known: true, .. }, _) => denied(StatusCode::FORBIDDEN),
        (Actor::Bearer(_), Authentication::Bearer(_, tokens)) if tokens.denied != 401 => {
            denied(status(tokens.denied))
        }
        (Actor::Bearer(_), _) => refuse(Some("insufficient_scope")),
        _ => refuse(None),
    })
}

fn denied(status: StatusCode) -> Refusal {
    let message = "requested access to the resource is denied";
    Refusal::new(status, "DENIED", message)
}

/// Reads the credential. The error is the reason a challenge states, if it states one.
fn identify(state: &State, headers: &HeaderMap) -> Result<Actor, Option<&'static str>> {
    let sent = headers.get(AUTHORIZATION);
    let sent = sent.map(|value| value.to_str().unwrap_or_default());
    match &state.options.authentication {
        Authentication::None => Ok(Actor::Anyone),
        Authentication::Basic(accounts) => {
            let Some(sent) = sent else {
                return Ok(accounts.anyone());
            };
            accounts.holder(sent).ok_or(None)
        }
        Authentication::Bearer(..) => {
            let token = sent.ok_or(None)?;
            let token = accounts::scheme(token, "bearer").ok_or(None)?;
            let issued = state.tokens().valid(token, state.now());
            issued.map(Actor::Bearer).ok_or(Some("invalid_token"))
        }
    }
}

/// What a request has to be allowed to do.
fn needed(route: &Route, method: &Method) -> Vec<Scope> {
    let Route::In(name, place) = route else {
        let catalog = (*route == Route::Catalog).then_some(Scope::Catalog);
        return catalog.into_iter().collect();
    };
    let actions = match (place, method) {
        // An upload is cancelled by those who may begin one.
        (Place::Uploads | Place::Upload(_), _) => vec![Action::Pull, Action::Push],
        (_, &Method::DELETE) => vec![Action::Delete],
        (_, &Method::GET | &Method::HEAD) => vec![Action::Pull],
        _ => vec![Action::Pull, Action::Push],
    };
    vec![Scope::Repository(name.clone(), actions)]
}

/// What a request makes use of if it is allowed: the repository to mount a blob from.
fn wished(query: &Query) -> Vec<Scope> {
    let from = query.get("mount").and(query.get("from"));
    let from = from.filter(|from| is_name(from));
    let scope = |from: &str| Scope::Repository(from.to_owned(), vec![Action::Pull]);
    from.map(scope).into_iter().collect()
}

fn challenge(
    state: &State,
    origin: &str,
    wanted: &[Scope],
    error: Option<&'static str>,
) -> Refusal {
    let header = match &state.options.authentication {
        Authentication::Bearer(_, tokens) => {
            let realm = tokens
                .realm
                .clone()
                .unwrap_or_else(|| format!("{origin}/token"));
            let scopes: Vec<String> = wanted.iter().map(Scope::to_string).collect();
            let scopes = match scopes.join(" ") {
                none if none.is_empty() => none,
                scopes => format!(",scope=\"{scopes}\""),
            };
            let error = error.map(|error| format!(",error=\"{error}\""));
            let error = error.unwrap_or_default();
            format!("Bearer realm=\"{realm}\",service=\"{SERVICE}\"{scopes}{error}")
        }
        _ => basic_challenge(),
    };
    unauthorized().with(WWW_AUTHENTICATE, header)
}

fn basic_challenge() -> String {
    "Basic realm=\"windlass sandbox\"".to_owned()
}

fn unauthorized() -> Refusal {
    Refusal::new(
        StatusCode::UNAUTHORIZED,
        "UNAUTHORIZED",
        "authentication required",
    )
}

/// Whose credential a request carries, for the log: no password, no token.
pub(crate) fn shown(state: &State, headers: &HeaderMap) -> String {
    let Some(sent) = headers.get(AUTHORIZATION) else {
        return String::new();
    };
    let sent = sent.to_str().unwrap_or_default();
    if let Some((name, _)) = accounts::name_and_password(sent) {
        return format!("Basic {name}");
    }
    match accounts::scheme(sent, "bearer") {
        Some(token) => match state.tokens().number(token) {
            Some(number) => format!("Bearer {number}"),
            None => "Bearer unknown".to_owned(),
        },
        None => "unreadable".to_owned(),
    }
}

/// Makes the bearer token of a request expire now.
pub(crate) fn expire(state: &State, headers: &HeaderMap) {
    let sent = headers
        .get(AUTHORIZATION)
        .and_then(|sent| sent.to_str().ok());
    if let Some(token) = sent.and_then(|sent| accounts::scheme(sent, "bearer")) {
        state.tokens().expire(token);
    }
}
