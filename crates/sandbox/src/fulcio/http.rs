//! The requests: what is asked, and what each path responds.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::request::Parts;
use http::{HeaderMap, Method, Response, StatusCode};
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{DerSignature, VerifyingKey};
use p256::pkcs8::DecodePublicKey as _;
use serde_json::{Value, json};

use super::authority::{Quirk, Request};
use super::state::State;
use crate::body::{self, Body, RequestBody, read};
use crate::exchange::Server;
use crate::traffic::Traffic;

/// Largest body of a request.
const LIMIT: usize = 1 << 20;
/// Longest wait for it.
const BODY_WAIT: Duration = Duration::from_secs(30);
const PATH: &str = "/api/v2/signingCert";

/// What a request gets.
type Reply = Result<Value, (StatusCode, &'static str)>;

impl Server for State {
    type Quirk = Quirk;

    fn traffic(&self) -> &Traffic<Quirk> {
        &self.traffic
    }

    async fn respond(
        self: &Arc<Self>,
        parts: &Parts,
        body: RequestBody,
        quirk: Option<&Quirk>,
    ) -> Response<Body> {
        let Ok(body) = read(body, LIMIT, BODY_WAIT).await else {
            return error(StatusCode::BAD_REQUEST, "the body could not be read");
        };
        if parts.method != Method::POST || parts.uri.path() != PATH {
            return error(StatusCode::NOT_FOUND, "Not Found");
        }
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        match reply(self, &parts.headers, &body, quirk) {
            Ok(value) => body::json(StatusCode::OK, &value),
            Err((status, message)) => error(status, message),
        }
    }

    fn refusal(&self, status: StatusCode, message: &str) -> Response<Body> {
        error(status, message)
    }

    fn credential(&self, _: &HeaderMap) -> String {
        String::new()
    }
}

fn error(status: StatusCode, message: &str) -> Response<Body> {
    body::json(status, &json!({ "code": 3, "message": message }))
}

fn reply(state: &State, headers: &HeaderMap, body: &Value, quirk: Option<&Quirk>) -> Reply {
    const TOKEN: (StatusCode, &str) = (
        StatusCode::UNAUTHORIZED,
        "There was an error processing the identity token",
    );
    const PROOF: (StatusCode, &str) = (
        StatusCode::BAD_REQUEST,
        "The signature supplied in the request could not be verified",
    );
    let bearer = headers.get(http::header::AUTHORIZATION);
    let bearer = bearer.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let token = body["credentials"]["oidcIdentityToken"].as_str().or(bearer);
    let mut data = state.data();
    let subject = data.subject(token.unwrap_or_default()).ok_or(TOKEN)?;
    let asked = &body["publicKeyRequest"];
    let pem = asked["publicKey"]["content"].as_str().unwrap_or_default();
    let key = VerifyingKey::from_public_key_pem(pem).map_err(|_| PROOF)?;
    let proof = asked["proofOfPossession"].as_str().unwrap_or_default();
    let proof = STANDARD.decode(proof).map_err(|_| PROOF)?;
    let proof = DerSignature::try_from(proof.as_slice()).map_err(|_| PROOF)?;
    key.verify(subject.challenge().as_bytes(), &proof)
        .map_err(|_| PROOF)?;
    let request = Request {
        key: &key,
        subject: &subject,
        lifetime: data.lifetime,
        quirk,
    };
    let issued = data.authority.issue(&request, &data.log);
    let issued = issued.map_err(|_| (StatusCode::INTERNAL_SERVER_ERROR, "no certificate"))?;
    data.issued += 1;
    let chain = json!({ "certificates": issued.chain });
    Ok(match issued.detached {
        None => json!({ "signedCertificateEmbeddedSct": { "chain": chain } }),
        Some(stamp) => json!({ "signedCertificateDetachedSct": {
            "chain": chain, "signedCertificateTimestamp": stamp,
        } }),
    })
}
