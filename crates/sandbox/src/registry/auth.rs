//! Access control: grants of users to repositories, and the authentication of requests: none, a
//! user's name and password, or a token that [`token`] has issued for some scopes. Sources: RFC
//! 7617; Distribution's "Token Authentication Specification", its scopes and its challenges.

use http::header::AUTHORIZATION;
use http::{HeaderMap, Method, StatusCode};

use crate::fault::reply::status;
use crate::query::Query;

use super::response::Refusal;
use super::route::{Place, Route, is_name};
use super::state::State;

pub(crate) mod accounts;
pub(crate) mod actor;
pub(crate) mod authentication;
mod challenge;
mod credential;
pub(crate) mod grant;
pub(crate) mod scope;
pub(crate) mod token;
pub(crate) mod tokens;

use actor::Actor;
use authentication::Authentication;
use challenge::challenge;
use grant::Action;
use scope::Scope;

/// Lets a request in, or says which credential it lacks.
pub(crate) fn admit(
    state: &State,
    headers: &HeaderMap,
    route: &Route,
    method: &Method,
    query: &Query,
    origin: &str,
) -> Result<Actor, Refusal> {
    let required = required_scopes(route, method);
    let wanted = [optional_scopes(query), required.clone()].concat();
    let refuse = |error| challenge(state, origin, &wanted, error);
    let actor = identify(state, headers).map_err(refuse)?;
    let base_wants_a_name = matches!(actor, Actor::Holder { known: false, .. });
    if *route == Route::Base && base_wants_a_name {
        return Err(refuse(None));
    }
    if actor.may_all(&required) {
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
                return Ok(Actor::anyone(accounts));
            };
            Actor::holder(accounts, sent).ok_or(None)
        }
        Authentication::Bearer(..) => {
            let token = sent.ok_or(None)?;
            let token = credential::scheme(token, "bearer").ok_or(None)?;
            let issued = state.tokens().valid(token, state.now());
            issued.map(Actor::Bearer).ok_or(Some("invalid_token"))
        }
    }
}

/// What a request has to be allowed to do.
fn required_scopes(route: &Route, method: &Method) -> Vec<Scope> {
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
fn optional_scopes(query: &Query) -> Vec<Scope> {
    let from = query.get("mount").and(query.get("from"));
    let from = from.filter(|from| is_name(from));
    let scope = |from: &str| Scope::Repository(from.to_owned(), vec![Action::Pull]);
    from.map(scope).into_iter().collect()
}

/// The owner of the request's credential, for the log: no password, no token.
pub(crate) fn describe(state: &State, headers: &HeaderMap) -> String {
    let Some(sent) = headers.get(AUTHORIZATION) else {
        return String::new();
    };
    let sent = sent.to_str().unwrap_or_default();
    if let Some((name, _)) = credential::name_and_password(sent) {
        return format!("Basic {name}");
    }
    match credential::scheme(sent, "bearer") {
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
    if let Some(token) = sent.and_then(|sent| credential::scheme(sent, "bearer")) {
        state.tokens().expire(token);
    }
}
