//! What a forger does to what is attached to an image: each is a word in the lines of a case.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use windlass_e2e::Shell;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";

/// Does it, if the line is such a word; `$SOURCE` and `$SOURCE_DIGEST` are another image, which is signed
/// and attested.
pub fn forge(shell: &Shell, line: &str) -> Result<bool> {
    match line {
        "take-those-of-another-image" => {
            for kind in ["sig", "att"] {
                let from = tag("$SOURCE", "$SOURCE_DIGEST", kind);
                shell.ok(&format!(
                    "oras cp --from-plain-http --to-plain-http {from} {}",
                    own(kind)
                ))?;
            }
        }
        "take-the-attestation-for-a-signature" => put(shell, "sig", &get(shell, "att")?)?,
        "change-the-signature" => change(shell, |layer| {
            let signature = layer["annotations"][SIGNATURE].as_str().unwrap_or_default();
            // still base64, and still the form of a signature
            let middle = signature.len() / 2;
            let other = if signature[middle..].starts_with('A') {
                "B"
            } else {
                "A"
            };
            let changed = format!(
                "{}{other}{}",
                &signature[..middle],
                &signature[middle + 1..]
            );
            layer["annotations"][SIGNATURE] = json!(changed);
        })?,
        "empty-the-signature" => change(shell, |layer| {
            layer["annotations"][SIGNATURE] = json!("");
        })?,
        "leave-out-the-layers" => {
            let mut manifest = get(shell, "sig")?;
            manifest["layers"] = json!([]);
            put(shell, "sig", &manifest)?;
        }
        "change-the-payload" => {
            let manifest = get(shell, "sig")?;
            let layer = manifest["layers"][0]["digest"]
                .as_str()
                .context("no layer")?;
            shell.ok(&format!(
                "oras blob fetch --plain-http --output payload $REPO@{layer}"
            ))?;
            let payload = String::from_utf8(shell.read("payload")?)?;
            let payload = payload.replace("/case/", "/fake/");
            let size = payload.len();
            shell.write("payload", payload)?;
            let digest = shell.ok("sha256sum payload | cut -d' ' -f1")?;
            let digest = format!("sha256:{}", digest.trim());
            shell.ok(&format!(
                "oras blob push --plain-http $REPO@{digest} payload"
            ))?;
            change(shell, |layer| {
                layer["digest"] = json!(digest);
                layer["size"] = json!(size);
            })?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn tag(repository: &str, digest: &str, kind: &str) -> String {
    format!("{repository}:$(echo {digest} | tr : -).{kind}")
}

/// The tag of what is attached to the image.
fn own(kind: &str) -> String {
    tag("$REPO", "${IMAGE##*@}", kind)
}

fn change(shell: &Shell, change: impl FnOnce(&mut Value)) -> Result<()> {
    let mut manifest = get(shell, "sig")?;
    change(&mut manifest["layers"][0]);
    put(shell, "sig", &manifest)
}

fn get(shell: &Shell, kind: &str) -> Result<Value> {
    let manifest = shell.ok(&format!("oras manifest fetch --plain-http {}", own(kind)))?;
    Ok(serde_json::from_str(&manifest)?)
}

fn put(shell: &Shell, kind: &str, manifest: &Value) -> Result<()> {
    shell.write("manifest.json", manifest.to_string())?;
    shell.ok(&format!(
        "oras manifest push --plain-http --media-type {MANIFEST} {} manifest.json",
        own(kind)
    ))?;
    Ok(())
}
