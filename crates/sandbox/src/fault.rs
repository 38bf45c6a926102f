//! Faults: responses that a test asks a server to give instead of the right ones. Every server of
//! the sandbox knows all of them; what only one kind of server can do wrong is a quirk of its own.

use std::convert::Infallible;
use std::time::Duration;

use http::HeaderName;

use crate::gate::Gate;

mod effect;
pub(crate) mod reply;
mod response;

pub use reply::Reply;

/// Which requests get a wrong response, which one, and how often.
#[derive(Debug, Clone)]
pub struct Fault<Q = Infallible> {
    /// HTTP method, such as `PUT`; `None` for all.
    pub method: Option<String>,
    /// Text the path must contain, such as `/manifests/`; empty for all.
    pub path_contains: String,
    /// Text the query must contain, such as `watch=true`; empty for all.
    pub query_contains: String,
    /// How many matching requests to pass before the fault begins.
    pub skip: usize,
    /// How many requests get the fault; it is then forgotten. `usize::MAX` makes it a habit.
    pub times: usize,
    /// What they get.
    pub answer: FaultAnswer<Q>,
}

/// What a request hit by a fault gets. What happens *afterwards* happens once the request has taken
/// effect: the client cannot know that it has.
#[derive(Debug, Clone)]
pub enum FaultAnswer<Q = Infallible> {
    /// This reply, and no effect.
    Status(Reply),
    /// The effect, and this reply.
    StatusAfterwards(Reply),
    /// No response until the server stops or the client gives up, and no effect.
    Hang,
    /// The connection is reset without a response (HTTP/2: the stream), and no effect.
    Reset,
    /// The effect, and a reset of the connection instead of the response, which is lost.
    ResetAfterwards,
    /// The connection is closed in order, without a response (HTTP/2: the stream), and no effect.
    Close,
    /// The request takes effect after this time.
    Delay(Duration),
    /// The request takes effect; its response follows after this time.
    DelayAfterwards(Duration),
    /// The request waits at the gate before it takes effect.
    Pause(Gate),
    /// The request takes effect; its response waits at the gate.
    PauseAfterwards(Gate),
    /// The right body in chunks, with a delay before each.
    SlowBody {
        /// Bytes of a chunk, at least one.
        chunk: usize,
        /// Delay before each.
        delay: Duration,
    },
    /// The right headers without a length, and a body that does not end.
    EndlessBody,
    /// The right headers; the connection is closed after this many bytes of the body.
    CutBody(usize),
    /// The right headers and the right length; the last byte of the body is another one. Only for
    /// bodies that end.
    WrongContent,
    /// The right response without this header, such as `docker-content-digest` or `location`.
    WithoutHeader(HeaderName),
    /// The right response with this header instead of any of its name.
    Header(HeaderName, String),
    /// The right response; its `Location` is a path without scheme and host.
    RelativeLocation,
    /// The right response; scheme and host of its `Location` are these, as in
    /// `http://127.0.0.1:80`.
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
    /// What only this kind of server does.
    Quirk(Q),
}

impl<Q> Default for Fault<Q> {
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

impl<Q> Fault<Q> {
    /// A fault for the next request with this method and this text in its path.
    pub fn new(method: &str, path_contains: &str, answer: FaultAnswer<Q>) -> Self {
        Self {
            method: Some(method.to_owned()),
            path_contains: path_contains.to_owned(),
            answer,
            ..Self::default()
        }
    }

    /// The same from the n-th matching request on, counted from 1.
    #[must_use]
    pub fn from_nth(mut self, n: usize) -> Self {
        self.skip = n.saturating_sub(1);
        self
    }

    /// The same for this many requests.
    #[must_use]
    pub fn repeated(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    fn matches(&self, method: &str, path: &str, query: &str) -> bool {
        let wanted = self.method.as_deref();
        wanted.is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && path.contains(&self.path_contains)
            && query.contains(&self.query_contains)
    }
}

/// Takes one turn of the first fault that matches the request.
pub(crate) fn take<Q: Clone>(
    faults: &mut Vec<Fault<Q>>,
    method: &str,
    path: &str,
    query: &str,
) -> Option<FaultAnswer<Q>> {
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
