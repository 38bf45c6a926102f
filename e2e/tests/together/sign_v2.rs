//! Signing by hand with the real Rekor of version 2 and the real timestamp authority, which a signing
//! configuration names: cosign 3 verifies what windlass signed, with keys and by identities, and windlass
//! what cosign 3 signed with a key. Both versions of cosign verify the timestamps that come without a log.

use anyhow::{Context, Result, ensure};
use serde_json::json;
use windlass_e2e::by_hand::{
    KIND, TRUSTED_FILES, holds_by_its_root_alone, make_signer, sign_with_cosign,
    sign_with_windlass, signing_config, verifying_lines, write_inputs,
};
use windlass_e2e::images::push;
use windlass_e2e::{
    Cosign, Fulcio, Registry, RekorV2, Shell, Timestamps, Workstation, trusted_root,
};

/// The flags of both programs that name the services.
const SERVICES: &str = "--signing-config config.json";

/// What signs, logs and tells the time.
struct Servers {
    fulcio: Fulcio,
    log: RekorV2,
    times: Timestamps,
}

#[test]
fn what_is_signed_by_hand_with_a_log_of_version_2_is_verified_both_ways() -> Result<()> {
    let machine = Workstation::new(Cosign::Three)?;
    let shell = machine.shell();
    let registry = Registry::start_with_referrers(&shell.folder().join("registry"))?;
    let servers = Servers {
        fulcio: Fulcio::start(shell)?,
        log: RekorV2::start(shell)?,
        times: Timestamps::start(shell)?,
    };
    prepare(shell)?;
    servers.write(shell)?;
    servers.fulcio.write_token(shell)?;
    let identity = servers.fulcio.identity_flags(Fulcio::ROBOT);
    for (who, sign, check) in [
        ("key", "--key signer.key", "--key signer.pub"),
        ("identity", "--identity-token token", &*identity),
    ] {
        let image = push(shell, &format!("{}/ours-{who}", registry.host()))?;
        let before = servers.log.entries(shell)?;
        let flags = format!("{sign} {SERVICES} --trusted-root root.json");
        sign_with_windlass(shell, &image, &flags)
            .with_context(|| format!("windlass signs, {who}"))?;
        let added = servers.log.entries(shell)? - before;
        ensure!(added == 4, "{who}: {added} entries");
        verified(shell, &image, check).with_context(|| format!("of windlass, {who}"))?;
        refused(shell, sign)?;
    }
    let image = push(shell, &format!("{}/theirs", registry.host()))?;
    let flags = format!("--key signer.key {SERVICES} --yes");
    sign_with_cosign(shell, &image, &flags).context("cosign signs")?;
    verified(shell, &image, "--key signer.pub").context("of cosign")
}

impl Servers {
    /// The signing configuration, the trusted root, and one with another log.
    fn write(&self, shell: &Shell) -> Result<()> {
        let fulcio = self.fulcio.address();
        let log = (self.log.address(), 2);
        let config = signing_config(Some(fulcio), log, Some(self.times.address()));
        shell.write("config.json", config.to_string())?;
        let root = trusted_root::of(
            &[self.log.trusted()],
            Some(self.fulcio.trusted()),
            &[self.times.trusted()],
        );
        shell.write("root.json", root.to_string())?;
        let mut other = root;
        let der =
            "openssl genpkey -algorithm ed25519 | openssl pkey -pubout -outform DER | base64 -w0";
        other["tlogs"][0]["publicKey"]["rawBytes"] = json!(shell.ok(der)?.trim());
        shell.write("other.json", other.to_string())
    }
}

fn prepare(shell: &Shell) -> Result<()> {
    write_inputs(shell)?;
    make_signer(shell)
}

/// windlass takes no entry of a log that the trusted root does not have.
fn refused(shell: &Shell, who: &str) -> Result<()> {
    let refused = shell.run(&format!(
        "windlass sign-blob {who} {SERVICES} --trusted-root other.json --bundle none blob"
    ))?;
    ensure!(refused.code == 2, "the entry of another log is taken");
    ensure!(!shell.folder().join("none").exists(), "a bundle is written");
    Ok(())
}

/// Both verify what is attached to the image and in the bundles, with its entry and its timestamp.
fn verified(shell: &Shell, image: &str, check: &str) -> Result<()> {
    for program in ["cosign", "windlass"] {
        let flags = format!("--trusted-root TRUST.json --use-signed-timestamps {check}");
        for line in verifying_lines(program, image, &flags) {
            holds_by_its_root_alone(shell, &line)?;
        }
    }
    Ok(())
}

