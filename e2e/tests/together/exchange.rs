//! Folders that `save` writes are exchanged with cosign, in both directions: what is loaded from them is
//! verified by both.

use anyhow::{Result, ensure};
use windlass_e2e::{Cosign, Registry, Shell, Workstation};

const SIGN: &str =
    "cosign sign --yes --use-signing-config=false --tlog-upload=false --new-bundle-format=false";

#[test]
fn a_folder_that_windlass_saves_is_loaded_by_cosign() -> Result<()> {
    exchange("windlass", "cosign")
}

#[test]
fn a_folder_that_cosign_saves_is_loaded_by_windlass() -> Result<()> {
    exchange("cosign", "windlass")
}

fn exchange(from: &str, to: &str) -> Result<()> {
    let workstation = Workstation::new(Cosign::Three)?;
    let registry = Registry::start_with_referrers(&workstation.shell().folder().join("registry"))?;
    let image = format!("{}/from/app", registry.host());
    let copy = format!("{}/to/app", registry.host());
    let shell = workstation.shell();
    shell.ok("cosign generate-key-pair")?;
    shell.write("content", "an image")?;
    shell.write("p.json", "{}")?;
    shell.ok(&format!("cosign upload blob -f content {image}:v1"))?;
    let digest = shell.ok(&format!("oras resolve --plain-http {image}:v1"))?;
    let digest = digest.trim();
    shell.ok(&format!("{SIGN} --key cosign.key {image}@{digest}"))?;
    let attest = SIGN.replacen("cosign sign", "cosign attest", 1);
    shell.ok(&format!(
        "{attest} --key cosign.key --predicate p.json --type slsaprovenance {image}@{digest}"
    ))?;
    shell.ok(&format!("{from} save --dir folder {image}:v1"))?;
    shell.ok(&format!("{to} load --dir folder {copy}:v1"))?;
    let loaded = shell.ok(&format!("oras resolve --plain-http {copy}:v1"))?;
    ensure!(loaded.trim() == digest, "another digest: {loaded}");
    for image in [&image, &copy] {
        is_verified(shell, image)?;
    }
    Ok(())
}

fn is_verified(shell: &Shell, image: &str) -> Result<()> {
    let flags = Cosign::Three.verify_flags();
    for program in ["cosign", "windlass"] {
        let verify = format!("{program} verify {flags} --key cosign.pub {image}:v1");
        shell.ok(&verify)?;
        let attestation = format!("{program} verify-attestation {flags} --type slsaprovenance");
        shell.ok(&format!("{attestation} --key cosign.pub {image}:v1"))?;
    }
    Ok(())
}
