//! The way from a controller to the registry, as bad as chance makes it.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use tokio::time::sleep;
use windlass_registry::Carrier;
use windlass_sandbox::registry::Registry;

use super::weather::{Fate, Weather};

/// The name of the registry. It is reserved for documents, and public: nothing is looked up.
pub(super) const HOST: &str = "203.0.113.7";
/// What a registry refuses a request with when it is not well.
const REFUSALS: [StatusCode; 5] = [
    StatusCode::INTERNAL_SERVER_ERROR,
    StatusCode::BAD_GATEWAY,
    StatusCode::SERVICE_UNAVAILABLE,
    StatusCode::TOO_MANY_REQUESTS,
    StatusCode::FORBIDDEN,
];

/// A way to the registry.
#[derive(Clone)]
pub(super) struct RegistryLink {
    pub(super) registry: Arc<Registry>,
    pub(super) weather: Arc<Weather>,
    /// Whose requests they are, for the trace.
    pub(super) whose: &'static str,
}

impl RegistryLink {
    pub(super) fn carrier(self) -> Carrier {
        Carrier::new(move |request| self.clone().carry(request))
    }

    /// Who loses a request or its answer hears nothing more of it, and gives it up.
    async fn carry(self, request: Request<Bytes>) -> Response<Bytes> {
        let asked = format!(
            "{} {} {}",
            self.whose,
            request.method(),
            without_upload(request.uri().path())
        );
        let mut chance = self.weather.chance_of(&asked);
        let fate = self.weather.fate(&REFUSALS, &mut chance);
        sleep(self.weather.delay(&mut chance)).await;
        let note = |end: &str| self.weather.note(&format!("{asked}: {end}"));
        match fate {
            Fate::Lost => {
                note("lost");
                std::future::pending::<()>().await;
            }
            Fate::Refused(status) => {
                note(status.as_str());
                let mut response = Response::new(Bytes::new());
                *response.status_mut() = status;
                return response;
            }
            Fate::Arrives | Fate::Unanswered => {}
        }
        let response = self.registry.respond(request.map(Full::new)).await.unwrap();
        note(response.status().as_str());
        if matches!(fate, Fate::Unanswered) {
            std::future::pending::<()>().await;
        }
        sleep(self.weather.delay(&mut chance)).await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Response::from_parts(parts, body)
    }
}

/// A path without the name of an upload, which the registry makes up.
fn without_upload(path: &str) -> &str {
    match path.split_once("/uploads/") {
        Some((before, _)) => before,
        None => path,
    }
}
