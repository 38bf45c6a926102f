//! Signing by hand: cosign verifies the images, attestations and files that windlass signed, and windlass
//! those of cosign, with keys and by identities, under tags and in bundles.
//!
//! The authority is the real Fulcio; the log is the sandbox's, and cosign judges whether its entries are
//! right.

use anyhow::{Context, Result, ensure};
use serde_json::json;
use windlass_e2e::by_hand::{KIND, make_signer, write_inputs};
use windlass_e2e::images::push;
use windlass_e2e::{Cosign, Fulcio, Registry, Shell, Workstation, trusted_root};
use windlass_sandbox::rekor::{Options, Rekor};

/// What Fulcio names the service account of the token.
const IDENTITY: &str = "https://kubernetes.io/namespaces/build/serviceaccounts/robot";

/// The layouts in a registry, and the flag of windlass for each.
const LAYOUTS: [(&str, &str); 2] = [("tags", ""), ("bundles", "--new-bundle-format ")];

#[test]
fn what_windlass_signs_with_a_key_cosign_verifies_and_the_other_way_round() -> Result<()> {
    for cosign in Cosign::BOTH {
        let machine = Workstation::new(cosign)?;
        let shell = machine.shell();
        let registry = Registry::start_with_referrers(&shell.folder().join("registry"))?;
        write_inputs(shell)?;
        make_signer(shell)?;
        shell.ok("cosign public-key --key signer.key > seen.pub && diff seen.pub signer.pub")?;
        for (layout, flag) in LAYOUTS {
            let image = push(shell, &format!("{}/{layout}", registry.host()))?;
            for _ in 0..2 {
                shell.ok(&format!(
                    "windlass sign --key signer.key -a by=windlass {flag}{image}"
                ))?;
                shell.ok(&format!(
                    "windlass attest --key signer.key --predicate predicate --type {KIND} {flag}{image}"
                ))?;
            }
            let key = "--key signer.pub";
            verified(shell, cosign, layout, key, &image)
                .with_context(|| format!("{layout}, cosign {cosign:?}"))?;
        }
        let image = push(shell, &format!("{}/theirs", registry.host()))?;
        let sign = images_flags(cosign);
        shell.ok(&format!("cosign sign {sign}--key signer.key {image}"))?;
        shell.ok(&format!(
            "cosign attest {sign}--key signer.key --predicate predicate --type {KIND} {image}"
        ))?;
        shell.ok(&format!("windlass verify --key signer.pub {image}"))?;
        shell.ok(&format!(
            "windlass verify-attestation --key signer.pub --type {KIND} {image}"
        ))?;
        files(shell, cosign)?;
    }
    Ok(())
}

/// The flags with which this cosign signs images without a log, as it does by itself otherwise.
fn images_flags(cosign: Cosign) -> &'static str {
    match cosign {
        Cosign::Two => "--yes --tlog-upload=false ",
        Cosign::Three => "--yes --use-signing-config=false --tlog-upload=false ",
    }
}

/// The flags with which this cosign verifies a layout; none if it does not know it.
fn ways(cosign: Cosign, layout: &str) -> Option<&'static str> {
    match (cosign, layout) {
        (Cosign::Two, "tags") => Some(""),
        // its `verify` knows no bundles
        (Cosign::Two, _) => None,
        (Cosign::Three, "tags") => Some("--new-bundle-format=false "),
        (Cosign::Three, _) => Some("--new-bundle-format "),
    }
}

/// Both verify an image and its attestation, which are there once.
fn verified(shell: &Shell, cosign: Cosign, layout: &str, key: &str, image: &str) -> Result<()> {
    let attestation = format!("--type {KIND} {key} {image}");
    let shown = shell.ok(&format!("windlass verify {key} -a by=windlass {image}"))?;
    let valid = shown.matches(": valid\n").count();
    ensure!(valid == 2, "not once each: {shown}");
    shell.ok(&format!("windlass verify-attestation {attestation}"))?;
    let other = shell.run(&format!("windlass verify {key} -a by=other {image}"))?;
    ensure!(other.code == 1, "another annotation is verified");
    if let Some(flags) = ways(cosign, layout) {
        let flags = format!("{flags}--insecure-ignore-tlog ");
        shell.ok(&format!(
            "cosign verify {flags}{key} -a by=windlass {image}"
        ))?;
        shell.ok(&format!("cosign verify-attestation {flags}{attestation}"))?;
        let other = format!("cosign verify {flags}{key} -a by=other {image}");
        ensure!(
            shell.run(&other)?.code != 0,
            "another annotation is verified"
        );
    }
    Ok(())
}

