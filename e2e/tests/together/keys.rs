//! One key pair, two programs: what cosign makes windlass uses, and the other way round.

use anyhow::{Result, ensure};
use windlass_e2e::{Cosign, Kind, Shell, Testbed, on_both_clusters};

on_both_clusters!(
    a_key_pair_of_windlass_serves_cosign,
    a_key_pair_of_cosign_serves_windlass
);

const REFERENCE: &str = "k8s://openshift-pipelines/signing-secrets";

fn a_key_pair_of_windlass_serves_cosign(kind: Kind) -> Result<()> {
    for cosign in Cosign::BOTH {
        Testbed::with(kind, cosign, |testbed| {
            let shell = testbed.shell();
            shell.ok(&format!("windlass generate-key-pair {REFERENCE}"))?;
            fields_of_the_secret(shell)?;
            shell.ok(&format!(
                "windlass public-key --key {REFERENCE} > windlass.pub"
            ))?;
            shell.ok(&format!(
                "cosign public-key --key {REFERENCE} > cosign.seen"
            ))?;
            shell.ok("diff windlass.pub cosign.seen")?;

            shell.write("blob", "signed by cosign with a key of windlass\n")?;
            let flags = cosign.sign_flags();
            shell.ok(&format!(
                "cosign sign-blob {flags}--key {REFERENCE} --output-signature signature blob"
            ))?;
            both_verify(shell, cosign, REFERENCE)
        })?;
    }
    Ok(())
}

fn a_key_pair_of_cosign_serves_windlass(kind: Kind) -> Result<()> {
    for cosign in Cosign::BOTH {
        Testbed::with(kind, cosign, |testbed| {
            let shell = testbed.shell();
            shell.ok(&format!("cosign generate-key-pair {REFERENCE}"))?;
            fields_of_the_secret(shell)?;
            shell.ok(&format!(
                "cosign public-key --key {REFERENCE} > cosign.seen"
            ))?;
            shell.ok(&format!(
                "windlass public-key --key {REFERENCE} > windlass.pub"
            ))?;
            shell.ok("diff windlass.pub cosign.seen")?;
            shell.write("blob", "signed by windlass with a key of cosign\n")?;
            shell.ok(&format!(
                "windlass sign-blob --key {REFERENCE} blob > signature"
            ))?;
            both_verify(shell, cosign, REFERENCE)?;

            shell.ok("cosign generate-key-pair --output-key-prefix files")?;
            shell.ok("windlass sign-blob --key files.key blob > signature")?;
            both_verify(shell, cosign, "files.pub")
        })?;
    }
    Ok(())
}

/// The secret is the one that cosign makes: three fields, immutable, and the key decrypts.
fn fields_of_the_secret(shell: &Shell) -> Result<()> {
    let fields = shell.ok(
        r"kubectl get secret signing-secrets -o go-template='{{range $k, $v := .data}}{{$k}} {{end}}'",
    )?;
    ensure!(
        fields.trim() == "cosign.key cosign.password cosign.pub",
        "the secret has {fields}"
    );
    let immutable = shell.ok("kubectl get secret signing-secrets -o jsonpath='{.immutable}'")?;
    ensure!(immutable == "true", "the secret is not immutable");
    Ok(())
}

fn both_verify(shell: &Shell, cosign: Cosign, key: &str) -> Result<()> {
    let arguments = format!("--key {key} --signature signature blob");
    let flags = cosign.verify_flags();
    for line in [
        format!("cosign verify-blob {flags}{arguments}"),
        format!("windlass verify-blob {arguments}"),
        format!("windlass verify-blob {flags}{arguments}"),
    ] {
        shell.run(&line)?.exits(0)?.says("Verified OK")?;
    }
    shell.ok("cp blob blob.signed && echo more >> blob")?;
    for program in [
        format!("cosign verify-blob {flags}"),
        "windlass verify-blob ".to_owned(),
    ] {
        let code = shell.run(&format!("{program}{arguments}"))?.code;
        ensure!(code == 1, "{program}: exit {code} for a changed blob");
    }
    shell.ok("mv blob.signed blob")?;
    Ok(())
}
