//! Keys in OpenBao: the controller signs with them, and cosign verifies with the public key. A file that
//! windlass signs OpenBao verifies, and the other way round. What is logged is in `kms_logged`.

use anyhow::{Context, Result, ensure};
use serde_json::json;
use windlass_e2e::{Cosign, Kind, OpenBao, RunRecord, Shell, Testbed, on_both_clusters, runs};

on_both_clusters!(
    runs_signed_with_a_key_in_openbao_are_verified_by_cosign,
    a_rotated_key_in_openbao_signs_what_comes_after_it,
);

/// Has the controller sign with this key.
fn configure(shell: &Shell, bao: &OpenBao, key: &str, token: &str) -> Result<()> {
    let patch = json!({"data": {
        "artifacts.oci.storage": "",
        "artifacts.taskrun.signer": "kms",
        "artifacts.pipelinerun.signer": "kms",
        "signers.kms.kmsref": format!("hashivault://{key}"),
        "signers.kms.auth.address": bao.address(),
        "signers.kms.auth.token": token,
    }});
    let patch = patch.to_string();
    shell.ok(&format!(
        "kubectl patch configmap chains-config -p '{patch}'"
    ))?;
    Ok(())
}

/// A run that is signed, and verifies with the key in this file.
fn signed(shell: &Shell, name: &str, cosign: Cosign, key: &str) -> Result<()> {
    runs::create_batch(shell, name, 1)?;
    runs::finish(shell, &format!("-f {name}.json"))?;
    // the change of the settings may reach the controller a little later than the run
    RunRecord::wait(
        shell,
        &format!("{name}-0"),
        "is signed with the key",
        |run| run.annotation("signed") == "true",
    )?;
    let run = RunRecord::get(shell, &format!("{name}-0"))?;
    ensure!(
        run.verifies(shell, cosign, key)?,
        "cosign does not verify run {name} with {key}"
    );
    Ok(())
}

fn runs_signed_with_a_key_in_openbao_are_verified_by_cosign(kind: Kind) -> Result<()> {
    for cosign in Cosign::BOTH {
        Testbed::with(kind, cosign, |testbed| {
            let bao = OpenBao::start(testbed.shell().folder())?;
            let shell = &bao.shell(testbed.shell());
            let token = bao.set_up(shell)?;
            for (key, _) in OpenBao::KEYS {
                configure(shell, &bao, key, &token)?;
                let reference = format!("hashivault://{key}");
                let file = format!("{key}.pub");
                shell.ok(&format!("windlass public-key --key {reference} > {file}"))?;
                wait_for_key(shell, key, &file, cosign)?;
                signed(shell, key, cosign, &file)?;
                let line = format!("windlass verify taskrun/{key}-0 --key {reference}");
                shell.ok(&line)?;
                both_ways(shell, cosign, key)?;
            }
            ensure!(testbed.controller_is_running(), "the controller ended");
            Ok(())
        })?;
    }
    Ok(())
}

/// Makes runs until one is signed with a key: from then on the controller uses it.
fn wait_for_key(shell: &Shell, key: &str, file: &str, cosign: Cosign) -> Result<()> {
    for attempt in 0..60 {
        let name = format!("try-{key}-{attempt}");
        runs::settle(shell, &name)?;
        let run = RunRecord::get(shell, &format!("{name}-0"))?;
        if run.verifies(shell, cosign, file)? {
            return Ok(());
        }
    }
    anyhow::bail!("the controller never signed with {key}")
}

/// A file that windlass signs and OpenBao and cosign verify, and the other way round. The cosign of the
/// package sources has no client for Vault, so it gets the public key.
fn both_ways(shell: &Shell, cosign: Cosign, key: &str) -> Result<()> {
    let (reference, file) = (format!("hashivault://{key}"), format!("{key}.pub"));
    shell.write("blob", format!("signed with {key}\n"))?;
    shell.ok(&format!(
        "windlass sign-blob --key {reference} blob > signature"
    ))?;
    verified(shell, cosign, &reference, &file)?;
    let how = "hash_algorithm=sha2-256 marshaling_algorithm=asn1 signature_algorithm=pkcs1v15 \
               input=$(base64 -w 0 blob)";
    let valid = shell.ok(&format!(
        "bao write -field=valid transit/verify/{key} {how} signature=vault:v1:$(cat signature)"
    ))?;
    ensure!(valid.trim() == "true", "OpenBao does not verify: {valid}");
    shell.ok(&format!(
        "bao write -field=signature transit/sign/{key} {how} | cut -d : -f 3 > signature"
    ))?;
    verified(shell, cosign, &reference, &file)
}

/// windlass and cosign verify what was signed.
fn verified(shell: &Shell, cosign: Cosign, reference: &str, file: &str) -> Result<()> {
    let flags = cosign.verify_flags();
    let verify = |key: &str| format!("--key {key} --signature signature blob");
    for line in [
        format!("cosign verify-blob {flags}{}", verify(file)),
        format!("windlass verify-blob {}", verify(file)),
        format!("windlass verify-blob {}", verify(reference)),
    ] {
        shell.run(&line)?.exits(0)?.says("Verified OK")?;
    }
    Ok(())
}

fn a_rotated_key_in_openbao_signs_what_comes_after_it(kind: Kind) -> Result<()> {
    Testbed::with(kind, Cosign::Three, |testbed| {
        let bao = OpenBao::start(testbed.shell().folder())?;
        let shell = &bao.shell(testbed.shell());
        let token = bao.set_up(shell)?;
        let public = "windlass public-key --key openbao://p256";
        shell.ok(&format!("{public} > old.pub"))?;
        configure(shell, &bao, "p256", &token)?;
        wait_for_key(shell, "p256", "old.pub", Cosign::Three)?;
        // the first version signs no longer, so the controller looks at the key at once
        shell.ok("bao write -f transit/keys/p256/rotate")?;
        shell.ok("bao write transit/keys/p256/config min_encryption_version=2")?;
        shell.ok(&format!("{public} > new.pub"))?;
        signed(shell, "after", Cosign::Three, "new.pub")?;
        let old = RunRecord::all(shell)?;
        let old = old.iter().find(|run| run.name().starts_with("try-p256-"));
        let old = old.context("there is a run of the old version")?;
        ensure!(
            old.verifies(shell, Cosign::Three, "old.pub")?,
            "what the old version signed is no longer there"
        );
        let events = shell.ok("kubectl get events -o json")?;
        ensure!(
            events.contains("KeyRotated"),
            "no Event tells of the rotation"
        );
        Ok(())
    })
}
