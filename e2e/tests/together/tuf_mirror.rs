//! The sandbox's mirror of The Update Framework: both versions of cosign start from its root, follow a change
//! of that, and verify by the trusted root that it has, as windlass does; none believes a root that its
//! predecessor did not sign.

use anyhow::{Context, Result, ensure};
use windlass_e2e::by_hand::{make_signer, write_inputs};
use windlass_e2e::{Cosign, Shell, Workstation};
use windlass_sandbox::sigstore::Sigstore;
use windlass_sandbox::tuf::{Role, TufMirror};

#[test]
fn a_mirror_is_followed_by_cosign_and_windlass_from_its_first_root() -> Result<()> {
    for cosign in Cosign::BOTH {
        followed(cosign).with_context(|| format!("{cosign:?}"))?;
    }
    Ok(())
}

fn followed(cosign: Cosign) -> Result<()> {
    let machine = Workstation::new(cosign)?;
    let shell = machine.shell();
    let runtime = tokio::runtime::Runtime::new()?;
    let sigstore = runtime.block_on(Sigstore::start())?;
    let mirror = &sigstore.mirror;
    shell.write("first.json", mirror.root())?;
    let initialize = format!("initialize --mirror {} --root first.json", mirror.url());
    let lines = [
        format!("cosign {initialize}"),
        format!("windlass trust {initialize}"),
    ];
    every(shell, &lines)?;
    if matches!(cosign, Cosign::Three) {
        verified(shell, &sigstore)?;
    }
    mirror.replace_root_key()?;
    mirror.put("trusted_root.json", &sigstore.trusted_root().to_string())?;
    every(shell, &lines).context("after a change of the root")?;
    mirror.expire(Role::Timestamp)?;
    none(shell, &lines).context("with an end in the past")?;
    let other = runtime.block_on(TufMirror::start(&[("trusted_root.json", "{}")]))?;
    shell.write("other.json", other.root())?;
    let others = lines.map(|line| line.replace("first.json", "other.json"));
    none(shell, &others).context("from the root of another")
}

/// What windlass signed with the services of the mirror's files, both verify by the trusted root of it.
fn verified(shell: &Shell, sigstore: &Sigstore) -> Result<()> {
    write_inputs(shell)?;
    make_signer(shell)?;
    shell.write("root.json", sigstore.trusted_root().to_string())?;
    let target = "signing_config.v0.2.json";
    let config = sigstore.mirror.target(target).context("no such target")?;
    shell.write("config.json", config)?;
    shell.ok(
        "windlass sign-blob --key signer.key --signing-config config.json --trusted-root root.json \
         --bundle bundle blob",
    )?;
    for program in ["cosign", "windlass"] {
        shell.ok(&format!(
            "{program} verify-blob --key signer.pub --use-signed-timestamps --bundle bundle blob"
        ))?;
    }
    // cosign signs with what the mirror names, told nothing but to use it
    shell.ok("cosign sign-blob --key signer.key --yes --bundle theirs blob")?;
    let theirs = std::fs::read_to_string(shell.folder().join("theirs"))?;
    ensure!(theirs.contains("tlogEntries"), "{theirs}");
    shell
        .ok("windlass verify-blob --key signer.pub --use-signed-timestamps --bundle theirs blob")?;
    Ok(())
}

fn every(shell: &Shell, lines: &[String]) -> Result<()> {
    for line in lines {
        shell.ok(line)?;
    }
    Ok(())
}

fn none(shell: &Shell, lines: &[String]) -> Result<()> {
    for line in lines {
        ensure!(shell.run(line)?.code != 0, "{line}: it is believed");
    }
    Ok(())
}
