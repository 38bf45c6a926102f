//! The trusted root that `--trusted-root` names: a file or standard input, or a ConfigMap with the entry
//! `trusted_root.json`, as `windlass-config` has it for the controller and
//! `kubectl create configmap --from-file` makes it.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context as _, bail, ensure};

use crate::cluster::Connection;
use crate::cluster::config_map::{ConfigMap, ConfigMapError};
use crate::input::Input;
use crate::sign::reference::Location;
use crate::sigstore::MAX_ROOT;

/// The entry of a ConfigMap.
const ENTRY: &str = "trusted_root.json";
/// Longest name of a namespace or a ConfigMap.
const LONGEST: usize = 253;

/// Where a trusted root is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RootRef {
    /// A file, or standard input, typed as `-`.
    File(Input),
    /// A ConfigMap.
    ConfigMap(Location),
}

impl FromStr for RootRef {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = || "write a file, or k8s://<namespace>/<configmap>".to_owned();
        let place = match text.split_once("://") {
            Some(("k8s", place)) => place,
            Some(_) => return Err(form()),
            None if text.is_empty() || text.starts_with("k8s:") => return Err(form()),
            None => return Ok(Self::File(Input::of(text))),
        };
        let map: Location = place.parse().map_err(|_| form())?;
        if map.namespace.len() > LONGEST || map.name.len() > LONGEST {
            return Err(form());
        }
        Ok(Self::ConfigMap(map))
    }
}

impl fmt::Display for RootRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(input) => input.fmt(f),
            Self::ConfigMap(Location { namespace, name }) => {
                write!(f, "{ENTRY} of config map {name} in namespace {namespace}")
            }
        }
    }
}

impl RootRef {
    /// The content of `trusted_root.json`, at most [`MAX_ROOT`] bytes.
    pub(super) async fn read(&self, connection: &Connection) -> anyhow::Result<Vec<u8>> {
        let read = match self {
            Self::File(input) => input.read(MAX_ROOT).map_err(Into::into),
            Self::ConfigMap(map) => entry(map, connection).await,
        };
        read.with_context(|| format!("cannot read the trusted root {self}"))
    }
}

async fn entry(map: &Location, connection: &Connection) -> anyhow::Result<Vec<u8>> {
    let Location { namespace, name } = map;
    let client = connection.connect().await?;
    let map = match ConfigMap::read(&client, namespace, name).await {
        Ok(map) => map,
        Err(ConfigMapError::Call(error)) if error.status() == Some(404) => bail!(
            "there is no such config map; create it with `kubectl create configmap {name} -n {namespace} \
             --from-file={ENTRY}`"
        ),
        Err(ConfigMapError::Call(error)) if matches!(error.status(), Some(401 | 403)) => {
            bail!("not allowed; ask for `get` on config maps in that namespace")
        }
        Err(error) => return Err(error.into()),
    };
    let text = map.data.get(ENTRY).filter(|text| !text.is_empty());
    let text = text.with_context(|| {
        format!("the config map has no entry {ENTRY}; put the file into it under that name")
    })?;
    ensure!(
        text.len() <= MAX_ROOT,
        "it has {} bytes, and at most {MAX_ROOT} are read",
        text.len()
    );
    Ok(text.clone().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trusted_root_is_a_file_or_an_entry_of_a_config_map() {
        let map: RootRef = "k8s://tekton-chains/windlass-config".parse().unwrap();
        assert_eq!(
            map.to_string(),
            "trusted_root.json of config map windlass-config in namespace tekton-chains"
        );
        for file in ["root.json", "./k8s/root.json", "k8s", "-"] {
            assert_eq!(file.parse(), Ok(RootRef::File(Input::of(file))));
        }
        for wrong in [
            "",
            "k8s:",
            "k8s:a/b",
            "k8s://a",
            "k8s://a/",
            "k8s:///b",
            "k8s://a/b/c",
            "k8s://A/b",
            "k8s://a/b?c",
            "https://example.com/root.json",
            &format!("k8s://a/{}", "b".repeat(254)),
        ] {
            assert!(wrong.parse::<RootRef>().is_err(), "{wrong}");
        }
    }
}