#[test]
fn a_timestamp_without_a_log_is_verified_by_cosign_2_under_a_tag_and_in_a_file() -> Result<()> {
    let machine = Workstation::new(Cosign::Two)?;
    let shell = machine.shell();
    let registry = Registry::start_with_referrers(&shell.folder().join("registry"))?;
    // each has certificates of its own, and this one ends here
    let other = Timestamps::start(shell)?.chain().to_owned();
    let times = Timestamps::start(shell)?;
    prepare(shell)?;
    shell.write("chain.pem", times.chain())?;
    shell.write("other.pem", other)?;
    let image = push(shell, &format!("{}/app", registry.host()))?;
    let sign = format!(
        "--key signer.key --timestamp-server-url {}",
        times.address()
    );
    shell.ok(&format!("windlass sign {sign} {image}"))?;
    shell.ok(&format!(
        "windlass sign-blob {sign} --output-signature sig --rfc3161-timestamp stamp blob"
    ))?;
    let check = "--key signer.pub --insecure-ignore-tlog --use-signed-timestamps \
                 --timestamp-certificate-chain CHAIN";
    for line in [
        format!("cosign verify {check} {image}"),
        format!("cosign verify-blob {check} --signature sig --rfc3161-timestamp stamp blob"),
    ] {
        shell.ok(&line.replace("CHAIN", "chain.pem"))?;
        let line = line.replace("CHAIN", "other.pem");
        ensure!(
            shell.run(&line)?.code != 0,
            "{line}: another authority is believed"
        );
    }
    Ok(())
}

#[test]
fn a_timestamp_beside_an_attestation_under_a_tag_is_verified_both_ways() -> Result<()> {
    for cosign in Cosign::BOTH {
        let machine = Workstation::new(cosign)?;
        let shell = machine.shell();
        let registry = Registry::start_with_referrers(&shell.folder().join("registry"))?;
        let fulcio = Fulcio::start(shell)?;
        // each has certificates of its own, and this one ends here
        let other = Timestamps::start(shell)?;
        trust(shell, "other", &fulcio, &other)?;
        drop(other);
        let times = Timestamps::start(shell)?;
        trust(shell, "root", &fulcio, &times)?;
        prepare(shell)?;
        let stamped = format!("--timestamp-server-url {}", times.address());
        let attest = format!("{stamped} --predicate predicate --type {KIND}");
        fulcio.write_token(shell)?;
        let ours = "windlass attest --trusted-root root.json";
        let identity = fulcio.identity_flags(Fulcio::ROBOT);
        let fulcio = format!("--identity-token token --fulcio-url {}", fulcio.address());
        for (who, sign, check) in [
            ("key", "--key signer.key", "--key signer.pub"),
            ("identity", &fulcio, &identity),
        ] {
            let image = push(shell, &format!("{}/ours-{who}", registry.host()))?;
            shell.ok(&format!("{ours} {sign} {attest} {image}"))?;
            verified_under_tag(shell, (cosign, &["cosign", "windlass"]), check, &image)
                .with_context(|| format!("of windlass, {who}, {cosign:?}"))?;
        }
        let image = push(shell, &format!("{}/theirs", registry.host()))?;
        // cosign 3 puts one of the signature there, which it then refuses itself
        let (theirs, readers) = match cosign {
            Cosign::Two => ("", &["cosign", "windlass"][..]),
            Cosign::Three => {
                let how = "--use-signing-config=false --new-bundle-format=false";
                (how, &["windlass"][..])
            }
        };
        shell.ok(&format!(
            "cosign attest --yes --tlog-upload=false {theirs} --key signer.key {attest} {image}"
        ))?;
        verified_under_tag(shell, (cosign, readers), "--key signer.pub", &image)
            .with_context(|| format!("of cosign, {cosign:?}"))?;
    }
    Ok(())
}

/// These programs verify an attestation under a tag by its timestamp, if they trust the authority.
fn verified_under_tag(
    shell: &Shell,
    (cosign, programs): (Cosign, &[&str]),
    who: &str,
    image: &str,
) -> Result<()> {
    for program in programs {
        let trust = match (cosign, *program) {
            (Cosign::Two, "cosign") => "--timestamp-certificate-chain TRUST.pem",
            (Cosign::Three, "cosign") => "--trusted-root TRUST.json --new-bundle-format=false",
            _ => "--trusted-root TRUST.json",
        };
        let line = format!(
            "{TRUSTED_FILES}{program} verify-attestation --type {KIND} {trust} \
             --insecure-ignore-tlog --use-signed-timestamps {who} {image}"
        );
        holds_by_its_root_alone(shell, &line)?;
    }
    Ok(())
}

/// Files that say whom to trust: a trusted root, and certificates for cosign 2.
fn trust(shell: &Shell, name: &str, fulcio: &Fulcio, times: &Timestamps) -> Result<()> {
    let root = trusted_root::of(&[], Some(fulcio.trusted()), &[times.trusted()]);
    shell.write(&format!("{name}.pem"), times.chain())?;
    shell.write(&format!("{name}.json"), root.to_string())
}
