//! One request to the API server, bounded in time and size, with errors that name the request.
//!
//! Responses are returned as bytes; the caller parses them in place.

use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use kube::Client;
use kube::client::Body;

use super::cause;
use super::path::{ApiPath, InvalidName};

/// Bound on one request and its whole answer; watches excepted.
pub(super) const CALL_TIMEOUT: Duration = Duration::from_secs(60);
/// Pauses before a request is sent again to an API server that has too much to do. kube's own retries are
/// off: they take minutes without a word, or as long as a `Retry-After` says.
const PAUSES: [Duration; 3] = [
    Duration::from_millis(100),
    Duration::from_millis(400),
    Duration::from_millis(1600),
];
/// Longest pause that an API server may ask for; after a longer one it is for the caller to come back.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Largest object that is read. One of 1.5 MiB in etcd, which is the most it takes, is sent as up to
/// 9 MiB: the API server escapes `<` and `>` with six bytes each.
pub(crate) const OBJECT_LIMIT: usize = 16 << 20;
/// Largest error answer that is read.
const STATUS_LIMIT: usize = 64 * 1024;

/// What is said where the API server gives no response.
pub(crate) const SILENT: &str = "the API server does not respond";
/// What is said where something else responds: a login page, or a proxy with a page of its own.
pub(super) const STRANGER: &str = "a login page or a proxy responds in place of the API server";
/// How a refusal ends for want of a valid credential.
pub(super) const UNAUTHORIZED: &str = "(HTTP 401)";

/// Media type of a JSON merge patch.
pub(crate) const MERGE_PATCH: &str = "application/merge-patch+json";
/// Media type of a server-side apply.
pub(crate) const APPLY_PATCH: &str = "application/apply-patch+yaml";
/// Ask for the metadata of the object only.
pub(crate) const METADATA_ONLY: &str =
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";

/// Ask for as little as the API server can send back for an object, with [`WITHOUT_OBJECT`]: a row of a table.
pub(crate) const ROW: &str = "application/json;as=Table;g=meta.k8s.io;v=v1,application/json";
/// The parameter that leaves the object out of the rows of a table.
pub(crate) const WITHOUT_OBJECT: (&str, &str) = ("includeObject", "None");

/// Why a request to the API server did not succeed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// A name in the path is none that an object can have. Nothing was sent.
    #[error("cannot {action}: {source}")]
    Name { action: String, source: InvalidName },
    /// The request could not be made at all.
    #[error("cannot {action}: the request is malformed")]
    Malformed { action: String, source: http::Error },
    /// No answer came.
    #[error("cannot {action}: {SILENT}: {cause}")]
    Unreachable { action: String, cause: String },
    /// The answer broke off.
    #[error("cannot {action}: the response of the API server was interrupted: {cause}")]
    Broken { action: String, cause: String },
    /// No whole answer came in time.
    #[error("cannot {action}: no response within {} s", CALL_TIMEOUT.as_secs())]
    TimedOut { action: String },
    /// The answer is larger than what is read.
    #[error("cannot {action}: the response is larger than {limit} bytes")]
    TooLarge { action: String, limit: usize },
    /// What responded is no API server. Where it redirects to is not followed, since the credential of
    /// the cluster would go there, and not repeated, since such an address has tokens in it.
    #[error("cannot {action}: {STRANGER} (HTTP {status})")]
    Stranger { action: String, status: u16 },
    /// The API server said no.
    #[error("cannot {action}: {message} (HTTP {status})")]
    Refused {
        action: String,
        status: u16,
        message: String,
        retry_after: Option<Duration>,
        /// Where a list that has become too old may be continued.
        next: Option<String>,
    },
}

impl CallError {
    /// HTTP status of a refusal.
    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether the same request may succeed later without anybody changing anything.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Name { .. } | Self::Malformed { .. } | Self::TooLarge { .. } => false,
            Self::Unreachable { .. }
            | Self::Broken { .. }
            | Self::TimedOut { .. }
            | Self::Stranger { .. } => true,
            Self::Refused { status, .. } => matches!(status, 401 | 403 | 408 | 409 | 429 | 500..),
        }
    }

    /// Whether nothing can be created, since the namespace is being deleted. The API server's admission
    /// says so to everybody who may create, so that no right to read namespaces is needed.
    pub(crate) fn says_namespace_ends(&self) -> bool {
        match self {
            Self::Refused {
                status: 403,
                message,
                ..
            } => message.contains("because it is being terminated"),
            _ => false,
        }
    }

    /// How long the API server asked to wait.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

