//! The way from a controller to the registry, as bad as chance makes it, but for one thing: what is written
//! under a tag arrives soon after the writer last looked at it, or never.
//!
//! No registry knows of conditions, so that a write that arrives late takes away what was written since, and
//! nobody can tell that from what another client does. The pause before a writer reads back is made for
//! writes that take less than that, so this is what is promised here. Everything else is named by its
//! content, and may arrive late.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
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
            asked(request.method(), request.uri().path())
        );
        let mut chance = self.weather.chance_of(&asked);
        let fate = self.weather.fate(&REFUSALS, &mut chance);
        let (is_read, tag) = (is_read(request.method()), is_of_tag(request.uri().path()));
        let there = if tag && !is_read {
            Weather::short_delay(&mut chance)
        } else {
            self.weather.delay(&mut chance)
        };
        sleep(there).await;
        let note = |end: &str| self.weather.note(&format!("{asked}: {end}"));
        match fate {
            Fate::Late(time) if !is_read && !tag => {
                note("late");
                tokio::spawn(self.clone().arrive_late(request, asked, time));
                return std::future::pending().await;
            }
            Fate::Lost | Fate::Late(_) => {
                note("lost");
                return std::future::pending().await;
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
        let back = if tag && is_read {
            Weather::short_delay(&mut chance)
        } else {
            self.weather.delay(&mut chance)
        };
        sleep(back).await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Response::from_parts(parts, body)
    }

    /// A request arrives that was given up, whether or not the controller that made it still runs.
    async fn arrive_late(self, request: Request<Bytes>, asked: String, time: Duration) {
        sleep(time).await;
        let response = self.registry.respond(request.map(Full::new)).await.unwrap();
        let status = response.status();
        self.weather.note(&format!("{asked}: late {status}"));
    }
}

fn is_read(method: &Method) -> bool {
    [Method::GET, Method::HEAD].contains(method)
}

/// Whether a path is that of a tag that things are attached under.
fn is_of_tag(path: &str) -> bool {
    path.contains("/manifests/sha256-")
}

/// A path without what no seed decides: the name of an upload, which the registry makes up, and the digest of
/// what is written, which is made of uids as well.
fn asked<'p>(method: &Method, path: &'p str) -> &'p str {
    let before = |unknown| path.split_once(unknown).map(|(before, _)| before);
    let written = || before("/sha256:").filter(|_| method == Method::PUT);
    before("/uploads/").or_else(written).unwrap_or(path)
}
