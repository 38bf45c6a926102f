//! Retries: how often, and how long to wait in between.

use std::future::Future;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use windlass_core::retry::Retry;

use crate::clock::Clock;
use crate::error::Error;

/// How requests are retried.
#[derive(Debug, Clone)]
pub struct RetryPolicy {
    /// Most attempts of a request.
    pub attempts: usize,
    /// Most attempts of a request that nothing listens for.
    pub connections: usize,
    /// Delay after the first attempt; each further one is three times as long, plus jitter.
    pub first_wait: Duration,
    /// Longest delay. If the registry asks for more, the request fails and the error says when to
    /// retry.
    pub longest_wait: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 4,
            connections: 4,
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(30),
        }
    }
}

/// Runs an action until it succeeds, fails for good, runs into a timeout, or has had all its attempts.
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
    let mut unconnected = 0;
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
        .when(move |error| {
            unconnected += usize::from(error.is_unconnected());
            unconnected < policy.connections
                && !error.is_timeout()
                && matches!(error.retry(), Retry::Backoff | Retry::After(_))
        })
        .adjust(|error, wait| match error.retry() {
            Retry::After(asked) => wait.filter(|_| asked <= policy.longest_wait).map(|_| asked),
            _ => wait,
        })
        .notify(|error, wait| tracing::debug!(error = %error.outline(), ?wait, "retrying"))
        .await
}
