//! Access to registries: a client for each host, and for each run the credentials of its account,
//! with those of this process where the operator shares them.

use std::sync::Arc;
use std::time::Duration;

use kube::Client as Kube;
use tokio::time::{Instant, timeout_at};
use windlass_core::config::Storage;
use windlass_core::image::Image;
use windlass_core::run::Run;
use windlass_registry::keychain::{Account, Keychain, Source, find};
use windlass_registry::{Clock, Options, Remote, Repository, Tenant};

use super::accounts::Accounts;
use super::clients::{Clients, Exemptions};
use super::error::UploadError;
use super::identity::{Identities, Identity, Sharing};
use super::place::{override_of, repository_of};
use crate::service::breaker::{Breakers, Visit};
use crate::telemetry::Circuits;

/// Everything that pushing takes.
pub(super) struct Access {
    accounts: Accounts,
    keychain: Keychain,
    clients: Clients,
    identities: Identities,
    breakers: Breakers,
}

/// For whom things are stored.
pub(super) struct Owner<'a> {
    account: Account,
    sources: Arc<[Source]>,
    /// The uid of the run.
    run: String,
    pub(super) storage: &'a Storage,
}

impl Owner<'_> {
    /// The tenant on whose behalf they are stored.
    pub(super) fn tenant(&self) -> Tenant {
        Tenant::from(self.account.namespace.as_str())
    }

    /// A request of this run to a host.
    pub(super) fn visit<'a>(&'a self, host: &'a str) -> Visit<'a> {
        Visit {
            namespace: &self.account.namespace,
            run: &self.run,
            host,
        }
    }
}

impl Access {
    pub(super) fn new(
        kube: Kube,
        options: Options,
        identity: Identity,
        pauses: (Duration, Duration),
    ) -> Self {
        Self {
            accounts: Accounts::new(kube),
            keychain: Keychain::default(),
            clients: Clients::new(options, identity.certificates.clone()),
            identities: Identities::new(identity),
            breakers: Breakers::new(pauses),
        }
    }

    /// Shows which hosts are left in peace.
    pub(super) fn show_in(&mut self, circuits: Circuits) {
        self.breakers.show_in(circuits);
    }

    /// The clock of the clients.
    pub(super) fn clock(&self) -> &Clock {
        self.clients.clock()
    }

    /// A text without the secrets that were used on behalf of a tenant.
    pub(super) fn mask(&self, tenant: &Tenant, text: &str) -> String {
        self.clients.secrets().of(tenant).mask(text)
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
            run: run.metadata().uid.to_string(),
            storage,
        })
    }

    /// An error at the repository of an image, which says so if the credentials of this process are
    /// withheld there and that may be the reason.
    pub(super) fn explain(
        &self,
        owner: &Owner<'_>,
        image: &Image,
        error: UploadError,
    ) -> UploadError {
        let namespace = &owner.account.namespace;
        let sharing = |repository| {
            self.identities
                .sharing(namespace, owner.storage, &repository)
        };
        match repository_of(image).map(sharing) {
            Ok(Sharing::Withheld) => error.withheld(namespace),
            Ok(Sharing::Shared) | Err(_) => error,
        }
    }

    /// Does something with a registry until a time, unless it has not responded lately.
    pub(super) async fn ask<T>(
        &self,
        owner: &Owner<'_>,
        host: &str,
        until: Instant,
        what: impl Future<Output = Result<T, UploadError>>,
    ) -> Result<T, UploadError> {
        let (visit, registry) = (owner.visit(host), host.to_owned());
        if let Err(left) = self.breakers.admit(visit, Instant::now()) {
            return Err(UploadError::Unresponsive { registry, left });
        }
        let Ok(result) = timeout_at(until, what).await else {
            return Err(UploadError::Cut { registry });
        };
        match &result {
            Err(UploadError::Registry(error)) if error.is_timeout() => {
                self.breakers.timed_out(visit, Instant::now());
            }
            Ok(_) | Err(UploadError::Registry(_)) => self.breakers.responded(visit),
            // nothing was asked
            Err(_) => {}
        }
        result
    }

    /// A repository with the credentials that the owner has for it, for writing.
    pub(super) async fn remote(
        &self,
        owner: &Owner<'_>,
        repository: Repository,
        warnings: &mut Vec<String>,
    ) -> Result<Remote, UploadError> {
        let Owner {
            account,
            sources,
            storage,
            ..
        } = owner;
        let sharing = self
            .identities
            .sharing(&account.namespace, storage, &repository);
        let exemptions = exemptions(storage, &repository);
        let tenant = owner.tenant();
        let client = self
            .clients
            .of(&tenant, &repository, exemptions, sharing, storage)
            .await?;
        let own = self.identities.sources(&tenant, sharing, &repository).await;
        let sources = sources.iter().chain(&own);
        let found = self.keychain.candidates(account, sources, &repository);
        if !found.warnings.is_empty() {
            // those of the run are told in any case; those of this process where no credential is accepted
            let of_process = find(&own, &repository).warnings;
            let of_run = found.warnings.iter();
            let of_run = of_run.filter(|warning| !of_process.contains(warning));
            warnings.extend(of_run.map(ToString::to_string));
        }
        let candidates = found.candidates.with_problems(&found.warnings);
        let remote = client.repository(repository, candidates);
        Ok(remote.on_behalf_of(tenant).writing())
    }
}

/// The rules that `storage.oci.repository.insecure` lifts: both, as in Chains, but for the registry
/// of `storage.oci.repository` only. Runs name all others.
fn exemptions(storage: &Storage, repository: &Repository) -> Exemptions {
    let central = override_of(storage).ok().flatten();
    let is_its = central.is_some_and(|central| central.registry() == repository.registry());
    let is_exempt = storage.oci_insecure && is_its;
    Exemptions {
        certificate: is_exempt,
        plain_http: is_exempt,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_registry_but_that_of_the_settings_is_exempt_from_tls() {
        let storage = |central: &str, insecure| Storage {
            oci_repository: central.to_owned(),
            oci_insecure: insecure,
            ..Storage::default()
        };
        let is_exempt = |storage: &Storage, name| {
            let lifted = exemptions(storage, &Repository::parse(name).unwrap());
            assert_eq!(lifted.certificate, lifted.plain_http);
            lifted.plain_http
        };
        let central = storage("r.io:5000/signatures", true);
        assert!(is_exempt(&central, "r.io:5000/signatures"));
        assert!(is_exempt(&central, "R.io:5000/team/app"));
        for name in [
            "r.io/signatures",
            "r.io:443/signatures",
            "q.io:5000/signatures",
            "eu.r.io:5000/signatures",
            "r.io.example.com:5000/app",
            "169.254.169.254/app",
            "app",
        ] {
            assert!(!is_exempt(&central, name), "{name}");
        }
        assert!(!is_exempt(&storage("", true), "r.io:5000/app"));
        assert!(!is_exempt(&storage("https://r.io/sigs", true), "r.io/sigs"));
        let checked = storage("r.io:5000/signatures", false);
        assert!(!is_exempt(&checked, "r.io:5000/signatures"));
    }
}
