//! What the configuration asks for and this version does not have.

use std::borrow::Cow;

use windlass_core::config::{
    ArtifactPolicy, Config, SignerKind, StoreKind, Transparency, TransparencyMode,
};
use windlass_core::error::Chain;

use crate::log::check_address;
use crate::sign::{keyless, kms};

/// What does not exist in this version.
const LATER: &str = "which this version of windlass does not support yet";

/// A setting that cannot be followed, with what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{setting} is {value:?}, {why}; {remedy}")]
pub struct Unsupported {
    /// The key in the ConfigMap.
    pub setting: String,
    /// Its value.
    pub value: String,
    /// Why it cannot be followed.
    pub why: Cow<'static, str>,
    /// What to set instead.
    pub remedy: &'static str,
}

/// The signer of an artifact, if it does not exist.
pub(crate) fn signer(
    artifact: &str,
    policy: &ArtifactPolicy,
    config: &Config,
) -> Option<Unsupported> {
    match policy.signer {
        SignerKind::X509 if config.x509.fulcio_enabled => {
            let error = keyless::check(&config.x509).err()?;
            Some(Unsupported {
                setting: "signers.x509.fulcio.enabled".to_owned(),
                value: "true".to_owned(),
                why: format!("which cannot be followed: {}", Chain(&error)).into(),
                remedy: "correct that, or set it to false and provide a key",
            })
        }
        SignerKind::X509 | SignerKind::None => None,
        SignerKind::Kms => {
            let error = kms::check(&config.kms).err()?;
            Some(Unsupported {
                setting: format!("artifacts.{artifact}.signer"),
                value: policy.signer.as_str().to_owned(),
                why: format!("and signers.kms.kmsref cannot be used: {}", Chain(&error)).into(),
                remedy: "correct that key, or set the signer to x509 or none",
            })
        }
    }
}

/// A store of an artifact, if it does not exist.
pub(crate) fn store(artifact: &str, kind: StoreKind) -> Option<Unsupported> {
    (!kind.is_supported()).then(|| Unsupported {
        setting: format!("artifacts.{artifact}.storage"),
        value: kind.as_str().to_owned(),
        why: LATER.into(),
        remedy: "set it to tekton, to oci, or to the empty string",
    })
}

/// The transparency log, if it is asked for and has no usable address.
pub(crate) fn log(settings: &Transparency) -> Option<Unsupported> {
    if settings.mode == TransparencyMode::Off {
        return None;
    }
    let why = check_address(&settings.url).err()?;
    Some(Unsupported {
        setting: "transparency.url".to_owned(),
        value: settings.url.to_string(),
        why: format!("which is no address of a transparency log: {why}").into(),
        remedy: "set it to https://HOST, or transparency.enabled to false",
    })
}

/// What keeps an artifact that is enabled from being signed and stored: all of it.
pub(crate) fn of_artifact(
    artifact: &str,
    policy: &ArtifactPolicy,
    config: &Config,
) -> Vec<Unsupported> {
    if !policy.is_enabled() {
        return Vec::new();
    }
    let stores = policy.storage.iter();
    let stores = stores.filter_map(|kind| store(artifact, *kind));
    // with `manual` only runs that ask for an entry wait for one
    let log = match config.transparency.mode {
        TransparencyMode::Always => log(&config.transparency),
        TransparencyMode::Manual | TransparencyMode::Off => None,
    };
    let signer = signer(artifact, policy, config);
    signer.into_iter().chain(stores).chain(log).collect()
}

/// The artifacts that are configured, by their names in the ConfigMap.
pub(crate) fn artifacts(config: &Config) -> [(&'static str, &ArtifactPolicy); 3] {
    [
        ("taskrun", &config.taskrun),
        ("pipelinerun", &config.pipelinerun),
        ("oci", &config.oci),
    ]
}

/// What keeps anything from being signed as a configuration asks for it, each once.
pub(crate) fn of(config: &Config) -> Vec<Unsupported> {
    let mut found = Vec::new();
    for (artifact, policy) in artifacts(config) {
        for one in of_artifact(artifact, policy, config) {
            if !found.contains(&one) {
                found.push(one);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn settings(entries: &[(&str, &str)]) -> Vec<String> {
        let entries = entries
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let parsed = Config::parse(&entries.collect(), &BTreeMap::new()).unwrap();
        of(&parsed.config)
            .into_iter()
            .map(|one| one.setting)
            .collect()
    }

    #[test]
    fn what_does_not_exist_yet_is_found_in_the_configuration_once() {
        assert!(settings(&[]).is_empty());
        let keyless = ("signers.x509.fulcio.enabled", "true");
        assert!(settings(&[keyless]).is_empty());
        for (key, value) in [
            ("signers.x509.fulcio.provider", "spiffe"),
            ("signers.x509.fulcio.provider", "nobody"),
            ("signers.x509.fulcio.provider", "filesystem-custom-path"),
            ("signers.x509.fulcio.address", "fulcio:5555"),
            ("signers.x509.fulcio.address", "https://a:b@fulcio"),
        ] {
            let found = settings(&[keyless, (key, value)]);
            assert_eq!(found, ["signers.x509.fulcio.enabled"], "{value}");
        }
        assert_eq!(
            settings(&[("artifacts.taskrun.storage", "tekton,gcs")]),
            ["artifacts.taskrun.storage"]
        );
        assert_eq!(
            settings(&[
                ("artifacts.oci.signer", "kms"),
                ("transparency.enabled", "true"),
                ("transparency.url", "ftp://rekor.example")
            ]),
            ["transparency.url", "artifacts.oci.signer"]
        );
        let off = [
            ("artifacts.oci.signer", "kms"),
            ("artifacts.oci.storage", ""),
        ];
        assert!(settings(&off).is_empty());
        let vault = [
            ("artifacts.oci.signer", "kms"),
            ("signers.kms.kmsref", "hashivault://release"),
        ];
        assert!(settings(&vault).is_empty());
        for mode in ["true", "manual"] {
            assert!(settings(&[("transparency.enabled", mode)]).is_empty());
        }
    }
}
