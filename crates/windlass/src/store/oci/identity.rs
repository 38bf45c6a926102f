//! The identity of this process: its Docker configuration, its client certificates, and the
//! identity that a cloud gives it.
//!
//! It belongs to the operator. Runs choose the names of their images, so that a run names a
//! repository is no reason to use the identity there. It is used for `storage.oci.repository`, which
//! the operator chose, and for what `registries.shared-credentials` lists for the namespace of the
//! run. For any other repository it is not even looked for: the cloud is not asked, and the reason on
//! the run is the same whether there is a credential or not.

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::Instant;
use windlass_core::config::{SharedCredentials, Storage};
use windlass_once::{Expiry, OnceMap};
use windlass_registry::keychain::{Candidate, Source, config_paths};
use windlass_registry::{Credential, Repository, Tenant};
use zeroize::Zeroizing;

use super::certificates;
use super::helpers::Helpers;
use super::place::override_of;
use crate::cloud::Clouds;

/// Largest configuration file.
const FILE_LIMIT: u64 = 1 << 20;
/// How long a configuration that was read counts.
const FRESH: Duration = Duration::from_secs(2);

/// What the identity is, and with whom it is shared.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    /// Where a Docker configuration is looked for; the first file that exists counts.
    pub(crate) docker_config: Vec<PathBuf>,
    /// Where certificates of registries are kept, the nearest first.
    pub(crate) certificates: Vec<PathBuf>,
    /// Who shares it if the configuration has no `registries.shared-credentials`.
    pub(crate) shared: SharedCredentials,
}

/// Whether the identity is used for a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sharing {
    Shared,
    Withheld,
}

/// The credentials of this process, as sources for runs that share them.
pub(super) struct Identities {
    identity: Identity,
    configuration: OnceMap<(), Option<Source>>,
    helpers: Helpers,
    clouds: Clouds,
}

impl Default for Identity {
    /// The identity of this process, shared with nobody.
    fn default() -> Self {
        Self {
            docker_config: config_paths(|name| std::env::var(name).ok()),
            certificates: certificates::folders(),
            shared: SharedCredentials::default(),
        }
    }
}

impl Identity {
    /// The Docker configuration, if there is one.
    pub(super) fn docker_config(&self) -> Option<Source> {
        let mut paths = self.docker_config.iter();
        let path = paths.find(|path| path.is_file())?;
        let shown = path.display().to_string();
        let fits = std::fs::metadata(path).is_ok_and(|file| file.len() <= FILE_LIMIT);
        let content = fits.then(|| std::fs::read(path).ok()).flatten();
        let Some(content) = content else {
            tracing::warn!("{shown} cannot be read, or is larger than 1 MiB; it is not used");
            return None;
        };
        Some(Source::DockerConfig {
            path: shown,
            content: Zeroizing::new(content),
        })
    }
}

impl Identities {
    pub(super) fn new(identity: Identity) -> Self {
        Self {
            identity,
            configuration: OnceMap::new(1),
            helpers: Helpers::default(),
            clouds: Clouds::default(),
        }
    }

    /// Whether runs of a namespace share the identity for a repository.
    pub(super) fn sharing(
        &self,
        namespace: &str,
        storage: &Storage,
        repository: &Repository,
    ) -> Sharing {
        let shared = storage.shared_credentials.as_ref();
        let shared = shared.unwrap_or(&self.identity.shared);
        let is_listed = shared.include(namespace, repository.registry(), repository.path());
        // a repository below it, or with a longer name, is another one
        let is_central =
            || matches!(override_of(storage), Ok(Some(central)) if central == *repository);
        if is_listed || is_central() {
            Sharing::Shared
        } else {
            Sharing::Withheld
        }
    }

    /// The sources for a repository. If it is withheld, a candidate without a credential says so
    /// where all candidates are listed.
    pub(super) async fn sources(
        &self,
        tenant: &Tenant,
        sharing: Sharing,
        repository: &Repository,
    ) -> Vec<Source> {
        if sharing == Sharing::Withheld {
            return vec![Source::Candidate(withheld(tenant))];
        }
        let identity = self.clouds.candidate(tenant, repository).await;
        let identity = identity.map(Source::Candidate);
        let configuration = self.configuration();
        let helper = self.helpers.candidate(configuration.as_ref(), repository);
        let helper = helper.await;
        let sources = configuration.into_iter().chain(helper);
        sources.chain(identity).collect()
    }

    fn configuration(&self) -> Option<Source> {
        let now = Instant::now().into_std();
        let read = || (self.identity.docker_config(), Expiry::At(now + FRESH));
        self.configuration.get_or_make(&(), now, read)
    }
}

