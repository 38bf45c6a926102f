//! When something that failed is worth trying again.

use std::time::Duration;

/// When to try again.
///
/// The order is that of [`Retry::of_all`]: the greater one decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Retry {
    /// Never: it fails the same way every time.
    Never,
    /// Once somebody has changed something: the settings, a key, a credential, an access right.
    Settings,
    /// Without a change, after a pause that grows with each attempt.
    Backoff,
    /// Not before this time has passed; whoever was asked said so.
    After(Duration),
}

impl Retry {
    /// When to try again where several things failed: not before the last of the times that were
    /// asked for; else after a growing pause if any of them can pass without a change. Nothing that
    /// failed is nothing to try again.
    ///
    /// ```
    /// use std::time::Duration;
    /// use windlass_core::retry::Retry;
    ///
    /// let busy = Retry::After(Duration::from_secs(30));
    /// assert_eq!(Retry::of_all([Retry::Never, busy, Retry::Backoff]), busy);
    /// ```
    pub fn of_all(failures: impl IntoIterator<Item = Self>) -> Self {
        failures.into_iter().max().unwrap_or(Self::Never)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Retry = Retry::After(Duration::from_secs(1));
    const LONG: Retry = Retry::After(Duration::from_secs(60));

    #[test]
    fn the_last_of_the_times_asked_for_counts() {
        assert_eq!(Retry::of_all([LONG, SHORT]), LONG);
        assert_eq!(Retry::of_all([SHORT, LONG]), LONG);
        assert_eq!(Retry::of_all([Retry::Backoff, SHORT, Retry::Never]), SHORT);
    }

    #[test]
    fn one_failure_that_can_pass_is_reason_enough_to_try_again() {
        let mixed = [Retry::Never, Retry::Backoff, Retry::Settings];
        assert_eq!(Retry::of_all(mixed), Retry::Backoff);
        assert_eq!(
            Retry::of_all([Retry::Settings, Retry::Never]),
            Retry::Settings
        );
    }

    #[test]
    fn what_fails_the_same_way_every_time_is_not_tried_again() {
        assert_eq!(Retry::of_all([Retry::Never, Retry::Never]), Retry::Never);
        assert_eq!(Retry::of_all([]), Retry::Never);
    }
}