/// Bundles and attestations of files, both ways.
fn files(shell: &Shell, cosign: Cosign) -> Result<()> {
    shell.ok("windlass sign-blob --key signer.key --bundle ours blob")?;
    let attest = format!("attest-blob --key signer.key --predicate predicate --type {KIND}");
    shell.ok(&format!("windlass {attest} --bundle ours.att blob"))?;
    shell.ok(&format!("windlass {attest} blob > envelope"))?;
    let sign = match cosign {
        Cosign::Two => "--yes --tlog-upload=false --new-bundle-format ",
        Cosign::Three => "--yes --use-signing-config=false --tlog-upload=false ",
    };
    shell.ok(&format!(
        "cosign sign-blob {sign}--key signer.key --bundle theirs blob"
    ))?;
    shell.ok(&format!("cosign {attest} {sign}--bundle theirs.att blob"))?;
    // cosign 2.5 fetches the public root otherwise, though it needs none of it
    let empty = "application/vnd.dev.sigstore.trustedroot+json;version=0.1";
    shell.write("empty.json", json!({ "mediaType": empty }).to_string())?;
    for (program, root) in [("cosign", "--trusted-root empty.json "), ("windlass", "")] {
        let flags = format!("{root}--new-bundle-format --insecure-ignore-tlog --key signer.pub");
        for bundle in ["ours", "theirs"] {
            shell.ok(&format!(
                "{program} verify-blob {flags} --bundle {bundle} blob"
            ))?;
            shell.ok(&format!(
                "{program} verify-blob-attestation {flags} --type {KIND} --bundle {bundle}.att blob"
            ))?;
            let line = format!("{program} verify-blob {flags} --bundle {bundle} predicate");
            ensure!(
                shell.run(&line)?.code != 0,
                "{line}: another file is verified"
            );
        }
        let flags = if program == "cosign" {
            cosign.verify_flags()
        } else {
            ""
        };
        shell.ok(&format!(
            "{program} verify-blob-attestation {flags} --key signer.pub --type {KIND} \
             --signature envelope blob"
        ))?;
    }
    Ok(())
}

#[test]
fn what_windlass_signs_without_a_key_cosign_verifies_by_the_identity_and_the_log() -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    for cosign in Cosign::BOTH {
        let log = runtime.block_on(Rekor::start(Options::default()))?;
        let machine = Workstation::new(cosign)?;
        let shell = machine.shell();
        let fulcio = Fulcio::start(shell.folder())?;
        let registry = Registry::start_with_referrers(&shell.folder().join("registry"))?;
        write_inputs(shell)?;
        shell.write("token", fulcio.token(shell, "build", "robot")?)?;
        let who = format!(
            "--identity-token token --fulcio-url {} --rekor-url {}",
            fulcio.address(),
            log.url()
        );
        // the library of cosign 2.5 takes the number 0, of the first entry of a log, for none
        shell.ok(&format!(
            "windlass sign-blob {who} --bundle first predicate"
        ))?;
        shell.ok(&format!(
            "windlass sign-blob {who} --bundle ours --output-signature sig --output-certificate crt blob"
        ))?;
        trust(shell, &fulcio, &log)?;
        let checks = format!(
            "--insecure-ignore-sct --certificate-identity={IDENTITY} --certificate-oidc-issuer={}",
            fulcio.issuer()
        );
        for program in ["cosign", "windlass"] {
            let root = format!("--new-bundle-format --trusted-root root.json {checks}");
            shell.ok(&format!("{program} verify-blob {root} --bundle ours blob"))?;
            let other = root.replace("robot", "somebody");
            let line = format!("{program} verify-blob {other} --bundle ours blob");
            ensure!(
                shell.run(&line)?.code != 0,
                "{line}: another identity is verified"
            );
        }
        for (layout, flag) in LAYOUTS {
            let image = push(shell, &format!("{}/{layout}", registry.host()))?;
            let entries = log.entries().len();
            for _ in 0..2 {
                shell.ok(&format!("windlass sign {who} --trusted-root root.json --insecure-skip-verify {flag}{image}"))?;
            }
            ensure!(log.entries().len() == entries + 1, "logged more than once");
            shell.ok(&format!(
                "windlass verify --trusted-root root.json {checks} {image}"
            ))?;
            if let Some(flags) = ways(cosign, layout) {
                let (variables, flags) = match layout {
                    "tags" => (
                        "SIGSTORE_REKOR_PUBLIC_KEY=log.pub SIGSTORE_ROOT_FILE=ca.pem ",
                        flags.to_owned(),
                    ),
                    _ => ("", format!("{flags}--trusted-root root.json ")),
                };
                shell.ok(&format!("{variables}cosign verify {flags}{checks} {image}"))?;
            }
        }
    }
    Ok(())
}

/// The authority and the log as a trusted root, and as the files that cosign takes for tags.
fn trust(shell: &Shell, fulcio: &Fulcio, log: &Rekor) -> Result<()> {
    let chain = fulcio.chain(shell)?;
    shell.write("ca.pem", &chain)?;
    let log = (log.url(), log.public_key());
    let log = trusted_root::log_of_version_1(shell, "log", (&log.0, &log.1))?;
    let authority = trusted_root::authority(fulcio.address(), &chain);
    let root = trusted_root::of(&log, &[authority], &[]);
    shell.write("root.json", root.to_string())
}
