//! How a registry is reached that a provenance names.
//!
//! A name that was typed is reached as this machine reaches registries, with its credentials. A name
//! that was read is reached without any: on the registry that was typed, or else at public addresses
//! only. Whoever asks may list more registries as typed. The risk is that of every tool that follows
//! what it reads: requests from inside a network, and credentials that go where a stranger says.

use std::str::FromStr;

use windlass_registry::{Reference, Repository};

use crate::inspect::image::{ImageError, Lookup, ResolvedImage};
use crate::store::oci::{Nearness, open_unasked};

/// A registry, or a part of it, that whoever asks names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Prefix {
    registry: String,
    path: String,
}

impl FromStr for Prefix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim_end_matches('/');
        let (registry, path) = text.split_once('/').unwrap_or((text, ""));
        // what is below it is a repository, whose rules say more than those of a part of it
        let named = format!("{text}/any");
        let read = Repository::parse(&named).map_err(|error| error.to_string())?;
        let is_host = read.registry().eq_ignore_ascii_case(registry)
            || (registry == "docker.io" && read.registry() == "index.docker.io");
        if !is_host {
            return Err(format!(
                "{registry:?} is not the name of a registry; write HOST, HOST:PORT or HOST/PATH"
            ));
        }
        Ok(Self {
            registry: read.registry().to_owned(),
            path: path.to_owned(),
        })
    }
}

impl Prefix {
    fn has(&self, repository: &Repository) -> bool {
        let rest = repository.path().strip_prefix(&self.path);
        repository.registry() == self.registry
            && rest.is_some_and(|rest| {
                self.path.is_empty() || rest.is_empty() || rest.starts_with('/')
            })
    }
}

/// The way to an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// As it was typed.
    Typed,
    /// As if it had been typed, but without what was typed for another: `--registry` names it.
    Listed,
    /// Without credentials, on a registry that was typed.
    Near,
    /// Without credentials, at public addresses.
    Far,
}

/// The registries that whoever asks named.
#[derive(Debug, Clone)]
pub(crate) struct Reach {
    /// How those are reached.
    pub(crate) lookup: Lookup,
    /// The repository of the image that was asked about.
    pub(crate) typed: Option<Repository>,
    /// Further ones.
    pub(crate) listed: Vec<Prefix>,
}

impl Reach {
    /// The way to a repository that was read.
    pub(super) fn way(&self, repository: &Repository) -> Way {
        let is_near = |typed: &Repository| typed.registry() == repository.registry();
        match &self.typed {
            Some(typed) if typed == repository => Way::Typed,
            _ if self.listed.iter().any(|prefix| prefix.has(repository)) => Way::Listed,
            Some(typed) if is_near(typed) => Way::Near,
            _ => Way::Far,
        }
    }

    /// The image, and where what is attached to it is.
    pub(super) async fn resolve(&self, image: &Reference) -> Result<ResolvedImage, ImageError> {
        let near = match self.way(&image.repository) {
            Way::Typed => return self.lookup.resolve(image).await,
            Way::Listed => {
                let mut lookup = self.lookup.clone();
                // a credential that was typed is for the image that was typed
                lookup.route.credential = None;
                lookup.signature_repository = None;
                return lookup.resolve(image).await;
            }
            Way::Near => Nearness::AsTyped(&self.lookup.route),
            Way::Far => Nearness::Public(&self.lookup.route),
        };
        let remote = open_unasked(image.repository.clone(), near)?;
        Lookup::resolve_at(image, remote.clone(), remote).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::oci::Route;

    #[test]
    fn what_is_read_decides_neither_credentials_nor_how_far_a_registry_is_reached() {
        let repository = |name: &str| Repository::parse(name).unwrap();
        let reach = Reach {
            lookup: Lookup {
                signature_repository: None,
                route: Route::default(),
            },
            typed: Some(repository("r.io:5000/team/app")),
            listed: ["base.example.com", "q.io/shared"]
                .map(|text| text.parse().unwrap())
                .to_vec(),
        };
        for (name, way) in [
            ("r.io:5000/team/app", Way::Typed),
            ("r.io:5000/team/other", Way::Near),
            ("r.io/team/app", Way::Far),
            ("base.example.com/any/where", Way::Listed),
            ("base.example.com:8443/any", Way::Far),
            ("evil.example/base.example.com", Way::Far),
            ("q.io/shared", Way::Listed),
            ("q.io/shared/go", Way::Listed),
            ("q.io/shared-not", Way::Far),
            ("q.io/other", Way::Far),
            ("169.254.169.254/latest", Way::Far),
        ] {
            assert_eq!(reach.way(&repository(name)), way, "{name}");
        }
    }

    #[test]
    fn a_registry_is_named_by_its_host() {
        for text in ["r.io", "r.io:5000", "localhost:5000/a", "docker.io/library"] {
            assert!(text.parse::<Prefix>().is_ok(), "{text}");
        }
        for text in ["", "app", "team/app", "https://r.io", "r.io/UPPER"] {
            assert!(text.parse::<Prefix>().is_err(), "{text}");
        }
    }
}
