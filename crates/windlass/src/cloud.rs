//! Cloud identities: what a cloud gives this process, for registries and key services alike. For a
//! registry the identity is exchanged for a credential of that registry.
//!
//! Amazon ECR, Google Artifact Registry and Azure Container Registry each have an exchange of their
//! own. An identity is requested only for registries of a cloud, known by their host. The
//! credential is cached until shortly before it expires, its absence for a minute.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use tokio::sync::OnceCell;
use windlass_once::{Expiry, OnceMap, Share};
use windlass_registry::keychain::Candidate;
use windlass_registry::{Credential, Repository, Tenant};

use self::exchange::{IssuedCredential, PATIENCE};

pub(crate) mod aws;
pub(crate) mod azure;
mod ecr;
mod exchange;
pub(crate) mod gcp;

pub(crate) use self::exchange::CloudError;

/// How long it is remembered that there is no identity.
const NONE_FOR: Duration = Duration::from_secs(60);

/// Most registries whose credentials are kept: runs choose the names of registries.
const REMEMBERED: usize = 100;

/// A cloud that has registries.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Cloud {
    Amazon(ecr::Registry),
    Google,
    Azure(azure::Registry),
}

impl Cloud {
    /// The cloud that a registry belongs to, by its host.
    fn of(registry: &str) -> Option<Self> {
        ecr::Registry::of(registry)
            .map(Self::Amazon)
            .or_else(|| gcp::is_its(registry).then_some(Self::Google))
            .or_else(|| azure::Registry::of(registry).map(Self::Azure))
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Amazon(_) => "Amazon ECR",
            Self::Google => "Google Artifact Registry",
            Self::Azure(_) => "Azure Container Registry",
        }
    }
}

/// The identities of this process, by registry.
pub(crate) struct Clouds {
    /// By host; tenants have fair shares.
    credentials: OnceMap<String, Credential, Tenant>,
    google: OnceCell<gcp::Identity>,
    azure: OnceCell<azure::Identity>,
}

impl Default for Clouds {
    fn default() -> Self {
        Self {
            credentials: OnceMap::new(REMEMBERED),
            google: OnceCell::new(),
            azure: OnceCell::new(),
        }
    }
}

impl Clouds {
    /// The identity for a repository's registry; none if it is no cloud's. An identity that does not
    /// exist is a candidate too, so that it is named where all candidates are.
    pub(crate) async fn candidate(
        &self,
        tenant: &Tenant,
        repository: &Repository,
    ) -> Option<Candidate> {
        let registry = repository.registry();
        let cloud = Cloud::of(registry)?;
        let exchange = || self.exchange(&cloud, registry);
        Some(Candidate {
            source: format!("cloud identity for {}", cloud.name()),
            key: None,
            credential: credential(self.credentials.share(tenant), registry, exchange).await,
        })
    }

    /// Whether nobody asked for an identity yet.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.credentials.is_empty()
    }

    /// Keeps a credential for a registry, as if a cloud had issued it.
    #[cfg(test)]
    pub(crate) fn remember(&self, registry: &str, credential: Credential) {
        let now = Instant::now();
        let registry = registry.to_owned();
        let tenant = Tenant::default();
        let credentials = self.credentials.share(&tenant);
        credentials.insert(registry, credential, Expiry::Never, now);
    }

    async fn exchange(
        &self,
        cloud: &Cloud,
        registry: &str,
    ) -> Result<IssuedCredential, CloudError> {
        match cloud {
            // a large future, and seldom needed
            Cloud::Amazon(registry) => Box::pin(registry.exchange()).await,
            Cloud::Google => {
                let find = || async { gcp::Identity::find() };
                let identity = self.google.get_or_try_init(find).await?;
                identity.exchange().await
            }
            Cloud::Azure(cloud) => {
                let find = || async { azure::Identity::find() };
                let identity = self.azure.get_or_try_init(find).await?;
                let base = format!("https://{registry}");
                cloud.exchange(identity, &base, registry).await
            }
        }
    }
}

