//! The time of day, as leases state it.
//!
//! A test may have it go with tokio's time, so that what is simulated is the same each time.

/// The time of day.
#[cfg(not(test))]
pub(crate) fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

#[cfg(test)]
pub(crate) use simulated::{begin, now};

#[cfg(test)]
mod simulated {
    use std::cell::Cell;

    use jiff::Timestamp;
    use tokio::time::Instant;

    thread_local! {
        /// When the simulation on this thread began, by both clocks.
        static BEGIN: Cell<Option<(Instant, Timestamp)>> = const { Cell::new(None) };
    }

    /// From now on it is this time on this thread, and goes with that of tokio.
    pub(crate) fn begin(at: Timestamp) {
        BEGIN.set(Some((Instant::now(), at)));
    }

    /// The time of day, simulated where a simulation began.
    pub(crate) fn now() -> Timestamp {
        BEGIN.get().map_or_else(Timestamp::now, |(begin, at)| {
            let since = jiff::SignedDuration::try_from(begin.elapsed()).unwrap_or_default();
            at + since
        })
    }
}
