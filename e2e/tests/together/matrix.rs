//! Which client verifies what, by encoding and by who keeps the list of referrers: the table in
//! `docs/registries.md`.

use std::any::Any;
use std::path::Path;

use anyhow::{Result, ensure};
use serde_json::json;
use windlass_e2e::images::{account, configure, finish, push, secret, start};
use windlass_e2e::{Cosign, Kind, Registry, Shell, Testbed, guide, runs};
use windlass_sandbox::registry as sandbox;

const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// Who keeps the list of referrers, and which type it states for a bundle.
struct Listing {
    under_tags: bool,
    artifact_type: &'static str,
}

const FALLBACK: Listing = Listing {
    under_tags: true,
    artifact_type: BUNDLE,
};
const NATIVE: Listing = Listing {
    under_tags: false,
    artifact_type: BUNDLE,
};
/// go-containerregistry's list states the type of the config, whatever the manifest's own is.
const GO: Listing = Listing {
    under_tags: false,
    artifact_type: "application/vnd.oci.empty.v1+json",
};
const KEY: &str = "--key k8s://openshift-pipelines/signing-secrets";

#[test]
fn what_is_beside_images_in_a_registry_that_lists_referrers_is_verified() -> Result<()> {
    for cosign in Cosign::BOTH {
        each_encoding(cosign, &GO, |folder| {
            Ok(Target::real(Registry::start_with_referrers(folder)?))
        })?;
    }
    Ok(())
}

#[test]
fn what_is_beside_images_in_a_registry_without_that_list_is_verified() -> Result<()> {
    for cosign in Cosign::BOTH {
        each_encoding(cosign, &FALLBACK, |folder| {
            Ok(Target::real(Registry::start(folder)?))
        })?;
    }
    Ok(())
}

/// The sandbox's registry, whose list states the types as the specification has them.
#[test]
fn what_is_beside_images_in_the_sandboxs_registry_is_verified() -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    for cosign in Cosign::BOTH {
        each_encoding(cosign, &NATIVE, |_| {
            let options = sandbox::Options::default();
            let registry = runtime.block_on(sandbox::Registry::start(options))?;
            Ok(Target {
                host: registry.host(),
                docker_config: r#"{"auths":{}}"#.to_owned(),
                _registry: Box::new(registry),
            })
        })?;
    }
    Ok(())
}

/// A registry that runs for as long as this is there.
struct Target {
    host: String,
    docker_config: String,
    _registry: Box<dyn Any>,
}

impl Target {
    fn real(registry: Registry) -> Self {
        Self {
            host: registry.host(),
            docker_config: registry.docker_config(""),
            _registry: Box::new(registry),
        }
    }
}

/// Lets a run build an image for each encoding, and verifies what is beside it with each client that
/// can read that.
fn each_encoding(
    cosign: Cosign,
    listing: &Listing,
    start: impl FnOnce(&Path) -> Result<Target>,
) -> Result<()> {
    Testbed::with(Kind::Real, cosign, |testbed| {
        let target = start(&testbed.shell().folder().join("registry"))?;
        let shell = testbed.shell_with_login(&target.docker_config)?;
        shell.ok(guide::KEY_PAIR)?;
        secret(&shell, "right", &target.docker_config)?;
        account(
            &shell,
            "build-bot",
            &json!({ "imagePullSecrets": [{ "name": "right" }] }),
        )?;
        for encoding in ["dsse", "sigstore-bundle", "both"] {
            let image = built(&shell, &target.host, encoding)?;
            let (tags, bundles) = (encoding != "sigstore-bundle", encoding != "dsse");
            let mut ways = Vec::new();
            if tags {
                ways.push(cosign.verify_flags());
            }
            if bundles && cosign == Cosign::Three {
                ways.push("--insecure-ignore-tlog ");
            }
            for flags in ways {
                shell.ok(&format!("cosign verify {flags}{KEY} {image}"))?;
                let attestation = format!("cosign verify-attestation {flags}{KEY}");
                shell.ok(&format!("{attestation} --type slsaprovenance {image}"))?;
            }
            shell.ok(&format!("windlass verify {KEY} {image}"))?;
            let report = shell.ok(&format!(
                "windlass verify {KEY} --type slsaprovenance {image}"
            ))?;
            let expected = 2 * (usize::from(tags) + usize::from(bundles));
            let valid = report.matches(": valid\n").count();
            ensure!(
                valid == expected,
                "{encoding}: {valid} are valid, not {expected}: {report}"
            );
            let listed = shell.ok(&format!("oras discover --plain-http --format json {image}"))?;
            let stated = format!("\"artifactType\": \"{}\"", listing.artifact_type);
            let found = listed.matches(&stated).count();
            let expected = if bundles { 2 } else { 0 };
            ensure!(
                found == expected,
                "{encoding}: oras lists {found} bundles: {listed}"
            );
            let under_tag = report.contains("referrer listed under a tag");
            ensure!(under_tag == (bundles && listing.under_tags), "{report}");
        }
        Ok(())
    })
}

fn built(shell: &Shell, host: &str, encoding: &str) -> Result<String> {
    let settings = [
        ("artifacts.oci.storage", "oci"),
        ("artifacts.taskrun.storage", "oci"),
        ("storage.oci.encoding-format", encoding),
    ];
    configure(shell, &settings)?;
    let image = push(shell, &format!("{host}/team/{encoding}"))?;
    start(shell, encoding, "build-bot", &json!({}))?;
    finish(shell, encoding, &image)?;
    runs::wait_until_signed(shell, &format!("taskrun/{encoding}"))?;
    Ok(image)
}
