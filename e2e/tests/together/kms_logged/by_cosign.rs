//! What cosign signs and logs with a key where it is, in AWS KMS and on a PKCS#11 token: windlass verifies it under tags
//! and in bundles of one image, and in bundles of files, by the root of the logs alone.

use anyhow::{Context, Result, ensure};
use windlass_e2e::by_hand::{KIND, holds_by_its_root_alone};
use windlass_e2e::images::push;
use windlass_e2e::{Cosign, Registry, Shell};

use super::servers::{Logs, Place};

/// How cosign signs: what it makes, and with which flags.
struct Way {
    name: &'static str,
    flags: String,
    /// Whether it makes signatures of images, and of files, this way; attestations it always makes.
    images: bool,
    files: bool,
}

/// The ways of a release. That of 2.5 puts no signature of an image into a bundle, and knows no log of version 2.
fn ways(cosign: Cosign, logs: &Logs) -> Vec<Way> {
    let way = |name, flags: String, images, files| Way {
        name,
        flags,
        images,
        files,
    };
    let url = logs.first.address();
    match cosign {
        Cosign::Two => {
            let bundles = format!("--rekor-url {url} --new-bundle-format");
            vec![
                way("tags", format!("--rekor-url {url}"), true, false),
                way("bundles, version 1", bundles, false, true),
            ]
        }
        Cosign::Three => {
            let tags = "--use-signing-config=false --new-bundle-format=false";
            let config = |name| format!("--signing-config {name} --trusted-root root.json");
            vec![
                way("tags", format!("--rekor-url {url} {tags}"), true, false),
                way("bundles, version 1", config("v1.json"), true, true),
                way("bundles, version 2", config("v2.json"), true, true),
            ]
        }
    }
}

/// cosign signs one image in every way with a key of each place, and files; windlass verifies it all.
pub(super) fn verified(
    shell: &Shell,
    cosign: Cosign,
    registry: &Registry,
    logs: &Logs,
) -> Result<()> {
    for place in [Place::Aws, Place::Token] {
        let name = format!("{}/by-cosign-{}", registry.host(), place.word());
        let image = push(shell, &name)?;
        let key = place.key_for_cosign("p256").context("cosign has no key")?;
        shell.ok(&format!("cosign public-key --key {key} > key.pub"))?;
        for (number, way) in ways(cosign, logs).iter().enumerate() {
            signed(shell, way, &key, &image)
                .and_then(|()| judged(shell, way, &image, number + 1))
                .with_context(|| format!("{}, {}, {cosign:?}", place.word(), way.name))?;
        }
    }
    Ok(())
}

fn signed(shell: &Shell, way: &Way, key: &str, image: &str) -> Result<()> {
    let flags = format!("--yes --key {key} {}", way.flags);
    let mut lines = vec![format!(
        "attest {flags} --predicate predicate --type {KIND} {image}"
    )];
    if way.images {
        lines.push(format!("sign {flags} {image}"));
    }
    if way.files {
        lines.push(format!("sign-blob {flags} --bundle bundle blob"));
    }
    for line in lines {
        shell.ok(&format!("SIGSTORE_REKOR_PUBLIC_KEY=root.pub cosign {line}"))?;
    }
    Ok(())
}

/// windlass verifies so many attestations, and the rest, and believes no other log.
fn judged(shell: &Shell, way: &Way, image: &str, attestations: usize) -> Result<()> {
    let flags = "--trusted-root TRUST.json --key key.pub";
    let mut lines = Vec::new();
    if way.images {
        lines.push(format!("windlass verify {flags} {image}"));
    }
    if way.files {
        lines.push(format!("windlass verify-blob {flags} --bundle bundle blob"));
    }
    for line in lines {
        holds_by_its_root_alone(shell, &line)?;
    }
    let line = format!("windlass verify-attestation --type {KIND} {flags} {image}");
    let found = shell.ok(&line.replace("TRUST", "root"))?.lines().count();
    ensure!(found == attestations, "{found} attestations are verified");
    let line = line.replace("TRUST", "other");
    let code = shell.run(&line)?.code;
    ensure!(code == 1, "{line}: exit {code} by another log's root");
    Ok(())
}
