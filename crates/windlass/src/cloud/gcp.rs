//! Google Artifact Registry and Container Registry: an access token is the password.
//! Source: documentation of Artifact Registry, "Configure authentication to Artifact Registry for
//! Docker".

use std::time::Duration;

use google_cloud_auth::credentials::{
    AccessTokenCredentials, Builder, CacheableResource, CredentialsProvider as _,
};
use http::{Extensions, HeaderMap};
use windlass_registry::Credential;

use super::exchange::{CloudError, IssuedCredential, shown};

/// The user whose password is a token.
const USER: &str = "oauth2accesstoken";
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// How long a token is used before the library is asked again, which keeps it fresh.
const LIFETIME: Duration = Duration::from_secs(60);

pub(super) fn is_its(host: &str) -> bool {
    host == "gcr.io" || host.ends_with(".gcr.io") || host.ends_with(".pkg.dev")
}

/// The application default credentials of this process.
#[derive(Debug)]
pub(crate) struct Identity(AccessTokenCredentials);

impl Identity {
    #[cfg(test)]
    pub(crate) fn of(credentials: AccessTokenCredentials) -> Self {
        Self(credentials)
    }

    pub(crate) fn find() -> Result<Self, CloudError> {
        let built = Builder::default().with_scopes([SCOPE]);
        let built = built.build_access_token_credentials();
        built
            .map(Self)
            .map_err(|error| CloudError::NoIdentity(shown(&error)))
    }

    /// The headers of a request to an API of Google Cloud: the token, and the project that pays if
    /// the credentials name one. The library keeps the token fresh.
    pub(crate) async fn headers(&self) -> Result<HeaderMap, CloudError> {
        let headers = self.0.headers(Extensions::new()).await;
        match headers.map_err(|error| CloudError::NoIdentity(shown(&error)))? {
            CacheableResource::New { data, .. } => Ok(data),
            // only for who states what is known already
            CacheableResource::NotModified => Ok(HeaderMap::new()),
        }
    }

    pub(super) async fn exchange(&self) -> Result<IssuedCredential, CloudError> {
        let token = self.0.access_token().await;
        let token = token.map_err(|error| CloudError::NoIdentity(shown(&error)))?;
        Ok(IssuedCredential {
            credential: Credential::Password {
                username: USER.to_owned().into(),
                password: token.token.into(),
            },
            lifetime: LIFETIME,
        })
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use google_cloud_auth::credentials::mds;

    use super::*;

    #[tokio::test]
    async fn the_token_of_the_metadata_server_is_the_password() {
        let path = "/computeMetadata/v1/instance/service-accounts/default/token";
        let answer = r#"{"access_token":"fresh","expires_in":3599,"token_type":"Bearer"}"#;
        let router = axum::Router::new().route(path, get(move || async move { answer }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async { axum::serve(listener, router).await });
        let credentials = mds::Builder::default()
            .with_endpoint(url)
            .build_access_token_credentials();
        let identity = Identity(credentials.unwrap());
        let expected = Credential::Password {
            username: USER.to_owned().into(),
            password: "fresh".to_owned().into(),
        };
        assert_eq!(identity.exchange().await.unwrap().credential, expected);
    }
}
