//! The front door: the routes, and their responses.

use std::sync::Arc;
use std::time::Duration;

use http::header::{CONTENT_TYPE, ETAG, HeaderValue, LOCATION};
use http::request::Parts;
use http::{HeaderMap, Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::body::{Body, RequestBody, json as response, read, whole};
use crate::exchange::Server;
use crate::query::Query;
use crate::traffic::Traffic;

use super::entry::{entry, uuid};
use super::options::Quirk;
use super::proposal;
use super::state::State;

const ENTRIES: &str = "/api/v1/log/entries";
const ENTRIES_V2: &str = "/api/v2/log/entries";
const FILES_V2: &str = "/api/v2";
const PUBLIC_KEY: &str = "/api/v1/log/publicKey";
const LIMIT: usize = 32 << 20;
const WAIT: Duration = Duration::from_secs(30);

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
        let Some(path) = parts.uri.path().strip_prefix(self.options.prefix.as_str()) else {
            return self.refusal(StatusCode::NOT_FOUND, "no such path");
        };
        let lie = quirk.copied();
        match (&parts.method, path) {
            (&Method::POST, ENTRIES) => self.propose(&body, lie),
            (&Method::POST, ENTRIES_V2) => self.propose_v2(&body, lie),
            (&Method::GET, path) if path.starts_with(FILES_V2) => {
                self.file_v2(path.strip_prefix(FILES_V2).unwrap_or_default())
            }
            (&Method::GET, PUBLIC_KEY) => self.public_key_response(),
            (&Method::GET, ENTRIES) => {
                let query = Query::parse(parts.uri.query().unwrap_or_default());
                let index = query.number("logIndex").and_then(|it| it.try_into().ok());
                self.at(index, StatusCode::OK, lie)
            }
            (&Method::GET, path) => {
                let wanted = path
                    .strip_prefix(ENTRIES)
                    .and_then(|it| it.strip_prefix('/'));
                let leaves = self.leaves().clone();
                let is_it = |body: &str| wanted.is_some_and(|it| uuid(body).ends_with(it));
                let index = leaves.iter().position(|leaf| is_it(&leaf.body));
                self.at(index, StatusCode::OK, lie)
            }
            _ => self.refusal(StatusCode::METHOD_NOT_ALLOWED, "no such method"),
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

impl State {
    fn propose(&self, proposal: &[u8], lie: Option<Quirk>) -> Response<Body> {
        let proposal: Value = serde_json::from_slice(proposal).unwrap_or_default();
        let body = match proposal::body(&proposal) {
            Ok(body) => body,
            Err(why) => return self.refusal(StatusCode::BAD_REQUEST, why),
        };
        let uuid = uuid(&body);
        let place = format!("{}{ENTRIES}/{uuid}", self.options.prefix);
        let (index, is_new) = self.add(body);
        let mut response = if is_new {
            let mut response = self.at(Some(index), StatusCode::CREATED, lie);
            // cosign 3 looks the entry up in the response by this name
            if let Ok(uuid) = HeaderValue::from_str(&uuid) {
                response.headers_mut().insert(ETAG, uuid);
            }
            response
        } else {
            self.refusal(StatusCode::CONFLICT, "an equivalent entry exists")
        };
        if let Ok(place) = HeaderValue::from_str(&place) {
            response.headers_mut().insert(LOCATION, place);
        }
        response
    }

    fn at(&self, index: Option<usize>, status: StatusCode, lie: Option<Quirk>) -> Response<Body> {
        let found = index.map(|index| entry(self, index, lie)).transpose();
        match found.map(Option::flatten) {
            Ok(Some(entry)) => response(status, &entry),
            Ok(None) => self.refusal(StatusCode::NOT_FOUND, "there is no such entry"),
            Err(_) => self.refusal(StatusCode::INTERNAL_SERVER_ERROR, "no signature"),
        }
    }

    fn public_key_response(&self) -> Response<Body> {
        let mut response = Response::new(whole(self.key().pem()));
        let media = HeaderValue::from_static("application/x-pem-file");
        response.headers_mut().insert(CONTENT_TYPE, media);
        response
    }
}
