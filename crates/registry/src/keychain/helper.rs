//! Credential helpers: programs that a Docker configuration names, and what they print.
//!
//! Nothing is run here. Only the configuration of this machine may have its helpers run: a secret of
//! the cluster is written by others, who would choose the program. Source: the protocol of
//! docker-credential-helpers; as in Docker, `credHelpers` comes before `credsStore`.

use std::collections::BTreeMap;

use serde::Deserialize;
use windlass_core::image::Pattern;
use zeroize::Zeroizing;

use super::candidate::Candidate;
use crate::auth::Credential;
use crate::reference::Repository;

/// Most characters of the name of a helper.
const LONGEST: usize = 64;
/// The user name that stands for "this is an identity token".
const TOKEN: &str = "<token>";
/// The address under which helpers keep the credential of Docker Hub.
const HUB: &str = "https://index.docker.io/v1/";

#[derive(Default, Deserialize)]
#[serde(default)]
struct Config {
    #[serde(rename = "credHelpers")]
    helpers: Option<BTreeMap<String, String>>,
    #[serde(rename = "credsStore")]
    store: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "Username", default)]
    username: Zeroizing<String>,
    #[serde(rename = "Secret")]
    secret: Zeroizing<String>,
}

/// A program to ask for the credential of a registry.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Helper {
    /// Its file name, which is looked for in `PATH`.
    pub program: String,
    /// What is written to its standard input.
    pub server: String,
}

impl Helper {
    /// The helper that a Docker configuration names for a repository.
    pub fn of(content: &[u8], repository: &Repository) -> Option<Self> {
        let name = named(content, repository)?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if name.is_empty() || name.len() > LONGEST || !name.chars().all(is_plain) {
            return None;
        }
        let registry = repository.registry();
        Some(Self {
            program: format!("docker-credential-{name}"),
            server: match registry {
                "index.docker.io" => HUB.to_owned(),
                other => other.to_owned(),
            },
        })
    }

    /// The credential in what the helper printed; none if it is something else.
    pub fn candidate(&self, output: &[u8]) -> Option<Candidate> {
        let Answer { username, secret } = serde_json::from_slice(output).ok()?;
        if secret.is_empty() {
            return None;
        }
        Some(Candidate {
            source: self.program.clone(),
            key: Some(self.server.clone()),
            credential: if username.as_str() == TOKEN {
                Credential::IdentityToken(secret)
            } else {
                Credential::Password {
                    username,
                    password: secret,
                }
            },
        })
    }
}

/// The name of the helper that a Docker configuration has for a repository.
pub(super) fn named(content: &[u8], repository: &Repository) -> Option<String> {
    let Config { helpers, store } = serde_json::from_slice(content).ok()?;
    let fits = |key: &str| {
        let pattern = Pattern::of_key(key)?;
        repository.fit(&pattern)
    };
    let helpers = helpers.unwrap_or_default().into_iter();
    let best = helpers
        .filter_map(|(key, name)| Some((fits(&key)?, name)))
        .max_by(|(one, _), (other, _)| one.cmp(other));
    let named = best.map(|(_, name)| name).or(store);
    named.filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &[u8] = br#"{
        "credsStore": "desktop",
        "credHelpers": {"r.io": "own", "bad.io": "../../bin/sh", "quiet.io": ""}
    }"#;

    fn helper(name: &str) -> Option<(String, String)> {
        let repository = Repository::parse(name).unwrap();
        let Helper { program, server } = Helper::of(CONFIG, &repository)?;
        Some((program, server))
    }

    #[test]
    fn the_helper_of_a_registry_comes_before_that_of_all() {
        let of = |program: &str, server: &str| Some((program.to_owned(), server.to_owned()));
        assert_eq!(helper("r.io/app"), of("docker-credential-own", "r.io"));
        assert_eq!(
            helper("q.io:5000/app"),
            of("docker-credential-desktop", "q.io:5000")
        );
        assert_eq!(helper("alpine"), of("docker-credential-desktop", HUB));
    }

    #[test]
    fn a_helper_whose_name_leads_out_of_the_path_is_none() {
        assert_eq!(helper("bad.io/app"), None);
        assert_eq!(helper("quiet.io/app"), None);
        let none = Helper::of(b"{}", &Repository::parse("r.io/app").unwrap());
        assert_eq!(none, None);
    }

    #[test]
    fn a_password_and_a_token_are_told_apart_by_the_user_name() {
        let helper = Helper {
            program: "docker-credential-own".to_owned(),
            server: "r.io".to_owned(),
        };
        let read = |text: &str| helper.candidate(text.as_bytes()).map(|one| one.credential);
        let secret = || "s".to_owned().into();
        assert_eq!(
            read(r#"{"ServerURL":"r.io","Username":"u","Secret":"s"}"#),
            Some(Credential::Password {
                username: "u".to_owned().into(),
                password: secret(),
            })
        );
        assert_eq!(
            read(r#"{"Username":"<token>","Secret":"s"}"#),
            Some(Credential::IdentityToken(secret()))
        );
        for text in [
            "",
            "credentials not found",
            r#"{"Username":"u","Secret":""}"#,
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
