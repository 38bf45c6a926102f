//! What scenarios sign by hand, and with what.

use anyhow::Result;
use serde_json::{Value, json};

use crate::shell::Shell;

/// The type of the attestations, as both programs name it.
pub const KIND: &str = "slsaprovenance1";

/// Writes a file to sign, `blob`, and a predicate to attest, `predicate`.
pub fn write_inputs(shell: &Shell) -> Result<()> {
    shell.write("blob", "what was built\n")?;
    let predicate = json!({
        "buildDefinition": { "buildType": "https://example.com/b", "externalParameters": {} },
        "runDetails": { "builder": { "id": "https://example.com/builder" } },
    });
    shell.write("predicate", predicate.to_string())
}

/// Makes a key of cosign from one in PEM: `signer.key` and `signer.pub`.
pub fn make_signer(shell: &Shell) -> Result<()> {
    shell.ok("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out own.pem")?;
    shell
        .ok("windlass import-key-pair --key own.pem -o signer")
        .map(drop)
}

/// A signing configuration with a log of version 2 and an authority for timestamps, and with Fulcio if it has
/// an address.
pub fn signing_config(fulcio: Option<&str>, log: &str, timestamps: &str) -> Value {
    let service = |url: &str, version: u32| {
        json!({
            "url": url, "majorApiVersion": version, "operator": "local",
            "validFor": { "start": "2020-01-01T00:00:00Z" },
        })
    };
    let fulcio: Vec<Value> = fulcio.iter().map(|url| service(url, 1)).collect();
    json!({
        "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
        "caUrls": fulcio,
        "oidcUrls": [],
        "rekorTlogUrls": [service(log, 2)],
        "rekorTlogConfig": { "selector": "ANY" },
        "tsaUrls": [service(timestamps, 1)],
        "tsaConfig": { "selector": "ANY" },
    })
}