fn withheld(tenant: &Tenant) -> Candidate {
    let why = format!(
        "registries.shared-credentials in windlass-config does not list this repository for the \
         namespace {tenant}"
    );
    Candidate {
        source: "credentials of the controller".to_owned(),
        key: None,
        credential: Credential::Unavailable(why),
    }
}

#[cfg(test)]
mod tests {
    use windlass_core::config::Config;

    use super::*;

    fn storage(central: &str, lines: Option<&str>) -> Storage {
        let entry = |key: &str, value: &str| [(key.to_owned(), value.to_owned())].into();
        let chains = entry("storage.oci.repository", central);
        let own = lines.map(|lines| entry("registries.shared-credentials", lines));
        let parsed = Config::parse(&chains, &own.unwrap_or_default());
        parsed.unwrap().config.storage
    }

    fn is_shared(storage: &Storage, name: &str) -> bool {
        let repository = Repository::parse(name).unwrap();
        let sharing = Identities::new(Identity::default()).sharing("team-b", storage, &repository);
        sharing == Sharing::Shared
    }

    #[test]
    fn the_identity_is_used_for_the_central_repository_and_for_no_neighbour_of_it() {
        let central = storage("r.io/signatures", None);
        for name in ["r.io/signatures", "R.io/signatures"] {
            assert!(is_shared(&central, name), "{name}");
        }
        for name in [
            "r.io/signatures-b",
            "r.io/signatures/app",
            "r.io/prod/signatures",
            "r.io:5000/signatures",
            "r.io:443/signatures",
            "r.io./signatures",
            "eu.r.io/signatures",
            "signatures/signatures",
        ] {
            assert!(!is_shared(&central, name), "{name}");
        }
        assert!(is_shared(&storage("docker.io/a/b", None), "a/b"));
        assert!(is_shared(&storage("a/b", None), "index.docker.io/a/b"));
        assert!(!is_shared(&storage("", None), "r.io/signatures"));
        let mut not_one = storage("", None);
        not_one.oci_repository = "https://r.io/sigs".to_owned();
        assert!(!is_shared(&not_one, "r.io/sigs"));
    }

    #[test]
    fn the_identity_is_used_for_what_is_listed_for_the_namespace() {
        let lines = "team-a r.io/team-a\nteam-b r.io/team-b";
        let listed = storage("", Some(lines));
        assert!(is_shared(&listed, "r.io/team-b/app"));
        assert!(!is_shared(&listed, "r.io/team-a/app"));
        assert!(is_shared(&storage("", Some("* *")), "r.io/team-a/app"));
    }

    #[test]
    fn whoever_shares_it_by_default_does_so_until_the_configuration_says_otherwise() {
        let dev = Identities::new(Identity {
            shared: SharedCredentials::everywhere(),
            ..Identity::default()
        });
        let repository = Repository::parse("r.io/app").unwrap();
        let sharing = |lines| dev.sharing("default", &storage("", lines), &repository);
        assert_eq!(sharing(None), Sharing::Shared);
        assert_eq!(sharing(Some("")), Sharing::Withheld);
        assert_eq!(sharing(Some("default r.io/other")), Sharing::Withheld);
    }

    #[tokio::test]
    async fn no_cloud_is_asked_for_an_identity_that_is_withheld() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("config.json");
        let config = r#"{"auths": {"gcr.io": {"auth": "YTpi"}}}"#;
        std::fs::write(&path, config).unwrap();
        let identities = Identities::new(Identity {
            docker_config: vec![path],
            ..Identity::default()
        });
        let tenant = Tenant::from("team-b");
        for host in [
            "gcr.io",
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
            "team.azurecr.io",
        ] {
            let repository = Repository::parse(&format!("{host}/prod/app")).unwrap();
            let sources = identities.sources(&tenant, Sharing::Withheld, &repository);
            let sources = sources.await;
            let [Source::Candidate(only)] = &sources[..] else {
                panic!("{sources:?}");
            };
            assert!(matches!(only.credential, Credential::Unavailable(_)));
        }
        assert!(identities.clouds.is_empty(), "a cloud was asked");

        // the same host, once the repository is listed
        let repository = Repository::parse("gcr.io/prod/app").unwrap();
        identities.clouds.remember("gcr.io", Credential::Anonymous);
        let sources = identities.sources(&tenant, Sharing::Shared, &repository);
        let sources = sources.await;
        assert!(matches!(sources[0], Source::DockerConfig { .. }));
        assert!(matches!(sources[1], Source::Candidate(_)));
    }
}
