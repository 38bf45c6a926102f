//! Registry clients: one for each host, with the certificates that this machine has for it.

use std::path::PathBuf;

use tokio::time::Instant;
use windlass_core::config::Storage;
use windlass_core::network::{Network, TokenServices};
use windlass_once::{Expiry, OnceMap};
use windlass_registry::{
    Client, Clock, Memory, Options, Proxies, Repository, Secrets, Tenant, Threads,
};

use super::certificates::Certificates;
use super::error::UploadError;
use super::identity::{Identity, Sharing};
use crate::environment::variable;

/// Most hosts whose clients are kept, besides those in use. Namespaces have fair shares.
const REMEMBERED: usize = 100;
/// Most clients that are made at once.
const THREADS: usize = 8;

/// The rules of TLS that a registry is exempt from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Exemptions {
    /// Its certificate is not checked.
    pub(crate) certificate: bool,
    /// Plain HTTP is allowed if it does not speak TLS.
    pub(crate) plain_http: bool,
}

/// What the client of a registry is made for. A change of the settings makes another one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    registry: String,
    exemptions: Exemptions,
    network: Network,
    token_services: TokenServices,
}

/// Clients of all registries that were spoken to.
pub(crate) struct Clients {
    options: Options,
    /// Where certificates of registries are kept, the nearest first.
    certificates: Vec<PathBuf>,
    /// Of all clients: it is bounded for all hosts together, and outlasts a client that is replaced.
    memory: Memory,
    known: OnceMap<Key, HostClients, Tenant>,
    /// Where clients are made: runs name as many hosts as they like.
    threads: Threads,
}

/// The clients of one host.
#[derive(Clone)]
struct HostClients {
    /// Without a client certificate.
    plain: Client,
    /// With the client certificate that this machine keeps for the host, if there is one.
    identified: Option<Client>,
}

impl Clients {
    /// None yet; each is made like this when it is first needed.
    pub(crate) fn new(options: Options, certificates: Vec<PathBuf>) -> Self {
        Self {
            options,
            certificates,
            memory: Memory::default(),
            known: OnceMap::keeping_used(REMEMBERED, HostClients::is_used),
            threads: Threads::new("client", THREADS),
        }
    }

    /// The clock of all clients.
    pub(crate) fn clock(&self) -> &Clock {
        &self.options.clock
    }

    /// The secrets that the clients send.
    pub(crate) fn secrets(&self) -> &Secrets {
        &self.options.secrets
    }

    /// The client of a repository's registry. One makes it, on a thread where files may be read, and
    /// the others wait. It presents a client certificate only where the identity of this process is
    /// shared: whoever controls the name would otherwise use it.
    pub(super) async fn of(
        &self,
        tenant: &Tenant,
        repository: &Repository,
        exemptions: Exemptions,
        sharing: Sharing,
        storage: &Storage,
    ) -> Result<Client, UploadError> {
        let registry = repository.registry();
        let key = Key {
            registry: registry.to_owned(),
            exemptions,
            network: storage.network.clone(),
            token_services: storage.token_services.clone(),
        };
        let known = self.known.share(tenant);
        if let Some(found) = known.get(&key, Instant::now().into_std()) {
            return Ok(found.of(sharing));
        }
        // before the others wait for it: a tenant that makes many waits for a thread of its own share
        let thread = self.threads.take(tenant).await;
        let make = || async {
            let (mut options, folders) = (self.options.clone(), self.certificates.clone());
            options.network = options.network.with(&storage.network);
            options.token_services.clone_from(&storage.token_services);
            let (host, memory) = (registry.to_owned(), self.memory.clone());
            let made = move || HostClients::new(options, &host, exemptions, &folders, &memory);
            // a thread takes real time, which a test whose carrier keeps time itself does not have
            let made = match &self.options.carrier {
                Some(_) => Ok(made()),
                None => thread.run(made).await,
            };
            let made = made.map_err(|error| UploadError::Interrupted {
                registry: registry.to_owned(),
                source: error,
            })?;
            Ok::<_, UploadError>((made?, Expiry::Never))
        };
        let found = known
            .get_or_try_make(&key, Instant::now().into_std(), make)
            .await?;
        Ok(found.of(sharing))
    }
}

