//! Secrets of the cluster: the types with registry credentials, and the entries to read.

use windlass_core::image::{Fit, Pattern};
use zeroize::Zeroizing;

use super::candidate::Candidate;
use super::config;
use super::read::Reading;
use super::source::Secret;
use crate::auth::Credential;
use crate::reference::Repository;

/// Prefix of the annotations that name the registries of a name and password.
const TEKTON_DOCKER: &str = "tekton.dev/docker-";

impl Secret {
    /// What the secret has for a repository.
    pub(crate) fn read(&self, repository: &Repository) -> Reading {
        let place = format!("secret {}", self.name);
        match self.kind.as_str() {
            "kubernetes.io/dockerconfigjson" => {
                self.document(&place, ".dockerconfigjson", repository, config::read)
            }
            "kubernetes.io/dockercfg" => {
                self.document(&place, ".dockercfg", repository, config::read_legacy)
            }
            "kubernetes.io/basic-auth" => self.basic(&place, repository),
            "Opaque" | "" if self.data.contains_key("config.json") => {
                self.document(&place, "config.json", repository, config::read)
            }
            "Opaque" | "" => self.opaque(&place),
            _ => Reading::default(),
        }
    }

    /// Nothing, with what keeps a secret that was made without a type from being read. A kubelet does
    /// not read it either.
    fn opaque(&self, place: &str) -> Reading {
        let typed = [
            (".dockerconfigjson", "kubernetes.io/dockerconfigjson"),
            (".dockercfg", "kubernetes.io/dockercfg"),
        ];
        let held = typed.iter().find(|(name, _)| self.data.contains_key(*name));
        let mut others = self.data.iter();
        let problem = match held {
            Some((name, kind)) => format!(
                "its type is Opaque, so that its entry {name} is not read; create it again with \
                 --type={kind}"
            ),
            None if !others.any(|(name, content)| is_configuration(name, content)) => {
                return Reading::default();
            }
            None => "its type is Opaque, and it has none of the entries with credentials: \
                     .dockerconfigjson (type kubernetes.io/dockerconfigjson), .dockercfg (type \
                     kubernetes.io/dockercfg), config.json"
                .to_owned(),
        };
        let mut read = Reading::default();
        read.warn(place, problem);
        read
    }

    fn document(
        &self,
        place: &str,
        entry: &str,
        repository: &Repository,
        read: fn(&str, &[u8], &Repository) -> Reading,
    ) -> Reading {
        if let Some(content) = self.data.get(entry) {
            return read(place, content, repository);
        }
        let mut read = Reading::default();
        read.warn(place, format!("it has no entry {entry}; create it again"));
        read
    }

    /// A name and password, for the registries that the annotations name.
    fn basic(&self, place: &str, repository: &Repository) -> Reading {
        let mut read = Reading::default();
        let mut best: Option<(Fit, &String)> = None;
        for (name, key) in &self.annotations {
            if !name.starts_with(TEKTON_DOCKER) {
                continue;
            }
            let Some(pattern) = Pattern::of_key(key) else {
                let problem = format!("its annotation {name} is not the address of a registry");
                read.warn(place, problem);
                continue;
            };
            let fit = repository.fit(&pattern).map(|fit| (fit, key));
            best = match (best, fit) {
                (Some(best), Some(fit)) if best.0 >= fit.0 => Some(best),
                (best, fit) => fit.or(best),
            };
        }
        let Some((_, key)) = best else {
            return read;
        };
        match (self.text("username"), self.text("password")) {
            (Some(username), Some(password)) => read.candidates.push(Candidate {
                source: place.to_owned(),
                key: Some(key.clone()),
                credential: Credential::Password { username, password },
            }),
            _ => read.warn(
                place,
                "its username or password is missing or not text".to_owned(),
            ),
        }
        read
    }

    fn text(&self, entry: &str) -> Option<Zeroizing<String>> {
        let text = std::str::from_utf8(self.data.get(entry)?).ok()?;
        (!text.is_empty()).then(|| Zeroizing::new(text.to_owned()))
    }
}

/// Whether an entry of another name is a Docker configuration all the same.
fn is_configuration(name: &str, content: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    let has_auths = || content.windows(7).any(|part| part == b"\"auths\"");
    name.contains("docker") || name.ends_with("config.json") || has_auths()
}
