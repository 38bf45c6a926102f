//! The time in which something counts.

use jiff::Timestamp;
use serde::Deserialize;

/// From a time on and until one, both of them included; without an end it is not known when it ends.
/// Source: `sigstore_common.proto` of protobuf-specs, `TimeRange`.
///
/// ```
/// use windlass_core::time_range::TimeRange;
///
/// let range: TimeRange = serde_json::from_str(r#"{"start":"2026-01-01T00:00:00Z"}"#)?;
/// assert!(range.has("2026-01-01T00:00:00Z".parse()?));
/// assert!(!range.has("2025-12-31T23:59:59Z".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct TimeRange {
    /// The first moment.
    pub start: Option<Timestamp>,
    /// The last one.
    pub end: Option<Timestamp>,
}

impl TimeRange {
    /// Whether a moment is in it.
    pub fn has(&self, moment: Timestamp) -> bool {
        self.start.is_none_or(|start| start <= moment) && !self.has_ended(moment)
    }

    /// Whether it is over at a moment.
    pub fn has_ended(&self, moment: Timestamp) -> bool {
        self.end.is_some_and(|end| end < moment)
    }
}
