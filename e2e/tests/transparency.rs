//! Entries in a transparency log: cosign verifies what windlass logged, under tags and in bundles, with
//! nothing but the public key of the log, and refuses it with that of another.
//!
//! The log is the sandbox's: what it hands out has the form of Rekor's, and cosign judges whether it is
//! right.

use anyhow::{Result, ensure};
use serde_json::json;
use windlass_e2e::images::{account, configure, finish, push, secret, start};
use windlass_e2e::{Cosign, Kind, Registry, RunRecord, Shell, Testbed, guide, runs, trusted_root};
use windlass_sandbox::rekor::{Options, Rekor};

const KEY: &str = "--key k8s://openshift-pipelines/signing-secrets";

#[test]
fn what_is_in_the_log_is_verified_by_cosign_with_the_key_of_the_log() -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    for cosign in Cosign::BOTH {
        let log = runtime.block_on(Rekor::start(Options::default()))?;
        let other = runtime.block_on(Rekor::start(Options::default()))?;
        Testbed::with(Kind::Real, cosign, |testbed| {
            let registry = Registry::start(&testbed.shell().folder().join("registry"))?;
            let shell = testbed.shell_with_login(&registry.docker_config(""))?;
            shell.ok(guide::KEY_PAIR)?;
            secret(&shell, "right", &registry.docker_config(""))?;
            let secrets = json!({ "imagePullSecrets": [{ "name": "right" }] });
            account(&shell, "build-bot", &secrets)?;
            trust(&shell, "log", &log)?;
            trust(&shell, "other", &other)?;
            let image = built(&shell, &registry.host(), &log)?;
            // the run's statement, the image as a payload and as a statement
            ensure!(log.entries().len() == 3, "{:?}", log.entries());
            for flags in ways(cosign) {
                for verb in ["verify", "verify-attestation --type slsaprovenance"] {
                    let with = |name: &str| {
                        format!(
                            "SIGSTORE_REKOR_PUBLIC_KEY={name}.pub cosign {verb} {} {KEY} {image}",
                            flags.replace("ROOT", &format!("{name}.json"))
                        )
                    };
                    shell.ok(&with("log"))?;
                    let refused = shell.run(&with("other"))?.code;
                    ensure!(refused != 0, "{} is verified", with("other"));
                }
            }
            shell.ok(&format!("windlass verify {KEY} {image}"))?;
            let run = RunRecord::get(&shell, "build")?;
            let url = run.annotation("transparency");
            ensure!(url.starts_with(&log.url()), "{url}");
            let entry = shell.ok(&format!("curl --noproxy '*' --silent --fail '{url}'"))?;
            ensure!(entry.contains("signedEntryTimestamp"), "{entry}");
            Ok(())
        })?;
    }
    Ok(())
}

/// The flags with which this cosign looks for an entry: under tags and in bundles.
fn ways(cosign: Cosign) -> Vec<&'static str> {
    match cosign {
        Cosign::Two => vec![""],
        Cosign::Three => vec![
            "--new-bundle-format=false",
            "--new-bundle-format --trusted-root ROOT",
        ],
    }
}

/// The public key of a log as a file and as a trusted root.
fn trust(shell: &Shell, name: &str, log: &Rekor) -> Result<()> {
    let server = (log.url(), log.public_key());
    let log = trusted_root::log_of_version_1(shell, name, (&server.0, &server.1))?;
    let root = trusted_root::of(&log, &[], &[]);
    shell.write(&format!("{name}.json"), root.to_string())
}

/// A run that built an image, with everything in the registry in both encodings.
fn built(shell: &Shell, host: &str, log: &Rekor) -> Result<String> {
    let url = log.url();
    let settings = [
        ("artifacts.oci.storage", "oci"),
        ("artifacts.taskrun.storage", "tekton,oci"),
        ("storage.oci.encoding-format", "both"),
        ("transparency.enabled", "true"),
        ("transparency.url", &url),
    ];
    configure(shell, &settings)?;
    let image = push(shell, &format!("{host}/team/app"))?;
    start(shell, "build", "build-bot", &json!({}))?;
    finish(shell, "build", &image)?;
    runs::wait_until_signed(shell, "taskrun/build")?;
    Ok(image)
}
