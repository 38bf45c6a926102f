//! Registries as a person at this machine reaches them: with the Docker configuration, the credential
//! helpers and the cloud identity of the machine, or with what was typed.

use std::time::Duration;

use windlass_core::network::{Policy, TokenServices};
use windlass_registry::keychain::{Candidate, Candidates, Source, find};
use windlass_registry::{Bodies, Budget, Options, Remedy, Remote, Repository, RetryPolicy, Tenant};

use super::attached::bounds;
use super::clients::{Exemptions, client, client_unidentified, options};
use super::error::UploadError;
use super::helpers::Helpers;
use super::identity::Identity;
use crate::cloud::Clouds;

/// Parts of a budget of memory: each registry has one at most.
const REGISTRIES: usize = 4;
/// Attempts to connect to a registry that nobody waits for but a person.
const CONNECTIONS: usize = 2;
/// Longer than any verb may take.
const LONG: Duration = Duration::from_secs(24 * 60 * 60);

/// How registries are reached.
#[derive(Debug, Clone, Default)]
pub(crate) struct Route {
    /// The rules of TLS that they are exempt from.
    pub(crate) exemptions: Exemptions,
    /// Certificates of authorities to trust besides those of the machine, in PEM.
    pub(crate) authorities: Vec<Vec<u8>>,
    /// The one credential to use, instead of those of the machine.
    pub(crate) credential: Option<Candidate>,
}

/// How a person at this machine speaks to registries: also to those on it, and with token services
/// as Docker and cosign have them.
pub(crate) fn options_of_workstation() -> Options {
    Options {
        network: Policy::of_workstation(),
        token_services: TokenServices::any(),
        remedy: Remedy::Login,
        retry: RetryPolicy {
            connections: CONNECTIONS,
            ..RetryPolicy::default()
        },
        ..options()
    }
}

/// A repository as the user of the command line sees it.
pub(crate) async fn open(repository: Repository, route: &Route) -> Result<Remote, UploadError> {
    let client = client(options_of(route), repository.registry(), route.exemptions)?;
    let candidates = match &route.credential {
        Some(only) => Candidates::new([only.clone()]),
        None => of_machine(&repository).await,
    };
    Ok(client.repository(repository, candidates))
}

/// How a repository is reached that nobody typed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Nearness<'a> {
    /// It is on the registry that was typed: as that one.
    AsTyped(&'a Route),
    /// At public addresses only, and by all rules of TLS.
    Public(&'a Route),
}

/// A repository that was read somewhere. No credential and no client certificate of this machine goes
/// there, since whoever wrote its name would choose who receives them.
pub(crate) fn open_unasked(
    repository: Repository,
    nearness: Nearness<'_>,
) -> Result<Remote, UploadError> {
    let (options, exemptions) = match nearness {
        Nearness::AsTyped(route) => (options_of(route), route.exemptions),
        Nearness::Public(route) => {
            let mut options = options_of(route);
            options.network = Policy::of_public();
            (options, Exemptions::default())
        }
    };
    let client = client_unidentified(options, repository.registry(), exemptions)?;
    Ok(client.repository(repository, Candidates::anonymous()))
}

fn options_of(route: &Route) -> Options {
    let mut options = options_of_workstation();
    options.limits.entries = bounds::ENTRIES;
    options.limits.list = bounds::CONTENT;
    options
        .ca_certificates
        .extend_from_slice(&route.authorities);
    // nobody else waits for memory here, and what takes too long ends with the verb
    options.bodies = Bodies {
        budget: Budget::new(REGISTRIES * bounds::CONTENT * bounds::AT_ONCE),
        patience: LONG,
        time: LONG,
        ..options.bodies
    };
    options
}

/// The credentials that this machine has for a repository, and none at the end.
async fn of_machine(repository: &Repository) -> Candidates {
    let configuration = Identity::default().docker_config();
    let helpers = Helpers::default();
    let helper = helpers.candidate(configuration.as_ref(), repository).await;
    let identity = Clouds::default()
        .candidate(&Tenant::default(), repository)
        .await;
    let sources: Vec<Source> = configuration
        .into_iter()
        .chain(helper)
        .chain(identity.map(Source::Candidate))
        .collect();
    let found = find(&sources, repository);
    found.candidates.with_problems(&found.warnings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_waits_three_seconds_at_most_for_a_registry_where_nothing_listens() {
        let RetryPolicy {
            connections,
            first_wait,
            ..
        } = options_of_workstation().retry;
        assert_eq!(connections, 2, "one wait between two attempts");
        // jitter adds as much again at most
        assert!(first_wait * 2 < Duration::from_secs(3));
        assert!(RetryPolicy::default().connections > connections);
    }
}
