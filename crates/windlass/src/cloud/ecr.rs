//! Amazon ECR: a password for a role, by `GetAuthorizationToken`.
//! Source: API references of Amazon ECR and Amazon ECR Public.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use windlass_registry::Credential;
use zeroize::Zeroizing;

use super::aws::{self, Scope};
use super::exchange::{CloudError, IssuedCredential, answer, http, malformed, shown};

/// The host of the public gallery.
const PUBLIC: &str = "public.ecr.aws";
/// Where its tokens are given, whatever region one is in.
const PUBLIC_REGION: &str = "us-east-1";
/// How long before its end a token is no longer used.
const MARGIN: Duration = Duration::from_secs(300);
const NOTHING: &[u8] = b"{}";

/// A registry of ECR, and where its tokens are given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Registry {
    region: String,
    endpoint: String,
    /// The service's name in signatures.
    service: &'static str,
    /// The operation.
    target: &'static str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    authorization_data: OneOrMany,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(Data),
    Many(Vec<Data>),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    authorization_token: Zeroizing<String>,
    /// Seconds since 1970.
    expires_at: f64,
}

impl Registry {
    /// `ACCOUNT.dkr.ecr[-fips].REGION.amazonaws.com[.cn]`, or the public gallery.
    pub(super) fn of(host: &str) -> Option<Self> {
        if host == PUBLIC {
            return Some(Self {
                region: PUBLIC_REGION.to_owned(),
                endpoint: format!("https://api.ecr-public.{PUBLIC_REGION}.amazonaws.com/"),
                service: "ecr-public",
                target: "SpencerFrontendService.GetAuthorizationToken",
            });
        }
        let (account, rest) = host.split_once(".dkr.")?;
        let (kind, rest) = rest.split_once('.')?;
        let (region, domain) = rest.split_once('.')?;
        let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        let is_region = !region.is_empty()
            && region
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let prefix = match kind {
            "ecr" => "api.ecr",
            "ecr-fips" => "ecr-fips",
            _ => return None,
        };
        let is_amazons = matches!(domain, "amazonaws.com" | "amazonaws.com.cn");
        (is_account && is_region && is_amazons).then(|| Self {
            region: region.to_owned(),
            endpoint: format!("https://{prefix}.{region}.{domain}/"),
            service: "ecr",
            target: "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken",
        })
    }

    pub(super) async fn exchange(&self) -> Result<IssuedCredential, CloudError> {
        let config = aws::configuration(Some(&self.region)).await;
        let now = SystemTime::now();
        let credentials = aws::Identity::find(&config)?.credentials(now).await?;
        self.exchange_for(credentials, now).await
    }

    async fn exchange_for(
        &self,
        identity: Credentials,
        now: SystemTime,
    ) -> Result<IssuedCredential, CloudError> {
        let mut request = http::Request::post(&self.endpoint)
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", self.target)
            .body(NOTHING)
            .map_err(|error| CloudError::Exchange(shown(&error)))?;
        let scope = Scope {
            service: self.service,
            region: &self.region,
        };
        aws::sign(&mut request, identity, scope, now)?;
        let (parts, body) = request.into_parts();
        let request = http()?.post(&self.endpoint).headers(parts.headers);
        let body = answer(request.body(body)).await?;
        let read: Answer = serde_json::from_slice(&body).map_err(malformed)?;
        let data = match read.authorization_data {
            OneOrMany::One(data) => Some(data),
            OneOrMany::Many(many) => many.into_iter().next(),
        };
        granted(&data.ok_or(()).map_err(malformed)?, now)
    }
}

/// The token is `AWS:PASSWORD` in base64.
fn granted(data: &Data, now: SystemTime) -> Result<IssuedCredential, CloudError> {
    let decoded = STANDARD.decode(data.authorization_token.as_bytes());
    let decoded = Zeroizing::new(decoded.map_err(malformed)?);
    let text = std::str::from_utf8(&decoded).map_err(malformed)?;
    let (username, password) = text.split_once(':').ok_or(()).map_err(malformed)?;
    let now = now.duration_since(UNIX_EPOCH).map_err(malformed)?;
    let expires = Duration::try_from_secs_f64(data.expires_at).map_err(malformed)?;
    Ok(IssuedCredential {
        credential: Credential::Password {
            username: username.to_owned().into(),
            password: password.to_owned().into(),
        },
        lifetime: expires.saturating_sub(now).saturating_sub(MARGIN),
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;
    use axum::routing::post;

    use super::*;

    async fn serve(answer: &'static str) -> (String, tokio::sync::mpsc::Receiver<HeaderMap>) {
        let (seen, receiver) = tokio::sync::mpsc::channel(1);
        let handler = move |headers: HeaderMap, body: String| async move {
            assert_eq!(body, "{}");
            seen.send(headers).await.unwrap();
            answer
        };
        let router = axum::Router::new().route("/", post(handler));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async { axum::serve(listener, router).await });
        (url, receiver)
    }

    async fn exchange(
        host: &str,
        answer: &'static str,
    ) -> (Result<IssuedCredential, CloudError>, HeaderMap) {
        let (endpoint, mut seen) = serve(answer).await;
        let mut registry = Registry::of(host).unwrap();
        registry.endpoint = endpoint;
        let identity = Credentials::new("AKID", "hidden", Some("session".to_owned()), None, "test");
        let now = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let granted = registry.exchange_for(identity, now).await;
        (granted, seen.recv().await.unwrap())
    }

    #[tokio::test]
    async fn a_role_is_exchanged_for_a_password_until_shortly_before_it_expires() {
        // "AWS:password", twelve hours later
        let answer = r#"{"authorizationData":[{"authorizationToken":"QVdTOnBhc3N3b3Jk","expiresAt":1.7000432E9,"proxyEndpoint":"https://x"}]}"#;
        let host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
        let (granted, headers) = exchange(host, answer).await;
        let granted = granted.unwrap();
        let expected = Credential::Password {
            username: "AWS".to_owned().into(),
            password: "password".to_owned().into(),
        };
        assert_eq!(granted.credential, expected);
        assert_eq!(granted.lifetime, Duration::from_secs(12 * 3600 - 300));
        let header = |name| headers[name].to_str().unwrap();
        let scope = "AWS4-HMAC-SHA256 Credential=AKID/20231114/eu-west-1/ecr/aws4_request";
        assert!(header("authorization").starts_with(scope));
        assert_eq!(header("x-amz-security-token"), "session");
        assert!(header("x-amz-target").ends_with(".GetAuthorizationToken"));
    }

    #[tokio::test]
    async fn the_public_gallery_has_an_endpoint_and_an_answer_of_its_own() {
        let answer = r#"{"authorizationData":{"authorizationToken":"QVdTOnBhc3N3b3Jk","expiresAt":1.7000432E9}}"#;
        let (granted, headers) = exchange(PUBLIC, answer).await;
        assert!(granted.is_ok());
        let scope = "/us-east-1/ecr-public/aws4_request";
        assert!(headers["authorization"].to_str().unwrap().contains(scope));
    }

    #[tokio::test]
    async fn an_answer_without_a_token_is_an_error_that_shows_nothing_of_it() {
        for answer in [
            r#"{"authorizationData":[]}"#,
            r#"{"authorizationData":[{"authorizationToken":"hidden","expiresAt":1}]}"#,
            "hidden",
        ] {
            let (granted, _) = exchange(PUBLIC, answer).await;
            let error = granted.unwrap_err().to_string();
            assert!(!error.contains("hidden"), "{error}");
        }
    }
}
