//! AWS: the identity that the environment gives this process, and requests signed with it (Signature
//! Version 4). What the environment says is read by the AWS SDK.

use std::fmt;
use std::time::{Duration, SystemTime};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings};
use aws_sigv4::sign::v4;
use tokio::sync::Mutex;

use super::exchange::{CloudError, shown};

/// How long before their end credentials are no longer used.
const MARGIN: Duration = Duration::from_secs(120);
/// How long credentials that do not expire are used before they are looked for again.
const LIFETIME: Duration = Duration::from_secs(300);

/// For what a request is signed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    /// The service's name in signatures.
    pub(crate) service: &'static str,
    pub(crate) region: &'a str,
}

/// The identity of this process. Its credentials are kept until shortly before they expire.
pub(crate) struct Identity {
    provider: SharedCredentialsProvider,
    credentials: Mutex<Option<Issued>>,
}

struct Issued {
    credentials: Credentials,
    until: SystemTime,
}

/// No credential and no name of one.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity([redacted])")
    }
}

impl Identity {
    pub(crate) fn of(provider: SharedCredentialsProvider) -> Self {
        Self {
            provider,
            credentials: Mutex::new(None),
        }
    }

    /// The identity of a configuration.
    pub(crate) fn find(config: &SdkConfig) -> Result<Self, CloudError> {
        let none = || CloudError::NoIdentity("no source of credentials is configured".to_owned());
        config.credentials_provider().map(Self::of).ok_or_else(none)
    }

    /// Signs a request.
    pub(crate) async fn sign(
        &self,
        request: &mut http::Request<Vec<u8>>,
        scope: Scope<'_>,
        now: SystemTime,
    ) -> Result<(), CloudError> {
        let credentials = self.credentials(now).await?;
        sign(request, credentials, scope, now)
    }

    /// Forgets the credentials, so that the next request has new ones.
    pub(crate) async fn forget(&self) {
        *self.credentials.lock().await = None;
    }

    /// One asks, the others wait for it.
    pub(super) async fn credentials(&self, now: SystemTime) -> Result<Credentials, CloudError> {
        let mut kept = self.credentials.lock().await;
        if let Some(issued) = kept.as_ref().filter(|issued| now < issued.until) {
            return Ok(issued.credentials.clone());
        }
        let issued = self.provider.provide_credentials().await;
        let credentials = issued.map_err(|error| CloudError::NoIdentity(shown(&error)))?;
        let until = match credentials.expiry() {
            Some(end) => end.checked_sub(MARGIN).unwrap_or(end),
            None => now + LIFETIME,
        };
        *kept = Some(Issued {
            credentials: credentials.clone(),
            until,
        });
        Ok(credentials)
    }
}

/// What the environment and the shared files say.
pub(crate) async fn configuration(region: Option<&str>) -> SdkConfig {
    let defaults = aws_config::defaults(BehaviorVersion::latest());
    match region {
        Some(region) => defaults.region(Region::new(region.to_owned())).load().await,
        None => defaults.load().await,
    }
}

/// The address of a service that the environment names: by a variable of the service's own, else
/// `AWS_ENDPOINT_URL` or the profile's `endpoint_url`, unless it says that they are ignored.
pub(crate) fn endpoint(
    config: &SdkConfig,
    own: &str,
    environment: fn(&str) -> Option<String>,
) -> Option<String> {
    let ignored = environment("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
    let is_ignored = ignored.is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let own = environment(own).filter(|_| !is_ignored);
    own.or_else(|| config.endpoint_url().map(ToOwned::to_owned))
}

/// Adds the headers of a signature to a request.
pub(super) fn sign<B: AsRef<[u8]>>(
    request: &mut http::Request<B>,
    credentials: Credentials,
    scope: Scope<'_>,
    now: SystemTime,
) -> Result<(), CloudError> {
    let failed = |error: &dyn fmt::Display| CloudError::Exchange(shown(error));
    let identity = credentials.into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(scope.region)
        .name(scope.service)
        .time(now)
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| failed(&error))?
        .into();
    let address = request.uri().to_string();
    let headers = request.headers().iter();
    let headers = headers.map(|(name, value)| (name.as_str(), value.to_str().unwrap_or("")));
    let body = SignableBody::Bytes(request.body().as_ref());
    let signable = SignableRequest::new("POST", address, headers, body);
    let signable = signable.map_err(|error| failed(&error))?;
    let signed = aws_sigv4::http_request::sign(signable, &parameters);
    let signed = signed.map_err(|error| failed(&error))?;
    signed.into_parts().0.apply_to_request_http1x(request);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use aws_credential_types::provider::future::ProvideCredentials as Provided;
    use aws_credential_types::provider::{ProvideCredentials, error::CredentialsError};

    use super::*;

    /// Credentials that expire after this time, counted.
    #[derive(Debug)]
    struct Role(Arc<AtomicUsize>, SystemTime);

    impl ProvideCredentials for Role {
        fn provide_credentials<'a>(&'a self) -> Provided<'a>
        where
            Self: 'a,
        {
            if self.0.fetch_add(1, Ordering::Relaxed) > 5 {
                return Provided::ready(Err(CredentialsError::not_loaded_no_source()));
            }
            let session = Some("planted-session".to_owned());
            let role = Credentials::new(
                "PLANTEDKEY",
                "planted-secret",
                session,
                Some(self.1),
                "test",
            );
            Provided::ready(Ok(role))
        }
    }

    #[tokio::test]
    async fn the_credentials_of_a_role_are_used_until_shortly_before_they_expire() {
        let (asked, now) = (Arc::new(AtomicUsize::new(0)), SystemTime::now());
        let end = now + Duration::from_secs(3600);
        let role = Role(Arc::clone(&asked), end);
        let identity = Identity::of(SharedCredentialsProvider::new(role));
        let scope = Scope {
            service: "kms",
            region: "eu-west-1",
        };
        let sign = async |at| {
            let request = http::Request::post("https://kms.eu-west-1.amazonaws.com/");
            let mut request = request.body(b"{}".to_vec()).unwrap();
            identity.sign(&mut request, scope, at).await.unwrap();
            request.headers()["authorization"]
                .to_str()
                .unwrap()
                .to_owned()
        };
        for at in [now, now, end - MARGIN - Duration::from_secs(1)] {
            assert!(sign(at).await.contains("Credential=PLANTEDKEY/"));
        }
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        sign(end - MARGIN).await;
        assert_eq!(asked.load(Ordering::Relaxed), 2);
        identity.forget().await;
        sign(now).await;
        assert_eq!(asked.load(Ordering::Relaxed), 3);
        let shown = format!("{identity:?}");
        assert!(!shown.to_lowercase().contains("planted"), "{shown}");
    }
}
