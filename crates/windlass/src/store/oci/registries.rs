//! The registries that runs push to: clients, credentials, and one upload after the other.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use kube::Client as Kube;
use windlass_core::config::Storage;
use windlass_core::run::Run;
use windlass_registry::keychain::{Account, Keychain, Source, Warning, find};
use windlass_registry::{Client, Options, Proxies, Remote, Repository};

use super::layer::Layer;
use super::{Content, Upload, UploadError, bundle, credentials};
use super::{attach, digest_of, override_of, refer, repository_of, subject};

/// Most registries without checked certificates that are remembered.
const REMEMBERED: usize = 100;

/// Everything that pushing takes.
pub(crate) struct Registries {
    kube: Kube,
    keychain: Keychain,
    checked: Result<Client, String>,
    /// Clients for a registry whose certificate is not checked.
    unchecked: Mutex<HashMap<String, Client>>,
}

/// What came of the uploads of a run.
#[derive(Debug, Default)]
pub(crate) struct Stored {
    /// What people should know though it worked.
    pub(crate) warnings: Vec<String>,
    /// What is not stored.
    pub(crate) failures: Vec<UploadError>,
}

/// For whom things are stored.
struct Owner<'a> {
    account: Account,
    sources: Vec<Source>,
    storage: &'a Storage,
}

impl Registries {
    /// Registries as seen from this process: its proxies and the system's certificates.
    pub(crate) fn new(kube: Kube) -> Self {
        Self {
            kube,
            keychain: Keychain::default(),
            checked: client(Vec::new()),
            unchecked: Mutex::default(),
        }
    }

    /// Stores what a run has for registries. Whatever fails, the others are tried too.
    pub(crate) async fn store(
        &self,
        run: &Run<'_>,
        uploads: &[Upload],
        storage: &Storage,
    ) -> Stored {
        let mut stored = Stored::default();
        if uploads.is_empty() {
            return stored;
        }
        let account = credentials::account(run);
        let sources = match credentials::sources(&self.kube, &account, run).await {
            Ok(sources) => sources,
            Err(error) => {
                stored.failures.push(error.into());
                return stored;
            }
        };
        let owner = Owner {
            account,
            sources,
            storage,
        };
        for upload in uploads {
            let warnings = &mut stored.warnings;
            if let Err(error) = self.upload(&owner, upload, warnings).await {
                stored.failures.push(error);
            }
        }
        stored.warnings.sort();
        stored.warnings.dedup();
        stored
    }

    async fn upload(
        &self,
        owner: &Owner<'_>,
        upload: &Upload,
        warnings: &mut Vec<String>,
    ) -> Result<(), UploadError> {
        let own = repository_of(&upload.image)?;
        let other = override_of(owner.storage)?;
        let digest = digest_of(&upload.image)?;
        let layer = match &upload.content {
            Content::Signature { payload, signature } => Layer::signature(payload, signature),
            Content::Attestation(envelope) => Layer::attestation(envelope),
            Content::Bundle {
                envelope,
                predicate_type,
                hint,
            } => {
                let bundle = bundle::Bundle {
                    envelope,
                    predicate_type,
                    hint,
                    created: upload.created,
                };
                return self
                    .refer(owner, own, other, &digest, &bundle, warnings)
                    .await;
            }
        };
        let remote = self.remote(owner, other.unwrap_or(own), warnings)?;
        attach(&remote, &digest, layer).await
    }

    /// Pushes a bundle to where the image is: the repository of the settings if it is there.
    async fn refer(
        &self,
        owner: &Owner<'_>,
        own: Repository,
        other: Option<Repository>,
        digest: &windlass_registry::Digest,
        bundle: &bundle::Bundle<'_>,
        warnings: &mut Vec<String>,
    ) -> Result<(), UploadError> {
        if let Some(other) = other {
            let remote = self.remote(owner, other.clone(), warnings)?;
            if let Some(found) = subject(&remote, digest).await? {
                return refer(&remote, found, bundle).await;
            }
            warnings.push(format!(
                "storage.oci.repository is not used: {digest} is not in {other}, and a bundle has to \
                 be where its image is; it is in {own}"
            ));
        }
        let shown = own.to_string();
        let remote = self.remote(owner, own, warnings)?;
        match subject(&remote, digest).await? {
            Some(found) => refer(&remote, found, bundle).await,
            None => Err(UploadError::NoSubject {
                digest: digest.clone(),
                repository: shown,
            }),
        }
    }

    fn remote(
        &self,
        owner: &Owner<'_>,
        repository: Repository,
        warnings: &mut Vec<String>,
    ) -> Result<Remote, UploadError> {
        let client = self.client(&repository, owner.storage.oci_insecure);
        let client = client.map_err(UploadError::Setup)?;
        let found = self
            .keychain
            .candidates(&owner.account, &owner.sources, &repository);
        warnings.extend(found.warnings.iter().map(ToString::to_string));
        Ok(client.repository(repository, found.candidates))
    }

    fn client(&self, repository: &Repository, insecure: bool) -> Result<Client, String> {
        if !insecure {
            return self.checked.clone();
        }
        let mut known = self
            .unchecked
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let registry = repository.registry().to_owned();
        if let Some(client) = known.get(&registry) {
            return Ok(client.clone());
        }
        if known.len() >= REMEMBERED {
            known.clear();
        }
        let client = client(vec![registry.clone()])?;
        known.insert(registry, client.clone());
        Ok(client)
    }
}

/// A repository as the user of the command line sees it: with the Docker configuration of this
/// machine, whose warnings come with it.
pub(crate) fn open(
    repository: Repository,
    insecure: Vec<String>,
) -> Result<(Remote, Vec<Warning>), UploadError> {
    let client = client(insecure).map_err(UploadError::Setup)?;
    let sources: Vec<Source> = credentials::own_configuration().into_iter().collect();
    let found = find(&sources, &repository);
    Ok((
        client.repository(repository, found.candidates),
        found.warnings,
    ))
}

/// A client for which these registries need no certificate.
pub(crate) fn client(insecure: Vec<String>) -> Result<Client, String> {
    let variable = |upper: &str, lower: &str| {
        let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        set(upper).or_else(|| set(lower))
    };
    let options = Options {
        proxies: Proxies {
            http: variable("HTTP_PROXY", "http_proxy"),
            https: variable("HTTPS_PROXY", "https_proxy"),
            except: variable("NO_PROXY", "no_proxy"),
        },
        insecure,
        ..Options::default()
    };
    Client::new(options).map_err(|error| error.to_string())
}
