//! `verify` and `verify-attestation` beside the real cosign: the same verdict about each image, and JSON
//! of the same shape.

use std::thread;

use anyhow::{Context as _, Result, ensure};
use rcgen::{KeyPair, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256};
use windlass_e2e::{Cosign, Output, Registry, Shell, Workstation};

use super::difference::is_documented;
use super::forgery::forge;
use super::images::{CASES, Case, Stored};
use super::shape::{shape, values};

/// Images and verbs about which the two differ, with the row in the page.
const DIFFERENCES: [(&str, &str, &str); 7] = [
    ("p384", "verify", OTHER_CURVES),
    ("p384", "verify-attestation", OTHER_CURVES),
    ("ed25519", "verify", OTHER_CURVES),
    ("ed25519", "verify-attestation", OTHER_CURVES),
    ("in-bundles", "verify", ATTESTATION_AS_SIGNATURE),
    ("bundle-of-another-type", "verify", ATTESTATION_AS_SIGNATURE),
    (
        "attestation-is-no-signature",
        "verify-attestation",
        "An attestation under the tag of signatures is passed over",
    ),
];
const OTHER_CURVES: &str =
    "cosign 3.1 verifies nothing that it signs with a key on P-384 or Ed25519";
const ATTESTATION_AS_SIGNATURE: &str =
    "Of bundles, `verify` of cosign 3.1 takes an attestation for a signature of the image";

