//! What the credentials of a service account may do in a registry, in the order in which the
//! controller tries them.
//!
//! Each is tried: the image is read, and an upload is started and cancelled.

use kube::Client as Kube;
use windlass_registry::keychain::{Account, Candidate, Secret, Source, find};
use windlass_registry::{Credential, Error, Reference, Remote, Repository};

use crate::store::oci::credentials::{self, CredentialsError};
use crate::store::oci::{self, Exemptions, UploadError};

/// Requests of one kind before a registry counts as failing: a person waits, and can ask again.
const ATTEMPTS: usize = 2;

/// What an account may do in the repository of an image.
pub(crate) struct PushAccess {
    /// Its credentials, and what each may do.
    pub(crate) results: Vec<ProbeResult>,
    /// Credentials that could not be read, or that are for something else.
    pub(crate) notes: Vec<String>,
    /// What could not be read, so that nothing is known of the credentials in it.
    pub(crate) unread: Vec<String>,
}

/// What one credential may do.
pub(crate) struct ProbeResult {
    pub(crate) candidate: Candidate,
    pub(crate) pull: Pull,
    pub(crate) push: Result<(), Denial>,
}

/// Whether an image may be read.
pub(crate) enum Pull {
    Allowed,
    /// It may be, and there is none.
    NotFound,
    Denied(Denial),
}

/// A refusal for want of a right, with its HTTP status if there was a response.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Denial {
    pub(crate) status: Option<u16>,
}

/// Why the access of an account could not be determined.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PushAccessError {
    /// The account or its secrets could not be read.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// No client of the registry could be set up.
    #[error(transparent)]
    Client(#[from] UploadError),
    /// The registry failed, or did not respond.
    #[error(transparent)]
    Registry(#[from] Error),
}

impl PushAccess {
    /// Tries every credential of an account.
    pub(crate) async fn probe(
        kube: &Kube,
        account: &Account,
        image: &Reference,
        exemptions: Exemptions,
    ) -> Result<Self, PushAccessError> {
        let sources = credentials::of_account(kube, account, std::iter::empty()).await?;
        let repository = &image.repository;
        let found = find(&sources, repository);
        let mut options = oci::options_of_workstation();
        options.retry.attempts = ATTEMPTS;
        let client = oci::client(options, repository.registry(), exemptions)?;
        let mut results = Vec::new();
        let mut unread = Vec::new();
        for alone in found.candidates.each() {
            let candidate = alone.iter().next().cloned();
            if let Some(candidate) = &candidate
                && let Credential::Unavailable(why) = &candidate.credential
            {
                unread.push(format!("{}: {why}", candidate.source));
                continue;
            }
            let remote = client.repository(repository.clone(), alone);
            if let Some(candidate) = candidate {
                results.push(probe(&remote, image, candidate).await?);
            }
        }
        let mut notes: Vec<String> = found.warnings.iter().map(ToString::to_string).collect();
        let silent = sources
            .iter()
            .filter_map(|one| without_entry(one, repository));
        notes.extend(silent);
        // a secret that does not exist is known to have nothing
        let refused = sources.iter().filter_map(|source| match source {
            Source::Missing { name, why } if why.starts_with("HTTP") => {
                Some(format!("secret {name}: it may not be read, {why}"))
            }
            _ => None,
        });
        unread.extend(refused);
        Ok(Self {
            results,
            notes,
            unread,
        })
    }

    /// The first credential that may push.
    pub(crate) fn pushing(&self) -> Option<&Candidate> {
        let mut results = self.results.iter();
        let pushing = results.find(|one| one.push.is_ok());
        pushing.map(|one| &one.candidate)
    }
}

async fn probe(
    remote: &Remote,
    image: &Reference,
    candidate: Candidate,
) -> Result<ProbeResult, Error> {
    let pull = match remote.head_manifest(&image.name()).await {
        Ok(Some(_)) => Pull::Allowed,
        Ok(None) => Pull::NotFound,
        Err(error) => Pull::Denied(denial(error)?),
    };
    let push = match remote.can_push().await {
        Ok(()) => Ok(()),
        Err(error) => Err(denial(error)?),
    };
    Ok(ProbeResult {
        candidate,
        pull,
        push,
    })
}

/// A denial; whatever else went wrong stays an error.
fn denial(error: Error) -> Result<Denial, Error> {
    let Error::Denied { attempts, .. } = &error else {
        return Err(error);
    };
    let status = attempts.first().and_then(|attempt| attempt.status);
    Ok(Denial { status })
}

/// A note about a secret that was read and has nothing for this repository.
fn without_entry(source: &Source, repository: &Repository) -> Option<String> {
    const KINDS: [&str; 5] = [
        "kubernetes.io/dockerconfigjson",
        "kubernetes.io/dockercfg",
        "kubernetes.io/basic-auth",
        "Opaque",
        "",
    ];
    let found = find(std::slice::from_ref(source), repository);
    let Source::Secret(secret) = source else {
        return None;
    };
    let is_silent = found.warnings.is_empty() && found.candidates.iter().count() == 1;
    let Secret { name, kind, .. } = secret;
    is_silent.then(|| match kind.as_str() {
        kind if KINDS.contains(&kind) => {
            format!("secret {name}: it has no entry for {repository}")
        }
        kind => format!("secret {name}: its type {kind} holds no credentials of registries"),
    })
}
