//! Azure Container Registry: an Entra token is exchanged for a refresh token of the registry.
//! Source: Azure/acr, `docs/AAD-OAuth.md`, `POST /oauth2/exchange`.

use std::env;
use std::sync::Arc;
use std::time::Duration;

use azure_core::credentials::{Secret, TokenCredential};
use azure_identity::{
    ClientSecretCredential, ManagedIdentityCredential, ManagedIdentityCredentialOptions,
    UserAssignedId, WorkloadIdentityCredential,
};
use serde::Deserialize;
use windlass_registry::Credential;
use zeroize::Zeroizing;

use super::exchange::{CloudError, IssuedCredential, answer, http, malformed, shown};

/// How long a refresh token is used; it holds for three hours.
const LIFETIME: Duration = Duration::from_secs(3600);

/// A registry, and the tokens that it exchanges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Registry {
    scope: &'static str,
}

#[derive(Deserialize)]
struct Answer {
    refresh_token: Zeroizing<String>,
}

impl Registry {
    /// `NAME.azurecr.io`, or another cloud's.
    pub(super) fn of(host: &str) -> Option<Self> {
        let (name, domain) = host.split_once('.')?;
        let scope = match domain {
            "azurecr.io" => "https://management.azure.com/.default",
            "azurecr.cn" => "https://management.chinacloudapi.cn/.default",
            "azurecr.us" => "https://management.usgovcloudapi.net/.default",
            _ => return None,
        };
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_name.then_some(Self { scope })
    }

    /// Exchanges the identity at the registry, which is reached at `base`.
    pub(super) async fn exchange(
        &self,
        identity: &Identity,
        base: &str,
        registry: &str,
    ) -> Result<IssuedCredential, CloudError> {
        let token = identity.0.get_token(&[self.scope], None).await;
        let token = token.map_err(|error| CloudError::NoIdentity(shown(&error)))?;
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "access_token")
            .append_pair("service", registry)
            .append_pair("access_token", token.token.secret())
            .finish();
        let request = http()?
            .post(format!("{base}/oauth2/exchange"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        let read: Answer = serde_json::from_slice(&answer(request).await?).map_err(malformed)?;
        Ok(IssuedCredential {
            credential: Credential::IdentityToken(read.refresh_token),
            lifetime: LIFETIME,
        })
    }
}

/// The identity of this process in Entra.
#[derive(Debug)]
pub(super) struct Identity(Arc<dyn TokenCredential>);

impl Identity {
    /// Workload identity if the pod has one, else a client secret if there is one, else the managed
    /// identity of the node.
    pub(super) fn find() -> Result<Self, CloudError> {
        let set = |name| env::var(name).ok().filter(|value| !value.is_empty());
        let client = set("AZURE_CLIENT_ID");
        let found: azure_core::Result<Arc<dyn TokenCredential>> = match (
            set("AZURE_FEDERATED_TOKEN_FILE"),
            set("AZURE_CLIENT_SECRET"),
        ) {
            (Some(_), _) => WorkloadIdentityCredential::new(None).map(|found| found as _),
            (None, Some(secret)) => {
                let tenant = set("AZURE_TENANT_ID").unwrap_or_default();
                let (client, secret) = (client.unwrap_or_default(), Secret::new(secret));
                ClientSecretCredential::new(&tenant, client, secret, None).map(|found| found as _)
            }
            (None, None) => {
                let options = ManagedIdentityCredentialOptions {
                    user_assigned_id: client.map(UserAssignedId::ClientId),
                    ..ManagedIdentityCredentialOptions::default()
                };
                ManagedIdentityCredential::new(Some(options)).map(|found| found as _)
            }
        };
        found
            .map(Self)
            .map_err(|error| CloudError::NoIdentity(shown(&error)))
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::post;
    use azure_core::credentials::{AccessToken, TokenRequestOptions};
    use azure_core::time::OffsetDateTime;

    use super::*;

    /// An identity that is asked for one scope.
    #[derive(Debug)]
    struct Entra(&'static str);

    #[async_trait::async_trait]
    impl TokenCredential for Entra {
        async fn get_token(
            &self,
            scopes: &[&str],
            _: Option<TokenRequestOptions<'_>>,
        ) -> azure_core::Result<AccessToken> {
            assert_eq!(scopes, [self.0]);
            Ok(AccessToken::new("entra", OffsetDateTime::now_utc()))
        }
    }

    #[tokio::test]
    async fn an_entra_token_is_exchanged_for_one_of_the_registry() {
        let form = "grant_type=access_token&service=team.azurecr.io&access_token=entra";
        let handler = move |body: String| async move {
            assert_eq!(body, form);
            r#"{"refresh_token":"fresh"}"#
        };
        let router = axum::Router::new().route("/oauth2/exchange", post(handler));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async { axum::serve(listener, router).await });
        let host = "team.azurecr.io";
        let registry = Registry::of(host).unwrap();
        let identity = Identity(Arc::new(Entra("https://management.azure.com/.default")));
        let granted = registry.exchange(&identity, &base, host).await.unwrap();
        let expected = Credential::IdentityToken("fresh".to_owned().into());
        assert_eq!(granted.credential, expected);
    }
}