#[test]
fn images_have_the_verdict_and_the_json_that_cosign_gives_them() -> Result<()> {
    let workstation = Workstation::new(Cosign::Three)?;
    let shell = workstation.shell();
    let registry = Registry::start_with_referrers(&shell.folder().join("registry"))?;
    make_keys(shell)?;
    shell.write("p.json", r#"{"buildType": "x", "builder": {"id": "y"}}"#)?;
    shell.write("content", "an image")?;
    let base = format!("{}/base", registry.host());
    shell.ok(&format!("cosign upload blob -f content {base}:v1"))?;
    let digest = shell.ok(&format!("oras resolve --plain-http {base}:v1"))?;
    let source = another_image(shell, &registry)?;
    let shell = shell.clone().with("SOURCE", &source.0);
    let shell = shell.with("SOURCE_DIGEST", &source.1);
    ensure!(CASES.len() >= 30, "{} images", CASES.len());
    let half = CASES.len().div_ceil(2);
    let verdicts: Vec<Verdict> = thread::scope(|scope| {
        let halves = CASES.chunks(half).map(|cases| {
            let (shell, base, digest) = (&shell, &base, digest.trim());
            scope.spawn(move || {
                let verdict = |case| verdict(shell, base, digest, case);
                cases.iter().map(verdict).collect::<Result<Vec<_>>>()
            })
        });
        // all are started before the first is awaited
        let halves: Vec<_> = halves.collect();
        let mut verdicts = Vec::new();
        for half in halves {
            verdicts.extend(half.join().ok().context("a thread panicked")??);
        }
        Ok::<_, anyhow::Error>(verdicts)
    })?;
    compare(&verdicts)
}

/// What the two say of an image.
struct Verdict {
    name: &'static str,
    /// The verbs for which the two differ, and in what.
    unlike: Vec<(&'static str, String)>,
}

fn compare(verdicts: &[Verdict]) -> Result<()> {
    let mut unlike = Vec::new();
    let mut listed = Vec::new();
    for verdict in verdicts {
        for (verb, text) in &verdict.unlike {
            let is_meant =
                |(name, of, _): &&(&str, &str, &str)| *name == verdict.name && of == verb;
            match DIFFERENCES.iter().find(is_meant) {
                Some(difference) => listed.push(difference),
                None => unlike.push(text.clone()),
            }
        }
    }
    let count = unlike.len();
    ensure!(
        unlike.is_empty(),
        "{count} differ:\n{}",
        unlike.join("\n\n")
    );
    for difference in &DIFFERENCES {
        let (name, verb, row) = difference;
        ensure!(
            listed.contains(&difference),
            "{verb} of {name} differs no more"
        );
        is_documented(row)?;
    }
    Ok(())
}

fn make_keys(shell: &Shell) -> Result<()> {
    for (name, algorithm) in [
        ("p384", &PKCS_ECDSA_P384_SHA384),
        ("rsa", &PKCS_RSA_SHA256),
        ("ed25519", &PKCS_ED25519),
    ] {
        let key = KeyPair::generate_for(algorithm)?;
        shell.write("plain.pem", key.serialize_pem())?;
        shell.ok(&format!(
            "cosign import-key-pair --key plain.pem --output-key-prefix {name}"
        ))?;
    }
    for name in ["p256", "other"] {
        shell.ok(&format!(
            "cosign generate-key-pair --output-key-prefix {name}"
        ))?;
    }
    Ok(())
}

/// Another image with a signature and an attestation: its repository and digest.
fn another_image(shell: &Shell, registry: &Registry) -> Result<(String, String)> {
    let repository = format!("{}/another", registry.host());
    shell.write("content", "another image")?;
    shell.ok(&format!("cosign upload blob -f content {repository}:v1"))?;
    let digest = shell.ok(&format!("oras resolve --plain-http {repository}:v1"))?;
    let digest = digest.trim().to_owned();
    let both = CASES.iter().find(|case| case.name == "both");
    for line in both.context("no such case")?.lines() {
        shell.ok(&line.replace("$IMAGE", &format!("{repository}@{digest}")))?;
    }
    Ok((repository, digest))
}

fn verdict(shell: &Shell, base: &str, digest: &str, case: &Case) -> Result<Verdict> {
    let repository = base.replace("/base", &format!("/case/{}", case.name));
    let image = format!("{repository}@{digest}");
    let shell = shell
        .beside(case.name)?
        .with("REPO", &repository)
        .with("IMAGE", &image);
    shell.ok("cp ../*.key ../*.pub ../p.json .")?;
    shell.ok(&format!(
        "oras cp --from-plain-http --to-plain-http {base}:v1 $REPO:v1"
    ))?;
    for line in case.lines() {
        if !forge(&shell, &line)? {
            shell.ok(&line)?;
        }
    }
    let cosign = match case.stored {
        Stored::UnderTags => "--insecure-ignore-tlog=true --new-bundle-format=false",
        Stored::InBundles => "--insecure-ignore-tlog=true",
    };
    let mut unlike = Vec::new();
    for (verb, flags) in [
        ("verify", case.verify),
        ("verify-attestation", case.attestation),
    ] {
        let target = if flags.contains("$REPO") {
            ""
        } else {
            "$IMAGE"
        };
        let words = format!("{verb} {cosign} {flags} {target}");
        let theirs = shell.run(&format!("cosign {words}"))?;
        let ours = shell.run(&format!("windlass {words} -o json"))?;
        if let Some(why) = difference(&ours, &theirs) {
            let text = format!(
                "{}: {why}\n$ {words}\n--- windlass: {}\n{}{}\n--- cosign: {}\n{}{}",
                case.name,
                ours.code,
                ours.stdout,
                ours.stderr,
                theirs.code,
                theirs.stdout,
                theirs.stderr
            );
            unlike.push((verb, text));
        }
    }
    Ok(Verdict {
        name: case.name,
        unlike,
    })
}

/// In what the two differ.
fn difference(ours: &Output, theirs: &Output) -> Option<String> {
    if (ours.code == 0) != (theirs.code == 0) {
        return Some("another verdict".to_owned());
    }
    let Some(printed) = values(&ours.stdout) else {
        return Some("no JSON".to_owned());
    };
    if theirs.code != 0 {
        return None;
    }
    let shapes = |values: &[serde_json::Value]| {
        let mut shapes: Vec<String> = values.iter().map(shape).collect();
        shapes.sort();
        shapes
    };
    let (ours, theirs) = (shapes(&printed), shapes(&values(&theirs.stdout)?));
    (ours != theirs).then(|| format!("another shape: {ours:?} and not {theirs:?}"))
}
