//! What cosign signs with a key and logs, windlass verifies: under tags with entries of version 1, in bundles
//! with those of either version, and files with both. The logs and the timestamp authority are the real ones.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use windlass_e2e::by_hand::{KIND, signing_config, write_inputs};
use windlass_e2e::images::push;
use windlass_e2e::{
    Cosign, Registry, RekorV1, RekorV2, Shell, Timestamps, Workstation, trusted_root,
};

#[test]
fn what_cosign_logs_in_version_1_windlass_verifies() -> Result<()> {
    for cosign in Cosign::BOTH {
        let machine = Workstation::new(cosign)?;
        let shell = machine.shell();
        let server = RekorV1::start(shell)?;
        prepare(shell)?;
        trust(shell, &server.trusted(), &[])?;
        let url = server.address();
        // the library of cosign 2.5 takes the number 0, of the first entry of a log, for none
        shell.ok(&format!(
            "windlass sign-blob --key cosign.key --rekor-url {url} --bundle first predicate"
        ))?;
        let format = match cosign {
            Cosign::Two => "",
            Cosign::Three => "--use-signing-config=false --new-bundle-format=false ",
        };
        signed_and_verified(shell, "tags", &format!("{format}--rekor-url {url}"))
            .with_context(|| format!("cosign {cosign:?}"))?;
        // the first, an image, its attestation and a file
        let entries = server.entries(shell)?;
        ensure!(entries == 4, "{entries} entries");
        if cosign == Cosign::Three {
            let config = signing_config(None, (url, 1), None);
            shell.write("signing.json", config.to_string())?;
            let how = "--signing-config signing.json --trusted-root root.json";
            signed_and_verified(shell, "bundles", how)?;
            // the signature of the file may be the one that is logged
            let entries = server.entries(shell)?;
            ensure!(entries == 7, "{entries} entries");
        }
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
    let config = signing_config(None, (server.address(), 2), Some(stamps.address()));
    shell.write("signing.json", config.to_string())?;
    let how = "--signing-config signing.json --trusted-root root.json";
    signed_and_verified(shell, "bundles", how)?;
    let entries = server.entries(shell)?;
    ensure!(entries == 3, "{entries} entries");
    Ok(())
}

/// cosign signs an image, an attestation and a file; windlass verifies them with the trusted root, and
/// refuses them with that of another log.
fn signed_and_verified(shell: &Shell, name: &str, how: &str) -> Result<()> {
    let registry = Registry::start_with_referrers(&shell.folder().join(name))?;
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
    let mut root = trusted_root::of(std::slice::from_ref(log), None, stamps);
    shell.write("root.json", root.to_string())?;
    root["tlogs"] = json!([trusted_root::unknown_log(shell, "other")?]);
    shell.write("other.json", root.to_string())
}
