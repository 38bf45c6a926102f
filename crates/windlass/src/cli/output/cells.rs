//! Cells that tables of runs share.

use jiff::Timestamp;

use super::age;
use super::clean;
use super::look::Look;
use crate::inspect::summary::{Condition, SignatureState, Status};

/// The cells STARTED, DURATION and STATUS.
pub(crate) fn status(status: &Status, now: Timestamp, look: Look) -> [String; 3] {
    let state = status.condition().map(Condition::text);
    [
        age::ago(status.start_time, now),
        age::between(status.start_time, status.completion_time),
        state.map_or_else(
            || age::NONE.to_owned(),
            |state| look.state(&clean::line(&state)),
        ),
    ]
}

/// The cell SIGNED.
pub(crate) fn signed(state: SignatureState) -> &'static str {
    match state {
        SignatureState::Signed => "yes",
        SignatureState::Marked => "marked",
        SignatureState::Failed => "failed",
        SignatureState::Retrying => "retrying",
        SignatureState::None => age::NONE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_without_a_status_has_empty_cells() {
        let cells = status(&Status::default(), Timestamp::UNIX_EPOCH, Look::PLAIN);
        assert_eq!(cells, ["---", "---", "---"].map(str::to_owned));
        assert_eq!(signed(SignatureState::None), "---");
    }
}
