//! Errors of kube's own requests in words of ours: kube's text is that of its types.

use windlass_core::terminal::is_unsafe;

use super::{call, cause};

/// Longest text of the API server that is repeated, in characters.
const LONGEST: usize = 300;

/// What the API server said, without the rest of its response, or why it said nothing.
pub(crate) fn told(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) if is_page(&status.message) => {
            format!("{} (HTTP {})", call::STRANGER, status.code)
        }
        kube::Error::Api(status) => {
            let message = status.message.chars().filter(|letter| !is_unsafe(*letter));
            let message: String = message.take(LONGEST).collect();
            format!("{} (HTTP {})", message.trim(), status.code)
        }
        // a page, or a redirect, which has no body
        kube::Error::SerdeError(error) if !error.is_data() => call::STRANGER.to_owned(),
        kube::Error::SerdeError(_) => "the API server sent something else".to_owned(),
        error => format!("{}: {}", call::SILENT, cause::of(error)),
    }
}

/// Whether what came with a refusal is a page, which no API server sends.
pub(crate) fn is_page(message: &str) -> bool {
    message.trim_start().starts_with('<')
}
