//! The front door: the body, and the interface that responds.

use std::sync::Arc;
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, Response, StatusCode};

use crate::body::{Body, RequestBody, json, read};
use crate::exchange::Server;
use crate::fault;
use crate::traffic::Traffic;

use super::call::{Call, refusal};
use super::options::{Quirk, Service};
use super::state::State;
use super::{aws, azure, gcp};

const LIMIT: usize = 64 << 10;
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
        let call = Call {
            state: self,
            parts,
            body,
            quirk,
        };
        let (status, body) = match (self.options.service, quirk) {
            (service, Some(Quirk::Refusal(status, name))) => {
                (*status, refusal(service, *status, name, "as a test asked"))
            }
            (Service::Aws, _) => aws::respond(&call),
            (Service::Google, _) => gcp::respond(&call),
            (Service::Azure, _) => azure::respond(&call),
        };
        json(fault::reply::status(status), &body)
    }

    fn refusal(&self, status: StatusCode, message: &str) -> Response<Body> {
        let name = "InternalFailure";
        let body = refusal(self.options.service, status.as_u16(), name, message);
        json(status, &body)
    }

    fn credential(&self, headers: &HeaderMap) -> String {
        let stated = headers.get(AUTHORIZATION);
        let scheme = stated.and_then(|value| value.to_str().ok()?.split_whitespace().next());
        scheme.unwrap_or_default().to_owned()
    }
}
