//! A selection of the entries of a Docker configuration: those of some registries, so that nobody
//! gets credentials that were not meant for them.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::Deserialize;
use serde_json::{Map, Value};
use windlass_core::image::{Fit, Pattern};

use super::entry;

/// A registry or a part of it: `HOST[:PORT][/PATH]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    written: String,
    pattern: Pattern,
}

/// A text is no address of a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected HOST[:PORT][/PATH], such as registry.example.com/team, without wildcards")]
pub struct ScopeError;

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        let pattern = Pattern::of_key(text).filter(|pattern| !pattern.has_wildcards());
        pattern
            .map(|pattern| Self {
                written: text.trim().to_owned(),
                pattern,
            })
            .ok_or(ScopeError)
    }
}

/// Entries of a Docker configuration by key.
#[derive(Clone, PartialEq, Eq)]
pub struct Selection(Map<String, Value>);

/// Why nothing is selected. No value is repeated, only keys that are addresses of registries.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// It is no JSON object.
    #[error("is not JSON, so it is no Docker configuration")]
    Syntax,
    /// It has no entries.
    #[error("has no `auths`, so there is no credential in it")]
    NoAuths,
    /// No entry has a credential.
    #[error("has no entry of `auths` with a credential")]
    NoCredential,
    /// It has entries for several registries, and none was asked for.
    #[error(
        "has credentials for {}; name those to copy with --registry HOST[/PATH]",
        keys.join(", ")
    )]
    Ambiguous {
        /// The entries.
        keys: Vec<String>,
    },
    /// It has no entry for a registry that was asked for.
    #[error("has no credential for {scope}, only for {}", keys.join(", "))]
    NoEntry {
        /// What was asked for.
        scope: String,
        /// The entries.
        keys: Vec<String>,
    },
}

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    auths: Option<BTreeMap<String, Value>>,
}

/// An entry that has a credential.
struct Usable {
    key: String,
    pattern: Pattern,
    entry: Value,
}

impl Selection {
    /// Selects, for each of the scopes, the entry that is used for it and those for parts of it;
    /// without scopes the only entry there is.
    ///
    /// ```
    /// use windlass_registry::keychain::Selection;
    ///
    /// let config = br#"{"auths": {"r.io": {"auth": "YTpi"}, "docker.io": {"auth": "Yzpk"}}}"#;
    /// let selection = Selection::of(config, &["r.io/team".parse()?])?;
    /// assert_eq!(selection.to_config(), r#"{"auths":{"r.io":{"auth":"YTpi"}}}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of(config: &[u8], scopes: &[Scope]) -> Result<Self, SelectionError> {
        // a member that nobody reads may be anything, but no reader takes it for another one
        let config = std::str::from_utf8(config).map_err(|_| SelectionError::Syntax)?;
        // the source is left out: it may quote a value
        let config: Config = serde_json::from_str(config).map_err(|_| SelectionError::Syntax)?;
        let entries = usable(config.auths.ok_or(SelectionError::NoAuths)?);
        let keys = || entries.iter().map(|one| one.key.clone()).collect();
        match entries.as_slice() {
            [] => return Err(SelectionError::NoCredential),
            [_, _, ..] if scopes.is_empty() => {
                return Err(SelectionError::Ambiguous { keys: keys() });
            }
            _ => {}
        }
        let mut selected = Map::new();
        if scopes.is_empty() {
            selected.extend(entries.iter().map(Usable::member));
        }
        for scope in scopes {
            let found = within(&entries, &scope.pattern);
            if found.is_empty() {
                return Err(SelectionError::NoEntry {
                    scope: scope.written.clone(),
                    keys: keys(),
                });
            }
            selected.extend(found.into_iter().map(Usable::member));
        }
        Ok(Self(selected))
    }

    /// The keys of the entries.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// A Docker configuration with these entries alone.
    pub fn to_config(&self) -> String {
        let entries = Value::Object(self.0.clone());
        Value::Object(Map::from_iter([("auths".to_owned(), entries)])).to_string()
    }

    /// A Docker configuration with these entries added, or the same one if it has them; none if it
    /// cannot be read.
    pub fn added_to(&self, config: &[u8]) -> Option<Vec<u8>> {
        let mut document: Map<String, Value> = serde_json::from_slice(config).ok()?;
        let before = document.clone();
        let auths = document
            .entry("auths")
            .or_insert_with(|| Value::Object(Map::new()));
        auths.as_object_mut()?.extend(self.0.clone());
        if document == before {
            return Some(config.to_vec());
        }
        Some(Value::Object(document).to_string().into_bytes())
    }
}

impl Usable {
    fn member(&self) -> (String, Value) {
        (self.key.clone(), self.entry.clone())
    }
}

/// The entries with a credential for an address. Another key may be anything, even a secret.
fn usable(auths: BTreeMap<String, Value>) -> Vec<Usable> {
    let read = |(key, entry): (String, Value)| {
        let pattern = Pattern::of_key(&key)?;
        entry::read(&entry.to_string()).ok()?;
        Some(Usable {
            key,
            pattern,
            entry,
        })
    };
    auths.into_iter().filter_map(read).collect()
}

