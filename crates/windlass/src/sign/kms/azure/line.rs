//! The line to one vault: requests with the token of this process.
//!
//! A token is one for all vaults of a cloud, so it goes to hosts of that cloud only, and to this
//! machine, where emulators are.

use std::fmt;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use serde::de::DeserializeOwned;

use super::refusal;
use crate::cloud::azure::Identity;
use crate::service::http::{Http, QUICK};
use crate::sign::kms::cloud::{Login, ask, endpoint, is_this_machine};
use crate::sign::kms::error::KmsError;
use crate::sign::kms::operation::Operation;
use crate::sign::kms::reference::azure::AzureKey;

const VERSION: &str = "api-version=7.4";
/// The domains of vaults and what a token for each is for.
const CLOUDS: [(&str, &str); 6] = [
    ("vault.azure.net", "https://vault.azure.net/.default"),
    (
        "managedhsm.azure.net",
        "https://managedhsm.azure.net/.default",
    ),
    ("vault.azure.cn", "https://vault.azure.cn/.default"),
    (
        "managedhsm.azure.cn",
        "https://managedhsm.azure.cn/.default",
    ),
    (
        "vault.usgovcloudapi.net",
        "https://vault.usgovcloudapi.net/.default",
    ),
    (
        "managedhsm.usgovcloudapi.net",
        "https://managedhsm.usgovcloudapi.net/.default",
    ),
];
const REMEDY: &str = "give it an identity (workload identity, AZURE_CLIENT_ID with \
                      AZURE_CLIENT_SECRET, a managed identity), or log in with `az login`";

/// The line to a vault.
pub(super) struct Line {
    http: Http,
    identity: Identity,
    scope: &'static str,
    /// Ends without a slash.
    base: String,
    place: String,
}

impl Line {
    /// As the reference names it.
    pub(super) async fn of(key: &AzureKey) -> Result<Self, KmsError> {
        let scope = scope(&key.host)?;
        let base = endpoint(
            &format!("https://{}", key.host),
            "the host of the reference",
        )?;
        let login = Login {
            service: "Azure Key Vault",
            remedy: REMEDY,
        };
        let identity = login.of(async { Identity::find() }).await?;
        Self::new(identity, scope, base)
    }

    pub(super) fn new(
        identity: Identity,
        scope: &'static str,
        base: String,
    ) -> Result<Self, KmsError> {
        let host = base
            .split_once("://")
            .map_or(base.as_str(), |(_, host)| host);
        Ok(Self {
            http: Http::new(Vec::new(), QUICK)?,
            identity,
            scope,
            place: format!("Azure Key Vault {host}"),
            base,
        })
    }

    /// The vault, for people.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// Sends this to what is at this path, or reads that if there is nothing to send.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        operation: &Operation,
        path: &str,
        body: Option<&serde_json::Value>,
    ) -> Result<T, KmsError> {
        let url = format!("{}/{path}?{VERSION}", self.base);
        let headers = HeaderMap::from_iter([(AUTHORIZATION, self.token().await?)]);
        let answer = ask(&self.http, operation, &url, headers, body).await?;
        if answer.is_success() {
            return answer.json(&operation.doing).map_err(Into::into);
        }
        Err(refusal::error(operation, &answer, self.login()))
    }

    async fn token(&self) -> Result<HeaderValue, KmsError> {
        let token = self.login().of(self.identity.token(self.scope)).await?;
        let header = HeaderValue::from_str(&format!("Bearer {}", token.secret()));
        let mut header = header.map_err(|_| {
            self.login()
                .refused("the token has characters that none has")
        })?;
        header.set_sensitive(true);
        Ok(header)
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
        write!(f, "Line({})", self.base)
    }
}

/// What a token for a vault is for, by its host.
pub(super) fn scope(host: &str) -> Result<&'static str, KmsError> {
    let host = host.to_ascii_lowercase();
    let domain = host.split_once('.').map(|(_, domain)| domain);
    let known = CLOUDS
        .into_iter()
        .find(|(cloud, _)| domain == Some(*cloud))
        .map(|(_, scope)| scope);
    let here = || is_this_machine(&host).then_some(CLOUDS[0].1);
    known.or_else(here).ok_or_else(|| {
        KmsError::Settings(
            "the host of the reference is no vault of Azure, and a token for all vaults goes to no \
             other; write azurekms://VAULT.vault.azure.net/KEY, or the domain of another cloud or of a \
             managed HSM"
                .to_owned(),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_to_vaults_of_azure_and_to_this_machine() {
        for (host, expected) in [
            ("team.vault.azure.net", "https://vault.azure.net/.default"),
            ("Team.Vault.Azure.net", "https://vault.azure.net/.default"),
            (
                "team.managedhsm.azure.net",
                "https://managedhsm.azure.net/.default",
            ),
            ("team.vault.azure.cn", "https://vault.azure.cn/.default"),
            ("localhost:8443", "https://vault.azure.net/.default"),
            ("127.0.0.1:8443", "https://vault.azure.net/.default"),
        ] {
            assert_eq!(scope(host).unwrap(), expected, "{host}");
        }
        for host in [
            "vault.azure.net",
            "team.vault.azure.net.example.com",
            "team.vault.azure.net:8443",
            "a.team.vault.azure.net",
            "evil.example",
            "localhost.example.com",
        ] {
            assert!(scope(host).is_err(), "{host}");
        }
    }
}
