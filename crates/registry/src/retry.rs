//! Trying again: how often, and how long to wait in between.

use std::future::Future;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};

use crate::clock::Clock;
use crate::error::{Error, Retry};

/// How requests are tried again.
#[derive(Debug, Clone)]
pub struct RetryPolicy {
    /// How often a request is sent at most.
    pub attempts: usize,
    /// Wait after the first attempt; each further one is three times as long, and some more at
    /// random.
    pub first_wait: Duration,
    /// Longest wait. A registry that asks for more gets no further attempt: the error says when.
    pub longest_wait: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 4,
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(30),
        }
    }
}

/// Carries something out until it works, cannot work, or was tried often enough.
pub(crate) async fn with_retry<T, F, A>(
    policy: &RetryPolicy,
    clock: &Clock,
    action: F,
) -> Result<T, Error>
where
    F: FnMut() -> A,
    A: Future<Output = Result<T, Error>>,
{
    let clock = clock.clone();
    let waits = ExponentialBuilder::default()
        .with_min_delay(policy.first_wait)
        .with_factor(3.0)
        .with_max_delay(policy.longest_wait)
        .with_max_times(policy.attempts.saturating_sub(1))
        .with_jitter();
    action
        .retry(waits)
        .sleep(move |wait| {
            let clock = clock.clone();
            async move { clock.sleep(wait).await }
        })
        .when(|error| error.retry() != Retry::Never)
        .adjust(|error, wait| match error.retry() {
            Retry::After(asked) => wait.filter(|_| asked <= policy.longest_wait).map(|_| asked),
            _ => wait,
        })
        .notify(|error, wait| tracing::debug!(%error, ?wait, "trying again"))
        .await
}
