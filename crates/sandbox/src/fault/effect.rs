//! What a fault does to a request: before it takes effect, after that, and to its response.

use std::time::Duration;

use http::header::{CONTENT_TYPE, LOCATION};
use http::request::Parts;
use http::{Response, StatusCode};
use tokio_util::sync::CancellationToken;

use crate::body::{Body, Cut, whole};
use crate::fault::{FaultAnswer, reply, response};

impl<Q: Sync> FaultAnswer<Q> {
    /// What comes before any effect; a response, if the request gets it instead.
    pub(crate) async fn before(
        &self,
        parts: &Parts,
        stop: &CancellationToken,
        failure: impl Fn(StatusCode) -> Response<Body> + Send,
    ) -> Result<Option<Response<Body>>, Cut> {
        match self {
            Self::Status(reply) => Ok(Some(reply.response(failure))),
            Self::Redirect { status, to } => {
                let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
                let response = failure(reply::status(*status));
                Ok(Some(redirect(response, &format!("{to}{path}"))))
            }
            Self::RedirectTo(address) => {
                let response = failure(StatusCode::TEMPORARY_REDIRECT);
                Ok(Some(redirect(response, address)))
            }
            Self::Reset => Err(Cut::Reset),
            Self::Hang | Self::Close => Err(Cut::Close),
            Self::Delay(time) => {
                delay(*time, stop).await;
                Ok(None)
            }
            Self::Pause(gate) => {
                gate.pass(stop).await;
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    /// What becomes of the response once the request has taken effect: its status and headers.
    pub(crate) async fn after(
        &self,
        mut response: Response<Body>,
        stop: &CancellationToken,
        failure: impl Fn(StatusCode) -> Response<Body> + Send,
    ) -> Result<Response<Body>, Cut> {
        let headers = response.headers_mut();
        match self {
            Self::StatusAfterwards(reply) => return Ok(reply.response(failure)),
            Self::ResetAfterwards => return Err(Cut::Reset),
            Self::DelayAfterwards(time) => delay(*time, stop).await,
            Self::PauseAfterwards(gate) => gate.pass(stop).await,
            Self::WithoutHeader(name) => drop(headers.remove(name)),
            Self::Header(name, value) => response::set_header(headers, name.clone(), value),
            Self::RelativeLocation => response::move_location(headers, ""),
            Self::LocationAt(base) => response::move_location(headers, base),
            _ => {}
        }
        Ok(response)
    }

    /// What becomes of the body of the response.
    pub(crate) async fn distort(&self, response: Response<Body>) -> Response<Body> {
        match self {
            Self::SlowBody { chunk, delay } => response::slow(response, *chunk, *delay),
            Self::CutBody(after) => response::cut(response, *after),
            Self::EndlessBody => response::endless(response),
            Self::WrongContent => response::wrong(response).await,
            _ => response,
        }
    }

    /// What only this kind of server does.
    pub(crate) fn quirk(&self) -> Option<&Q> {
        match self {
            Self::Quirk(quirk) => Some(quirk),
            _ => None,
        }
    }
}

fn redirect(mut response: Response<Body>, to: &str) -> Response<Body> {
    let headers = response.headers_mut();
    headers.remove(CONTENT_TYPE);
    response::set_header(headers, LOCATION, to);
    response.map(|_| whole(""))
}

async fn delay(time: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(time) => {}
        () = stop.cancelled() => {}
    }
}
