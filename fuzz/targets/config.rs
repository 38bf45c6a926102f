//! The configuration: each error names a key that was given, and no secret is ever shown.

#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use windlass_core::config::Config;
use windlass_fuzz::text::{one_of, word};

const KEYS: [&str; 25] = [
    "artifacts.taskrun.format",
    "artifacts.taskrun.storage",
    "artifacts.taskrun.signer",
    "artifacts.pipelinerun.format",
    "artifacts.pipelinerun.storage",
    "artifacts.pipelinerun.signer",
    "artifacts.pipelinerun.enable-deep-inspection",
    "artifacts.oci.format",
    "artifacts.oci.storage",
    "artifacts.oci.signer",
    "artifacts.oci.recursive",
    "storage.oci.repository",
    "storage.oci.repository.insecure",
    "storage.oci.encoding-format",
    "storage.docdb.url",
    "storage.archivista.url",
    "storage.pubsub.provider",
    "signers.x509.fulcio.enabled",
    "signers.x509.fulcio.address",
    "signers.kms.kmsref",
    "builder.id",
    "builddefinition.buildtype",
    "transparency.enabled",
    "transparency.url",
    "filter.managed-by",
];
const VALUES: [&str; 27] = [
    "",
    "true",
    "false",
    "manual",
    "t",
    "TRUE",
    "in-toto",
    "slsa/v1",
    "slsa/v2alpha3",
    "slsa/v2alpha4",
    "tekton",
    "slsa-provenance/v1",
    "simplesigning",
    "oci",
    "gcs",
    "docdb",
    "grafeas",
    "kafka",
    "archivista",
    "tekton,oci",
    " tekton , , oci",
    "x509",
    "kms",
    "none",
    "sigstore-bundle",
    "both",
    "https://tekton.dev/chains/v2/slsa-tekton",
];
const SECRET_KEYS: [&str; 2] = ["signers.kms.auth.token", "signers.kms.auth.tokens"];
const SECRET: &str = "s3cr3t-h4rd-t0-gu3ss";

fuzz_target!(|data: &[u8]| {
    let mut data = Unstructured::new(data);
    let (Ok(chains), Ok(own)) = (map(&mut data), map(&mut data)) else {
        return;
    };
    check(&chains, &own);
});

fn map(data: &mut Unstructured<'_>) -> Result<BTreeMap<String, String>> {
    let mut map = BTreeMap::new();
    for _ in 0..data.int_in_range(0..=12)? {
        let key = match data.int_in_range(0..=23)? {
            0 => word(data)?,
            1 => format!("{}{}", one_of(data, &KEYS)?, word(data)?),
            2 => {
                map.insert(one_of(data, &SECRET_KEYS)?.to_owned(), SECRET.to_owned());
                continue;
            }
            _ => one_of(data, &KEYS)?.to_owned(),
        };
        let value = match data.int_in_range(0..=3)? {
            0 => word(data)?,
            1 => format!("{},{}", one_of(data, &VALUES)?, word(data)?),
            _ => one_of(data, &VALUES)?.to_owned(),
        };
        map.insert(key, value);
    }
    Ok(map)
}

fn check(chains: &BTreeMap<String, String>, own: &BTreeMap<String, String>) {
    let parsed = Config::parse(chains, own);
    assert_eq!(parsed, Config::parse(chains, own));
    let shown = match parsed {
        Err(error) => {
            assert!(!error.problems.is_empty());
            let text = error.to_string();
            for problem in &error.problems {
                let map = match problem.config_map {
                    "chains-config" => chains,
                    _ => own,
                };
                assert!(map.contains_key(&problem.key), "{problem}");
                assert!(text.contains(&problem.key), "{text}");
                assert!(!problem.allowed.is_empty(), "{problem}");
            }
            format!("{text} {error:?}")
        }
        Ok(parsed) => {
            for warning in &parsed.warnings {
                let given = chains.keys().chain(own.keys());
                assert!(
                    given.into_iter().any(|key| key.starts_with(&warning.key)),
                    "{warning}"
                );
            }
            // Nothing outside the known keys changes what a configuration means.
            let mut more = chains.clone();
            more.insert("no.such.key".to_owned(), "x".to_owned());
            let again = Config::parse(&more, own).expect("a good configuration");
            assert_eq!(again.config, parsed.config);
            format!("{parsed:?}")
        }
    };
    assert!(!shown.contains(SECRET), "{shown}");
}