impl HostClients {
    fn new(
        options: Options,
        registry: &str,
        exemptions: Exemptions,
        folders: &[PathBuf],
        memory: &Memory,
    ) -> Result<Self, UploadError> {
        let mut options = exempted(options, registry, exemptions);
        let Certificates {
            authorities,
            client: certificate,
        } = Certificates::of(registry, folders)?;
        options.ca_certificates.extend(authorities);
        let plain = new_client(options.clone(), registry, memory)?;
        let identified = certificate.map(|certificate| {
            options.client_certificate = Some(certificate);
            new_client(options, registry, memory)
        });
        Ok(Self {
            plain,
            identified: identified.transpose()?,
        })
    }

    /// The client of those with whom the identity of this process is shared, or of others.
    fn of(self, sharing: Sharing) -> Client {
        let Self { plain, identified } = self;
        match sharing {
            Sharing::Shared => identified.unwrap_or(plain),
            Sharing::Withheld => plain,
        }
    }

    fn is_used(&self) -> bool {
        self.plain.is_used() || self.identified.as_ref().is_some_and(Client::is_used)
    }
}

/// How registries are spoken to from this process: through the proxies of its environment.
pub(crate) fn options() -> Options {
    let either = |upper: &str, lower: &str| variable(upper).or_else(|| variable(lower));
    Options {
        proxies: Proxies {
            http: either("HTTP_PROXY", "http_proxy"),
            https: either("HTTPS_PROXY", "https_proxy"),
            except: either("NO_PROXY", "no_proxy"),
        },
        ..Options::default()
    }
}

/// A client for one registry, with the certificates that this machine keeps for it.
pub(crate) fn client(
    options: Options,
    registry: &str,
    exemptions: Exemptions,
) -> Result<Client, UploadError> {
    let made = clients_of_machine(options, registry, exemptions)?;
    Ok(made.identified.unwrap_or(made.plain))
}

/// The same without the certificate by which the registry would know this machine.
pub(super) fn client_unidentified(
    options: Options,
    registry: &str,
    exemptions: Exemptions,
) -> Result<Client, UploadError> {
    Ok(clients_of_machine(options, registry, exemptions)?.plain)
}

fn clients_of_machine(
    options: Options,
    registry: &str,
    exemptions: Exemptions,
) -> Result<HostClients, UploadError> {
    let folders = Identity::default().certificates;
    HostClients::new(options, registry, exemptions, &folders, &Memory::default())
}

fn new_client(options: Options, registry: &str, memory: &Memory) -> Result<Client, UploadError> {
    Client::with_memory(options, memory.clone()).map_err(|source| UploadError::Setup {
        registry: registry.to_owned(),
        source,
    })
}

fn exempted(mut options: Options, registry: &str, exemptions: Exemptions) -> Options {
    if exemptions.certificate {
        options.unchecked_certificates.push(registry.to_owned());
    }
    if exemptions.plain_http {
        options.plain_http.push(registry.to_owned());
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn open(clients: &Clients, tenant: &str, host: &str, sharing: Sharing) -> Client {
        let repository = Repository::parse(&format!("{host}/app")).unwrap();
        let tenant = Tenant::from(tenant);
        let storage = Storage::default();
        let client = clients.of(
            &tenant,
            &repository,
            Exemptions::default(),
            sharing,
            &storage,
        );
        client.await.unwrap()
    }

    #[tokio::test]
    async fn a_namespace_that_names_many_hosts_replaces_no_client_of_another() {
        let clients = Clients::new(Options::default(), Vec::new());
        let is_kept = |tenant: &str, host: &str| {
            let key = Key {
                registry: host.to_owned(),
                exemptions: Exemptions::default(),
                network: Network::default(),
                token_services: TokenServices::default(),
            };
            let kept = clients
                .known
                .share(&Tenant::from(tenant))
                .get(&key, Instant::now().into_std());
            kept.is_some()
        };
        // the greedy one names the others' hosts first
        for tenant in ["team-b", "team-a"] {
            drop(open(&clients, tenant, "r.io", Sharing::Withheld).await);
        }
        for number in 0..=REMEMBERED {
            let host = format!("{number}.example.com");
            drop(open(&clients, "team-b", &host, Sharing::Withheld).await);
        }
        assert_eq!(clients.known.len(), REMEMBERED);
        assert!(is_kept("team-a", "r.io"));
        assert!(!is_kept("team-b", "0.example.com"));
    }
}
