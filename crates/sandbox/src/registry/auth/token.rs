//! The token endpoint: `GET /token` with a password or without, `POST /token` with a refresh token
//! or a password. A token is issued for the requested scopes that are granted, even if there are
//! none; only a wrong credential is refused. Sources: Distribution's
//! "Token Authentication Specification" and its `OAuth2` sibling.

use http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderMap, Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::query::Query;
use crate::random::{hex, random};
use crate::registry::response::{Refusal, Response};
use crate::registry::state::State;

use super::accounts::{Accounts, User};
use super::authentication::{Authentication, TokenFields, Tokens};
use super::challenge::{self, SERVICE};
use super::credential;
use super::grant::Grant;
use super::scope::Scope;

pub(crate) fn respond(
    state: &State,
    method: &Method,
    headers: &HeaderMap,
    query: &Query,
    body: &[u8],
) -> Result<Response, Refusal> {
    let Authentication::Bearer(accounts, tokens) = &state.options.authentication else {
        return Err(nothing_here());
    };
    match *method {
        Method::GET => get(state, accounts, tokens, headers, query),
        Method::POST if tokens.oauth2 => post(state, accounts, tokens, headers, body),
        Method::POST => Err(nothing_here()),
        _ => Err(Refusal::unsupported()),
    }
}

fn nothing_here() -> Refusal {
    Refusal::unknown("UNSUPPORTED", "there is nothing at this path")
}

fn wrong() -> Refusal {
    challenge::unauthorized().with(WWW_AUTHENTICATE, challenge::basic())
}

fn get(
    state: &State,
    accounts: &Accounts,
    tokens: &Tokens,
    headers: &HeaderMap,
    query: &Query,
) -> Result<Response, Refusal> {
    let user = match headers.get(AUTHORIZATION) {
        None => None,
        Some(sent) => Some(basic(accounts, sent.to_str().unwrap_or_default())?),
    };
    check_service(query)?;
    let grants = user.map_or(&accounts.anonymous, |user| &user.grants);
    let mut scopes = scopes(query);
    scopes.retain(|scope| user.is_some() || *scope != Scope::Catalog);
    let (secret, _) = issue(state, tokens, grants, &scopes)?;
    let mut fields = common(tokens);
    if tokens.fields != TokenFields::AccessToken {
        fields.insert("token".into(), secret.clone().into());
    }
    if tokens.fields != TokenFields::Token {
        fields.insert("access_token".into(), secret.into());
    }
    if let Some(user) = user.filter(|_| query.get("offline_token") == Some("true")) {
        fields.insert("refresh_token".into(), refresh(state, user)?.into());
    }
    Ok(Response::json(StatusCode::OK, &fields.into()))
}

fn basic<'a>(accounts: &'a Accounts, sent: &str) -> Result<&'a User, Refusal> {
    let (name, password) = credential::name_and_password(sent).ok_or_else(wrong)?;
    accounts.user(&name, &password).ok_or_else(wrong)
}

fn post(
    state: &State,
    accounts: &Accounts,
    tokens: &Tokens,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Response, Refusal> {
    let media = headers
        .get(CONTENT_TYPE)
        .and_then(|media| media.to_str().ok());
    if !media.is_some_and(|media| media.starts_with("application/x-www-form-urlencoded")) {
        return Err(Refusal::bad("UNSUPPORTED", "the body has to be a form"));
    }
    let form = Query::parse(std::str::from_utf8(body).unwrap_or_default());
    for field in ["service", "client_id"] {
        if form.get(field).is_none() {
            return Err(Refusal::bad("UNSUPPORTED", format!("missing {field}")));
        }
    }
    check_service(&form)?;
    let field = |name| form.get(name).unwrap_or_default();
    let user = match field("grant_type") {
        "refresh_token" => user_of_token(state, accounts, field("refresh_token")),
        "password" => accounts.user(field("username"), field("password")),
        _ => return Err(Refusal::bad("UNSUPPORTED", "unsupported grant_type")),
    };
    let user = user.ok_or_else(wrong)?;
    let (secret, scopes) = issue(state, tokens, &user.grants, &scopes(&form))?;
    let mut fields = common(tokens);
    fields.insert("access_token".into(), secret.into());
    let scopes: Vec<String> = scopes.iter().map(Scope::to_string).collect();
    fields.insert("scope".into(), scopes.join(" ").into());
    if form.get("access_type") == Some("offline") || field("grant_type") == "refresh_token" {
        let same = form.get("refresh_token").map(str::to_owned);
        let token = same.map_or_else(|| refresh(state, user), Ok)?;
        fields.insert("refresh_token".into(), token.into());
    }
    Ok(Response::json(StatusCode::OK, &fields.into()))
}

fn user_of_token<'a>(state: &State, accounts: &'a Accounts, token: &str) -> Option<&'a User> {
    if let Some(user) = accounts.with_identity_token(token) {
        return Some(user);
    }
    accounts.named(state.tokens().user_of(token)?)
}

/// A service is taken as it stands in the challenge.
fn check_service(query: &Query) -> Result<(), Refusal> {
    let fine = query
        .get("service")
        .is_none_or(|service| service == SERVICE);
    fine.then_some(())
        .ok_or_else(|| Refusal::bad("UNSUPPORTED", "no tokens are issued for this service"))
}

/// The scopes of all parameters, each of which may contain several with spaces between.
fn scopes(query: &Query) -> Vec<Scope> {
    let texts = query.all("scope").flat_map(str::split_whitespace);
    texts.filter_map(Scope::parse).collect()
}

fn common(tokens: &Tokens) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("expires_in".into(), json!(tokens.lifetime.as_secs()));
    fields.insert("issued_at".into(), Timestamp::now().to_string().into());
    fields
}

pub(crate) fn issue(
    state: &State,
    tokens: &Tokens,
    grants: &[Grant],
    requested: &[Scope],
) -> Result<(String, Vec<Scope>), Refusal> {
    let granted = requested.iter().cloned();
    let granted: Vec<Scope> = granted.filter_map(|scope| scope.within(grants)).collect();
    let secret = secret()?;
    let (now, lifetime) = (state.now(), tokens.lifetime);
    let mut issuer = state.tokens();
    issuer.keep(
        secret.clone(),
        granted.clone(),
        grants.to_vec(),
        now,
        lifetime,
    );
    Ok((secret, granted))
}

fn refresh(state: &State, user: &User) -> Result<String, Refusal> {
    let secret = secret()?;
    state.tokens().keep_refresh(secret.clone(), &user.name);
    Ok(secret)
}

fn secret() -> Result<String, Refusal> {
    Ok(hex(&random::<24>()?))
}
