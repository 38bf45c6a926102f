//! Images in folders, signatures by themselves and signed SBOMs: what the real cosign, of both versions, saves
//! and signs windlass verifies with the same verdict and JSON, and the other way round.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use windlass_e2e::by_hand::{KIND, make_signer, write_inputs};
use windlass_e2e::images::push;
use windlass_e2e::{Cosign, Output, Registry, Workstation};

/// How what is attached is kept, and the flag of cosign 3 and of windlass for it.
const LAYOUTS: [(&str, &str, &str); 2] = [
    ("tags", "--new-bundle-format=false", ""),
    ("bundles", "--new-bundle-format=true", "--new-bundle-format"),
];

/// A machine for each version of cosign, and a folder that both see.
struct Machines {
    two: Workstation,
    three: Workstation,
}

impl Machines {
    fn new() -> Result<Self> {
        let [two, three] = [Cosign::Two, Cosign::Three].map(Workstation::new);
        let (two, three) = (two?, three?);
        write_inputs(three.shell())?;
        make_signer(three.shell())?;
        three
            .shell()
            .ok("cosign generate-key-pair --output-key-prefix other")?;
        Ok(Self { two, three })
    }

    /// Runs a line in the shared folder: its program is of version 2 or 3, or windlass.
    fn run(&self, who: &str, words: &str) -> Result<Output> {
        let folder = self.three.shell().folder().display();
        match who {
            "cosign 2" => self
                .two
                .shell()
                .run(&format!("(cd {folder} && cosign {words})")),
            "cosign 3" => self.three.shell().run(&format!("cosign {words}")),
            _ => self.three.shell().run(&format!("windlass {words}")),
        }
    }
}

const EVERYBODY: [&str; 3] = ["cosign 2", "cosign 3", "windlass"];

#[test]
fn a_saved_image_has_the_verdict_and_the_json_that_cosign_gives_it_whoever_saved_it() -> Result<()>
{
    let machines = Machines::new()?;
    let shell = machines.three.shell();
    let registry = Registry::start_with_referrers(&shell.folder().join("registry"))?;
    let mut folders = Vec::new();
    for (layout, theirs, ours) in LAYOUTS {
        for signer in ["cosign", "windlass"] {
            let image = push(shell, &format!("{}/{layout}-{signer}", registry.host()))?;
            let flags = match signer {
                "cosign" => {
                    format!("--yes --use-signing-config=false --tlog-upload=false {theirs}")
                }
                _ => ours.to_owned(),
            };
            let flags = format!("--key signer.key {flags}");
            shell.ok(&format!("{signer} sign {flags} {image}"))?;
            shell.ok(&format!(
                "{signer} attest {flags} --predicate predicate --type {KIND} {image}"
            ))?;
            for saver in EVERYBODY {
                let folder = format!("{layout}-{signer}-{}", saver.replace(' ', ""));
                machines
                    .run(saver, &format!("save --dir {folder} {image}"))?
                    .exits(0)?;
                // cosign 2 saves no referrers
                let is_whole = layout == "tags" || saver != "cosign 2";
                folders.push((layout, folder, is_whole));
            }
        }
    }
    // nothing is asked of it from here on
    drop(registry);
    for (layout, folder, is_whole) in &folders {
        agreed(&machines, layout, folder, *is_whole)
            .with_context(|| format!("the folder {folder}"))?;
    }
    ensure!(folders.len() == 12, "{} folders", folders.len());
    tampered(&machines)
}

/// What everybody says of a folder.
fn agreed(machines: &Machines, layout: &str, folder: &str, is_whole: bool) -> Result<()> {
    for who in EVERYBODY {
        // it reads no bundles
        let is_valid = is_whole && (layout == "tags" || who != "cosign 2");
        for (verb, kind) in [
            ("verify", String::new()),
            ("verify-attestation", format!("--type {KIND}")),
        ] {
            let words = format!("{verb} --insecure-ignore-tlog=true {kind} --local-image -o json");
            let valid = machines.run(who, &format!("{words} --key signer.pub {folder}"))?;
            ensure!(
                (valid.code == 0) == is_valid,
                "{who}: exit {}\n$ {}\n{}{}",
                valid.code,
                valid.line,
                valid.stdout,
                valid.stderr
            );
            let other = machines.run(who, &format!("{words} --key other.pub {folder}"))?;
            ensure!(other.code != 0, "{who}: {}", other.line);
            if who == "windlass" && is_valid {
                let theirs =
                    machines.run("cosign 3", &format!("{words} --key signer.pub {folder}"))?;
                same_json(verb, layout, &valid, &theirs)?;
            }
        }
    }
    Ok(())
}

