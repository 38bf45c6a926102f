//! The refusal of a request without a sufficient credential, and how to get one.
//! Sources: RFC 7617; Distribution's "Token Authentication Specification".

use http::StatusCode;
use http::header::WWW_AUTHENTICATE;

use super::authentication::Authentication;
use super::scope::Scope;
use crate::registry::response::Refusal;
use crate::registry::state::State;

/// The service the token endpoint issues tokens for.
pub(crate) const SERVICE: &str = "windlass-sandbox";

pub(crate) fn challenge(
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
        _ => basic(),
    };
    unauthorized().with(WWW_AUTHENTICATE, header)
}

pub(crate) fn basic() -> String {
    "Basic realm=\"windlass sandbox\"".to_owned()
}

pub(crate) fn unauthorized() -> Refusal {
    Refusal::new(
        StatusCode::UNAUTHORIZED,
        "UNAUTHORIZED",
        "authentication required",
    )
}
