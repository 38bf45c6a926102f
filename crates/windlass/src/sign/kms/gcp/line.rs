//! The line to Google Cloud KMS: requests with the token of this process to one endpoint.

use std::fmt;

use reqwest::header::HeaderMap;
use serde::de::DeserializeOwned;

use super::refusal;
use crate::cloud::gcp::Identity;
use crate::service::http::{Http, QUICK};
use crate::sign::kms::cloud::{Login, ask, endpoint};
use crate::sign::kms::error::KmsError;
use crate::sign::kms::means::Means;
use crate::sign::kms::operation::Operation;

const PUBLIC: &str = "https://cloudkms.googleapis.com";
/// Where the environment says that the service is, as it does for gcloud.
const ENDPOINT: &str = "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS";
const LOGIN: Login<'static> = Login {
    service: "Google Cloud KMS",
    remedy: "give it a service account (Workload Identity, GOOGLE_APPLICATION_CREDENTIALS), or log in \
             with `gcloud auth application-default login`",
};

/// The line to the service.
pub(super) struct Line {
    http: Http,
    identity: Identity,
    /// Ends without a slash.
    endpoint: String,
}

impl Line {
    /// As the environment names it.
    pub(super) async fn of(means: &Means) -> Result<Self, KmsError> {
        let named = (means.environment)(ENDPOINT);
        let endpoint = match named {
            Some(text) => endpoint(&text, ENDPOINT)?,
            None => PUBLIC.to_owned(),
        };
        let identity = LOGIN.of(async { Identity::find() }).await?;
        Self::new(identity, endpoint)
    }

    pub(super) fn new(identity: Identity, endpoint: String) -> Result<Self, KmsError> {
        Ok(Self {
            http: Http::new(Vec::new(), QUICK)?,
            identity,
            endpoint,
        })
    }

    /// Sends this to what is below `/v1/` at this path, or reads that if there is nothing to send.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        operation: &Operation,
        path: &str,
        body: Option<&serde_json::Value>,
    ) -> Result<T, KmsError> {
        let url = format!("{}/v1/{path}", self.endpoint);
        let headers = self.headers().await?;
        let answer = ask(&self.http, operation, &url, headers, body).await?;
        if answer.is_success() {
            return answer.json(&operation.doing).map_err(Into::into);
        }
        Err(refusal::error(operation, &answer, LOGIN))
    }

    async fn headers(&self) -> Result<HeaderMap, KmsError> {
        let mut headers = LOGIN.of(self.identity.headers()).await?;
        for value in headers.values_mut() {
            value.set_sensitive(true);
        }
        Ok(headers)
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Line({})", self.endpoint)
    }
}
