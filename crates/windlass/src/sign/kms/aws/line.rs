//! The line to AWS KMS in one region: signed requests to one endpoint.

use std::fmt;
use std::time::SystemTime;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde::de::DeserializeOwned;

use super::operation::Call;
use super::refusal::{self, Remedy};
use crate::cloud::aws::{self, Identity, Scope};
use crate::service::http::{Answer, Http, QUICK};
use crate::sign::kms::cloud::{Login, endpoint};
use crate::sign::kms::error::KmsError;
use crate::sign::kms::means::Means;
use crate::sign::kms::reference::aws::AwsKey;

/// Where the environment says that the service is.
const ENDPOINT: &str = "AWS_ENDPOINT_URL_KMS";
/// What gives this process an identity.
const REMEDY: &str = "give it a role (IRSA, Pod Identity, an instance profile), or \
                      AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";

/// The line to the service in one region.
pub(super) struct Line {
    http: Http,
    identity: Identity,
    region: String,
    /// Ends without a slash.
    endpoint: String,
    place: String,
}

impl Line {
    /// As the reference names it, else the environment.
    pub(super) async fn of(key: &AwsKey, means: &Means) -> Result<Self, KmsError> {
        let config = aws::configuration(region_of(&key.id)).await;
        let region = config.region().map(|region| region.as_ref().to_owned());
        let region = region.filter(|region| !region.is_empty()).ok_or_else(|| {
            KmsError::Settings(
                "the region of AWS KMS is not known; set AWS_REGION, or write the key as an ARN"
                    .to_owned(),
            )
        })?;
        let is_fips = config.use_fips() == Some(true);
        let named = match &key.endpoint {
            Some(host) => Some(endpoint(
                &format!("https://{host}"),
                "the host of the reference",
            )?),
            None => aws::endpoint(&config, ENDPOINT, means.environment)
                .map(|text| endpoint(&text, "AWS_ENDPOINT_URL"))
                .transpose()?,
        };
        let regional = || regional(&region, is_fips);
        let endpoint = named.map_or_else(regional, Ok)?;
        let identity = Login {
            service: "AWS KMS",
            remedy: REMEDY,
        };
        let identity = identity.of(async { Identity::find(&config) }).await?;
        Self::new(identity, region, endpoint)
    }

    pub(super) fn new(
        identity: Identity,
        region: String,
        endpoint: String,
    ) -> Result<Self, KmsError> {
        Ok(Self {
            http: Http::new(Vec::new(), QUICK)?,
            identity,
            place: format!("AWS KMS in {region}"),
            region,
            endpoint,
        })
    }

    /// The service and its region, for people.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// Runs an operation. Credentials that have ended are replaced once.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        call: &Call,
        body: &serde_json::Value,
    ) -> Result<T, KmsError> {
        let answer = self.answer(call, body).await?;
        answer.json(&call.operation.doing).map_err(Into::into)
    }

    /// Runs an operation that responds with nothing.
    pub(super) async fn send_off(
        &self,
        call: &Call,
        body: &serde_json::Value,
    ) -> Result<(), KmsError> {
        self.answer(call, body).await.map(drop)
    }

    async fn answer(&self, call: &Call, body: &serde_json::Value) -> Result<Answer, KmsError> {
        let body = body.to_string();
        let mut answer = self.send(call, &body).await?;
        if refusal::remedy(&answer.body) == Some(Remedy::NewCredentials) {
            self.identity.forget().await;
            answer = self.send(call, &body).await?;
        }
        if answer.is_success() {
            return Ok(answer);
        }
        Err(refusal::error(&call.operation, &answer, self.login()))
    }

    async fn send(&self, call: &Call, body: &str) -> Result<Answer, KmsError> {
        let headers = self.headers(call, body).await?;
        let request = |client: &reqwest::Client| {
            let request = client.post(format!("{}/", self.endpoint));
            request.headers(headers.clone()).body(body.to_owned())
        };
        let is_throttled =
            |answer: &Answer| refusal::remedy(&answer.body) == Some(Remedy::Patience);
        let doing = &call.operation.doing;
        let answer = self.http.send_again_if(doing, request, is_throttled);
        Ok(answer.await?)
    }

    async fn headers(&self, call: &Call, body: &str) -> Result<HeaderMap, KmsError> {
        let request = http::Request::post(format!("{}/", self.endpoint))
            .header(CONTENT_TYPE, "application/x-amz-json-1.1")
            .header("x-amz-target", format!("TrentService.{}", call.name))
            .body(body.as_bytes().to_vec());
        let mut request =
            request.map_err(|_| call.operation.failed("the endpoint is malformed"))?;
        let scope = Scope {
            service: "kms",
            region: &self.region,
        };
        let signed = self.identity.sign(&mut request, scope, SystemTime::now());
        self.login().of(signed).await?;
        let mut headers = std::mem::take(request.headers_mut());
        headers
            .values_mut()
            .for_each(|value: &mut HeaderValue| value.set_sensitive(true));
        Ok(headers)
    }

    fn login(&self) -> Login<'_> {
        Login {
            service: &self.place,
            remedy: REMEDY,
        }
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Line({})", self.place)
    }
}

/// The region, where an ARN names it.
fn region_of(id: &str) -> Option<&str> {
    let arn = id.strip_prefix("arn:")?;
    arn.split(':').nth(2)
}

/// The endpoint of a region.
fn regional(region: &str, is_fips: bool) -> Result<String, KmsError> {
    let is_region = region
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !is_region {
        return Err(KmsError::Settings(
            "the region of AWS KMS is malformed; write one like eu-west-1 into AWS_REGION"
                .to_owned(),
        ));
    }
    let domain = match region.split_once('-') {
        Some(("cn", _)) => "amazonaws.com.cn",
        Some(("eusc", _)) => "amazonaws.eu",
        _ => "amazonaws.com",
    };
    let service = if is_fips { "kms-fips" } else { "kms" };
    Ok(format!("https://{service}.{region}.{domain}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_names_its_region() {
        let arn = "arn:aws-cn:kms:cn-north-1:123456789012:alias/signer";
        assert_eq!(region_of(arn), Some("cn-north-1"));
        assert_eq!(region_of("alias/signer"), None);
    }

    #[test]
    fn a_region_has_an_endpoint_of_its_own() {
        for (region, is_fips, expected) in [
            ("eu-west-1", false, "https://kms.eu-west-1.amazonaws.com"),
            (
                "us-gov-west-1",
                true,
                "https://kms-fips.us-gov-west-1.amazonaws.com",
            ),
            (
                "cn-north-1",
                false,
                "https://kms.cn-north-1.amazonaws.com.cn",
            ),
        ] {
            assert_eq!(regional(region, is_fips).unwrap(), expected);
        }
        for region in ["evil.example/", "eu west", "EU"] {
            assert!(regional(region, false).is_err(), "{region}");
        }
    }
}
