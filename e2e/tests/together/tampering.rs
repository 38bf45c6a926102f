//! One bit changed anywhere: exit 1, and the message names the part that does not match; exit 2 where it
//! leaves no key to verify with.

use anyhow::{Context, Result, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use windlass_e2e::{Cosign, Kind, RunRecord, Shell, Testbed, guide, on_both_clusters, runs};

on_both_clusters!(a_changed_bit_in_any_part_does_not_verify);

const BLOB: &str = "windlass verify-blob --key cosign.pub --signature signature payload";
const ATTESTATION: &str = "windlass verify-blob-attestation --key cosign.pub --signature envelope \
                           --type slsaprovenance --check-claims=false /dev/null";

fn a_changed_bit_in_any_part_does_not_verify(kind: Kind) -> Result<()> {
    Testbed::with(kind, Cosign::Two, |testbed| {
        let shell = testbed.shell();
        shell.ok(guide::KEY_PAIR)?;
        runs::configure(shell, "tekton")?;
        let bare = signed_run(shell, "bare")?;
        runs::configure(shell, "in-toto")?;
        let enveloped = signed_run(shell, "enveloped")?;
        ensure!(
            enveloped.is_statement()?,
            "the change of format was not taken before the run"
        );
        detached_parts(shell, &bare)?;
        enveloped_parts(shell, &enveloped)
    })
}

/// A run signed in the format in force.
fn signed_run(shell: &Shell, name: &str) -> Result<RunRecord> {
    runs::create_batch(shell, name, 1)?;
    runs::finish(shell, &format!("-f {name}.json"))?;
    runs::wait_until_signed(shell, &format!("taskrun/{name}-0"))?;
    RunRecord::get(shell, &format!("{name}-0"))
}

fn detached_parts(shell: &Shell, run: &RunRecord) -> Result<()> {
    let (payload, signature) = (run.payload()?, run.signature()?);
    shell.write("payload", &payload)?;
    shell.write("signature", STANDARD.encode(&signature))?;
    shell.run(BLOB)?.exits(0)?.says("Verified OK")?;

    shell.write("payload", flipped(&payload))?;
    shell.run(BLOB)?.exits(1)?.says("payload")?;
    shell.write("payload", &payload)?;

    shell.write("signature", STANDARD.encode(flipped(&signature)))?;
    shell.run(BLOB)?.exits(1)?.says("signature")?;
    shell.write("signature", STANDARD.encode(&signature))?;

    with_another_key(shell, BLOB)
}

fn enveloped_parts(shell: &Shell, run: &RunRecord) -> Result<()> {
    let envelope: Value = serde_json::from_slice(&run.signature()?)?;
    shell.write("envelope", envelope.to_string())?;
    shell.run(ATTESTATION)?.exits(0)?.says("Verified OK")?;

    let payload = decoded(&envelope["payload"])?;
    let signature = decoded(&envelope["signatures"][0]["sig"])?;
    let cases = [
        (
            "/payload",
            json!(STANDARD.encode(flipped(&payload))),
            "payload",
        ),
        (
            "/payloadType",
            json!("application/vnd.in-toto+jsoo"),
            "payloadType",
        ),
        (
            "/signatures/0/sig",
            json!(STANDARD.encode(flipped(&signature))),
            "signature",
        ),
        ("/signatures", json!([]), "signature"),
    ];
    for (part, value, word) in cases {
        let mut changed = envelope.clone();
        *changed
            .pointer_mut(part)
            .with_context(|| format!("no {part} in the envelope"))? = value;
        shell.write("envelope", changed.to_string())?;
        shell.run(ATTESTATION)?.exits(1)?.says(word)?;
    }
    shell.write("envelope", envelope.to_string())?;
    with_another_key(shell, ATTESTATION)
}

/// One bit of the key itself, and a sound key that is not the signer's.
fn with_another_key(shell: &Shell, line: &str) -> Result<()> {
    let key = shell.read("cosign.pub")?;
    let pem = String::from_utf8(key.clone())?;
    let body: String = pem
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .collect();
    let mut der = STANDARD.decode(&body)?;
    *der.last_mut().context("an empty key")? ^= 1;
    let changed = STANDARD.encode(der);
    shell.write(
        "cosign.pub",
        format!("-----BEGIN PUBLIC KEY-----\n{changed}\n-----END PUBLIC KEY-----\n"),
    )?;
    shell.run(line)?.exits(2)?.says("key")?;

    shell.ok("windlass generate-key-pair --output-key-prefix stranger --force")?;
    shell.ok("cp stranger.pub cosign.pub")?;
    shell.run(line)?.exits(1)?.says("key")?;
    shell.write("cosign.pub", key)
}

/// The bytes with one bit in the middle changed.
fn flipped(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    bytes
}

fn decoded(text: &Value) -> Result<Vec<u8>> {
    Ok(STANDARD.decode(
        text.as_str()
            .context("a field of the envelope is missing")?,
    )?)
}