/// A request, before it is sent.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    /// What is being done to what, for errors: "read task run ns/name".
    action: String,
    method: Method,
    path: ApiPath,
    accept: &'a str,
    content_type: &'a str,
    body: Vec<u8>,
    closes: bool,
}

impl<'a> Call<'a> {
    /// Reads what is at `path`.
    pub(crate) fn get(action: String, path: impl Into<ApiPath>) -> Self {
        let (accept, content_type) = ("application/json", "application/json");
        Self {
            action,
            method: Method::GET,
            path: path.into(),
            accept,
            content_type,
            body: Vec::new(),
            closes: false,
        }
    }

    /// What is being done.
    pub(super) fn action(&self) -> &str {
        &self.action
    }

    /// Asks for the answer in another representation.
    pub(crate) fn accept(self, accept: &'a str) -> Self {
        Self { accept, ..self }
    }

    /// Closes the connection afterwards, whose buffers contain what was sent.
    pub(super) fn closing(self) -> Self {
        Self {
            closes: true,
            ..self
        }
    }

    /// Creates an object under `path`.
    pub(crate) fn post(action: String, path: impl Into<ApiPath>, body: Vec<u8>) -> Self {
        Self {
            method: Method::POST,
            body,
            ..Self::get(action, path)
        }
    }

    /// Replaces the object at `path`.
    pub(crate) fn put(action: String, path: impl Into<ApiPath>, body: Vec<u8>) -> Self {
        Self {
            method: Method::PUT,
            body,
            ..Self::get(action, path)
        }
    }

    /// Deletes the object at `path`, with these `DeleteOptions`.
    pub(crate) fn delete(action: String, path: impl Into<ApiPath>, body: Vec<u8>) -> Self {
        Self {
            method: Method::DELETE,
            body,
            ..Self::get(action, path)
        }
    }

    /// Patches what is at `path`, in the patch dialect of `content_type`; only metadata is sent back.
    pub(crate) fn patch(
        action: String,
        path: impl Into<ApiPath>,
        content_type: &'a str,
        body: Vec<u8>,
    ) -> Self {
        let method = Method::PATCH;
        Self {
            method,
            content_type,
            accept: METADATA_ONLY,
            body,
            ..Self::get(action, path)
        }
    }

    /// Sends the request and reads the whole answer.
    pub(crate) async fn send(self, client: &Client) -> Result<Bytes, CallError> {
        let action = self.action.clone();
        match tokio::time::timeout(CALL_TIMEOUT, self.exchange(client)).await {
            Ok(answer) => answer,
            Err(_) => Err(CallError::TimedOut { action }),
        }
    }

    /// The same, but keeps an answer of at most `keep` bytes. Of a longer one it gives the length.
    pub(crate) async fn send_up_to(
        self,
        client: &Client,
        keep: usize,
    ) -> Result<Result<Bytes, usize>, CallError> {
        let action = self.action.clone();
        let exchange = async {
            let (action, response) = self.open(client).await?;
            measure(response.into_body(), keep, &action).await
        };
        match tokio::time::timeout(CALL_TIMEOUT, exchange).await {
            Ok(answer) => answer,
            Err(_) => Err(CallError::TimedOut { action }),
        }
    }

    /// Sends the request and gives the headers of the response alone.
    pub(crate) async fn headers(self, client: &Client) -> Result<HeaderMap, CallError> {
        let action = self.action.clone();
        match tokio::time::timeout(CALL_TIMEOUT, self.open(client)).await {
            Ok(opened) => opened.map(|(_, response)| response.into_parts().0.headers),
            Err(_) => Err(CallError::TimedOut { action }),
        }
    }

    async fn exchange(self, client: &Client) -> Result<Bytes, CallError> {
        let (action, response) = self.open(client).await?;
        read(response.into_body(), OBJECT_LIMIT, &action).await
    }

    /// Sends the request and hands back the body of a good answer unread, with what was done. An API
    /// server that has too much to do is asked a few times more.
    pub(crate) async fn open(self, client: &Client) -> Result<(String, Response<Body>), CallError> {
        let Self {
            action,
            method,
            path,
            accept,
            content_type,
            body,
            closes,
        } = self;
        let uri = match path.into_uri() {
            Ok(uri) => uri,
            Err(source) => return Err(CallError::Name { action, source }),
        };
        let body = Bytes::from(body);
        let request = || {
            let mut request = Request::builder()
                .method(method.clone())
                .uri(uri.clone())
                .header(header::ACCEPT, accept)
                .header(header::CONTENT_TYPE, content_type);
            if closes {
                request = request.header(header::CONNECTION, "close");
            }
            request.body(Body::from(body.clone()))
        };
        let mut pauses = PAUSES.into_iter();
        loop {
            let request = match request() {
                Ok(request) => request,
                Err(source) => return Err(CallError::Malformed { action, source }),
            };
            let response = match client.send(request).await {
                Ok(response) => response,
                Err(error) => {
                    let cause = cause::of(&error);
                    return Err(CallError::Unreachable { action, cause });
                }
            };
            if is_strange(&response) {
                let status = response.status().as_u16();
                return Err(CallError::Stranger { action, status });
            }
            if response.status().is_success() {
                return Ok((action, response));
            }
            match pauses.next().and_then(|least| pause(&response, least)) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(refusal(action, response).await),
            }
        }
    }
}

