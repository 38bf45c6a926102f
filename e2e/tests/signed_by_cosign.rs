//! What cosign signs with a key and logs, windlass verifies: under tags with entries of version 1, in bundles
//! with those of version 2, and files with both.
//!
//! The log of version 1 is the sandbox's, whose entries cosign judges before it stores them; that of version 2
//! and the timestamp authority are the real ones.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use windlass_e2e::by_hand::{KIND, signing_config, write_inputs};
use windlass_e2e::images::push;
use windlass_e2e::{Cosign, Registry, RekorV2, Shell, Timestamps, Workstation, trusted_root};
use windlass_sandbox::rekor::{Options, Rekor};

#[test]
fn what_cosign_logs_in_version_1_windlass_verifies() -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    for cosign in Cosign::BOTH {
        let server = runtime.block_on(Rekor::start(Options::default()))?;
        let machine = Workstation::new(cosign)?;
        let shell = machine.shell();
        prepare(shell)?;
        let (url, key) = (server.url(), server.public_key());
        let log = trusted_root::log_of_version_1(shell, "log", (&url, &key))?;
        trust(shell, &log, &[])?;
        // the library of cosign 2.5 takes the number 0, of the first entry of a log, for none
        shell.ok(&format!(
            "windlass sign-blob --key cosign.key --rekor-url {url} --bundle first predicate"
        ))?;
        let format = match cosign {
            Cosign::Two => "",
            Cosign::Three => "--use-signing-config=false --new-bundle-format=false ",
        };
        signed_and_verified(shell, &format!("{format}--rekor-url {url}"))
            .with_context(|| format!("cosign {cosign:?}"))?;
        // the first, an image, its attestation and a file
        let entries = server.entries().len();
        ensure!(entries == 4, "{entries} entries");
    }
    Ok(())
}

#[test]
fn what_cosign_3_logs_in_version_2_windlass_verifies() -> Result<()> {
    let machine = Workstation::new(Cosign::Three)?;
    let shell = machine.shell();
    let (server, stamps) = (RekorV2::start(shell)?, Timestamps::start(shell)?);
    prepare(shell)?;
    trust(shell, &server.trusted(), &[stamps.trusted()])?;
    let config = signing_config(None, server.address(), stamps.address());
    shell.write("signing.json", config.to_string())?;
    signed_and_verified(
        shell,
        "--signing-config signing.json --trusted-root root.json",
    )?;
    let entries = server.entries(shell)?;
    ensure!(entries == 3, "{entries} entries");
    Ok(())
}

/// cosign signs an image, an attestation and a file; windlass verifies them with the trusted root, and
/// refuses them with that of another log.
fn signed_and_verified(shell: &Shell, how: &str) -> Result<()> {
    let registry = Registry::start_with_referrers(&shell.folder().join("registry"))?;
    let image = push(shell, &format!("{}/team/app", registry.host()))?;
    let how = format!("--yes {how} --key cosign.key");
    for line in [
        format!("sign {how} {image}"),
        format!("attest {how} --predicate predicate --type {KIND} {image}"),
        format!("sign-blob {how} --bundle file.bundle blob"),
    ] {
        shell.ok(&format!("SIGSTORE_REKOR_PUBLIC_KEY=log.pub cosign {line}"))?;
    }
    let flags = "--trusted-root ROOT --key cosign.pub";
    for line in [
        format!("windlass verify {flags} {image}"),
        format!("windlass verify-attestation --type {KIND} {flags} {image}"),
        format!("windlass verify-blob {flags} --bundle file.bundle blob"),
    ] {
        shell.ok(&line.replace("ROOT", "root.json"))?;
        let line = line.replace("ROOT", "other.json");
        ensure!(shell.run(&line)?.code == 1, "{line} is not refused");
    }
    Ok(())
}

fn prepare(shell: &Shell) -> Result<()> {
    write_inputs(shell)?;
    shell.ok("cosign generate-key-pair").map(drop)
}

/// A trusted root with the log and the authorities, and one with another log in its place.
fn trust(shell: &Shell, log: &Value, stamps: &[Value]) -> Result<()> {
    let mut root = trusted_root::of(log, &[], stamps);
    shell.write("root.json", root.to_string())?;
    let key = "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256";
    let der = format!("{key} | openssl pkey -pubout -outform DER > other.der");
    let key = shell.ok(&format!("{der} && base64 -w0 other.der"))?;
    let id = shell.ok("openssl dgst -sha256 -binary other.der | base64 -w0")?;
    let key = (key.trim(), "PKIX_ECDSA_P256_SHA_256");
    root["tlogs"] = json!([trusted_root::log("https://other.test", key, id.trim())]);
    shell.write("other.json", root.to_string())
}
