//! Trusted roots (`trusted_root.json`) of the servers that scenarios run.

use anyhow::Result;
use serde_json::{Value, json};

use crate::shell::Shell;

/// When everything becomes valid.
const START: &str = "2020-01-01T00:00:00Z";

/// An authority, and its log of certificates.
pub type Certifying = (Value, Value);

/// A trusted root with these logs, whoever certifies, and these authorities for timestamps.
pub fn of(logs: &[Value], certifying: Option<Certifying>, timestamps: &[Value]) -> Value {
    let (authorities, certificates): (Vec<Value>, Vec<Value>) = certifying.into_iter().unzip();
    json!({
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "tlogs": logs,
        "certificateAuthorities": authorities,
        "ctlogs": certificates,
        "timestampAuthorities": timestamps,
    })
}

/// A log at an address; key and identifier in base64.
pub fn log(address: &str, (key, details): (&str, &str), id: &str) -> Value {
    json!({
        "baseUrl": address,
        "hashAlgorithm": "SHA2_256",
        "publicKey": { "rawBytes": key, "keyDetails": details, "validFor": { "start": START } },
        "logId": { "keyId": id },
    })
}

/// A log of version 1 with a key on P-256, which is in NAME.pub afterwards.
pub fn log_of_version_1(
    shell: &Shell,
    name: &str,
    (address, public_key): (&str, &str),
) -> Result<Value> {
    shell.write(&format!("{name}.pub"), public_key)?;
    let der = format!("openssl pkey -pubin -in {name}.pub -outform DER");
    let key = shell.ok(&format!("{der} | base64 -w0"))?;
    let id = shell.ok(&format!(
        "{der} | openssl dgst -sha256 -binary | base64 -w0"
    ))?;
    let key = (key.trim(), "PKIX_ECDSA_P256_SHA_256");
    Ok(log(address, key, id.trim()))
}

/// An authority at an address, with these certificates in PEM.
pub fn authority(address: &str, chain: &str) -> Value {
    json!({
        "subject": { "organization": "local", "commonName": "local" },
        "uri": address,
        "certChain": { "certificates": certificates(chain) },
        "validFor": { "start": START },
    })
}

fn certificates(pem: &str) -> Vec<Value> {
    let blocks = pem.split_inclusive("-----END CERTIFICATE-----");
    let bodies = blocks.map(|block| {
        let lines = block.lines().map(str::trim);
        lines
            .filter(|line| !line.starts_with("-----"))
            .collect::<String>()
    });
    bodies
        .filter(|body| !body.is_empty())
        .map(|body| json!({ "rawBytes": body }))
        .collect()
}

/// A key on P-256 that nobody has, as a log that nobody knows.
pub fn unknown_log(shell: &Shell, name: &str) -> Result<Value> {
    let key = "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256";
    let pem = shell.ok(&format!("{key} | openssl pkey -pubout"))?;
    log_of_version_1(shell, name, ("https://other.test", &pem))
}
