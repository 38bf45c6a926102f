//! Registry clients: one for each host, with the certificates that this machine has for it.

use std::path::{Path, PathBuf};
use std::time::Instant;

use windlass_once::{Expiry, OnceMap};
use windlass_registry::keychain::{Source, Warning, find};
use windlass_registry::{Client, ClientCertificate, Clock, Options, Proxies, Remote, Repository};
use zeroize::Zeroizing;

use super::credentials;
use super::error::UploadError;
use crate::cloud::Clouds;

/// Most hosts whose clients are kept.
const REMEMBERED: usize = 100;
/// Most bytes of a certificate or key.
const FILE_LIMIT: u64 = 1 << 20;

/// The rules of TLS that a registry is exempt from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Exemptions {
    /// Its certificate is not checked.
    pub(crate) certificate: bool,
    /// Plain HTTP is allowed if it does not speak TLS.
    pub(crate) plain_http: bool,
}

/// Clients of all registries that were spoken to.
pub(crate) struct Clients {
    options: Options,
    /// By host and its exemptions.
    known: OnceMap<(String, Exemptions), Client>,
}

impl Clients {
    /// None yet; each is made like this when it is first needed.
    pub(crate) fn new(options: Options) -> Self {
        Self {
            options,
            known: OnceMap::new(REMEMBERED),
        }
    }

    /// The clock of all clients.
    pub(crate) fn clock(&self) -> &Clock {
        &self.options.clock
    }

    /// The client of a repository's registry. One makes it, on a thread where files may be read, and
    /// the others wait: what a process writes to a registry goes through one client.
    pub(crate) async fn of(
        &self,
        repository: &Repository,
        exemptions: Exemptions,
    ) -> Result<Client, UploadError> {
        let registry = repository.registry();
        let key = (registry.to_owned(), exemptions);
        let make = || async {
            let (options, host) = (self.options.clone(), registry.to_owned());
            let made = tokio::task::spawn_blocking(move || client(options, &host, exemptions));
            let made = made.await.map_err(|error| UploadError::Interrupted {
                registry: registry.to_owned(),
                source: error,
            })?;
            Ok((made?, Expiry::Never))
        };
        self.known.get_or_try_make(&key, Instant::now(), make).await
    }
}

/// How registries are spoken to from this process: through the proxies of its environment.
pub(crate) fn options() -> Options {
    let variable = |upper: &str, lower: &str| {
        let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        set(upper).or_else(|| set(lower))
    };
    Options {
        proxies: Proxies {
            http: variable("HTTP_PROXY", "http_proxy"),
            https: variable("HTTPS_PROXY", "https_proxy"),
            except: variable("NO_PROXY", "no_proxy"),
        },
        ..Options::default()
    }
}

/// A repository as the user of the command line sees it: with the Docker configuration of this
/// machine and the identity it has in a cloud. Warnings come with it.
pub(crate) async fn open(
    repository: Repository,
    exemptions: Exemptions,
) -> Result<(Remote, Vec<Warning>), UploadError> {
    let client = client(options(), repository.registry(), exemptions)?;
    let mut sources: Vec<Source> = credentials::own_configuration().into_iter().collect();
    let identity = Clouds::default().candidate(&repository).await;
    sources.extend(identity.map(Source::Candidate));
    let found = find(&sources, &repository);
    Ok((
        client.repository(repository, found.candidates),
        found.warnings,
    ))
}

/// A client for one registry, with the certificates that this machine keeps for it.
pub(crate) fn client(
    mut options: Options,
    registry: &str,
    exemptions: Exemptions,
) -> Result<Client, UploadError> {
    if exemptions.certificate {
        options.unchecked_certificates.push(registry.to_owned());
    }
    if exemptions.plain_http {
        options.plain_http.push(registry.to_owned());
    }
    let certificates = Certificates::of(registry, &folders())?;
    options.ca_certificates.extend(certificates.authorities);
    options.client_certificate = certificates.client.or(options.client_certificate);
    Client::new(options).map_err(|source| UploadError::Setup {
        registry: registry.to_owned(),
        source,
    })
}

/// What is kept for one registry in `certs.d/HOST[:PORT]`, where Docker, Podman and their kin look
/// too: `*.crt` are authorities, `NAME.cert` and `NAME.key` the client's certificate and key.
/// Source: containers-certs.d(5).
#[derive(Debug, Default)]
struct Certificates {
    authorities: Vec<Vec<u8>>,
    client: Option<ClientCertificate>,
}

/// Where certificates of registries are kept, the nearest first.
fn folders() -> Vec<PathBuf> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let of_user = home.map(|home| home.join(".config/containers/certs.d"));
    let of_machine = ["/etc/containers/certs.d", "/etc/docker/certs.d"].map(PathBuf::from);
    of_user.into_iter().chain(of_machine).collect()
}

impl Certificates {
    /// Reads the first of the folders that has something for the registry.
    fn of(registry: &str, folders: &[PathBuf]) -> Result<Self, UploadError> {
        let mut places = folders.iter().map(|folder| folder.join(registry));
        let Some(place) = places.find(|place| place.is_dir()) else {
            return Ok(Self::default());
        };
        let unreadable = |path: &Path, source| UploadError::Certificate {
            path: path.display().to_string(),
            source,
        };
        let entries = std::fs::read_dir(&place).map_err(|source| unreadable(&place, source))?;
        let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        files.sort();
        let mut found = Self::default();
        for path in &files {
            let content = || read(path).map_err(|source| unreadable(path, source));
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("crt") => found.authorities.push(content()?),
                Some("cert") if found.client.is_none() => {
                    let key = path.with_extension("key");
                    let key_pem = read(&key).map_err(|source| unreadable(&key, source))?;
                    found.client = Some(ClientCertificate {
                        certificate_pem: content()?,
                        key_pem: Zeroizing::new(key_pem),
                    });
                }
                _ => {}
            }
        }
        Ok(found)
    }
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    if std::fs::metadata(path)?.len() > FILE_LIMIT {
        return Err(std::io::Error::other("it is larger than 1 MiB"));
    }
    std::fs::read(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_folder_with_something_for_the_registry_counts() {
        let scratch = tempfile::tempdir().unwrap();
        let (near, far) = (scratch.path().join("near"), scratch.path().join("far"));
        let place = far.join("r.io:5000");
        std::fs::create_dir_all(&place).unwrap();
        std::fs::create_dir_all(near.join("other.io")).unwrap();
        for (name, content) in [
            ("a.crt", "A"),
            ("b.crt", "B"),
            ("c.cert", "C"),
            ("c.key", "K"),
        ] {
            std::fs::write(place.join(name), content).unwrap();
        }
        let folders = [near, far];
        let found = Certificates::of("r.io:5000", &folders).unwrap();
        assert_eq!(found.authorities, [b"A", b"B"]);
        assert_eq!(found.client.unwrap().certificate_pem, b"C");
        let none = Certificates::of("r.io", &folders).unwrap();
        assert!(none.authorities.is_empty() && none.client.is_none());
    }

    #[test]
    fn a_certificate_without_its_key_is_an_error_that_names_the_file() {
        let scratch = tempfile::tempdir().unwrap();
        let place = scratch.path().join("r.io");
        std::fs::create_dir_all(&place).unwrap();
        std::fs::write(place.join("c.cert"), "C").unwrap();
        let error = Certificates::of("r.io", &[scratch.path().to_owned()]).unwrap_err();
        assert!(error.to_string().contains("c.key"), "{error}");
    }
}
