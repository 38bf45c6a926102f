//! Docker configurations: JSON objects with the member `auths`, and the paths of such files.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::value::RawValue;
use windlass_core::image::{Fit, Pattern};

use super::candidate::Candidate;
use super::entry;
use super::helper::{self, Helper};
use super::read::Reading;
use crate::reference::Repository;

/// Most characters of a key that are shown.
const LONGEST_KEY: usize = 300;

#[derive(Deserialize)]
struct Config<'a> {
    #[serde(borrow, default)]
    auths: Option<Auths<'a>>,
}

/// Entries by key, parsed one by one: a malformed entry does not affect the others.
type Auths<'a> = BTreeMap<String, &'a RawValue>;

/// Reads `{"auths": {KEY: ENTRY}}` of a secret, whose helpers are programs of another machine.
pub(crate) fn read(place: &str, content: &[u8], repository: &Repository) -> Reading {
    let mut read = read_auths(place, content, repository);
    if read.candidates.is_empty() && helper::named(content, repository).is_some() {
        let problem = "it names a credential helper for this registry, which is a program of the \
                       machine it was written on; put the credential itself under auths";
        read.warn(place, problem.to_owned());
    }
    read
}

/// Reads the same of this machine, whose helpers are asked besides.
pub(crate) fn read_own(place: &str, content: &[u8], repository: &Repository) -> Reading {
    let mut read = read_auths(place, content, repository);
    let is_named = helper::named(content, repository).is_some();
    if is_named && Helper::of(content, repository).is_none() {
        let problem = "the name of its credential helper for this registry is none of a program: it \
                       has letters, digits and . _ -; correct credHelpers or credsStore";
        read.warn(place, problem.to_owned());
    }
    read
}

fn read_auths(place: &str, content: &[u8], repository: &Repository) -> Reading {
    let config: Config<'_> = match serde_json::from_slice(content) {
        Ok(config) => config,
        Err(error) => return Reading::unreadable(place, &error),
    };
    match config.auths {
        Some(auths) => entries(place, &auths, repository),
        None => Reading::default(),
    }
}

/// Reads the older form, `{KEY: ENTRY}`.
pub(crate) fn read_legacy(place: &str, content: &[u8], repository: &Repository) -> Reading {
    match serde_json::from_slice::<Auths<'_>>(content) {
        Ok(auths) => entries(place, &auths, repository),
        Err(error) => Reading::unreadable(place, &error),
    }
}

/// The entries that match the repository, the best match first.
fn entries(place: &str, auths: &Auths<'_>, repository: &Repository) -> Reading {
    let mut read = Reading::default();
    let mut fitting: Vec<(Fit, &String, &RawValue)> = Vec::new();
    for (key, entry) in auths {
        match Pattern::of_key(key) {
            // The key may be anything, even a secret in the wrong place: it is not shown.
            None => read.warn(
                place,
                "one of its keys is not the address of a registry".to_owned(),
            ),
            Some(pattern) => {
                let fit = repository.fit(&pattern);
                fitting.extend(fit.map(|fit| (fit, key, *entry)));
            }
        }
    }
    fitting.sort_by(|(one, ..), (other, ..)| other.cmp(one));
    for (_, key, json) in fitting {
        match entry::read(json.get()) {
            Ok(credential) => read.candidates.push(Candidate {
                source: place.to_owned(),
                key: Some(key.clone()),
                credential,
            }),
            Err(error) => {
                let key: String = key.chars().take(LONGEST_KEY).collect();
                read.warn(place, format!("the entry for {key} is not used: {error}"));
            }
        }
    }
    read
}

/// Paths of the process's own configuration, in order; the first file that exists is used.
/// `variable` returns the value of an environment variable.
pub fn config_paths(variable: impl Fn(&str) -> Option<String>) -> Vec<PathBuf> {
    let set = |name: &str| {
        variable(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let docker = set("DOCKER_CONFIG").or_else(|| Some(set("HOME")?.join(".docker")));
    let config = set("XDG_CONFIG_HOME").or_else(|| Some(set("HOME")?.join(".config")));
    let places = [
        docker.map(|directory| directory.join("config.json")),
        set("REGISTRY_AUTH_FILE"),
        set("XDG_RUNTIME_DIR").map(|directory| directory.join("containers/auth.json")),
        config.map(|directory| directory.join("containers/auth.json")),
    ];
    places.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_the_process_are_looked_for_in_the_references_order() {
        let paths = config_paths(|name| match name {
            "HOME" => Some("/h".to_owned()),
            "REGISTRY_AUTH_FILE" => Some("/f".to_owned()),
            "DOCKER_CONFIG" => Some(String::new()),
            _ => None,
        });
        let expected = [
            "/h/.docker/config.json",
            "/f",
            "/h/.config/containers/auth.json",
        ];
        assert_eq!(paths, expected.map(PathBuf::from));
    }
}