/// What both print; cosign 3.1 prints empty claims of the bundles in a folder.
fn same_json(verb: &str, layout: &str, ours: &Output, theirs: &Output) -> Result<()> {
    let [ours, theirs] = [ours, theirs].map(|output| {
        let values = serde_json::Deserializer::from_str(&output.stdout).into_iter::<Value>();
        values.collect::<Result<Vec<_>, _>>()
    });
    let (ours, theirs) = (ours?, theirs?);
    let payloads = |values: &[Value]| {
        let mut payloads: Vec<String> = values
            .iter()
            .map(|value| value["payload"].to_string())
            .collect();
        payloads.sort();
        payloads
    };
    if verb == "verify-attestation" {
        let (ours, theirs) = (payloads(&ours), payloads(&theirs));
        ensure!(ours == theirs, "{ours:?} and not {theirs:?}");
    } else if layout == "tags" {
        ensure!(ours == theirs, "{ours:?} and not {theirs:?}");
    } else {
        ensure!(theirs[0][0]["critical"]["type"] == "", "{theirs:?}");
        ensure!(ours[0][0]["critical"]["type"] != "", "{ours:?}");
    }
    Ok(())
}

/// An image of which a byte was changed is verified by nobody.
fn tampered(machines: &Machines) -> Result<()> {
    let shell = machines.three.shell();
    shell.ok("cp -r tags-cosign-cosign3 changed")?;
    let index: Value = serde_json::from_slice(&shell.read("changed/index.json")?)?;
    let digest = index["manifests"][0]["digest"].as_str();
    let hex = digest.context("no digest")?.replace("sha256:", "");
    let manifest = format!("changed/blobs/sha256/{hex}");
    let mut content = shell.read(&manifest)?;
    content.push(b'\n');
    shell.write(&manifest, content)?;
    for who in EVERYBODY {
        let words = "verify --insecure-ignore-tlog=true --key signer.pub --local-image changed";
        let outcome = machines.run(who, words)?;
        ensure!(outcome.code != 0, "{who}: {}", outcome.stdout);
    }
    Ok(())
}

#[test]
fn bundles_that_cosign_saved_are_loaded_with_their_image() -> Result<()> {
    let machine = Workstation::new(Cosign::Three)?;
    let shell = machine.shell();
    let registry = Registry::start_with_referrers(&shell.folder().join("registry"))?;
    write_inputs(shell)?;
    make_signer(shell)?;
    let image = push(shell, &format!("{}/app", registry.host()))?;
    let flags = "--key signer.key --yes --use-signing-config=false --tlog-upload=false";
    shell.ok(&format!("cosign sign {flags} {image}"))?;
    shell.ok(&format!(
        "cosign attest {flags} --predicate predicate --type {KIND} {image}"
    ))?;
    shell.ok(&format!("cosign save --dir app {image}"))?;
    let place = format!("{}/loaded:v1", registry.host());
    shell.ok(&format!("windlass load --dir app {place}"))?;
    for who in ["cosign", "windlass"] {
        let flags = "--insecure-ignore-tlog=true --key signer.pub";
        shell.ok(&format!("{who} verify {flags} {place}"))?;
        shell.ok(&format!(
            "{who} verify-attestation {flags} --type {KIND} {place}"
        ))?;
    }
    Ok(())
}

#[test]
fn a_signature_by_itself_is_verified_as_cosign_verifies_it() -> Result<()> {
    for cosign in Cosign::BOTH {
        let machine = Workstation::new(cosign)?;
        let shell = machine.shell();
        let registry = Registry::start_with_referrers(&shell.folder().join("registry"))?;
        make_signer(shell)?;
        let image = push(shell, &format!("{}/app", registry.host()))?;
        let other = push(shell, &format!("{}/other", registry.host()))?;
        shell.ok(&format!("cosign generate {image} > payload"))?;
        shell.ok(&format!(
            "cosign sign-blob {}--key signer.key --output-signature signature payload",
            cosign.sign_flags()
        ))?;
        shell.ok(&format!(
            "windlass sign --key signer.key --upload=false --output-payload our-payload \
             --output-signature our-signature {image}"
        ))?;
        shell.ok("tr -d '=' < signature | head -c 8 > start && cat payload payload > twice")?;
        for (flags, image, is_valid) in [
            ("--payload payload --signature signature", &image, true),
            (
                "--payload our-payload --signature our-signature",
                &image,
                true,
            ),
            (
                "--payload payload --signature $(cat signature)",
                &image,
                true,
            ),
            ("--signature signature", &image, true),
            ("--signature our-signature", &image, true),
            ("--payload payload --signature signature", &other, false),
            ("--signature signature", &other, false),
            (
                "--check-claims=false --payload payload --signature signature",
                &other,
                true,
            ),
            (
                "--check-claims=false --payload twice --signature signature",
                &other,
                false,
            ),
            ("--payload payload --signature start", &image, false),
            ("--payload twice --signature signature", &image, false),
            ("--payload gone --signature signature", &image, false),
            ("--payload payload --signature gone", &image, false),
        ] {
            let words = format!("--key signer.pub {flags} -o json {image}");
            let theirs = shell.run(&format!("cosign verify {}{words}", cosign.verify_flags()))?;
            let ours = shell.run(&format!("windlass verify {words}"))?;
            alike(&ours, &theirs, is_valid)?;
        }
    }
    Ok(())
}