/// What is known, or else what comes of the exchange. One asks, the others wait for it. That there is
/// no identity is remembered too, for a while.
async fn credential<F, E>(
    known: Share<'_, String, Credential, Tenant>,
    registry: &str,
    exchange: F,
) -> Credential
where
    F: FnOnce() -> E,
    E: Future<Output = Result<IssuedCredential, CloudError>>,
{
    let make = || async {
        let issued = tokio::time::timeout(PATIENCE, exchange()).await;
        let issued = issued.unwrap_or(Err(CloudError::Timeout));
        let (credential, lifetime) = match issued {
            Ok(issued) => (issued.credential, issued.lifetime),
            Err(error) => (Credential::Unavailable(error.to_string()), NONE_FOR),
        };
        Ok::<_, Infallible>((credential, Expiry::At(Instant::now() + lifetime)))
    };
    let key = registry.to_owned();
    match known.get_or_try_make(&key, Instant::now(), make).await {
        Ok(credential) => credential,
        Err(never) => match never {},
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_registry_is_a_clouds_by_its_whole_host() {
        let name = |registry| Cloud::of(registry).map(|cloud| cloud.name());
        for (registry, cloud) in [
            ("123456789012.dkr.ecr.eu-west-1.amazonaws.com", "Amazon ECR"),
            (
                "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com",
                "Amazon ECR",
            ),
            (
                "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn",
                "Amazon ECR",
            ),
            ("public.ecr.aws", "Amazon ECR"),
            ("gcr.io", "Google Artifact Registry"),
            ("eu.gcr.io", "Google Artifact Registry"),
            ("europe-west1-docker.pkg.dev", "Google Artifact Registry"),
            ("team.azurecr.io", "Azure Container Registry"),
            ("team.azurecr.cn", "Azure Container Registry"),
        ] {
            assert_eq!(name(registry), Some(cloud), "{registry}");
        }
        for registry in [
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com.example.com",
            "dkr.ecr.eu-west-1.amazonaws.com",
            "x.dkr.ecr.eu-west-1.amazonaws.com",
            "123456789012.dkr.ecr.eu/west.amazonaws.com",
            "gcr.io.example.com",
            "notgcr.io",
            "pkg.dev",
            "team.azurecr.io:8443",
            "azurecr.io",
            "evil.example/team.azurecr.io",
            "127.0.0.1:5000",
        ] {
            assert_eq!(name(registry), None, "{registry}");
        }
    }

    fn issued(lifetime: Duration) -> IssuedCredential {
        IssuedCredential {
            credential: Credential::IdentityToken("token".to_owned().into()),
            lifetime,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_credential_is_kept_while_it_may_be_used() {
        let (known, asked) = (OnceMap::new(REMEMBERED), Cell::new(0));
        let tenant = Tenant::default();
        let ask = async |registry, lifetime| {
            credential(known.share(&tenant), registry, || async {
                asked.set(asked.get() + 1);
                Ok(issued(lifetime))
            })
            .await
        };
        ask("gcr.io", Duration::from_secs(3600)).await;
        ask("gcr.io", Duration::from_secs(3600)).await;
        assert_eq!(asked.get(), 1);
        ask("eu.gcr.io", Duration::ZERO).await;
        ask("eu.gcr.io", Duration::ZERO).await;
        assert_eq!(asked.get(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_missing_identity_is_a_candidate_that_says_why() {
        let (known, tenant) = (OnceMap::new(REMEMBERED), Tenant::default());
        let none = credential(known.share(&tenant), "gcr.io", || async {
            Err(CloudError::NoIdentity("no role".to_owned()))
        });
        let Credential::Unavailable(why) = none.await else {
            panic!("there is a credential");
        };
        assert_eq!(why, "no cloud credentials were found: no role");
        let silent = credential(known.share(&tenant), "eu.gcr.io", std::future::pending);
        assert!(matches!(silent.await, Credential::Unavailable(_)));
    }

    #[tokio::test]
    async fn a_tenant_that_names_many_registries_makes_no_cloud_be_asked_again_for_others() {
        let (known, asked) = (OnceMap::new(REMEMBERED), Cell::new(0));
        let ask = async |tenant: &str, registry: String| {
            let tenant = Tenant::from(tenant);
            credential(known.share(&tenant), &registry, || async {
                asked.set(asked.get() + 1);
                Ok(issued(Duration::from_secs(3600)))
            })
            .await
        };
        ask("team-a", "eu.gcr.io".to_owned()).await;
        for number in 0..=REMEMBERED {
            ask("team-b", format!("{number}.gcr.io")).await;
        }
        let before = asked.replace(0);
        assert_eq!(before, REMEMBERED + 2);
        ask("team-a", "eu.gcr.io".to_owned()).await;
        assert_eq!(asked.get(), 0);
        ask("team-b", "0.gcr.io".to_owned()).await;
        assert_eq!(asked.get(), 1);
    }

    #[tokio::test]
    async fn no_more_registries_are_remembered_than_the_bound() {
        let (known, tenant) = (OnceMap::new(REMEMBERED), Tenant::default());
        let asked = Cell::new(0);
        let ask = async |registry: String| {
            credential(known.share(&tenant), &registry, || async {
                asked.set(asked.get() + 1);
                Ok(issued(Duration::from_secs(3600)))
            })
            .await
        };
        for number in 0..=REMEMBERED {
            ask(format!("{number}.gcr.io")).await;
        }
        // the oldest made room
        ask("0.gcr.io".to_owned()).await;
        assert_eq!(asked.get(), REMEMBERED + 2);
    }
}
