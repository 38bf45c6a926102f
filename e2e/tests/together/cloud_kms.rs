//! Keys in AWS KMS: what windlass signs there cosign verifies and the other way round, with the key in
//! the service and, where cosign can, with the public key in a file.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use windlass_e2e::{Command, Cosign, Kind, LocalKms, RunRecord, Shell, Testbed, runs};

/// The specs of keys by their aliases, and whether cosign verifies signatures by such a key with the
/// public key in a file. There it knows neither hash nor padding and takes SHA-256 and PKCS#1 v1.5; the
/// emulator, and AWS with it, signs P-384 with SHA-384, and RSA as PSS if that is listed first.
const KEYS: [(&str, &str, bool); 4] = [
    ("p256", "ECC_NIST_P256", true),
    ("p384", "ECC_NIST_P384", false),
    ("p521", "ECC_NIST_P521", false),
    ("rsa2048", "RSA_2048", false),
];

#[test]
fn files_signed_with_keys_in_aws_kms_are_verified_both_ways() -> Result<()> {
    for cosign in Cosign::BOTH {
        Testbed::without_controller(Kind::BuiltIn, cosign, |testbed| {
            let kms = LocalKms::start(testbed.shell().folder())?;
            let shell = &kms.shell(testbed.shell());
            for (name, spec, with_file) in KEYS {
                kms.create_key(shell, name, spec)?;
                both_ways(shell, cosign, name, with_file)
                    .with_context(|| format!("{spec}, cosign {cosign:?}"))?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

fn both_ways(shell: &Shell, cosign: Cosign, name: &str, with_file: bool) -> Result<()> {
    let (reference, file) = (format!("awskms:///alias/{name}"), format!("{name}.pub"));
    shell.ok(&format!("windlass public-key --key {reference} > {file}"))?;
    shell.ok(&format!(
        "cosign public-key --key {reference} > {file}.cosign"
    ))?;
    shell.ok(&format!("diff {file} {file}.cosign"))?;
    shell.write("blob", format!("signed with {name}\n"))?;
    let (verify_flags, sign_flags) = (cosign.verify_flags(), cosign.sign_flags());
    let verify = |key: &str| format!("--key {key} --signature signature blob");
    for sign in [
        format!("windlass sign-blob --key {reference} blob > signature"),
        format!("cosign sign-blob {sign_flags}--key {reference} --output-signature signature blob"),
    ] {
        shell.ok(&sign)?;
        for line in [
            format!("windlass verify-blob {}", verify(&file)),
            format!("windlass verify-blob {}", verify(&reference)),
            format!("cosign verify-blob {verify_flags}{}", verify(&reference)),
        ] {
            shell.run(&line)?.exits(0)?.says("Verified OK")?;
        }
        let line = format!("cosign verify-blob {verify_flags}{}", verify(&file));
        let code = shell.run(&line)?.code;
        ensure!((code == 0) == with_file, "{line}: exit {code}");
        shell.ok("cp blob blob.signed && echo more >> blob")?;
        for key in [&file, &reference] {
            let code = shell
                .run(&format!("windlass verify-blob {}", verify(key)))?
                .code;
            ensure!(code == 1, "{key}: exit {code} for a changed blob");
        }
        shell.ok("mv blob.signed blob")?;
    }
    Ok(())
}

#[test]
fn a_controller_signs_runs_with_a_key_in_aws_kms_and_takes_up_what_its_alias_names() -> Result<()> {
    Testbed::without_controller(Kind::Real, Cosign::Three, |testbed| {
        let kms = LocalKms::start(testbed.shell().folder())?;
        let shell = &kms.shell(testbed.shell());
        kms.create_key(shell, "runs", "ECC_NIST_P256")?;
        let patch = json!({"data": {
            "artifacts.oci.storage": "",
            "artifacts.taskrun.signer": "kms",
            "artifacts.pipelinerun.signer": "kms",
            "signers.kms.kmsref": "awskms:///alias/runs",
        }});
        shell.ok(&format!(
            "kubectl patch configmap chains-config -p '{patch}'"
        ))?;
        let mut command = Command::windlass("chains-0", testbed.kubeconfig(), shell.folder())?;
        command.variables.extend(kms.variables());
        let mut controller = command.start()?;
        let public = "windlass public-key --key awskms:///alias/runs";
        shell.ok(&format!("{public} > old.pub"))?;
        runs::settle(shell, "before")?;
        ensure!(
            verifies(shell, "before-0", "old.pub")?,
            "the first run does not verify"
        );
        let line = "windlass verify taskrun/before-0 --key awskms:///alias/runs";
        shell.ok(line)?;

        kms.replace_key(shell, "runs", "ECC_NIST_P256")?;
        shell.ok(&format!("{public} > new.pub"))?;
        runs::settle(shell, "after")?;
        ensure!(
            verifies(shell, "after-0", "new.pub")?,
            "the run after it does not verify"
        );
        ensure!(
            verifies(shell, "before-0", "old.pub")?,
            "the old run no longer verifies"
        );
        let events = shell.ok("kubectl get events -o json")?;
        ensure!(
            events.contains("KeyRotated"),
            "no Event tells of the new key"
        );
        ensure!(controller.is_running(), "the controller ended");
        let log = command.log()?;
        ensure!(!log.contains("not-checked"), "the secret key is in the log");
        controller.wait_until(Duration::from_secs(1), || true)
    })
}

fn verifies(shell: &Shell, run: &str, key: &str) -> Result<bool> {
    RunRecord::get(shell, run)?.verifies(shell, Cosign::Three, key)
}