#[test]
fn the_signature_of_an_attached_sbom_is_verified_as_cosign_verifies_it() -> Result<()> {
    for cosign in Cosign::BOTH {
        let machine = Workstation::new(cosign)?;
        let shell = machine.shell();
        let registry = Registry::start_with_referrers(&shell.folder().join("registry"))?;
        make_signer(shell)?;
        shell.write(
            "sbom.json",
            json!({ "spdxVersion": "SPDX-2.3" }).to_string(),
        )?;
        let image = push(shell, &format!("{}/app", registry.host()))?;
        let check = |flags: &str, is_valid: bool| {
            let words = format!("--key signer.pub {flags} -o json {image}");
            let theirs = shell.run(&format!("cosign verify {}{words}", cosign.verify_flags()))?;
            let ours = shell.run(&format!("windlass verify {words}"))?;
            alike(&ours, &theirs, is_valid)
        };
        check("--attachment sbom", false)?;
        shell.ok(&format!(
            "cosign attach sbom --sbom sbom.json --type spdx --input-format json {image}"
        ))?;
        let sign = format!("cosign sign {}--key signer.key", cosign.sign_flags());
        shell.ok(&format!("{sign} {image}"))?;
        check("", true)?;
        // the image is signed, and its SBOM is not
        check("--attachment sbom", false)?;
        shell.ok(&format!("{sign} --attachment sbom {image}"))?;
        check("--attachment sbom", true)?;
        check("--attachment sig", false)?;
        // an SBOM that windlass signs by its tag
        let second = push(shell, &format!("{}/second", registry.host()))?;
        shell.ok(&format!(
            "cosign attach sbom --sbom sbom.json --type spdx --input-format json {second}"
        ))?;
        let tag = shell.ok(&format!("windlass triangulate --type sbom {second}"))?;
        shell.ok(&format!("windlass sign --key signer.key {tag}"))?;
        let words = format!("--key signer.pub --attachment sbom -o json {second}");
        let theirs = shell.run(&format!("cosign verify {}{words}", cosign.verify_flags()))?;
        alike(
            &shell.run(&format!("windlass verify {words}"))?,
            &theirs,
            true,
        )?;
    }
    Ok(())
}

/// Both give this verdict, and print the same if it is a good one.
fn alike(ours: &Output, theirs: &Output, is_valid: bool) -> Result<()> {
    for output in [ours, theirs] {
        ensure!(
            (output.code == 0) == is_valid,
            "$ {}\nexit {}\n{}{}",
            output.line,
            output.code,
            output.stdout,
            output.stderr
        );
    }
    if is_valid {
        let [ours, theirs] =
            [ours, theirs].map(|output| serde_json::from_str::<Value>(&output.stdout));
        let (ours, theirs) = (ours?, theirs?);
        ensure!(ours == theirs, "{ours} and not {theirs}");
    }
    Ok(())
}

#[test]
fn an_image_that_oras_copied_into_a_layout_is_verified_there() -> Result<()> {
    let machine = Workstation::new(Cosign::Three)?;
    let shell = machine.shell();
    let registry = Registry::start_with_referrers(&shell.folder().join("registry"))?;
    write_inputs(shell)?;
    make_signer(shell)?;
    for (layout, theirs, _) in LAYOUTS {
        let image = push(shell, &format!("{}/{layout}", registry.host()))?;
        let flags = format!(
            "--key signer.key --yes --use-signing-config=false --tlog-upload=false {theirs}"
        );
        shell.ok(&format!("cosign sign {flags} {image}"))?;
        shell.ok(&format!(
            "cosign attest {flags} --predicate predicate --type {KIND} {image}"
        ))?;
        let copy = "oras cp -r --from-plain-http --to-oci-layout";
        shell.ok(&format!("{copy} {image} {layout}:v1"))?;
        if layout == "tags" {
            let repository = image.split('@').next().context("no repository")?;
            for kind in ["signature", "attestation"] {
                let tag = shell.ok(&format!("windlass triangulate --type {kind} {image}"))?;
                let name = tag.trim().replace(&format!("{repository}:"), "");
                shell.ok(&format!("{copy} {} {layout}:{name}", tag.trim()))?;
            }
        }
        shell.ok(&format!(
            "windlass verify --key signer.pub --local-image {layout}"
        ))?;
        shell.ok(&format!(
            "windlass verify-attestation --key signer.pub --type {KIND} --local-image {layout}"
        ))?;
    }
    Ok(())
}
