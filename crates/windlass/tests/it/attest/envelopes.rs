//! `attest`: the envelope verifies, holds the payload, and what is not ready is refused.

use windlass_core::dsse::Envelope;
use windlass_core::key::PublicKey;

use super::runs::{folder, task};
use crate::shell::Shell;

fn verified(shell: &Shell, envelope: &[u8]) -> Vec<u8> {
    let key = PublicKey::from_pem(&shell.read("cosign.pub")).unwrap();
    let envelope = Envelope::from_json(envelope).unwrap();
    envelope.verify(&key).unwrap().payload
}

#[test]
fn the_envelope_holds_the_payload_and_verifies() {
    let shell = folder();
    for format in [
        "in-toto",
        "slsa/v2alpha3",
        "slsa/v2alpha4",
        "slsa-provenance/v1",
    ] {
        let printed = shell.succeed(&format!(
            "attest -f task.yaml --key cosign.key --format {format}"
        ));
        let payload = shell.succeed(&format!("payload -f task.yaml --format {format}"));
        assert_eq!(verified(&shell, printed.as_bytes()), payload.as_bytes());
        shell.write("envelope", printed);
        let kind = if format == "in-toto" {
            "slsaprovenance"
        } else {
            "slsaprovenance1"
        };
        shell.succeed(&format!(
            "verify-blob-attestation --key cosign.pub --signature envelope --type {kind} \
             --check-claims=false"
        ));
    }
}

#[test]
fn the_same_run_and_key_give_the_same_bytes_to_a_file_and_to_standard_output() {
    let shell = folder();
    let printed = shell.succeed("attest -f task.yaml --key cosign.key");
    assert_eq!(
        shell.succeed("attest -f task.yaml --key cosign.key -o out"),
        ""
    );
    assert_eq!(shell.read("out"), printed.as_bytes());
    let failed = "attest -f task.yaml --key cosign.key -o gone/out";
    shell.fail(2, failed, "cannot write to gone/out");
}

#[test]
fn a_list_with_one_pipeline_run_is_attested_with_its_task_runs() {
    let shell = folder();
    let line = "attest -f list.yaml --key cosign.key --config deep.yaml";
    let envelope = shell.succeed(line);
    let payload = shell.succeed("payload -f pipeline.yaml --child task.yaml --config deep.yaml");
    assert_eq!(verified(&shell, envelope.as_bytes()), payload.as_bytes());
}

#[test]
fn the_format_tekton_gives_a_signature_that_verify_blob_takes() {
    let shell = folder();
    let line = "attest -f task.yaml --key cosign.key --format tekton -o signature";
    shell.succeed(line);
    shell.write(
        "payload",
        shell.succeed("payload -f task.yaml --format tekton"),
    );
    let verify = "verify-blob --key cosign.pub --signature signature payload";
    shell.succeed(verify);
    shell.write("payload", "something else");
    shell.fail(1, verify, "does not match the key SHA256:");
}

#[test]
fn what_is_not_ready_is_refused_before_the_key_is_asked_for() {
    let shell = folder();
    let running = task().replace("'True'", "Unknown");
    shell.write("running.yaml", &running);
    let outcome = shell.run("attest -f running.yaml --key no-such.key");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (2, ""));
    assert!(
        outcome.stderr.contains("is not finished"),
        "{}",
        outcome.stderr
    );
    let child = "attest -f pipeline.yaml --child running.yaml --key cosign.key";
    shell.fail(2, child, "\"build\" of the PipelineRun is not finished");
    let simplesigning = "attest -f task.yaml --key cosign.key --format simplesigning";
    shell.fail(2, simplesigning, "describes an image");
}

#[test]
fn a_key_that_cannot_sign_is_refused() {
    let shell = folder();
    shell.fail(2, "attest -f task.yaml --key gone.key", "gone.key");
    let public = shell.run("attest -f task.yaml --key cosign.pub");
    assert_eq!((public.code, public.stdout.as_str()), (2, ""));
    let shell = shell.password(Some("wrong"));
    let outcome = shell.run("attest -f task.yaml --key cosign.key");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (2, ""));
    let shell = shell.password(None);
    let piped = "attest -f - --key cosign.key";
    shell.fail(2, piped, "set COSIGN_PASSWORD");
}
