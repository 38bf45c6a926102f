//! What scenarios sign by hand, and with what.

use anyhow::{Result, ensure};
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

/// A signing configuration with a log of this version, and with Fulcio and an authority for timestamps if they
/// have an address.
pub fn signing_config(
    fulcio: Option<&str>,
    (log, version): (&str, u32),
    timestamps: Option<&str>,
) -> Value {
    let service = |url: &str, version: u32| {
        json!({
            "url": url, "majorApiVersion": version, "operator": "local",
            "validFor": { "start": "2020-01-01T00:00:00Z" },
        })
    };
    let services =
        |url: Option<&str>| -> Vec<Value> { url.into_iter().map(|url| service(url, 1)).collect() };
    json!({
        "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
        "caUrls": services(fulcio),
        "oidcUrls": [],
        "rekorTlogUrls": [service(log, version)],
        "rekorTlogConfig": { "selector": "ANY" },
        "tsaUrls": services(timestamps),
        "tsaConfig": { "selector": "ANY" },
    })
}

/// What both versions of cosign read in the place of the public root where they take no trusted root: the files
/// that [`crate::Fulcio`] and [`crate::RekorV1`] leave. With a trailing space.
pub const TRUSTED_FILES: &str = "SIGSTORE_ROOT_FILE=authority.pem \
    SIGSTORE_CT_LOG_PUBLIC_KEY_FILE=certificates.pub SIGSTORE_REKOR_PUBLIC_KEY=log.pub ";

/// windlass signs an image and a file, once each however often it is asked for the image, with these flags. Beside the
/// file are then `bundle` and `att`.
pub fn sign_with_windlass(shell: &Shell, image: &str, flags: &str) -> Result<()> {
    let attest = format!("--predicate predicate --type {KIND}");
    for _ in 0..2 {
        shell.ok(&format!(
            "windlass sign {flags} --new-bundle-format {image}"
        ))?;
        shell.ok(&format!(
            "windlass attest {flags} {attest} --new-bundle-format {image}"
        ))?;
    }
    shell.ok(&format!("windlass sign-blob {flags} --bundle bundle blob"))?;
    shell.ok(&format!(
        "windlass attest-blob {flags} {attest} --bundle att blob"
    ))?;
    Ok(())
}

/// cosign 3 signs the same, with bundles.
pub fn sign_with_cosign(shell: &Shell, image: &str, flags: &str) -> Result<()> {
    let attest = format!("--predicate predicate --type {KIND}");
    shell.ok(&format!("cosign sign {flags} {image}"))?;
    shell.ok(&format!("cosign attest {flags} {attest} {image}"))?;
    shell.ok(&format!("cosign sign-blob {flags} --bundle bundle blob"))?;
    shell.ok(&format!(
        "cosign attest-blob {flags} {attest} --bundle att blob"
    ))?;
    Ok(())
}

/// The lines with which a program verifies all of that, with these flags.
pub fn verifying_lines(program: &str, image: &str, flags: &str) -> [String; 4] {
    [
        format!("{program} verify {flags} {image}"),
        format!("{program} verify-attestation --type {KIND} {flags} {image}"),
        format!("{program} verify-blob {flags} --bundle bundle blob"),
        format!("{program} verify-blob-attestation --type {KIND} {flags} --bundle att blob"),
    ]
}

/// Runs a line that verifies with the root of its servers, `root`, and with that of others, `other`, which must
/// not: it has `TRUST` where the name of the root goes.
pub fn holds_by_its_root_alone(shell: &Shell, line: &str) -> Result<()> {
    shell.ok(&line.replace("TRUST", "root"))?;
    let line = line.replace("TRUST", "other");
    ensure!(
        shell.run(&line)?.code != 0,
        "{line}: a log or an authority that is not trusted is believed"
    );
    Ok(())
}
