//! Faults: answers a test asks the registry to give instead of the right ones, and the quirks of
//! registries in the field.

use std::time::Duration;

use http::HeaderName;
use http::header::{CONTENT_TYPE, RETRY_AFTER};

use super::answer::{Answer, Refusal, code_of, status};
use crate::gate::Gate;

/// Which requests to answer differently, how, and how often.
#[derive(Debug, Clone)]
pub struct Fault {
    /// HTTP method, such as `PUT`; `None` for all.
    pub method: Option<String>,
    /// Text the path must contain, such as `/manifests/`; empty for all.
    pub path_contains: String,
    /// Text the query must contain, such as `digest=`; empty for all.
    pub query_contains: String,
    /// How many matching requests to pass before the fault begins.
    pub skip: usize,
    /// How many requests get the fault; it is then forgotten. `usize::MAX` makes it a habit.
    pub times: usize,
    /// What they get.
    pub answer: FaultAnswer,
}

/// What a request hit by a fault gets.
#[derive(Debug, Clone)]
pub enum FaultAnswer {
    /// This reply, instead of the request being carried out.
    Status(Reply),
    /// The request is carried out and its answer then replaced by this reply: the client cannot
    /// know that its write took place.
    StatusAfterwards(Reply),
    /// No answer until the registry stops or the client gives up.
    Hang,
    /// The connection is reset without an answer (HTTP/2: the stream).
    Reset,
    /// The request is carried out; the connection is then reset without an answer.
    ResetAfterwards,
    /// The connection is closed in order, without an answer (HTTP/2: the stream).
    Close,
    /// The request waits at the gate before it is carried out.
    Pause(Gate),
    /// The request is carried out; its answer waits at the gate.
    PauseAfterwards(Gate),
    /// The right body, so many bytes at a time with a delay before each.
    SlowBody {
        /// Bytes at a time, at least one.
        chunk: usize,
        /// Delay before each.
        delay: Duration,
    },
    /// The right headers without a length, and a body that does not end.
    EndlessBody,
    /// The right headers; the connection is closed after so many bytes of the body.
    CutBody(usize),
    /// The right headers and the right length; the last byte of the body is another one.
    WrongContent,
    /// The right answer without this header, such as `docker-content-digest` or `location`.
    WithoutHeader(HeaderName),
    /// The right answer with this header instead of any of its name.
    Header(HeaderName, String),
    /// The right answer; its `Location` is a path without scheme and host.
    RelativeLocation,
    /// The right answer; the `Location` of an upload has a query that the next request on it must
    /// carry (plus its own), or is refused.
    LocationWithQuery,
    /// The right answer; scheme and host of its `Location` are these, as in `http://127.0.0.1:80`.
    LocationAt(String),
    /// A redirect of the request to the same path and query at another scheme and host.
    Redirect {
        /// The status, such as 307.
        status: u16,
        /// Scheme and host, as in `http://127.0.0.1:80`.
        to: String,
    },
    /// A redirect (307) to this address as it stands.
    RedirectTo(String),
    /// A `PUT` that would move a tag to another manifest is refused with this status.
    ImmutableTag(u16),
    /// The bearer token of the request expires before the request is looked at.
    ExpiredToken,
}

/// A reply without regard to the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Status code.
    pub status: u16,
    /// `Retry-After` header, seconds or an HTTP date.
    pub retry_after: Option<String>,
    /// Body as it is sent; `None` is an error body as the specification has it.
    pub body: Option<String>,
    /// `Content-Type` header; `None` is JSON.
    pub media_type: Option<String>,
}

impl From<u16> for Reply {
    fn from(status: u16) -> Self {
        Self {
            status,
            retry_after: None,
            body: None,
            media_type: None,
        }
    }
}

impl Reply {
    /// The same with a `Retry-After` header.
    #[must_use]
    pub fn retry_after(mut self, value: impl Into<String>) -> Self {
        self.retry_after = Some(value.into());
        self
    }

    /// The same with this body.
    #[must_use]
    pub fn body(mut self, body: impl Into<String>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// The same with this media type.
    #[must_use]
    pub fn media_type(mut self, media_type: impl Into<String>) -> Self {
        self.media_type = Some(media_type.into());
        self
    }

    pub(crate) fn answer(self) -> Answer {
        let status = status(self.status);
        let message = "the test asked for this failure";
        let mut answer = Answer::from(Refusal::new(status, code_of(status), message));
        if let Some(body) = self.body {
            answer.body = body.into();
        }
        if let Some(media_type) = self.media_type {
            answer = answer.with(CONTENT_TYPE, media_type);
        }
        match self.retry_after {
            Some(value) => answer.with(RETRY_AFTER, value),
            None => answer,
        }
    }
}

impl Default for Fault {
    fn default() -> Self {
        Self {
            method: None,
            path_contains: String::new(),
            query_contains: String::new(),
            skip: 0,
            times: 1,
            answer: FaultAnswer::Status(500.into()),
        }
    }
}

impl Fault {
    fn matches(&self, method: &str, path: &str, query: &str) -> bool {
        let wanted = self.method.as_deref();
        wanted.is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && path.contains(&self.path_contains)
            && query.contains(&self.query_contains)
    }
}

/// Takes one turn of the first fault that matches the request.
pub(crate) fn take(
    faults: &mut Vec<Fault>,
    method: &str,
    path: &str,
    query: &str,
) -> Option<FaultAnswer> {
    faults.retain(|fault| fault.times > 0);
    let fault = faults
        .iter_mut()
        .find(|fault| fault.matches(method, path, query))?;
    if fault.skip > 0 {
        fault.skip -= 1;
        return None;
    }
    fault.times -= 1;
    Some(fault.answer.clone())
}
