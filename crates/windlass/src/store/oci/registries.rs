//! The registries that runs push to: clients, credentials, and one upload after the other.

use std::sync::Arc;

use futures::{StreamExt, stream};
use kube::Client as Kube;
use windlass_core::config::Storage;
use windlass_core::image::Image;
use windlass_core::run::Run;
use windlass_registry::keychain::{Account, Keychain, Source};
use windlass_registry::{Options, Remote, Repository};

use super::accounts::Accounts;
use super::clients::Clients;
use super::layer::Layer;
use super::listed::listed;
use super::{Content, Upload, UploadError, bundle};
use super::{attach, digest_of, override_of, refer, repository_of, subject};
use crate::cloud::Clouds;

/// Uploads of one run under way at once.
const AT_ONCE: usize = 8;

/// Everything that pushing takes.
pub(crate) struct Registries {
    accounts: Accounts,
    keychain: Keychain,
    clients: Clients,
    clouds: Clouds,
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
    sources: Arc<[Source]>,
    storage: &'a Storage,
}

impl Registries {
    /// Registries that are spoken to like this.
    pub(crate) fn new(kube: Kube, options: Options) -> Self {
        Self {
            accounts: Accounts::new(kube),
            keychain: Keychain::default(),
            clients: Clients::new(options),
            clouds: Clouds::default(),
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
        let owner = match self.owner(run, storage).await {
            Ok(owner) => owner,
            Err(error) => {
                stored.failures.push(error);
                return stored;
            }
        };
        // in the order in which they were asked for, whichever is done first
        let each: Vec<_> = uploads
            .iter()
            .map(|upload| self.upload(&owner, upload))
            .collect();
        let mut done = stream::iter(each).buffered(AT_ONCE);
        while let Some((warnings, result)) = done.next().await {
            stored.warnings.extend(warnings);
            stored.failures.extend(result.err());
        }
        stored.warnings.sort();
        stored.warnings.dedup();
        stored
    }

    /// What those of these images that are indexes list. What could not be found out is among the
    /// failures.
    pub(crate) async fn listed(
        &self,
        run: &Run<'_>,
        images: &[Image],
        storage: &Storage,
    ) -> (Vec<Image>, Vec<UploadError>) {
        let (mut found, mut failures) = (Vec::new(), Vec::new());
        if images.is_empty() {
            return (found, failures);
        }
        let owner = match self.owner(run, storage).await {
            Ok(owner) => owner,
            Err(error) => return (found, vec![error]),
        };
        for image in images {
            match self.listed_by(&owner, image).await {
                Ok(listed) => found.extend(listed),
                Err(error) => failures.push(error),
            }
        }
        (found, failures)
    }

    async fn listed_by(&self, owner: &Owner<'_>, image: &Image) -> Result<Vec<Image>, UploadError> {
        // what is wrong with credentials is told when something is pushed with them
        let remote = self
            .remote(owner, repository_of(image)?, &mut Vec::new())
            .await?;
        listed(&remote, image).await
    }

    async fn owner<'a>(
        &self,
        run: &Run<'_>,
        storage: &'a Storage,
    ) -> Result<Owner<'a>, UploadError> {
        let (account, sources) = self.accounts.sources(run).await?;
        Ok(Owner {
            account,
            sources,
            storage,
        })
    }

    /// Stores one thing, and tells what people should know of it.
    async fn upload(
        &self,
        owner: &Owner<'_>,
        upload: &Upload,
    ) -> (Vec<String>, Result<(), UploadError>) {
        let mut warnings = Vec::new();
        let result = self.push(owner, upload, &mut warnings).await;
        (warnings, result)
    }

    async fn push(
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
        let remote = self.remote(owner, other.unwrap_or(own), warnings).await?;
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
            let remote = self.remote(owner, other.clone(), warnings).await?;
            if let Some(found) = subject(&remote, digest).await? {
                return refer(&remote, found, bundle).await;
            }
            warnings.push(format!(
                "storage.oci.repository is not used: {digest} is not in {other}, and a bundle has to \
                 be where its image is; it is in {own}"
            ));
        }
        let shown = own.to_string();
        let remote = self.remote(owner, own, warnings).await?;
        match subject(&remote, digest).await? {
            Some(found) => refer(&remote, found, bundle).await,
            None => Err(UploadError::NoSubject {
                digest: digest.clone(),
                repository: shown,
            }),
        }
    }

    async fn remote(
        &self,
        owner: &Owner<'_>,
        repository: Repository,
        warnings: &mut Vec<String>,
    ) -> Result<Remote, UploadError> {
        // one setting stands for both, as in Chains
        let exemptions = Exemptions {
            certificate: owner.storage.oci_insecure,
            plain_http: owner.storage.oci_insecure,
        };
        let client = self.clients.of(&repository, exemptions)?;
        let identity = self.clouds.candidate(&repository).await;
        let identity = identity.map(Source::Candidate);
        let sources = owner.sources.iter().chain(&identity);
        let found = self
            .keychain
            .candidates(&owner.account, sources, &repository);
        warnings.extend(found.warnings.iter().map(ToString::to_string));
        Ok(client.repository(repository, found.candidates).writing())
    }
}
