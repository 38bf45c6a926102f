//! A limit on the requests to the API server, as the clients of Kubernetes keep to one: so many per
//! second, and so many at once after a quiet time. Requests wait in turn.
//!
//! Requests for leases count and do not wait: whoever renews a lease late loses it.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http::Request;
use kube::client::Body;
use tokio::time::Instant;
use tower::{Layer, Service};

/// How many requests are sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rate {
    /// Requests per second; more than 0.
    pub(crate) per_second: f64,
    /// Requests that may be sent at once; at least one is.
    pub(crate) burst: f64,
}

/// Lets the requests of one client through at a [`Rate`].
#[derive(Debug, Clone)]
pub(crate) struct Limit(Arc<Bucket>);

/// A bucket of tokens, one for each request.
#[derive(Debug)]
struct Bucket {
    rate: Rate,
    /// Whose turn it is: the lock is fair, and whoever gives up leaves the queue.
    turn: tokio::sync::Mutex<()>,
    tokens: Mutex<Tokens>,
}

#[derive(Debug)]
struct Tokens {
    /// Less than none once requests did not wait.
    count: f64,
    at: Instant,
}

impl Limit {
    /// A limit that nothing was sent under yet.
    pub(crate) fn new(rate: Rate) -> Self {
        let rate = Rate {
            burst: rate.burst.max(1.0),
            ..rate
        };
        Self(Arc::new(Bucket {
            rate,
            turn: tokio::sync::Mutex::default(),
            tokens: Mutex::new(Tokens {
                count: rate.burst,
                at: Instant::now(),
            }),
        }))
    }
}

impl Bucket {
    /// Waits for a token.
    async fn take(&self) {
        let _turn = self.turn.lock().await;
        while let Err(pause) = self.try_take(Instant::now()) {
            tokio::time::sleep(pause).await;
        }
    }

    /// Takes a token, or says when there is one.
    fn try_take(&self, now: Instant) -> Result<(), Duration> {
        let missing = self.with_tokens(now, |tokens| {
            let missing = 1.0 - tokens.count;
            if missing <= 0.0 {
                tokens.count -= 1.0;
            }
            missing
        });
        if missing <= 0.0 {
            return Ok(());
        }
        let seconds = missing / self.rate.per_second;
        // a wait of years is cut, and repeated
        Err(Duration::from_secs_f64(seconds.clamp(0.001, 3600.0)))
    }

    /// Takes a token that may not be there yet.
    fn take_ahead(&self, now: Instant) {
        self.with_tokens(now, |tokens| tokens.count -= 1.0);
    }

    fn with_tokens<T>(&self, now: Instant, use_them: impl FnOnce(&mut Tokens) -> T) -> T {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = now.saturating_duration_since(tokens.at).as_secs_f64();
        let count = tokens.count + passed * self.rate.per_second;
        tokens.count = count.min(self.rate.burst);
        tokens.at = now;
        use_them(&mut tokens)
    }
}

impl<S> Layer<S> for Limit {
    type Service = Limited<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Limited {
            bucket: Arc::clone(&self.0),
            inner,
        }
    }
}

/// A client under a limit.
#[derive(Debug, Clone)]
pub(crate) struct Limited<S> {
    bucket: Arc<Bucket>,
    inner: S,
}

impl<S> Service<Request<Body>> for Limited<S>
where
    S: Service<Request<Body>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let bucket = Arc::clone(&self.bucket);
        let is_patient = waits(request.uri().path());
        // nothing is sent before the future is polled
        let sent = self.inner.call(request);
        Box::pin(async move {
            if is_patient {
                bucket.take().await;
            } else {
                bucket.take_ahead(Instant::now());
            }
            sent.await
        })
    }
}

fn waits(path: &str) -> bool {
    !path.starts_with("/apis/coordination.k8s.io/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(per_second: f64, burst: f64) -> Arc<Bucket> {
        Limit::new(Rate { per_second, burst }).0
    }

    #[tokio::test(start_paused = true)]
    async fn requests_are_sent_at_the_rate_after_the_first_few() {
        let (bucket, start) = (bucket(40.0, 33.0), Instant::now());
        for _ in 0..33 {
            bucket.take().await;
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        for _ in 0..80 {
            bucket.take().await;
        }
        let elapsed = start.elapsed().as_secs_f64();
        assert!((1.9..2.2).contains(&elapsed), "{elapsed}");
        // a quiet time gives the first few back, and no more
        tokio::time::sleep(Duration::from_secs(60)).await;
        let start = Instant::now();
        for _ in 0..34 {
            bucket.take().await;
        }
        assert!(start.elapsed() >= Duration::from_millis(25));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_gives_up_costs_the_others_nothing() {
        let bucket = bucket(1.0, 1.0);
        bucket.take().await;
        let start = Instant::now();
        for _ in 0..10 {
            let late = tokio::time::timeout(Duration::from_millis(10), bucket.take());
            assert!(late.await.is_err());
        }
        bucket.take().await;
        assert!(start.elapsed() <= Duration::from_millis(1010));
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_is_renewed_without_a_wait_and_counts() {
        assert!(waits("/apis/tekton.dev/v1/taskruns"));
        assert!(!waits(
            "/apis/coordination.k8s.io/v1/namespaces/n/leases/windlass"
        ));
        let (bucket, start) = (bucket(1.0, 1.0), Instant::now());
        bucket.take_ahead(start);
        bucket.take_ahead(start);
        bucket.take().await;
        assert!(start.elapsed() >= Duration::from_secs(2));
    }
}