/// The best of the entries that cover a scope, and those that cover parts of it.
fn within<'e>(entries: &'e [Usable], scope: &Pattern) -> Vec<&'e Usable> {
    let mut found: Vec<_> = entries
        .iter()
        .filter(|one| one.pattern.is_part_of(scope))
        .collect();
    let covering = entries.iter().filter_map(|one| {
        let fit = one.pattern.covers(scope)?;
        Some((fit, one))
    });
    let best =
        covering.reduce(|best: (Fit, &Usable), next| if next.0 > best.0 { next } else { best });
    found.extend(best.map(|(_, one)| one));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = r#"{
        "auths": {
            "r.io": {"auth": "YTpi"},
            "r.io/team": {"auth": "Yzpk"},
            "r.io/team/app": {"auth": "ZTpm"},
            "*.io": {"auth": "Zzpo"},
            "https://index.docker.io/v1/": {"auth": "aTpq", "email": "e"},
            "r.io:5000": {"auth": "azps"},
            "stored.io": {},
            "hunter2 in the wrong place": {"auth": "bTpu"}
        },
        "credsStore": "desktop", "HttpHeaders": {"X-Secret": "hunter2"}
    }"#;

    fn select(scopes: &[&str]) -> Result<Vec<String>, SelectionError> {
        let scopes: Vec<Scope> = scopes.iter().map(|text| text.parse().unwrap()).collect();
        let selection = Selection::of(CONFIG.as_bytes(), &scopes)?;
        assert!(!selection.to_config().contains("hunter2"));
        Ok(selection.keys().map(str::to_owned).collect())
    }

    #[test]
    fn only_entries_of_the_registries_asked_for_are_selected() {
        for (scopes, expected) in [
            (&["r.io"][..], &["r.io", "r.io/team", "r.io/team/app"][..]),
            (&["r.io/team"], &["r.io/team", "r.io/team/app"]),
            (&["r.io/team/app"], &["r.io/team/app"]),
            (&["https://r.io/v2/team/other"], &["r.io/team"]),
            (&["r.io/team-b"], &["r.io"]),
            (&["other.io"], &["*.io"]),
            (&["docker.io"], &["https://index.docker.io/v1/"]),
            (
                &["docker.io/library/app", "r.io:5000"],
                &["https://index.docker.io/v1/", "r.io:5000"],
            ),
        ] {
            assert_eq!(select(scopes).unwrap(), expected, "{scopes:?}");
        }
    }

    #[test]
    fn what_is_missing_or_unclear_is_said_without_any_value_or_odd_key() {
        for (scopes, expected) in [
            (&[][..], "name those to copy with --registry"),
            (
                &["r.com"],
                "has no credential for r.com, only for *.io, https://",
            ),
            (&["r.io:6000"], "has no credential for r.io:6000"),
            (&["r.io", "stored.com"], "has no credential for stored.com"),
        ] {
            let error = select(scopes).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        for (config, expected) in [
            ("hunter2", SelectionError::Syntax),
            (r#"{"auths": "hunter2"}"#, SelectionError::Syntax),
            (r#"{"credsStore": "desktop"}"#, SelectionError::NoAuths),
            (r#"{"auths": {"r.io": {}}}"#, SelectionError::NoCredential),
        ] {
            let error = Selection::of(config.as_bytes(), &[]).err();
            assert_eq!(error, Some(expected), "{config}");
        }
    }

    #[test]
    fn a_configuration_is_utf_8_throughout_also_where_nothing_is_read() {
        let config = |name: &[u8]| {
            let parts: [&[u8]; 3] = [
                br#"{"auths": {"r.io": {"auth": "YTpi"}}, "credsStore": ""#,
                name,
                br#""}"#,
            ];
            parts.concat()
        };
        assert!(Selection::of(&config(b"desktop"), &[]).is_ok());
        let refused = Selection::of(&config(b"de\xacsktop"), &[]);
        assert_eq!(refused.err(), Some(SelectionError::Syntax));
    }

    #[test]
    fn a_scope_has_no_wildcards() {
        for text in [
            "",
            "*",
            "*.io",
            "r?.io",
            "r[a-z].io",
            "user@r.io",
            "r.io:x",
            "a b",
        ] {
            assert_eq!(text.parse::<Scope>(), Err(ScopeError), "{text}");
        }
        for text in ["r.io", "[::1]:5000", "localhost:5000/a", "https://r.io"] {
            assert!(text.parse::<Scope>().is_ok(), "{text}");
        }
    }

    #[test]
    fn entries_are_added_to_those_that_exist() {
        let selection = Selection::of(CONFIG.as_bytes(), &["r.io:5000".parse().unwrap()]).unwrap();
        let before = br#"{"auths": {"a.io": {"auth": "YTpi"}}, "other": 1}"#;
        let after = selection.added_to(before).unwrap();
        let document: Value = serde_json::from_slice(&after).unwrap();
        assert_eq!(document["auths"]["a.io"]["auth"], "YTpi");
        assert_eq!(document["auths"]["r.io:5000"]["auth"], "azps");
        assert_eq!(document["other"], 1);
        assert_eq!(selection.added_to(&after).as_ref(), Some(&after));
        for unreadable in ["", "[]", r#"{"auths": 1}"#] {
            assert_eq!(selection.added_to(unreadable.as_bytes()), None);
        }
    }
}
