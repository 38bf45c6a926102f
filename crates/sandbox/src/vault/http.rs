//! The requests: who may make them, and what each path responds.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::request::Parts;
use http::{HeaderMap, Method, Response, StatusCode};
use serde_json::{Map, Value, json};

use super::key::{Key, KeyKind};
use super::state::{State, Token};
use crate::body::{self, Body, RequestBody, read};
use crate::exchange::Server;
use crate::traffic::Traffic;

/// Largest body of a request: OpenBao's own limit.
const LIMIT: usize = 32 << 20;
/// Longest wait for it.
const BODY_WAIT: Duration = Duration::from_secs(30);
const TOKEN: &str = "x-vault-token";

/// What a request gets.
type Reply = Result<Value, (StatusCode, &'static str)>;

impl Server for State {
    type Quirk = std::convert::Infallible;

    fn traffic(&self) -> &Traffic<Self::Quirk> {
        &self.traffic
    }

    async fn respond(
        self: &Arc<Self>,
        parts: &Parts,
        body: RequestBody,
        _: Option<&Self::Quirk>,
    ) -> Response<Body> {
        let Ok(body) = read(body, LIMIT, BODY_WAIT).await else {
            return error(StatusCode::BAD_REQUEST, "the body could not be read");
        };
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let path = parts.uri.path().strip_prefix("/v1/").unwrap_or_default();
        match reply(self, parts, path, &body) {
            Ok(value) => body::json(StatusCode::OK, &value),
            Err((status, message)) => error(status, message),
        }
    }

    fn refusal(&self, status: StatusCode, message: &str) -> Response<Body> {
        error(status, message)
    }

    fn credential(&self, headers: &HeaderMap) -> String {
        let data = self.data();
        match token(headers) {
            None => String::new(),
            Some(token) if data.tokens.contains_key(token) => "a token".to_owned(),
            Some(_) => "an unknown token".to_owned(),
        }
    }
}

fn token(headers: &HeaderMap) -> Option<&str> {
    headers.get(TOKEN)?.to_str().ok()
}

fn error(status: StatusCode, message: &str) -> Response<Body> {
    body::json(status, &json!({ "errors": [message] }))
}

fn reply(state: &State, parts: &Parts, path: &str, body: &Value) -> Reply {
    let is_write = matches!(parts.method, Method::PUT | Method::POST);
    if is_write && path.starts_with("auth/") && path.ends_with("/login") {
        return login(state, path, body);
    }
    let token = token(&parts.headers).unwrap_or_default();
    admit(state, token, path)?;
    let segments: Vec<&str> = path.split('/').collect();
    match (is_write, &segments[..]) {
        (false, ["auth", "token", "lookup-self"]) => Ok(lookup(state, token)),
        (true, ["auth", "token", "renew-self"]) => renew(state, token),
        (false, ["transit", "keys", name]) => key(state, name),
        (true, ["transit", "keys", name]) => create(state, name, body),
        (true, ["transit", "sign", name] | ["transit", "sign", name, "sha2-256"]) => {
            sign(state, name, body)
        }
        _ => Err((StatusCode::NOT_FOUND, "no handler for this route")),
    }
}

fn admit(state: &State, token: &str, path: &str) -> Result<(), (StatusCode, &'static str)> {
    const DENIED: (StatusCode, &str) = (StatusCode::FORBIDDEN, "permission denied");
    let data = state.data();
    let known = data.tokens.get(token).filter(|token| token.is_valid());
    let known = known.ok_or(DENIED)?;
    if known.without.iter().any(|text| path.contains(text)) {
        return Err(DENIED);
    }
    Ok(())
}

fn login(state: &State, path: &str, body: &Value) -> Reply {
    let has = |name: &str, value: &str| body[name] == value;
    let time = state.data().logins.iter().find_map(|login| {
        let is_it = login.path == path && has("role", &login.role) && has("jwt", &login.jwt);
        is_it.then_some(login.time)
    });
    let time = time.ok_or((StatusCode::BAD_REQUEST, "error validating token"))?;
    let token = state.issue(Some(time), Vec::new());
    Ok(json!({ "auth": {
        "client_token": token, "lease_duration": time.as_secs(), "renewable": true,
    } }))
}

fn lookup(state: &State, token: &str) -> Value {
    let data = state.data();
    let seconds = data.tokens.get(token).map_or(0, Token::seconds);
    json!({ "data": { "ttl": seconds, "renewable": seconds > 0 } })
}

fn renew(state: &State, token: &str) -> Reply {
    let mut data = state.data();
    let known = data.tokens.get_mut(token);
    let known = known.ok_or((StatusCode::FORBIDDEN, "permission denied"))?;
    known.renew();
    Ok(json!({ "auth": {
        "client_token": token, "lease_duration": known.seconds(), "renewable": true,
    } }))
}

/// One that exists stays as it is.
fn create(state: &State, name: &str, body: &Value) -> Reply {
    if body["type"] != "ecdsa-p256" {
        return Err((StatusCode::BAD_REQUEST, "unknown key type"));
    }
    let made = Key::generate(KeyKind::P256);
    let made = made.map_err(|_| (StatusCode::INTERNAL_SERVER_ERROR, "no key"))?;
    state.data().keys.entry(name.to_owned()).or_insert(made);
    key(state, name)
}

fn key(state: &State, name: &str) -> Reply {
    let data = state.data();
    let key = data
        .keys
        .get(name)
        .ok_or((StatusCode::NOT_FOUND, "no such key"))?;
    let versions = (1..=key.latest()).map(|number| {
        let public = json!({ "public_key": key.public(number) });
        (number.to_string(), public)
    });
    let versions: Map<String, Value> = versions.collect();
    Ok(json!({ "data": {
        "name": name, "type": key.kind().name(), "latest_version": key.latest(), "keys": versions,
        "derived": false, "supports_signing": true,
    } }))
}

fn sign(state: &State, name: &str, body: &Value) -> Reply {
    const BAD: StatusCode = StatusCode::BAD_REQUEST;
    let data = state.data();
    let key = data.keys.get(name).ok_or((BAD, "signing key not found"))?;
    let input = body["input"].as_str().unwrap_or_default();
    let input = STANDARD
        .decode(input)
        .map_err(|_| (BAD, "unable to decode input"))?;
    let number = match body["key_version"].as_u64() {
        None | Some(0) => key.latest(),
        Some(number) => number,
    };
    let signed = key.sign(number, &input, body["prehashed"] == true);
    let signed = signed.ok_or((BAD, "cannot sign with this version"))?;
    let signature = format!("vault:v{number}:{}", STANDARD.encode(signed));
    Ok(json!({ "data": { "signature": signature, "key_version": number } }))
}
