//! Signing by hand: cosign verifies the images, attestations and files that windlass signed, and windlass
//! those of cosign, with keys and by identities, under tags and in bundles.
//!
//! The authority, its log of certificates and the log, of version 1, are the real ones, and nothing is left out of
//! what is checked.

use anyhow::{Context, Result, ensure};
use serde_json::json;
use windlass_e2e::by_hand::{KIND, TRUSTED_FILES, make_signer, write_inputs};
use windlass_e2e::images::push;
use windlass_e2e::{Cosign, Fulcio, Registry, RekorV1, Shell, Workstation, trusted_root};

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
fn what_windlass_signs_and_logs_cosign_verifies_with_keys_and_by_identities() -> Result<()> {
    for cosign in Cosign::BOTH {
        let machine = Workstation::new(cosign)?;
        let shell = machine.shell();
        let registry = Registry::start_with_referrers(&shell.folder().join("registry"))?;
        let (log, fulcio) = (RekorV1::start(shell)?, Fulcio::start(shell)?);
        write_inputs(shell)?;
        make_signer(shell)?;
        shell.write("token", fulcio.token(shell, "build", "robot")?)?;
        let root = trusted_root::of(&[log.trusted()], Some(fulcio.trusted()), &[]);
        shell.write("root.json", root.to_string())?;
        let rekor = format!("--rekor-url {} --trusted-root root.json", log.address());
        // the library of cosign 2.5 takes the number 0, of the first entry of a log, for none
        shell.ok(&format!(
            "windlass sign-blob --key signer.key {rekor} --bundle first predicate"
        ))?;
        let token = format!("--identity-token token --fulcio-url {}", fulcio.address());
        let identity = fulcio.identity_flags(Fulcio::ROBOT);
        let signer = "--key signer.pub".to_owned();
        let whoever = [
            (
                "key",
                "--key signer.key",
                &signer,
                "--key first.pub".to_owned(),
            ),
            (
                "identity",
                &token,
                &identity,
                identity.replace("robot", "somebody"),
            ),
        ];
        shell.ok("openssl genpkey -algorithm ed25519 | openssl pkey -pubout -out first.pub")?;
        for (name, who, check, other) in whoever {
            let sign = format!("{who} {rekor}");
            logged_files(shell, &sign, check, &other)
                .with_context(|| format!("{name}, files, cosign {cosign:?}"))?;
            for (layout, flag) in LAYOUTS {
                let image = push(shell, &format!("{}/{name}-{layout}", registry.host()))?;
                let before = log.entries(shell)?;
                for _ in 0..2 {
                    shell.ok(&format!("windlass sign {sign} {flag}{image}"))?;
                    shell.ok(&format!(
                        "windlass attest {sign} --predicate predicate --type {KIND} {flag}{image}"
                    ))?;
                }
                let added = log.entries(shell)? - before;
                ensure!(added == 2, "{name}, {layout}: {added} entries");
                logged_image(shell, (cosign, layout), (check, &other), &image)
                    .with_context(|| format!("{name}, {layout}, cosign {cosign:?}"))?;
            }
        }
    }
    Ok(())
}

/// Both verify what is attached to an image, with its entry, and not with another key or identity.
fn logged_image(
    shell: &Shell,
    (cosign, layout): (Cosign, &str),
    (check, other): (&str, &str),
    image: &str,
) -> Result<()> {
    let attestation = format!("verify-attestation --type {KIND}");
    let windlass = "windlass VERB --trusted-root root.json".to_owned();
    let mut lines = vec![
        windlass.replace("VERB", "verify"),
        windlass.replace("VERB", &attestation),
    ];
    let bundles = "--new-bundle-format --trusted-root root.json";
    let (flags, verbs) = match (cosign, layout) {
        (Cosign::Two, "tags") => ("", vec!["verify", &attestation]),
        // its `verify` knows no bundles
        (Cosign::Two, _) => (bundles, vec![&*attestation]),
        (Cosign::Three, "tags") => ("--new-bundle-format=false", vec!["verify", &attestation]),
        (Cosign::Three, _) => (bundles, vec!["verify", &attestation]),
    };
    for verb in verbs {
        lines.push(format!("{TRUSTED_FILES}cosign {verb} {flags}"));
    }
    for line in lines {
        accepted_and_refused(shell, &line, (check, other), image)?;
    }
    Ok(())
}

/// Both verify the bundles that windlass makes of a file, with their entries, and not with another key or identity.
fn logged_files(shell: &Shell, sign: &str, check: &str, other: &str) -> Result<()> {
    shell.ok(&format!("windlass sign-blob {sign} --bundle ours blob"))?;
    shell.ok(&format!(
        "windlass attest-blob {sign} --predicate predicate --type {KIND} --bundle ours.att blob"
    ))?;
    for program in ["cosign", "windlass"] {
        let root = "--new-bundle-format --trusted-root root.json";
        for line in [
            format!("{program} verify-blob {root} --bundle ours"),
            format!("{program} verify-blob-attestation {root} --type {KIND} --bundle ours.att"),
        ] {
            accepted_and_refused(shell, &line, (check, other), "blob")?;
        }
    }
    Ok(())
}

/// Runs a line with a key or an identity, and with another one, with which it has to fail.
fn accepted_and_refused(
    shell: &Shell,
    line: &str,
    (check, other): (&str, &str),
    what: &str,
) -> Result<()> {
    shell.ok(&format!("{line} {check} {what}"))?;
    let line = format!("{line} {other} {what}");
    ensure!(shell.run(&line)?.code != 0, "{line}: is verified");
    Ok(())
}
