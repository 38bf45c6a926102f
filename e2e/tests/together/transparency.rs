//! Entries in the real Rekor of version 1, on Trillian and `MariaDB`: cosign verifies what the controller logged, under
//! tags and in bundles, with keys and without, and refuses it with the key of another log. What is logged already is
//! not logged again.

use anyhow::{Context, Result, ensure};
use serde_json::json;
use windlass_e2e::by_hand::TRUSTED_FILES;
use windlass_e2e::images::{account, configure, configure_windlass, finish, push, secret, start};
use windlass_e2e::{
    Cosign, Fulcio, Kind, Registry, RekorV1, RunRecord, Shell, Testbed, guide, runs, trusted_root,
};

const KEY: &str = "--key k8s://openshift-pipelines/signing-secrets";
#[test]
fn what_the_controller_logs_is_verified_by_cosign_with_the_key_of_the_log() -> Result<()> {
    for cosign in Cosign::BOTH {
        Testbed::with(Kind::Real, cosign, |testbed| {
            let registry = Registry::start(&testbed.shell().folder().join("registry"))?;
            let shell = testbed.shell_with_login(&registry.docker_config(""))?;
            shell.ok(guide::KEY_PAIR)?;
            let log = RekorV1::start(&shell)?;
            prepare(&shell, &registry, &log)?;
            trust(&shell, &log, None)?;
            let image = built(&shell, &registry.host(), "build", &log)?;
            judged(&shell, cosign, KEY, &image)?;
            logged_again(&shell, "build", &log)?;
            shell.ok(&format!("windlass verify {KEY} {image}"))?;
            ensure!(testbed.controller_is_running(), "the controller ended");
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn what_the_controller_logs_without_a_key_is_verified_by_cosign_with_the_identity() -> Result<()> {
    for cosign in Cosign::BOTH {
        Testbed::with(Kind::Real, cosign, |testbed| {
            let registry = Registry::start(&testbed.shell().folder().join("registry"))?;
            let shell = testbed.shell_with_login(&registry.docker_config(""))?;
            let (log, fulcio) = (RekorV1::start(&shell)?, Fulcio::start(&shell)?);
            prepare(&shell, &registry, &log)?;
            trust(&shell, &log, Some(&fulcio))?;
            without_a_key(&shell, &fulcio)?;
            let image = built(&shell, &registry.host(), "build", &log)?;
            let who = fulcio.identity_flags(Fulcio::CONTROLLER);
            judged(&shell, cosign, &who, &image)?;
            let line = format!("windlass verify --trusted-root TRUST.json {who}");
            for (root, code) in [("root", 0), ("other", 1)] {
                let line = line.replace("TRUST", root);
                shell.run(&format!("{line} {image}"))?.exits(code)?;
                shell.run(&format!("{line} taskrun/build"))?.exits(code)?;
            }
            logged_again(&shell, "build", &log)?;
            ensure!(testbed.controller_is_running(), "the controller ended");
            Ok(())
        })?;
    }
    Ok(())
}

/// cosign verifies what is attached to an image, and does not with the key of another log.
fn judged(shell: &Shell, cosign: Cosign, who: &str, image: &str) -> Result<()> {
    for flags in ways(cosign) {
        for verb in ["verify", "verify-attestation --type slsaprovenance"] {
            let with = |name: &str| {
                let flags = flags.replace("ROOT", &format!("{name}.json"));
                format!(
                    "{TRUSTED_FILES} SIGSTORE_REKOR_PUBLIC_KEY={name}.pub cosign {verb} {flags} {who} {image}"
                )
            };
            shell.ok(&with("root"))?;
            let refused = shell.run(&with("other"))?.code;
            ensure!(refused != 0, "{} is verified", with("other"));
        }
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

/// An account that may push, and a first entry.
fn prepare(shell: &Shell, registry: &Registry, log: &RekorV1) -> Result<()> {
    secret(shell, "right", &registry.docker_config(""))?;
    let secrets = json!({ "imagePullSecrets": [{ "name": "right" }] });
    account(shell, "build-bot", &secrets)?;
    // the library of cosign 2.5 takes the number 0, of the first entry of a log, for none
    shell.write("blob", "the first entry")?;
    shell.ok("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out first.pem")?;
    shell.ok("windlass import-key-pair --key first.pem -o first")?;
    let log = log.address();
    shell.ok(&format!(
        "windlass sign-blob --key first.key --rekor-url {log} --bundle first blob"
    ))?;
    Ok(())
}

/// What is trusted as files and as trusted roots, and the same with another log.
fn trust(shell: &Shell, log: &RekorV1, fulcio: Option<&Fulcio>) -> Result<()> {
    let other = trusted_root::unknown_log(shell, "other")?;
    shell.write("root.pub", log.public_key())?;
    for (name, log) in [("root", log.trusted()), ("other", other)] {
        let root = trusted_root::of(&[log], fulcio.map(Fulcio::trusted), &[]);
        shell.write(&format!("{name}.json"), root.to_string())?;
    }
    Ok(())
}

/// Has the controller sign with certificates of this Fulcio, which its log of certificates has to have seen.
fn without_a_key(shell: &Shell, fulcio: &Fulcio) -> Result<()> {
    let token = fulcio.token(shell, "tekton-chains", "tekton-chains-controller")?;
    shell.write("identity-token", &token)?;
    let file = shell.folder().join("identity-token").display().to_string();
    configure_windlass(
        shell,
        &[
            ("signers.x509.fulcio.root", fulcio.chain()),
            ("signers.x509.fulcio.ctlog-key", fulcio.log_key()),
        ],
    )?;
    configure(
        shell,
        &[
            ("signers.x509.fulcio.enabled", "true"),
            ("signers.x509.fulcio.address", fulcio.address()),
            ("signers.x509.fulcio.issuer", fulcio.issuer()),
            ("signers.x509.identity.token.file", &file),
        ],
    )
}

/// A run that built an image, with everything in the registry in both encodings. Three things are logged: the run's
/// statement, and the image as a payload and as a statement.
fn built(shell: &Shell, host: &str, name: &str, log: &RekorV1) -> Result<String> {
    let settings = [
        ("artifacts.oci.storage", "oci"),
        ("artifacts.taskrun.storage", "tekton,oci"),
        ("storage.oci.encoding-format", "both"),
        ("transparency.enabled", "true"),
        ("transparency.url", log.address()),
    ];
    configure(shell, &settings)?;
    let image = push(shell, &format!("{host}/team/{name}"))?;
    let before = log.entries(shell)?;
    start(shell, name, "build-bot", &json!({}))?;
    finish(shell, name, &image)?;
    runs::wait_until_signed(shell, &format!("taskrun/{name}"))?;
    let added = log.entries(shell)? - before;
    ensure!(added == 3, "{added} entries");
    let run = RunRecord::get(shell, name)?;
    let url = run.annotation("transparency");
    ensure!(url.starts_with(log.address()), "{url}");
    let entry = shell.ok(&format!("curl --noproxy '*' --silent --fail '{url}'"))?;
    ensure!(entry.contains("signedEntryTimestamp"), "{entry}");
    Ok(image)
}

/// A run whose mark is taken off is logged again as it was: the log says that it has the entry (409), which is as
/// good as a new one. Signatures that are in the registry alone are in the entries that the run carries.
fn logged_again(shell: &Shell, name: &str, log: &RekorV1) -> Result<()> {
    let run = RunRecord::get(shell, name)?;
    let (entries, version) = (log.entries(shell)?, run.resource_version());
    let off: String = ["signed", "seal", "transparency"]
        .map(|name| format!(" chains.tekton.dev/{name}-"))
        .concat();
    let proof = format!(" chains.tekton.dev/proof-taskrun-{}-", run.uid());
    shell.ok(&format!("kubectl annotate taskrun {name}{off}{proof}"))?;
    let again = RunRecord::wait(shell, name, "is signed again", |run| {
        run.annotation("signed") == "true" && run.resource_version() != version
    });
    let again = again.context("after its mark was taken off")?;
    let url = again.annotation("transparency");
    ensure!(
        url == run.annotation("transparency"),
        "{url} is another entry"
    );
    let added = log.entries(shell)? - entries;
    ensure!(added == 0, "{added} more entries");
    Ok(())
}
