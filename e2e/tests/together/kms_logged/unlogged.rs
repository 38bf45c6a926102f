//! Images without a log: cosign verifies what windlass signed with a key where it is, under tags and in bundles of one
//! image, and windlass what cosign signed so, where cosign has a client for the place.

use anyhow::{Context, Result, ensure};
use serde_json::json;
use windlass_e2e::by_hand::KIND;
use windlass_e2e::images::push;
use windlass_e2e::{Cosign, Registry, Shell};

use super::servers::Place;

/// Each signs an image with a key of each place, and the other verifies it. cosign adds no second signature by a key.
pub(super) fn both_ways(shell: &Shell, cosign: Cosign, registry: &Registry) -> Result<()> {
    // cosign 2.5 fetches the public root otherwise, though it needs none of it
    let empty = "application/vnd.dev.sigstore.trustedroot+json;version=0.1";
    shell.write("empty.json", json!({ "mediaType": empty }).to_string())?;
    for place in Place::ALL {
        let name = format!("{}/unlogged-{}", registry.host(), place.word());
        ours(shell, cosign, place, &format!("{name}-ours"))
            .and_then(|()| theirs(shell, cosign, place, &format!("{name}-theirs")))
            .with_context(|| format!("{}, {cosign:?}", place.word()))?;
    }
    Ok(())
}

/// windlass signs, cosign verifies.
fn ours(shell: &Shell, cosign: Cosign, place: Place, name: &str) -> Result<()> {
    let image = push(shell, name)?;
    let key = place.key("p256");
    shell.ok(&format!("windlass public-key --key {key} > key.pub"))?;
    let attest = format!("--predicate predicate --type {KIND}");
    for layout in ["", "--new-bundle-format "] {
        shell.ok(&format!("windlass sign --key {key} {layout}{image}"))?;
        shell.ok(&format!(
            "windlass attest --key {key} {attest} {layout}{image}"
        ))?;
    }
    let bundles = "--new-bundle-format --trusted-root empty.json";
    let (verify, attestation) = (
        "verify".to_owned(),
        format!("verify-attestation --type {KIND}"),
    );
    let lines = match cosign {
        // its `verify` knows no bundles
        Cosign::Two => vec![(&verify, ""), (&attestation, ""), (&attestation, bundles)],
        Cosign::Three => {
            let tags = "--new-bundle-format=false";
            let ways = [tags, bundles].into_iter();
            ways.flat_map(|way| [(&verify, way), (&attestation, way)])
                .collect()
        }
    };
    for (verb, way) in lines {
        let flags = format!("{way} --insecure-ignore-tlog --key key.pub");
        shell.ok(&format!("cosign {verb} {flags} {image}"))?;
    }
    Ok(())
}

/// cosign signs, windlass verifies.
fn theirs(shell: &Shell, cosign: Cosign, place: Place, name: &str) -> Result<()> {
    let Some(key) = place.key_for_cosign("p256") else {
        return Ok(());
    };
    let image = push(shell, name)?;
    let attest = format!("--predicate predicate --type {KIND}");
    let unlogged = match cosign {
        Cosign::Two => "--yes --tlog-upload=false",
        Cosign::Three => "--yes --use-signing-config=false --tlog-upload=false",
    };
    // that of 2.5 puts no signature of an image into a bundle
    let ways = match cosign {
        Cosign::Two => [("", true), ("--new-bundle-format", false)],
        Cosign::Three => [("--new-bundle-format=false", true), ("", true)],
    };
    let shown = |key: &str| shell.run(&format!("windlass verify --key {key} {image}"));
    let verified = |key: &str| -> Result<usize> {
        let line = format!("windlass verify-attestation --type {KIND} --key {key} {image}");
        Ok(shell.run(&line)?.stdout.lines().count())
    };
    for (number, (way, signs)) in ways.iter().enumerate() {
        let flags = format!("{unlogged} --key {key} {way}");
        shell.ok(&format!("cosign attest {flags} {attest} {image}"))?;
        let before = valid(&shown("key.pub")?.stdout);
        if *signs {
            shell.ok(&format!("cosign sign {flags} {image}"))?;
            let after = valid(&shown("key.pub")?.stdout);
            ensure!(
                after == before + 1,
                "{way}: {before} and then {after} are valid"
            );
        }
        let count = verified("key.pub")?;
        ensure!(count == number + 1, "{way}: {count} attestations");
    }
    // the key of a log is another one
    ensure!(shown("root.pub")?.code == 1 && verified("root.pub")? == 0);
    Ok(())
}

/// How much of an image is valid.
fn valid(shown: &str) -> usize {
    shown.matches(": valid\n").count()
}
