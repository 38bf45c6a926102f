//! A request as an interface sees it, and its response.

use bytes::Bytes;
use http::request::Parts;
use serde_json::{Value, json};

use super::options::{Quirk, Service};
use super::state::State;

/// A request with its body.
pub(super) struct Call<'a> {
    pub(super) state: &'a State,
    pub(super) parts: &'a Parts,
    pub(super) body: Bytes,
    pub(super) quirk: Option<&'a Quirk>,
}

impl Call<'_> {
    /// A header; empty if there is none.
    pub(super) fn header(&self, name: &str) -> &str {
        let value = self.parts.headers.get(name);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// A parameter of the query; empty if there is none.
    pub(super) fn parameter(&self, name: &str) -> String {
        let query = crate::query::Query::parse(self.parts.uri.query().unwrap_or_default());
        query.get(name).unwrap_or_default().to_owned()
    }

    /// The body; null if it is not JSON.
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Whether the account's bearer token came along.
    pub(super) fn has_token(&self) -> bool {
        let token = &self.state.options.account.token;
        self.header("authorization") == format!("Bearer {token}")
    }

    /// Whether a permission was taken away.
    pub(super) fn is_denied(&self, permission: &str) -> bool {
        self.state.denied().contains(permission)
    }
}

/// A response of an interface.
pub(super) type Answer = (u16, Value);

/// A refusal in the words of an interface.
pub(super) fn refusal(service: Service, status: u16, name: &str, message: &str) -> Value {
    match service {
        Service::Aws => json!({ "__type": name, "message": message }),
        Service::Google => json!({ "error": {
            "code": status, "status": name, "message": message,
            "details": [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": name }],
        }}),
        Service::Azure => json!({ "error": {
            "code": "Forbidden", "message": message, "innererror": { "code": name },
        }}),
    }
}
