//! The front door: the two routes, and their responses.

use std::sync::Arc;
use std::time::Duration;

use http::header::{CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, Method, Response, StatusCode};
use serde_json::json;

use super::authority::Authority;
use super::options::{Quirk, Validity};
use super::token::{Request, respond};
use crate::body::{Body, RequestBody, json as response, read, whole};
use crate::exchange::Server;
use crate::issuing::AuthorityError;
use crate::traffic::Traffic;

pub(super) const TIMESTAMP: &str = "/api/v1/timestamp";
const CHAIN: &str = "/api/v1/timestamp/certchain";
const LIMIT: usize = 4096;
const WAIT: Duration = Duration::from_secs(30);
/// Requests that are remembered.
const REQUEST_LOG: usize = 10_000;

#[derive(Debug)]
pub(super) struct State {
    pub(super) traffic: Traffic<Quirk>,
    pub(super) authority: Authority,
}

impl State {
    pub(super) fn new(validity: Validity) -> Result<Self, AuthorityError> {
        Ok(Self {
            traffic: Traffic::new(REQUEST_LOG),
            authority: Authority::make(validity)?,
        })
    }
}

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
        let Ok(body) = read(body, LIMIT, WAIT).await else {
            return self.refusal(StatusCode::BAD_REQUEST, "the body could not be read");
        };
        match (&parts.method, parts.uri.path()) {
            (&Method::POST, TIMESTAMP) => {
                let Some(request) = Request::read(&body) else {
                    return self.refusal(StatusCode::BAD_REQUEST, "no request for a timestamp");
                };
                match respond(&self.authority, &request, quirk.copied()) {
                    Ok(reply) => typed(StatusCode::CREATED, "application/timestamp-reply", reply),
                    Err(_) => self.refusal(StatusCode::INTERNAL_SERVER_ERROR, "no timestamp"),
                }
            }
            (&Method::GET, CHAIN) => {
                let chain = self.authority.chain_pem().into_bytes();
                typed(StatusCode::OK, "application/pem-certificate-chain", chain)
            }
            _ => self.refusal(StatusCode::NOT_FOUND, "no such path"),
        }
    }

    fn refusal(&self, status: StatusCode, message: &str) -> Response<Body> {
        response(
            status,
            &json!({ "code": status.as_u16(), "message": message }),
        )
    }

    fn credential(&self, _: &HeaderMap) -> String {
        String::new()
    }
}

fn typed(status: StatusCode, media_type: &'static str, content: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(whole(content));
    *response.status_mut() = status;
    let media_type = HeaderValue::from_static(media_type);
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    response
}
