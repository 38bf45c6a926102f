//! Faults: answers a test asks the cluster to give instead of the right ones.

use crate::gate::Gate;

/// Which requests to answer wrongly, how, and how often.
#[derive(Debug, Clone)]
pub struct Fault {
    /// HTTP method, such as `PATCH`; `None` for all.
    pub method: Option<String>,
    /// Text the path must contain; empty for all.
    pub path_contains: String,
    /// Text the query must contain, such as `watch=true`; empty for all.
    pub query_contains: String,
    /// How many matching requests to pass before the fault begins.
    pub skip: usize,
    /// How many requests get the fault; it is then forgotten.
    pub times: usize,
    /// What they get.
    pub answer: FaultAnswer,
}

/// What a request hit by a fault gets.
#[derive(Debug, Clone)]
pub enum FaultAnswer {
    /// A `metav1.Status` with this code, instead of the request being carried out.
    Status(u16),
    /// The request is carried out and its answer is then replaced by this code: the client cannot
    /// know that its write took place.
    StatusAfterwards(u16),
    /// No answer until the cluster stops or the client gives up.
    Hang,
    /// The connection is closed without an answer.
    Reset,
    /// The request is carried out; its answer waits at the gate.
    PauseAfterwards(Gate),
}

impl Default for Fault {
    fn default() -> Self {
        Self {
            method: None,
            path_contains: String::new(),
            query_contains: String::new(),
            skip: 0,
            times: 1,
            answer: FaultAnswer::Status(500),
        }
    }
}

impl Fault {
    fn matches(&self, method: &str, path: &str, query: &str) -> bool {
        self.method
            .as_deref()
            .is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
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

/// The usual reason for a status code.
pub(crate) fn reason(code: u16) -> &'static str {
    match code {
        400 => "BadRequest",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        409 => "Conflict",
        410 => "Expired",
        422 => "Invalid",
        429 => "TooManyRequests",
        500 => "InternalError",
        503 => "ServiceUnavailable",
        504 => "Timeout",
        _ => "",
    }
}
