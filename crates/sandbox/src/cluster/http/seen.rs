//! What is remembered of a request.

/// A request the cluster has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenRequest {
    /// Method in capitals.
    pub method: String,
    /// Path as sent, without the query.
    pub path: String,
    /// Query as sent, without the question mark; empty if there was none.
    pub query: String,
    /// `Content-Type` header; empty if there was none.
    pub content_type: String,
    /// `User-Agent` header; empty if there was none.
    pub user_agent: String,
    /// Status code answered; 0 if a fault left the request without an answer.
    pub status: u16,
}
