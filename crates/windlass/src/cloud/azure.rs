//! Azure Container Registry: an Entra token is exchanged for a refresh token of the registry.
//! Source: Azure/acr, `docs/AAD-OAuth.md`, `POST /oauth2/exchange`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use azure_core::cloud::CloudConfiguration;
use azure_core::credentials::{Secret, TokenCredential};
use azure_core::http::ClientOptions;
use azure_identity::{
    AzureCliCredential, ClientSecretCredential, ClientSecretCredentialOptions,
    ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId,
    WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};
use serde::Deserialize;
use windlass_registry::Credential;
use zeroize::Zeroizing;

use super::exchange::{CloudError, IssuedCredential, answer, http, malformed, shown};
use crate::environment::variable;

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
        let token = identity.token(self.scope).await?;
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "access_token")
            .append_pair("service", registry)
            .append_pair("access_token", token.secret())
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
pub(crate) struct Identity(Arc<dyn TokenCredential>);

impl Identity {
    #[cfg(test)]
    pub(crate) fn of(credential: Arc<dyn TokenCredential>) -> Self {
        Self(credential)
    }

    /// Workload identity if the pod has one, else a client secret if there is one, else a login of the
    /// Azure CLI on this machine, else the managed identity of the node.
    pub(crate) fn find() -> Result<Self, CloudError> {
        let client = variable("AZURE_CLIENT_ID");
        let found: azure_core::Result<Arc<dyn TokenCredential>> = match (
            variable("AZURE_FEDERATED_TOKEN_FILE"),
            variable("AZURE_CLIENT_SECRET"),
        ) {
            (Some(_), _) => {
                let mut options = WorkloadIdentityCredentialOptions::default();
                options.credential_options.client_options = client_options();
                WorkloadIdentityCredential::new(Some(options)).map(|found| found as _)
            }
            (None, Some(secret)) => {
                let tenant = variable("AZURE_TENANT_ID").unwrap_or_default();
                let (client, secret) = (client.unwrap_or_default(), Secret::new(secret));
                let client_options = client_options();
                let options = Some(ClientSecretCredentialOptions { client_options });
                ClientSecretCredential::new(&tenant, client, secret, options)
                    .map(|found| found as _)
            }
            (None, None) if client.is_none() && has_login() => {
                AzureCliCredential::new(None).map(|found| found as _)
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

    /// A token for a scope. The library keeps it until shortly before it expires.
    pub(crate) async fn token(&self, scope: &str) -> Result<Secret, CloudError> {
        let token = self.0.get_token(&[scope], None).await;
        let token = token.map_err(|error| CloudError::NoIdentity(shown(&error)))?;
        Ok(token.token)
    }
}

/// Where one logs in: in the cloud that `AZURE_ENVIRONMENT` names, else where `AZURE_AUTHORITY_HOST`
/// says, else in the public cloud.
fn client_options() -> ClientOptions {
    ClientOptions {
        cloud: variable("AZURE_ENVIRONMENT").and_then(|name| cloud(&name).map(Arc::new)),
        ..ClientOptions::default()
    }
}

fn cloud(environment: &str) -> Option<CloudConfiguration> {
    match environment.to_ascii_uppercase().as_str() {
        "AZURECLOUD" | "AZUREPUBLICCLOUD" => Some(CloudConfiguration::AzurePublic),
        "AZURECHINACLOUD" => Some(CloudConfiguration::AzureChina),
        "AZUREUSGOVERNMENT" | "AZUREUSGOVERNMENTCLOUD" => Some(CloudConfiguration::AzureGovernment),
        _ => None,
    }
}

/// Whether somebody has logged in with the Azure CLI.
fn has_login() -> bool {
    let folder = variable("AZURE_CONFIG_DIR").map(PathBuf::from);
    let folder = folder.or_else(|| variable("HOME").map(|home| PathBuf::from(home).join(".azure")));
    folder.is_some_and(|folder| folder.join("azureProfile.json").is_file())
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

    #[test]
    fn the_environment_names_the_cloud_that_one_logs_in_to() {
        for (name, expected) in [
            ("AZUREPUBLICCLOUD", Some("AzurePublic")),
            ("AzureChinaCloud", Some("AzureChina")),
            ("AZUREUSGOVERNMENT", Some("AzureGovernment")),
            ("AZUREUSGOVERNMENTCLOUD", Some("AzureGovernment")),
            ("elsewhere", None),
        ] {
            let found = cloud(name).map(|cloud| format!("{cloud:?}"));
            assert_eq!(found.as_deref(), expected, "{name}");
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