/// Whether no API server responded: none redirects, and none sends pages. What comes with 401 or says that
/// something is overloaded is told by its status, page or not.
fn is_strange<B>(response: &Response<B>) -> bool {
    let status = response.status();
    if status == StatusCode::UNAUTHORIZED || status.is_server_error() {
        return false;
    }
    let kind = response.headers().get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok());
    let is_page = kind.is_some_and(|kind| {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        ["text/html", "application/xhtml+xml"]
            .iter()
            .any(|page| kind.eq_ignore_ascii_case(page))
    });
    status.is_redirection() || is_page && status != StatusCode::TOO_MANY_REQUESTS
}

/// How long to wait, and at least so long, before an API server is asked again that did nothing, since it has too much
/// to do. None if that is for the caller to decide.
fn pause<B>(response: &Response<B>, least: Duration) -> Option<Duration> {
    let is_busy = matches!(
        response.status(),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
    );
    let asked = retry_after(response).unwrap_or_default();
    let pause = asked.max(least);
    (is_busy && pause <= LONGEST_PAUSE).then_some(pause)
}

/// For how long the API server asks to wait.
fn retry_after<B>(response: &Response<B>) -> Option<Duration> {
    let value = response.headers().get(header::RETRY_AFTER)?;
    value.to_str().ok()?.parse().ok().map(Duration::from_secs)
}

async fn refusal(action: String, response: Response<Body>) -> CallError {
    let status = response.status();
    let retry_after = retry_after(&response);
    let body = read(response.into_body(), STATUS_LIMIT, &action)
        .await
        .unwrap_or_default();
    let (message, next) = status_message(status, &body);
    CallError::Refused {
        action,
        status: status.as_u16(),
        message,
        retry_after,
        next,
    }
}

/// The message of a `metav1.Status`, or the status line where there is none; and the token with which
/// a list can be continued.
fn status_message(status: StatusCode, body: &[u8]) -> (String, Option<String>) {
    #[derive(Default, serde::Deserialize)]
    #[serde(default)]
    struct Status {
        message: String,
        metadata: Metadata,
    }
    #[derive(Default, serde::Deserialize)]
    #[serde(default)]
    struct Metadata {
        #[serde(rename = "continue")]
        next: Option<String>,
    }
    let Status { message, metadata } = serde_json::from_slice(body).unwrap_or_default();
    let next = metadata.next.filter(|token| !token.is_empty());
    if !message.is_empty() {
        return (message, next);
    }
    let reason = status.canonical_reason().unwrap_or("no reason given");
    (reason.to_lowercase(), next)
}

async fn read(body: Body, limit: usize, action: &str) -> Result<Bytes, CallError> {
    let too_large = || CallError::TooLarge {
        action: action.to_owned(),
        limit,
    };
    let mut whole = Vec::new();
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = next(&mut chunks, action).await? {
        if whole.len() + chunk.len() > limit {
            return Err(too_large());
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(whole.into())
}

/// A body of at most `keep` bytes, or the length of a longer one.
async fn measure(body: Body, keep: usize, action: &str) -> Result<Result<Bytes, usize>, CallError> {
    let mut whole = Vec::new();
    let mut length = 0;
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = next(&mut chunks, action).await? {
        length += chunk.len();
        if length > OBJECT_LIMIT {
            return Err(CallError::TooLarge {
                action: action.to_owned(),
                limit: OBJECT_LIMIT,
            });
        }
        if length <= keep {
            whole.extend_from_slice(&chunk);
        } else {
            whole = Vec::new();
        }
    }
    Ok(if length <= keep {
        Ok(whole.into())
    } else {
        Err(length)
    })
}

async fn next(
    chunks: &mut (impl futures::Stream<Item = Result<Bytes, kube::Error>> + Unpin),
    action: &str,
) -> Result<Option<Bytes>, CallError> {
    let chunk = chunks.next().await.transpose();
    chunk.map_err(|error| CallError::Broken {
        action: action.to_owned(),
        cause: cause::of(&error),
    })
}
