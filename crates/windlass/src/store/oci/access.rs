//! Access to registries: a client for each host, and for each run the credentials of its account.

use std::sync::Arc;

use kube::Client as Kube;
use windlass_core::config::Storage;
use windlass_core::run::Run;
use windlass_registry::keychain::{Account, Keychain, Source};
use windlass_registry::{Clock, Options, Remote, Repository};

use super::accounts::Accounts;
use super::clients::{Clients, Exemptions};
use super::error::UploadError;
use crate::cloud::Clouds;

/// Everything that pushing takes.
pub(super) struct Access {
    accounts: Accounts,
    keychain: Keychain,
    clients: Clients,
    clouds: Clouds,
}

/// For whom things are stored.
pub(super) struct Owner<'a> {
    account: Account,
    sources: Arc<[Source]>,
    pub(super) storage: &'a Storage,
}

impl Access {
    pub(super) fn new(kube: Kube, options: Options) -> Self {
        Self {
            accounts: Accounts::new(kube),
            keychain: Keychain::default(),
            clients: Clients::new(options),
            clouds: Clouds::default(),
        }
    }

    /// The clock of the clients.
    pub(super) fn clock(&self) -> &Clock {
        self.clients.clock()
    }

    /// The account of a run, with its sources of credentials.
    pub(super) async fn owner<'a>(
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

    /// A repository with the credentials that the owner has for it, for writing.
    pub(super) async fn remote(
        &self,
        owner: &Owner<'_>,
        repository: Repository,
        warnings: &mut Vec<String>,
    ) -> Result<Remote, UploadError> {
        // Chains' one setting lifts both rules
        let exemptions = Exemptions {
            certificate: owner.storage.oci_insecure,
            plain_http: owner.storage.oci_insecure,
        };
        let client = self.clients.of(&repository, exemptions).await?;
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
